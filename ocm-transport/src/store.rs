//! Content in files: how it is taken in, read, and kept under its digest.
//!
//! ```text
//! BlobStream ─► Intake ─► pieces of 512 KiB ─► a thread that writes ─► a file, or a place in one
//! ```

mod directory;
mod fault;
mod intake;
mod opened;

pub(crate) use directory::{Ingest, Store, read_whole};
pub(crate) use fault::{blocking, fault};
pub(crate) use intake::{Intake, Sink};
pub(crate) use opened::{Opened, chunks};
