use std::sync::Arc;

use async_trait::async_trait;
use ocm_oci::{Digest, RepoName, Tag};

use super::{
    source::Repository,
    upload::Filling,
    writing::{Order, Slot, State, Writing},
};
use crate::{
    Begun, Destination, Kind, Manifest, Stored, TransportError, Verb,
    store::{blocking, fault},
};

/// Some content was not planned to be in this archive.
#[derive(Debug, thiserror::Error)]
#[error("the archive was planned without it")]
struct NotPlanned;

impl Repository<Writing> {
    fn slot(&self, digest: &Digest) -> Result<&Arc<Slot>, TransportError> {
        let refused = || self.fail(Verb::Push, digest, Kind::Refused).caused_by(NotPlanned);
        self.held.slots.get(digest).ok_or_else(refused)
    }

    /// Everything `manifest` names must be here first, and `tag` must be planned to point at it.
    ///
    /// An index may name manifests that were not planned: platforms that are left out by choice.
    fn check(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<(), TransportError> {
        let digest = &manifest.descriptor().digest;
        let fail = |kind| self.fail(Verb::Push, digest, kind);
        let children = manifest.children().map_err(|e| fail(Kind::Refused).caused_by(e))?;
        let manifests = children.manifests.iter().map(|child| &child.descriptor.digest);
        let planned = manifests.filter(|child| self.held.slots.contains_key(*child));
        let mut named = planned.chain(children.blobs.iter().map(|blob| &blob.digest));
        if !named.all(|named| self.held.is_written(named)) {
            return Err(fail(Kind::Incomplete));
        }
        let planned = tag.map(|tag| self.held.names.get(&(self.name.clone(), tag.clone())));
        let is_other = planned.is_some_and(|planned| planned != Some(digest));
        if is_other || self.slot(digest)?.held.media_type.is_none() {
            return Err(fail(Kind::Refused).caused_by(NotPlanned));
        }
        Ok(())
    }
}

#[async_trait]
impl Destination for Repository<Writing> {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        _mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        let slot = self.slot(digest)?;
        if slot.state() == State::Written {
            return Ok(Begun::Present);
        }
        if size.is_some_and(|size| size != slot.held.size) {
            return Err(self.fail(Verb::Push, digest, Kind::Refused).caused_by(NotPlanned));
        }
        Ok(Begun::Open(Box::new(Filling::new(self.clone(), Arc::clone(slot)))))
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        let digest = &manifest.descriptor().digest;
        let slot = Arc::clone(self.slot(digest)?);
        self.check(manifest, tag)?;
        let claim = Arc::clone(&slot.claim).lock_owned().await;
        let stored = if slot.state() == State::Written { Stored::Already } else { Stored::New };
        if stored == Stored::New {
            let (writing, bytes) = (Arc::clone(&self.held), manifest.bytes().clone());
            blocking(move || {
                let written = writing.write(&slot, 0, &bytes, Order::Last);
                drop(claim);
                written
            })
            .await
            .map_err(|error| fault(self.operation(Verb::Push, digest), error))?;
        }
        self.held
            .list(&self.name, tag, digest)
            .map_err(|error| fault(self.operation(Verb::Push, digest), error))?;
        Ok(stored)
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, tag, Kind::Unsupported))
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, digest, Kind::Unsupported))
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, digest, Kind::Unsupported))
    }
}
