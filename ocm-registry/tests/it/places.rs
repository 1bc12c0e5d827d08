//! Places below the registry that are not as simple as memory.

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Begun, Body, Destination, Listing, Manifest, Memory, Page, Referrer, Source, Stored, Transport,
    TransportError,
};

/// A place that others fill.
#[derive(Debug)]
pub(crate) struct ReadOnly(pub(crate) Memory);

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl Transport for ReadOnly {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.0.source(repository)
    }

    fn destination(&self, _repository: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        self.0.repositories(page).await
    }
}

/// A place where every upload goes on with what an earlier process left.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub(crate) memory: Memory,
    pub(crate) kept: &'static [u8],
}

#[derive(Debug)]
struct Handle {
    inner: Arc<dyn Destination>,
    kept: &'static [u8],
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.memory.fmt(f)
    }
}

#[async_trait]
impl Transport for Leftover {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.memory.source(repository)
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        let inner = self.memory.destination(repository)?;
        Some(Arc::new(Handle { inner, kept: self.kept }))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        self.memory.repositories(page).await
    }
}

#[async_trait]
impl Source for Handle {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        self.inner.head(reference).await
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        self.inner.manifest(reference, limit).await
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        self.inner.blob_size(digest).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        self.inner.blob(digest, range).await
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        self.inner.tags(page).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        self.inner.referrers(subject, artifact_type).await
    }
}

#[async_trait]
impl Destination for Handle {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        match self.inner.begin(digest, size, mount_from).await? {
            Begun::Open(mut upload) => {
                upload.append(Bytes::from_static(self.kept)).await?;
                Ok(Begun::Open(upload))
            }
            begun => Ok(begun),
        }
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        self.inner.push_manifest(manifest, tag).await
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        self.inner.delete_tag(tag).await
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        self.inner.delete_manifest(digest).await
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        self.inner.delete_blob(digest).await
    }
}
