use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, RepoName};
use ocm_transport::{
    Begun, BlobStream, Body, Destination, Kind, Operation, Retry, Source, Transport as _,
    TransportError, Verb,
    layout::{OciLayout, OciLayoutError},
};
use tokio::sync::Mutex as AsyncMutex;

use crate::{RetryPolicy, steady::steady};

/// Blobs that this run has built, or has read to find out what it means, in a directory.
///
/// What was read stays, as far as there is room, so that it crosses no network twice; what was
/// built always does. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ContentStore {
    layout: OciLayout,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// How many bytes more may be kept of what was read.
    room: Mutex<u64>,
    /// Blobs that were read, and are here.
    read: Mutex<BTreeSet<Digest>>,
    /// Blobs that somebody brings, so that nobody else does.
    coming: Mutex<BTreeMap<Digest, Arc<AsyncMutex<()>>>>,
}

impl ContentStore {
    /// Makes a store in `directory`, or goes on with that which is there; of what is read, it
    /// keeps `room` bytes at most.
    ///
    /// # Errors
    ///
    /// As [`OciLayout::create`].
    pub async fn create(directory: &Path, room: u64) -> Result<Self, OciLayoutError> {
        let layout = OciLayout::create(directory).await?;
        let (read, coming) = Default::default();
        let shared = Shared { room: Mutex::new(room), read, coming };
        Ok(Self { layout, shared: Arc::new(shared) })
    }

    /// Opens what is here for reading.
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.layout.source(&repository())
    }

    /// Whether a blob is here.
    ///
    /// # Errors
    ///
    /// Those of the directory.
    pub async fn has(&self, content: &Descriptor) -> Result<bool, TransportError> {
        Ok(self.source().blob_size(&content.digest).await? == Some(content.size))
    }

    /// Whether a blob was brought here to be read.
    pub(crate) fn has_read(&self, digest: &Digest) -> bool {
        self.shared.read.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }

    /// Puts `bytes` here.
    pub(crate) async fn add(
        &self,
        content: &Descriptor,
        bytes: Bytes,
    ) -> Result<(), TransportError> {
        let pieces = stream::iter([Ok(bytes)]).boxed();
        let operation = operation(content);
        let body = Body { operation, starts_at: 0, bytes: pieces, kept_in: None };
        self.take(content, BlobStream::new(content.clone(), body)).await
    }

    /// Makes `content` be here, if there is room; returns where to read it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing.
    pub(crate) async fn bring(
        &self,
        from: &Arc<dyn Source>,
        content: &Descriptor,
        retry: RetryPolicy,
    ) -> Result<Arc<dyn Source>, TransportError> {
        let turn = self.turn(&content.digest);
        let turn = turn.lock().await;
        if self.has(content).await? {
            return Ok(self.source());
        }
        if !self.reserve(content.size) {
            return Ok(Arc::clone(from));
        }
        let kept = match steady(from, content, retry).await {
            Ok(stream) => self.take(content, stream).await,
            Err(error) => Err(error),
        };
        drop(turn);
        match kept {
            Ok(()) => {
                let mut read = self.shared.read.lock().unwrap_or_else(PoisonError::into_inner);
                read.insert(content.digest.clone());
                Ok(self.source())
            }
            Err(error) => {
                self.give_back(content.size);
                // Where there is less room than was thought, it can be read all the same.
                if error.kind() == Kind::Full { Ok(Arc::clone(from)) } else { Err(error) }
            }
        }
    }

    async fn take(&self, content: &Descriptor, blob: BlobStream) -> Result<(), TransportError> {
        let to: Arc<dyn Destination> = self.layout.destination(&repository()).ok_or_else(|| {
            let retry = Retry::Never;
            TransportError::new(operation(content), Kind::Unsupported, retry)
        })?;
        match to.begin(&content.digest, Some(content.size), None).await? {
            Begun::Present | Begun::Mounted => Ok(()),
            Begun::Open(upload) => {
                let stored = upload.finish(blob).await;
                stored.map(drop).map_err(|interrupted| interrupted.cause)
            }
        }
    }

    /// Returns what lets one at a time bring a blob.
    fn turn(&self, digest: &Digest) -> Arc<AsyncMutex<()>> {
        let mut coming = self.shared.coming.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(coming.entry(digest.clone()).or_default())
    }

    fn reserve(&self, size: u64) -> bool {
        let mut room = self.shared.room.lock().unwrap_or_else(PoisonError::into_inner);
        let left = room.checked_sub(size);
        *room = left.unwrap_or(*room);
        left.is_some()
    }

    fn give_back(&self, size: u64) {
        let mut room = self.shared.room.lock().unwrap_or_else(PoisonError::into_inner);
        *room = room.saturating_add(size);
    }
}

/// All blobs are in one repository: in a layout they are shared anyway.
fn repository() -> RepoName {
    "content".parse().expect("the constant is a repository's name")
}

fn operation(content: &Descriptor) -> Operation {
    let (place, reference) = ("the content store".to_owned(), content.digest.to_string());
    Operation { place, verb: Verb::Push, reference }
}
