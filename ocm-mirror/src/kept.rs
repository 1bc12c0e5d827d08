use std::{ops::Range, sync::Arc};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, Tag, TagOrDigest};
use ocm_transport::{Body, Listing, Manifest, Page, Referrer, Source, TransportError};

use crate::ContentStore;

/// A repository some of whose blobs were read before, and are read from the content store now.
///
/// Everything else is what the repository says: its tags, and what others say about its images.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) store: ContentStore,
    pub(crate) source: Arc<dyn Source>,
}

#[async_trait]
impl Source for Kept {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        self.source.head(reference).await
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        self.source.manifest(reference, limit).await
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        self.source.blob_size(digest).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let source = if self.store.has_read(digest) { &self.store.source() } else { &self.source };
        source.blob(digest, range).await
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        self.source.tags(page).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        self.source.referrers(subject, artifact_type).await
    }
}
