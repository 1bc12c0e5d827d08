use std::mem;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use ocm_oci::{Algorithm, Digest, Hasher};

use crate::{BlobStream, Mismatch, TransportError};

/// Bytes gathered before they are written: what arrives comes in pieces of a few kilobytes, and
/// each write is work handed to another thread.
const PIECE: usize = 512 << 10;

/// Where an [`Intake`] puts what it gathered.
#[async_trait]
pub(crate) trait Sink: Send {
    /// Writes `piece`, which begins at offset `at` of the blob.
    async fn write(&mut self, at: u64, piece: Bytes) -> Result<(), TransportError>;
}

/// What has arrived of a blob: gathered into pieces, and hashed.
#[derive(Debug)]
pub(crate) struct Intake {
    /// Over all that arrived, written or not.
    hasher: Hasher,
    buffer: BytesMut,
    /// How much was given away to be written, in bytes.
    written: u64,
    /// Room that gathering takes: no more than the blob needs.
    room: usize,
}

impl Intake {
    /// Begins with nothing of a blob of `size` bytes, if that is known.
    pub(crate) fn new(algorithm: Algorithm, size: Option<u64>) -> Self {
        let room = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(PIECE).min(PIECE);
        Self { hasher: Hasher::new(algorithm), buffer: BytesMut::new(), written: 0, room }
    }

    /// Returns how many bytes arrived.
    pub(crate) fn offset(&self) -> u64 {
        self.hasher.offset()
    }

    /// Takes in `part` by itself, without a stream that verifies it.
    pub(crate) async fn append(
        &mut self,
        part: Bytes,
        sink: &mut dyn Sink,
    ) -> Result<(), TransportError> {
        self.hasher.update(&part);
        self.gather(part, sink).await
    }

    /// Takes in all of `rest`, which begins at [`offset`](Self::offset).
    ///
    /// A stream that has hashed the very bytes that are here vouches for the whole. One that read
    /// the beginning once more does not: what is here might be something else, so all is hashed.
    pub(crate) async fn fill(
        &mut self,
        rest: &mut BlobStream,
        sink: &mut dyn Sink,
    ) -> Result<(), TransportError> {
        let theirs = rest.checkpoint().hasher();
        let is_vouched_for =
            theirs.offset() == self.offset() && theirs.finish() == self.hasher.clone().finish();
        let filled = loop {
            match rest.try_next().await {
                Ok(Some(part)) => {
                    if !is_vouched_for {
                        self.hasher.update(&part);
                    }
                    self.gather(part, sink).await?;
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

    async fn gather(&mut self, part: Bytes, sink: &mut dyn Sink) -> Result<(), TransportError> {
        let piece = if self.buffer.is_empty() && part.len() >= PIECE {
            part
        } else {
            if self.buffer.is_empty() {
                self.buffer.reserve(self.room.max(part.len()));
            }
            self.buffer.extend_from_slice(&part);
            if self.buffer.len() < PIECE {
                return Ok(());
            }
            self.buffer.split().freeze()
        };
        let at = self.written;
        self.written = at.saturating_add(piece.len() as u64);
        sink.write(at, piece).await
    }

    /// Gives away what is left, and where it belongs.
    pub(crate) fn take_rest(&mut self) -> (u64, Bytes) {
        (self.written, mem::take(&mut self.buffer).freeze())
    }

    /// Returns how what arrived differs from `digest`; `None` if it is just that.
    pub(crate) fn mismatch(&self, digest: &Digest) -> Option<Mismatch> {
        let (received, actual) = (self.offset(), self.hasher.clone().finish());
        (actual != *digest).then(|| Mismatch { expected: digest.clone(), actual, received })
    }
}
