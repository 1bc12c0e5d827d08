use async_trait::async_trait;
use ocm_oci::{Children, Digest, RepoName, Tag, TagOrDigest};

use super::{
    shared::{Fault, Repository, Shared},
    upload::Part,
};
use crate::{Begun, Destination, Kind, Manifest, Stored, TransportError, Verb};

impl Shared {
    /// Whether everything that is named is here.
    fn has_all(&self, name: &RepoName, children: &Children) -> Result<bool, Fault> {
        for child in &children.manifests {
            if self.find(name, &TagOrDigest::from(&child.descriptor.digest))?.is_none() {
                return Ok(false);
            }
        }
        for blob in &children.blobs {
            if self.store.open(&blob.digest)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn push(
        &self,
        name: &RepoName,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, Fault> {
        let descriptor = manifest.descriptor();
        let children = manifest.children().map_err(Fault::Manifest)?;
        if !self.has_all(name, &children)? {
            return Err(Fault::Is(Kind::Incomplete));
        }
        let known = self.find(name, &TagOrDigest::from(&descriptor.digest))?;
        if self.store.open(&descriptor.digest)?.is_none() {
            let ingest = self.store.ingest()?;
            ingest.write(0, manifest.bytes())?;
            ingest.commit(&descriptor.digest).map(drop)?;
        }
        self.change(|index| {
            // Once more, now that nobody else changes anything: it may have been deleted meanwhile.
            let is_there = self.store.open(&descriptor.digest)?.is_some();
            if !is_there || !self.has_all(name, &children)? {
                return Err(Fault::Is(Kind::Incomplete));
            }
            Ok(index.with(name, tag, descriptor))
        })?;
        Ok(if known.is_some() { Stored::Already } else { Stored::New })
    }

    fn delete(&self, name: &RepoName, digest: &Digest) -> Result<(), Fault> {
        if self.find(name, &TagOrDigest::from(digest))?.is_none() {
            return Err(Fault::Is(Kind::NotFound));
        }
        let lock = self.store.lock()?;
        let index = self.index()?;
        // One that is not listed is here because an index leads to it.
        let changed = index.without(name, digest).ok_or(Fault::InUse)?;
        if self.names(changed.visible(name), digest) {
            return Err(Fault::InUse);
        }
        self.replace(&changed)?;
        let is_listed = changed.all().iter().any(|listed| listed.digest == *digest);
        if !is_listed && !self.names(changed.all(), digest) {
            self.store.remove(digest)?;
        }
        drop(lock);
        Ok(())
    }
}

#[async_trait]
impl Destination for Repository {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        _mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        let (operation, wanted) = (self.operation(Verb::Push, digest), digest.clone());
        let begun = self.run(operation, move |shared, _| {
            let found = shared.store.open(&wanted)?;
            // A file of another length is not that blob, whatever its name says.
            let is_there = found.is_some_and(|(_, len)| size.is_none_or(|size| size == len));
            Ok(if is_there { None } else { Some(shared.store.ingest()?) })
        });
        Ok(match begun.await? {
            None => Begun::Present,
            Some(ingest) => Begun::Open(Box::new(Part::new(self.clone(), digest, (size, ingest)))),
        })
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        let operation = self.operation(Verb::Push, &manifest.descriptor().digest);
        let (manifest, tag) = (manifest.clone(), tag.cloned());
        self.run(operation, move |shared, name| shared.push(name, &manifest, tag.as_ref())).await
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        let (operation, tag) = (self.operation(Verb::Delete, tag), tag.clone());
        self.run(operation, move |shared, name| {
            shared.change(|index| {
                let changed = index.untagged(name, &tag);
                changed.map(Some).ok_or(Fault::Is(Kind::NotFound))
            })
        })
        .await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        let (operation, digest) = (self.operation(Verb::Delete, digest), digest.clone());
        self.run(operation, move |shared, name| shared.delete(name, &digest)).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        let (operation, digest) = (self.operation(Verb::Delete, digest), digest.clone());
        self.run(operation, move |shared, _| {
            let lock = shared.store.lock()?;
            let index = shared.index()?;
            let is_listed = index.all().iter().any(|listed| listed.digest == digest);
            if is_listed || shared.names(index.all(), &digest) {
                return Err(Fault::InUse);
            }
            let is_removed = shared.store.remove(&digest)?;
            drop(lock);
            if is_removed { Ok(()) } else { Err(Fault::Is(Kind::NotFound)) }
        })
        .await
    }
}
