use std::{collections::BTreeMap, fmt, num::NonZeroUsize, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use ocm_oci::{Descriptor, Digest, RepoName, Tag, TagOrDigest};

use crate::{BlobStream, Body, Manifest, TransportError};

/// A place where repositories live. `Display` names it for people, without credentials.
#[async_trait]
pub trait Transport: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Opens `repository` for reading. Does no I/O.
    fn source(&self, repository: &RepoName) -> Arc<dyn Source>;

    /// Opens `repository` for writing; `None` where this place is read-only. Does no I/O.
    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>>;

    /// Lists repositories in order of name, where the place can.
    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError>;
}

/// Reads one repository.
///
/// Content is asked for by its digest alone: servers, deletion and pinned references know no
/// more. Who also knows the size makes a [`BlobStream`] of what comes.
///
/// Dropping any of these futures cancels the request.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// Returns what a manifest is, or `None`. It says nothing about what the manifest names.
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError>;

    /// Returns a manifest of at most `limit` bytes; by digest, verified.
    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError>;

    /// Returns the size of a blob in bytes, or `None`.
    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError>;

    /// Reads a blob, or a part of it; [`Body::starts_at`] says whether the range was honoured.
    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError>;

    /// Lists tags in order of name.
    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError>;

    /// Returns what says something about `subject`, in order of digest; of one type, if given.
    ///
    /// A place that keeps no such list answers with an empty one.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError>;
}

/// A manifest that says something about another: a signature, a bill of materials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Which manifest.
    pub descriptor: Descriptor,
    /// What kind of statement it is.
    pub artifact_type: Option<String>,
    /// What it says of itself.
    pub annotations: BTreeMap<String, String>,
}

impl Referrer {
    /// Returns what `manifest` says about `subject`, if it does, and if it is of that type.
    pub fn of(manifest: &Manifest, subject: &Digest, artifact_type: Option<&str>) -> Option<Self> {
        let children = manifest.children().ok()?;
        children.subject.filter(|named| named.digest == *subject)?;
        let is_wanted = artifact_type.is_none_or(|t| children.artifact_type.as_deref() == Some(t));
        is_wanted.then(|| Self {
            descriptor: manifest.descriptor().clone(),
            artifact_type: children.artifact_type,
            annotations: children.annotations,
        })
    }
}

/// Writes one repository.
#[async_trait]
pub trait Destination: Source {
    /// Asks for a blob to be here: it may be already, or be mounted, or has to be uploaded.
    ///
    /// A place that declines the mount is asked whether it has the blob, before it is uploaded.
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError>;

    /// Stores a manifest, after everything it names, and points `tag` at it if given.
    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError>;

    /// Removes a tag and leaves what it points at.
    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError>;

    /// Removes a manifest and all its tags.
    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError>;

    /// Removes a blob.
    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError>;
}

/// A blob on its way in; visible to nobody before it is whole. Dropping it leaves nothing visible.
#[async_trait]
pub trait Upload: fmt::Debug + Send + Sync {
    /// How many bytes are kept. Not 0, where an earlier process began this blob.
    fn offset(&self) -> u64;

    /// Adds `part`: for servers, and for registries that want chunks.
    async fn append(&mut self, part: Bytes) -> Result<(), TransportError>;

    /// Stores the blob that `rest`, which begins at [`offset`](Self::offset), completes.
    async fn finish(self: Box<Self>, rest: BlobStream) -> Result<Stored, Interrupted>;

    /// Stores what was appended, if it is `digest`.
    async fn commit(self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError>;

    /// Gives up, and gives the place back its room.
    async fn abort(self: Box<Self>) -> Result<(), TransportError>;
}

/// What [`Destination::begin`] found.
#[derive(Debug)]
#[must_use]
pub enum Begun {
    /// The blob was here.
    Present,
    /// The blob is here now, and no byte moved.
    Mounted,
    /// The blob has to be uploaded.
    Open(Box<dyn Upload>),
}

/// An upload that stopped on the way.
#[derive(Debug, thiserror::Error)]
#[error("upload was interrupted")]
pub struct Interrupted {
    /// What to continue with; `None` after corruption, or where the session is gone.
    pub upload: Option<Box<dyn Upload>>,
    /// Why it stopped: on the reading or the writing side.
    #[source]
    pub cause: TransportError,
}

/// Whether storing added anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Stored {
    /// The content is new here, or the place cannot tell.
    New,
    /// The content was here already.
    Already,
}

/// Which part of a listing is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The name after which to begin.
    pub after: Option<String>,
    /// How many names to return at most; a place may return fewer.
    pub limit: NonZeroUsize,
}

/// A part of a listing. Following `next` until it is `None` gives each name once, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The names.
    pub items: Vec<T>,
    /// Where to go on.
    pub next: Option<Page>,
}

/// Conveniences over [`Source`], implemented once for every backend.
#[async_trait]
pub trait SourceExt: Source {
    /// Reads a whole blob, verified.
    async fn stream(&self, content: &Descriptor) -> Result<BlobStream, TransportError> {
        Ok(BlobStream::new(content.clone(), self.blob(&content.digest, None).await?))
    }

    /// Collects a blob that is known to be small.
    async fn blob_bytes(&self, content: &Descriptor) -> Result<Vec<u8>, TransportError> {
        let chunks: Vec<Bytes> = self.stream(content).await?.try_collect().await?;
        Ok(chunks.concat())
    }
}

impl<S: Source + ?Sized> SourceExt for S {}
