use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use http::Method;
use ocm_oci::{Descriptor, Digest, RepoName, Tag, TagOrDigest};

use super::{call::Call, endpoint::Endpoint, pages, scope::Scope};
use crate::{
    Begun, Body, Destination, Kind, Listing, Manifest, Operation, Page, Referrer, Retry, Source,
    Stored, TransportError, Verb,
};

/// Most bytes of an answer that is expected to be empty.
pub(crate) const NOTHING_LIMIT: usize = 64 << 10;

/// One repository of a registry. What is asked of it is in the modules beside this one.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) name: RepoName,
    /// What reading needs. Who came to write asks for both at once, or there would be two tokens.
    pub(crate) scope: Scope,
}

impl Repository {
    /// Names an operation on a manifest.
    pub(crate) fn on(&self, verb: Verb, reference: &TagOrDigest) -> Operation {
        let reference = match reference {
            TagOrDigest::Tag(tag) => format!("{}:{tag}", self.name),
            TagOrDigest::Digest(digest) => format!("{}@{digest}", self.name),
        };
        Operation { place: self.endpoint.host.to_string(), verb, reference }
    }

    /// Names an operation on a blob.
    pub(crate) fn on_blob(&self, verb: Verb, digest: &Digest) -> Operation {
        self.on(verb, &digest.into())
    }

    /// Returns the path of something in this repository.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("v2/{}/{rest}", self.name)
    }

    async fn delete(&self, rest: &str, what: &TagOrDigest) -> Result<(), TransportError> {
        let call = Call::new(Method::DELETE, self.path(rest), Scope::delete(&self.name));
        let answer = self.endpoint.ask(&call, NOTHING_LIMIT).await;
        let deleted = answer.and_then(super::answer::Answer::checked);
        let deleted = deleted.map_err(|failure| match (what, failure.kind()) {
            // docker-registry 2 deletes by digest only, and takes the tag for a wrong one.
            (TagOrDigest::Tag(_), Kind::Corrupt) => {
                failure.of_kind(Kind::Unsupported).with_retry(Retry::Never)
            }
            _ => failure,
        });
        deleted.map(drop).map_err(|failure| failure.during(&self.on(Verb::Delete, what)))
    }
}

#[async_trait]
impl Source for Repository {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        let found = self.head_manifest(reference).await;
        found.map_err(|failure| failure.during(&self.on(Verb::LookUp, reference)))
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let found = self.get_manifest(reference, limit).await;
        found.map_err(|failure| failure.during(&self.on(Verb::Fetch, reference)))
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        let found = self.head_blob(digest).await;
        found.map_err(|failure| failure.during(&self.on_blob(Verb::LookUp, digest)))
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let operation = self.on_blob(Verb::Fetch, digest);
        let body = self.get_blob(digest, range, &operation).await;
        body.map_err(|failure| failure.during(&operation))
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        let operation = || Operation {
            place: self.endpoint.host.to_string(),
            verb: Verb::LookUp,
            reference: self.name.to_string(),
        };
        let listing = pages::tags(self, page).await;
        listing.map_err(|failure| failure.during(&operation()))
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        let found = self.list_referrers(subject, artifact_type).await;
        found.map_err(|failure| failure.during(&self.on_blob(Verb::LookUp, subject)))
    }
}

#[async_trait]
impl Destination for Repository {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        let begun = self.begin_upload(digest, size, mount_from).await;
        begun.map_err(|failure| failure.during(&self.on_blob(Verb::Push, digest)))
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        let digest = &manifest.descriptor().digest;
        let reference = tag.map_or_else(|| digest.into(), TagOrDigest::from);
        let stored = self.put_manifest(manifest, tag).await;
        stored.map_err(|failure| failure.during(&self.on(Verb::Push, &reference)))
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        self.delete(&format!("manifests/{tag}"), &tag.into()).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        self.delete(&format!("manifests/{digest}"), &digest.into()).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        self.delete(&format!("blobs/{digest}"), &digest.into()).await
    }
}
