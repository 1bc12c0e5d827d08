use std::io::{self, Read};

use super::LayerFault;

/// How much is read of an image before it is taken for an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entries of all its layers. Real ones have some ten thousand.
    pub entries: u64,
    /// Longest file that is handed over, in bytes.
    pub file: u64,
    /// Most bytes that its layers unpack to. The largest catalogs have about 2 GB.
    pub unpacked: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 2_000_000, file: 1 << 30, unpacked: 32 << 30 }
    }
}

/// What of the [`Limits`] was used up.
#[derive(Debug)]
pub(crate) struct Spent {
    limits: Limits,
    entries: u64,
    unpacked: u64,
}

impl Spent {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, entries: 0, unpacked: 0 }
    }

    /// Counts one entry, or what takes as long to read.
    pub(super) fn entry(&mut self) -> Result<(), LayerFault> {
        self.entries = self.entries.saturating_add(1);
        let limit = self.limits.entries;
        let is_within = self.entries <= limit;
        if is_within { Ok(()) } else { Err(LayerFault::TooMany { limit }) }
    }

    /// Checks the length of a file that is about to be handed over.
    pub(super) fn file(&self, size: u64) -> Result<(), LayerFault> {
        let limit = self.limits.file;
        let what = "a file";
        if size <= limit { Ok(()) } else { Err(LayerFault::TooLarge { what, limit }) }
    }

    /// Returns how many bytes may still be unpacked.
    pub(super) fn left(&self) -> u64 {
        self.limits.unpacked.saturating_sub(self.unpacked)
    }

    /// Counts what `metered` has let pass.
    pub(super) fn unpacked(&mut self, left: u64) {
        self.unpacked = self.limits.unpacked.saturating_sub(left);
    }
}

/// Lets so many bytes pass, and then fails.
pub(super) struct Metered<'a, R> {
    pub(super) from: R,
    pub(super) left: &'a mut u64,
}

/// The bytes did not end where they should have.
#[derive(Debug, thiserror::Error)]
#[error("it unpacks to more than is read of an image")]
struct Bomb;

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        *self.left = self.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(Bomb))?;
        Ok(read)
    }
}
