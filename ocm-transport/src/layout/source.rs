use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use futures::StreamExt as _;
use ocm_oci::{Descriptor, Digest, Tag, TagOrDigest};

use super::{
    index::Index,
    shared::{Repository, Shared},
};
use crate::{
    Body, Kind, Listing, Manifest, Operation, Page, Referrer, Source, TransportError, Verb,
    memory::list,
    store::{Opened, blocking, chunks, fault},
};

/// Answers out of `index.json` alone.
pub(super) async fn listing<T: Send + 'static>(
    shared: &Arc<Shared>,
    operation: Operation,
    answer: impl FnOnce(&Index) -> T + Send + 'static,
) -> Result<T, TransportError> {
    let shared = Arc::clone(shared);
    match blocking(move || Ok(shared.index().map(|index| answer(&index)))).await {
        Ok(Ok(answered)) => Ok(answered),
        Ok(Err(error)) => Err(super::shared::Fault::from(error).in_operation(operation)),
        Err(error) => Err(fault(operation, error)),
    }
}

#[async_trait]
impl Source for Repository {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        let (operation, wanted) = (self.operation(Verb::LookUp, reference), reference.clone());
        self.run(operation, move |shared, name| shared.find(name, &wanted)).await
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let (operation, wanted) = (self.operation(Verb::Fetch, reference), reference.clone());
        let read = self.run(operation, move |shared, name| match shared.find(name, &wanted)? {
            Some(descriptor) => shared.read(&descriptor, limit as u64),
            None => Ok(None),
        });
        read.await?.ok_or_else(|| self.fail(Verb::Fetch, reference, Kind::NotFound))
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        let (operation, digest) = (self.operation(Verb::LookUp, digest), digest.clone());
        let opened = self.run(operation, move |shared, _| Ok(shared.store.open(&digest)?));
        Ok(opened.await?.map(|(_, len)| len))
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let (operation, wanted) = (self.operation(Verb::Fetch, digest), digest.clone());
        let opened =
            self.run(operation.clone(), move |shared, _| Ok(shared.store.open(&wanted)?));
        let fail = |kind| self.fail(Verb::Fetch, digest, kind);
        let (file, len) = opened.await?.ok_or_else(|| fail(Kind::NotFound))?;
        let Range { start, end } = range.unwrap_or(0..len);
        if start > end || end > len {
            return Err(fail(Kind::Refused));
        }
        let open = move || Ok(Opened::File(file));
        let bytes = chunks(open, (start, end - start), operation.clone()).boxed();
        let kept_in = Some(format!("`{}`", self.shared.store.path(digest).display()));
        Ok(Body { operation, starts_at: start, bytes, kept_in })
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        let (name, page) = (self.name.clone(), page.clone());
        let operation = self.operation(Verb::LookUp, "tags");
        listing(&self.shared, operation, move |index| list(index.tags(&name).into_keys(), &page))
            .await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        let (subject, wanted) = (subject.clone(), artifact_type.map(ToOwned::to_owned));
        let operation = self.operation(Verb::LookUp, format!("referrers of {subject}"));
        self.run(operation, move |shared, name| {
            let index = shared.index()?;
            let manifests = shared.reachable(index.visible(name)).into_values();
            let referrer = |descriptor: Descriptor| {
                let children = shared.children(&descriptor)?;
                children.subject.as_ref().filter(|named| named.digest == subject)?;
                let is_wanted = wanted.is_none() || children.artifact_type == wanted;
                is_wanted.then(|| Referrer {
                    descriptor,
                    artifact_type: children.artifact_type.clone(),
                    annotations: children.annotations.clone(),
                })
            };
            Ok(manifests.filter_map(referrer).collect())
        })
        .await
    }
}
