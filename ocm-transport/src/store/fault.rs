use std::io;

use tokio::task::spawn_blocking;

use crate::{Kind, Operation, Retry, TransportError};

/// Says what an error of the file system means for `operation`.
pub(crate) fn fault(operation: Operation, error: io::Error) -> TransportError {
    use io::ErrorKind as E;
    let (kind, retry) = match error.kind() {
        E::NotFound => (Kind::NotFound, Retry::Never),
        E::StorageFull | E::QuotaExceeded | E::FileTooLarge => (Kind::Full, Retry::Never),
        E::UnexpectedEof | E::InvalidData => (Kind::Corrupt, Retry::Never),
        E::ReadOnlyFilesystem => (Kind::Unsupported, Retry::Never),
        E::Interrupted | E::TimedOut => (Kind::Reset, Retry::Again),
        _ => (Kind::Refused, Retry::Never),
    };
    TransportError::new(operation, kind, retry).caused_by(error)
}

/// Runs `work`, which waits for a disk, where it holds up nobody.
///
/// It is finished even if this future is dropped: what it must not do then, it has to ask itself.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
