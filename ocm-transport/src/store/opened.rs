use std::{fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use bytes::Bytes;
use futures::{Stream, stream};

use super::{blocking, fault};
use crate::{Operation, TransportError};

/// Bytes read at once: large enough that handing work to a thread costs nothing beside it.
const CHUNK: u64 = 512 << 10;

/// Bytes that can be read from any offset.
#[derive(Debug)]
pub(crate) enum Opened {
    /// On a disk.
    File(File),
    /// In memory.
    Memory(Bytes),
}

impl Opened {
    /// Returns how many there are.
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => file.metadata().map(|metadata| metadata.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Reads exactly `len` bytes, which the caller has bounded.
    pub(crate) fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; len];
        match self {
            Self::File(file) => file.read_exact_at(&mut buffer, offset)?,
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                let end = start.checked_add(len).ok_or(io::ErrorKind::UnexpectedEof)?;
                let part = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
                buffer.copy_from_slice(part);
            }
        }
        Ok(buffer)
    }
}

/// Reads `len` bytes from `offset` on, in chunks, of which none holds up another task.
///
/// It is opened when the first chunk is asked for.
pub(crate) fn chunks(
    open: impl FnOnce() -> io::Result<Opened> + Send + 'static,
    (offset, len): (u64, u64),
    operation: Operation,
) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
    let state = (State::Closed(open), offset, len);
    stream::try_unfold(state, move |(state, offset, left)| {
        let operation = operation.clone();
        async move {
            let len = left.min(CHUNK);
            if len == 0 {
                return Ok(None);
            }
            let (bytes, opened) = blocking(move || {
                let opened = match state {
                    State::Closed(open) => Arc::new(open()?),
                    State::Open(opened) => opened,
                };
                let len = usize::try_from(len).map_err(io::Error::other)?;
                Ok((Bytes::from(opened.read(offset, len)?), opened))
            })
            .await
            .map_err(|error| fault(operation, error))?;
            let state = (State::Open(opened), offset.saturating_add(len), left - len);
            Ok(Some((bytes, state)))
        }
    })
}

enum State<F> {
    Closed(F),
    Open(Arc<Opened>),
}
