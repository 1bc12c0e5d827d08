use std::{
    fmt,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Begun, Body, Destination, Listing, Manifest, Page, Referrer, Source, Stored, Transport,
    TransportError,
};

/// How often a place was asked for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// What a manifest is, or how long a blob.
    pub heads: usize,
    /// Manifests and blobs read.
    pub reads: usize,
    /// Blobs begun: a registry's POST.
    pub begun: usize,
    /// Uploads opened, each of which a registry ends with one PUT.
    pub opened: usize,
    /// Manifests written.
    pub manifests: usize,
    /// Lists and deletions.
    pub others: usize,
}

impl Requests {
    /// Returns how many there are in all.
    pub fn total(self) -> usize {
        let Self { heads, reads, begun, opened, manifests, others } = self;
        heads + reads + begun + opened + manifests + others
    }
}

/// A place that counts what it is asked for, and has another answer.
#[derive(Debug, Clone)]
pub struct Counted<T> {
    place: T,
    requests: Arc<Mutex<Requests>>,
}

impl<T> Counted<T> {
    /// Counts what `place` is asked for.
    pub fn new(place: T) -> Self {
        Self { place, requests: Arc::default() }
    }

    /// Returns what was asked so far.
    pub fn requests(&self) -> Requests {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: fmt::Display> fmt::Display for Counted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

#[derive(Debug)]
struct Handle<T: ?Sized> {
    repository: Arc<T>,
    requests: Arc<Mutex<Requests>>,
}

impl<T: ?Sized> Handle<T> {
    fn count(&self, one: impl FnOnce(&mut Requests) -> &mut usize) {
        *one(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner)) += 1;
    }
}

#[async_trait]
impl<T: Transport> Transport for Counted<T> {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        let requests = Arc::clone(&self.requests);
        Arc::new(Handle { repository: self.place.source(repository), requests })
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        let requests = Arc::clone(&self.requests);
        Some(Arc::new(Handle { repository: self.place.destination(repository)?, requests }))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        self.place.repositories(page).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Source + ?Sized> Source for Handle<T> {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        self.count(|requests| &mut requests.heads);
        self.repository.head(reference).await
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        self.count(|requests| &mut requests.reads);
        self.repository.manifest(reference, limit).await
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        self.count(|requests| &mut requests.heads);
        self.repository.blob_size(digest).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        self.count(|requests| &mut requests.reads);
        self.repository.blob(digest, range).await
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        self.count(|requests| &mut requests.others);
        self.repository.tags(page).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        self.count(|requests| &mut requests.others);
        self.repository.referrers(subject, artifact_type).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Destination + ?Sized> Destination for Handle<T> {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        self.count(|requests| &mut requests.begun);
        let begun = self.repository.begin(digest, size, mount_from).await?;
        if matches!(begun, Begun::Open(_)) {
            self.count(|requests| &mut requests.opened);
        }
        Ok(begun)
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        self.count(|requests| &mut requests.manifests);
        self.repository.push_manifest(manifest, tag).await
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        self.count(|requests| &mut requests.others);
        self.repository.delete_tag(tag).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        self.count(|requests| &mut requests.others);
        self.repository.delete_manifest(digest).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        self.count(|requests| &mut requests.others);
        self.repository.delete_blob(digest).await
    }
}
