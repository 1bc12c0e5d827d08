//! From the world of futures to that of readers.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes};
use futures::TryStreamExt as _;
use ocm_transport::{BlobStream, TransportError};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces that wait to be read: enough that neither side waits for the other all the time.
const WAITING: usize = 16;

/// Bytes that somebody else reads from the network.
#[derive(Debug)]
pub(super) struct Feed {
    pieces: Receiver<Bytes>,
    piece: Bytes,
}

/// Makes a feed, and the end that fills it.
pub(super) fn feed() -> (Sender<Bytes>, Feed) {
    let (sender, pieces) = channel(WAITING);
    (sender, Feed { pieces, piece: Bytes::new() })
}

/// Hands all of `blob` on.
///
/// Where nobody listens any more, the rest is read all the same: whether the bytes were those
/// that were promised is known at their end only, and says why they could not be unpacked.
pub(super) async fn hand_on(
    mut blob: BlobStream,
    sender: Sender<Bytes>,
) -> Result<(), TransportError> {
    let mut sender = Some(sender);
    while let Some(piece) = blob.try_next().await? {
        if let Some(open) = &sender
            && open.send(piece).await.is_err()
        {
            sender = None;
        }
    }
    Ok(())
}

impl Feed {
    /// Passes over the rest, for whoever fills the feed.
    pub(super) fn drain(&mut self) {
        while self.pieces.blocking_recv().is_some() {}
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let len = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(buffer.get_mut(..len).unwrap_or_default());
        Ok(len)
    }
}
