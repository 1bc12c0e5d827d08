use std::{mem, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use ocm_oci::{Digest, Hasher};
use tokio::sync::OwnedMutexGuard;

use super::{
    source::Repository,
    writing::{Order, Slot, State, Writing},
};
use crate::{
    BlobStream, Interrupted, Kind, Mismatch, Stored, TransportError, Upload, Verb,
    store::{blocking, fault},
};

/// Bytes gathered before they are written: what arrives comes in pieces of a few kilobytes, and
/// each write is work handed to another thread.
const PIECE: usize = 512 << 10;

/// A blob on its way to its place.
#[derive(Debug)]
pub(super) struct Filling {
    into: Repository<Writing>,
    slot: Arc<Slot>,
    /// Keeps other uploads of the same blob away. Shared with a write under way, which outlives a
    /// dropped upload.
    claim: Option<Arc<OwnedMutexGuard<()>>>,
    /// Over all that was received, written or not.
    hasher: Hasher,
    buffer: Vec<u8>,
    /// How far the content is written, in bytes.
    written: u64,
    role: Role,
}

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// They are written.
    Write,
    /// Another upload has written the same blob meanwhile: they are only counted and hashed.
    Follow,
    /// A write failed, or was given up half-way.
    Broken,
}

impl Filling {
    pub(super) fn new(into: Repository<Writing>, slot: Arc<Slot>) -> Self {
        let hasher = Hasher::new(slot.held.digest.algorithm());
        let (claim, buffer, written, role) = (None, Vec::new(), 0, Role::Write);
        Self { into, slot, claim, hasher, buffer, written, role }
    }

    fn fail(&self, kind: Kind) -> TransportError {
        self.into.fail(Verb::Push, &self.slot.held.digest, kind)
    }

    /// Waits until nobody else writes this blob; then either it is there, or it is ours.
    async fn claim(&mut self) -> Result<(), TransportError> {
        if self.role == Role::Broken {
            return Err(self.fail(Kind::Refused));
        }
        if self.role == Role::Write && self.claim.is_none() {
            let guard = Arc::clone(&self.slot.claim).lock_owned().await;
            let mut state = self.slot.lock();
            if *state == State::Written {
                self.role = Role::Follow;
            } else {
                *state = State::Touched;
                self.claim = Some(Arc::new(guard));
            }
        }
        Ok(())
    }

    /// Takes in `part`, which the hasher has seen or will see.
    async fn receive(&mut self, part: Bytes) -> Result<(), TransportError> {
        if self.role == Role::Follow {
            return Ok(());
        }
        if self.buffer.is_empty() && part.len() >= PIECE {
            self.write(part, Order::More).await?;
            return Ok(());
        }
        self.buffer.extend_from_slice(&part);
        if self.buffer.len() >= PIECE { self.flush(Order::More).await } else { Ok(()) }
    }

    /// Writes what was gathered.
    async fn flush(&mut self, order: Order) -> Result<(), TransportError> {
        let buffer = mem::take(&mut self.buffer);
        self.buffer = self.write(buffer, order).await?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes `piece` behind what was written, and returns it.
    async fn write<P>(&mut self, piece: P, order: Order) -> Result<P, TransportError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let (writing, slot) = (Arc::clone(&self.into.held), Arc::clone(&self.slot));
        let (claim, at, len) = (self.claim.clone(), self.written, piece.as_ref().len() as u64);
        let role = mem::replace(&mut self.role, Role::Broken);
        let piece = blocking(move || {
            let written = writing.write(&slot, at, piece.as_ref(), order);
            drop(claim);
            written.map(|()| piece)
        })
        .await
        .map_err(|error| fault(self.into.operation(Verb::Push, &self.slot.held.digest), error))?;
        self.role = role;
        self.written += len;
        Ok(piece)
    }

    /// Writes what is left of a blob that was found right.
    async fn complete(&mut self) -> Result<Stored, TransportError> {
        if self.role == Role::Follow {
            return Ok(Stored::Already);
        }
        self.flush(Order::Last).await?;
        Ok(Stored::New)
    }

    fn corrupt(&self) -> TransportError {
        let (received, actual) = (self.hasher.offset(), self.hasher.clone().finish());
        let expected = self.slot.held.digest.clone();
        self.fail(Kind::Corrupt).caused_by(Mismatch { expected, actual, received })
    }

    /// Whether what was received is the blob.
    fn is_right(&self) -> bool {
        self.hasher.offset() == self.slot.held.size
            && self.hasher.clone().finish() == self.slot.held.digest
    }

    /// Takes in all of `rest`. Hashes along only if the stream does not vouch for what is kept.
    async fn fill(&mut self, rest: &mut BlobStream) -> Result<(), TransportError> {
        let theirs = rest.checkpoint().hasher();
        let is_vouched_for = theirs.offset() == self.hasher.offset()
            && theirs.finish() == self.hasher.clone().finish();
        let filled = loop {
            match rest.try_next().await {
                Ok(Some(part)) => {
                    if !is_vouched_for {
                        self.hasher.update(&part);
                    }
                    self.receive(part).await?;
                }
                Ok(None) => break Ok(()),
                Err(cause) => break Err(cause),
            }
        };
        if is_vouched_for {
            self.hasher = rest.checkpoint().hasher();
        }
        filled
    }
}

#[async_trait]
impl Upload for Filling {
    fn offset(&self) -> u64 {
        self.hasher.offset()
    }

    async fn append(&mut self, part: Bytes) -> Result<(), TransportError> {
        self.claim().await?;
        self.hasher.update(&part);
        if self.hasher.offset() > self.slot.held.size {
            self.role = Role::Broken;
            return Err(self.corrupt());
        }
        self.receive(part).await
    }

    async fn finish(mut self: Box<Self>, mut rest: BlobStream) -> Result<Stored, Interrupted> {
        let blob = rest.descriptor();
        let is_ours = (&blob.digest, blob.size) == (&self.slot.held.digest, self.slot.held.size);
        if !is_ours || rest.offset() != self.offset() {
            let cause = self.fail(Kind::Refused);
            return Err(Interrupted { upload: Some(self), cause });
        }
        let broken = |cause| Interrupted { upload: None, cause };
        self.claim().await.map_err(broken)?;
        if self.role == Role::Follow {
            return Ok(Stored::Already);
        }
        match self.fill(&mut rest).await {
            Ok(()) if self.is_right() => self.complete().await.map_err(broken),
            Ok(()) => Err(broken(self.corrupt())),
            Err(cause) if cause.kind() == Kind::Corrupt || self.role == Role::Broken => {
                Err(broken(cause))
            }
            Err(cause) => Err(Interrupted { upload: Some(self), cause }),
        }
    }

    async fn commit(mut self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError> {
        self.claim().await?;
        if *digest != self.slot.held.digest || !self.is_right() {
            return Err(self.corrupt());
        }
        self.complete().await
    }

    async fn abort(self: Box<Self>) -> Result<(), TransportError> {
        Ok(())
    }
}
