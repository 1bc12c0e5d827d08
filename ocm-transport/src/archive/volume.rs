//! One tar file: where it is, and whether it is what it should be.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ocm_oci::Digest;
use serde::Deserialize;

use super::{
    ArchiveError,
    header::{BLOCK, TRAILER, describe, header, padded},
    index::{
        Entry, FORMAT, IMAGES_NAME, INDEX_MAX, INDEX_NAME, OCI_LAYOUT, OCI_LAYOUT_NAME, Pointer,
        VOLUME_LEN, VOLUME_NAME, VolumeIndex, VolumeRecord, content_name,
    },
};

/// Bytes read at once of what is only compared.
const WINDOW: u64 = 64 << 10;

/// Returns the name of a volume's file.
pub(super) fn file_name(number: u32) -> String {
    format!("mirror_{number:06}.tar")
}

/// Returns the name of the same file while it is being written.
pub(super) fn partial_name(number: u32) -> String {
    format!(".{}.partial", file_name(number))
}

/// Returns which volume a file's name says it is.
pub(super) fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("mirror_")?.strip_suffix(".tar")?;
    digits.parse().ok().filter(|number| *number > 0 && file_name(*number) == name)
}

/// Where a volume's bytes are. Files are opened for each read: there may be more of them than a
/// process may hold open.
#[derive(Debug, Clone)]
pub(super) struct Medium {
    pub(super) path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    /// A file that is being written.
    Open,
    /// A file that was checked: it must still be that one.
    Checked { device: u64, inode: u64, len: u64 },
    /// Bytes in memory.
    Memory(Bytes),
}

/// A volume, open for reading.
#[derive(Debug)]
pub(super) enum Opened {
    File(File),
    Memory(Bytes),
}

impl Medium {
    pub(super) fn partial(path: PathBuf) -> Self {
        Self { path, kept: Kept::Open }
    }

    pub(super) fn memory(name: PathBuf, bytes: Bytes) -> Self {
        Self { path: name, kept: Kept::Memory(bytes) }
    }

    /// Remembers which file `path` is now.
    pub(super) fn file(path: PathBuf) -> io::Result<Self> {
        let metadata = fs::metadata(&path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let (device, inode, len) = (metadata.dev(), metadata.ino(), metadata.len());
        Ok(Self { path, kept: Kept::Checked { device, inode, len } })
    }

    /// Opens it for reading.
    pub(super) fn open(&self) -> io::Result<Opened> {
        match &self.kept {
            Kept::Memory(bytes) => Ok(Opened::Memory(bytes.clone())),
            Kept::Open => File::open(&self.path).map(Opened::File),
            Kept::Checked { device, inode, len } => {
                let file = File::open(&self.path)?;
                let metadata = file.metadata()?;
                if (metadata.dev(), metadata.ino(), metadata.len()) == (*device, *inode, *len) {
                    Ok(Opened::File(file))
                } else {
                    Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "the file was replaced meanwhile",
                    ))
                }
            }
        }
    }
}

impl Opened {
    pub(super) fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => file.metadata().map(|metadata| metadata.len()),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Reads `len` bytes, which the caller has bounded.
    pub(super) fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
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

/// A volume whose every header and index was found right.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) record: VolumeRecord,
    pub(super) index: VolumeIndex,
    /// What `index.json` holds; empty but in the first volume.
    pub(super) images: Vec<u8>,
}

/// Checks everything in a volume but content: it is read, and verified, only when it is asked for.
pub(super) fn check(medium: &Medium) -> Result<Checked, ArchiveError> {
    let io = |source| ArchiveError::Io { action: "read", path: medium.path.clone(), source };
    let file = medium.open().map_err(io)?;
    let len = file.len().map_err(io)?;
    let checker = Checker { path: &medium.path, file, len };
    let record = checker.record()?;
    let index = checker.index(&record)?;
    checker.walk(&record, &index)?;
    let images = index.members.iter().find(|entry| entry.name == IMAGES_NAME);
    let images = images.map(|entry| checker.small(entry.offset, entry.size, &entry.digest));
    Ok(Checked { images: images.transpose()?.unwrap_or_default(), record, index })
}

struct Checker<'a> {
    path: &'a Path,
    file: Opened,
    len: u64,
}

/// What every format says, whatever else it says.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Checker<'_> {
    fn damaged(&self, offset: u64, fault: impl Into<String>) -> ArchiveError {
        ArchiveError::Damaged { path: self.path.to_owned(), offset, fault: fault.into() }
    }

    fn read(&self, offset: u64, len: u64) -> Result<Vec<u8>, ArchiveError> {
        let is_inside = offset.checked_add(len).is_some_and(|end| end <= self.len);
        let Some(len) = usize::try_from(len).ok().filter(|_| is_inside) else {
            return Err(self.damaged(self.len, "the file ends where it should go on"));
        };
        self.file.read(offset, len).map_err(|source| ArchiveError::Io {
            action: "read",
            path: self.path.to_owned(),
            source,
        })
    }

    /// Reads what is read whole, and verifies it.
    fn small(&self, offset: u64, size: u64, digest: &Digest) -> Result<Vec<u8>, ArchiveError> {
        if size > INDEX_MAX {
            return Err(self.damaged(offset, "an index claims to be larger than any may be"));
        }
        let bytes = self.read(offset, size)?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(self.damaged(offset, "an index was altered"))
        }
    }

    /// Reads which volume this is.
    fn record(&self) -> Result<VolumeRecord, ArchiveError> {
        let path = self.path.to_owned();
        if self.len == 0 {
            return Err(ArchiveError::Empty { path });
        }
        let expected = header(VOLUME_NAME, VOLUME_LEN);
        let found = self.read(0, self.len.min(BLOCK))?;
        if !expected.starts_with(&found) {
            return Err(ArchiveError::NotAVolume { path, begins_with: describe(&found) });
        }
        let json = self.read(BLOCK, VOLUME_LEN)?;
        let unreadable =
            |error| self.damaged(BLOCK, format!("`{VOLUME_NAME}` is unreadable: {error}"));
        let Format { format } = serde_json::from_slice(&json).map_err(unreadable)?;
        if format != FORMAT {
            return Err(ArchiveError::Format { path, format });
        }
        let record: VolumeRecord = serde_json::from_slice(&json).map_err(unreadable)?;
        if record.length != self.len {
            return Err(ArchiveError::Length { path, found: self.len, expected: record.length });
        }
        if record.volume == 0 || record.volume > record.volumes {
            return Err(self.damaged(BLOCK, "it is a volume beyond the last"));
        }
        Ok(record)
    }

    /// Reads what the volume says it holds.
    fn index(&self, record: &VolumeRecord) -> Result<VolumeIndex, ArchiveError> {
        let Pointer { offset, size, digest } = &record.index;
        let json = self.small(*offset, *size, digest)?;
        let index: VolumeIndex = serde_json::from_slice(&json)
            .map_err(|error| self.damaged(*offset, format!("its index is unreadable: {error}")))?;
        let is_same = (&index.set, index.volume, index.volumes)
            == (&record.set, record.volume, record.volumes);
        if is_same {
            Ok(index)
        } else {
            Err(self.damaged(*offset, "its index is another volume's"))
        }
    }

    /// Compares every header, and the padding before it, with what the index demands.
    fn walk(&self, record: &VolumeRecord, index: &VolumeIndex) -> Result<(), ArchiveError> {
        let mut names = BTreeSet::new();
        let mut end = BLOCK + VOLUME_LEN;
        for (position, entry) in index.members.iter().enumerate() {
            if !is_lawful(entry, position, record.volume) || !names.insert(&entry.name) {
                let name = entry.name.escape_default();
                let fault = format!("its index lists `{name}`, which has no place in an archive");
                return Err(self.damaged(record.index.offset, fault));
            }
            end = self.member(end, (&entry.name, entry.offset, entry.size))?;
        }
        if record.volume == 1 && index.members.len() < 2 {
            return Err(self.damaged(record.index.offset, "it is no OCI layout"));
        }
        end = self.member(end, (INDEX_NAME, record.index.offset, record.index.size))?;
        let last = padded(end).saturating_add(TRAILER);
        self.zeros(end, last)?;
        if last == self.len {
            Ok(())
        } else {
            Err(self.damaged(last, "something follows the end of the tar"))
        }
    }

    /// Checks the header of a member; `end` is where the one before ends, without padding.
    fn member(
        &self,
        end: u64,
        (name, offset, size): (&str, u64, u64),
    ) -> Result<u64, ArchiveError> {
        let (expected, at) = (header(name, size), padded(end));
        if at.checked_add(expected.len() as u64) != Some(offset) {
            return Err(self.damaged(at, format!("`{name}` is not where the index says")));
        }
        self.zeros(end, at)?;
        let found = self.read(at, expected.len() as u64)?;
        if found != expected {
            let found = describe(&found).unwrap_or_else(|| "no header".to_owned());
            return Err(self.damaged(at, format!("there is {found} in the place of `{name}`")));
        }
        let end = offset.checked_add(size).filter(|end| *end <= self.len);
        end.ok_or_else(|| self.damaged(at, format!("`{name}` is longer than the file")))
    }

    fn zeros(&self, start: u64, end: u64) -> Result<(), ArchiveError> {
        let mut at = start;
        while at < end {
            let len = (end - at).min(WINDOW);
            if self.read(at, len)?.iter().any(|byte| *byte != 0) {
                return Err(self.damaged(at, "padding is not empty"));
            }
            at += len;
        }
        Ok(())
    }
}

/// Whether a member may be what the index says it is, at that position.
fn is_lawful(entry: &Entry, position: usize, volume: u32) -> bool {
    match (volume, position) {
        (1, 0) => {
            entry.name == OCI_LAYOUT_NAME
                && entry.size == OCI_LAYOUT.len() as u64
                && entry.digest == Digest::of(OCI_LAYOUT)
        }
        (1, 1) => entry.name == IMAGES_NAME,
        _ => {
            let at = entry.part.map(|part| part.at);
            entry.name == content_name(&entry.digest, at, entry.absent)
                && entry.part.is_none_or(|part| {
                    let end = part.at.checked_add(entry.size);
                    entry.size > 0 && end.is_some_and(|end| end <= part.of)
                })
        }
    }
}
