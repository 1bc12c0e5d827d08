use std::{num::NonZeroUsize, sync::Arc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests of each kind may be under way to one registry at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests that move no content: look-ups, manifests, beginnings of uploads.
    pub metadata: NonZeroUsize,
    /// Blobs being read. One counts until its body has ended or was dropped.
    pub reads: NonZeroUsize,
    /// Blobs being written.
    pub writes: NonZeroUsize,
}

impl Default for Limits {
    /// Returns 16 for metadata and 4 each for blobs: with eight or more uploads at a time a
    /// registry on two cores took a fifth longer than with two to four.
    fn default() -> Self {
        const FOUR: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
        Self { metadata: FOUR.saturating_mul(FOUR), reads: FOUR, writes: FOUR }
    }
}

impl Limits {
    /// How many connections can be busy at once, so that as many are worth keeping.
    pub(crate) fn connections(&self) -> usize {
        self.metadata.get().saturating_add(self.reads.get()).saturating_add(self.writes.get())
    }
}

/// The right to have one request under way; it ends when this is dropped.
pub(crate) type Permit = OwnedSemaphorePermit;

/// What [`Limits`] leave for one registry.
///
/// Nobody waits for a permit while holding another of the same kind, and metadata permits are
/// held for one request only: so somebody always goes on.
#[derive(Debug)]
pub(crate) struct Permits {
    metadata: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl Permits {
    pub(crate) fn new(limits: Limits) -> Self {
        let semaphore =
            |limit: NonZeroUsize| Arc::new(Semaphore::new(limit.get().min(Semaphore::MAX_PERMITS)));
        Self {
            metadata: semaphore(limits.metadata),
            reads: semaphore(limits.reads),
            writes: semaphore(limits.writes),
        }
    }

    pub(crate) async fn metadata(&self) -> Permit {
        take(&self.metadata).await
    }

    pub(crate) async fn read(&self) -> Permit {
        take(&self.reads).await
    }

    pub(crate) async fn write(&self) -> Permit {
        take(&self.writes).await
    }
}

async fn take(semaphore: &Arc<Semaphore>) -> Permit {
    Arc::clone(semaphore).acquire_owned().await.expect("these semaphores are never closed")
}
