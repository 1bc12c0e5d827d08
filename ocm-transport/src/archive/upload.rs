use std::{mem, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use ocm_oci::Digest;
use tokio::sync::OwnedMutexGuard;

use super::{
    source::Repository,
    writing::{Order, Slot, State, Writing},
};
use crate::{
    BlobStream, Interrupted, Kind, Mismatch, Stored, TransportError, Upload, Verb,
    store::{Intake, Sink, blocking, fault},
};

/// A blob on its way to its place.
#[derive(Debug)]
pub(super) struct Filling {
    intake: Intake,
    place: Place,
}

/// Where it goes.
#[derive(Debug)]
struct Place {
    into: Repository<Writing>,
    slot: Arc<Slot>,
    /// Keeps other uploads of the same blob away. Shared with a write under way, which outlives a
    /// dropped upload.
    claim: Option<Arc<OwnedMutexGuard<()>>>,
    role: Role,
}

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// They are written.
    Write,
    /// Another upload has written the same blob meanwhile: they are only hashed.
    Follow,
    /// A write failed, or was given up half-way.
    Broken,
}

impl Place {
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

    async fn put(&mut self, at: u64, piece: Bytes, order: Order) -> Result<(), TransportError> {
        let (writing, slot) = (Arc::clone(&self.into.held), Arc::clone(&self.slot));
        let claim = self.claim.clone();
        let role = mem::replace(&mut self.role, Role::Broken);
        blocking(move || {
            let written = writing.write(&slot, at, &piece, order);
            drop(claim);
            written
        })
        .await
        .map_err(|error| fault(self.into.operation(Verb::Push, &self.slot.held.digest), error))?;
        self.role = role;
        Ok(())
    }
}

#[async_trait]
impl Sink for Place {
    async fn write(&mut self, at: u64, piece: Bytes) -> Result<(), TransportError> {
        if self.role == Role::Follow { Ok(()) } else { self.put(at, piece, Order::More).await }
    }
}

impl Filling {
    pub(super) fn new(into: Repository<Writing>, slot: Arc<Slot>) -> Self {
        let intake = Intake::new(slot.held.digest.algorithm(), Some(slot.held.size));
        Self { intake, place: Place { into, slot, claim: None, role: Role::Write } }
    }

    fn corrupt(&self, mismatch: Mismatch) -> TransportError {
        self.place.fail(Kind::Corrupt).caused_by(mismatch)
    }

    /// Stores the blob, if what arrived is it.
    async fn complete(&mut self) -> Result<Stored, TransportError> {
        if let Some(mismatch) = self.intake.mismatch(&self.place.slot.held.digest) {
            return Err(self.corrupt(mismatch));
        }
        if self.place.role == Role::Follow {
            return Ok(Stored::Already);
        }
        let (at, rest) = self.intake.take_rest();
        self.place.put(at, rest, Order::Last).await?;
        Ok(Stored::New)
    }
}

#[async_trait]
impl Upload for Filling {
    fn offset(&self) -> u64 {
        self.intake.offset()
    }

    async fn append(&mut self, part: Bytes) -> Result<(), TransportError> {
        self.place.claim().await?;
        let end = self.intake.offset().saturating_add(part.len() as u64);
        if end > self.place.slot.held.size {
            // What does not belong there would lie in the place of something else.
            self.place.role = Role::Broken;
            return Err(self.place.fail(Kind::Corrupt));
        }
        self.intake.append(part, &mut self.place).await
    }

    async fn finish(mut self: Box<Self>, mut rest: BlobStream) -> Result<Stored, Interrupted> {
        let (blob, held) = (rest.descriptor(), &self.place.slot.held);
        let is_ours = (&blob.digest, blob.size) == (&held.digest, held.size);
        if !is_ours || rest.offset() != self.offset() {
            let cause = self.place.fail(Kind::Refused);
            return Err(Interrupted { upload: Some(self), cause });
        }
        let broken = |cause| Interrupted { upload: None, cause };
        self.place.claim().await.map_err(broken)?;
        if self.place.role == Role::Follow {
            return Ok(Stored::Already);
        }
        match self.intake.fill(&mut rest, &mut self.place).await {
            Ok(()) => self.complete().await.map_err(broken),
            Err(cause) if cause.kind() == Kind::Corrupt || self.place.role == Role::Broken => {
                Err(broken(cause))
            }
            Err(cause) => Err(Interrupted { upload: Some(self), cause }),
        }
    }

    async fn commit(mut self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError> {
        self.place.claim().await?;
        match self.intake.mismatch(digest) {
            Some(mismatch) => Err(self.corrupt(mismatch)),
            None => self.complete().await,
        }
    }

    async fn abort(self: Box<Self>) -> Result<(), TransportError> {
        Ok(())
    }
}
