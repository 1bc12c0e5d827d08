//! The moment at which an archive becomes visible, and what is done if the machine stops in it.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use ocm_oci::{Descriptor, Digest};
use serde::{Deserialize, Serialize};

use super::{
    ArchiveError, Member, Piece, Volume,
    header::header,
    index::{
        FORMAT, Images, OCI_LAYOUT, Pointer, VOLUME_LEN, VolumeIndex, VolumeRecord, padded_json,
    },
    plan::entry,
    source::Extent,
    volume::{Medium, check, file_name, number_of, partial_name},
    writer::{Slot, State, Writing},
};

/// The file that says: these volumes are whole and on the disk, whatever they are called.
const MARKER: &str = ".mirror.seal";
/// Longest marker, in bytes.
const MARKER_MAX: u64 = 4096;
/// Bytes of zeros written at once, where holes cannot be made.
const ZEROS: usize = 64 << 10;

/// An archive that was made visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The files, in order, and their lengths in bytes.
    pub volumes: Vec<(PathBuf, u64)>,
    /// What was planned and never came, in order of digest.
    pub absent: Vec<Digest>,
}

impl Sealed {
    /// Returns the length of all volumes in bytes.
    pub fn total_len(&self) -> u64 {
        self.volumes.iter().map(|(_, len)| len).sum()
    }
}

/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seal {
    set: Digest,
    volumes: u32,
}

/// Writes all that is neither manifest nor blob, and makes the archive visible.
pub(super) fn seal(
    writing: &Writing,
    is_wanted: &dyn Fn() -> bool,
) -> Result<Sealed, ArchiveError> {
    let (directory, set) = (&writing.directory, &writing.layout.set);
    let absent: Vec<&Slot> = writing
        .slots
        .values()
        .map(|slot| &**slot)
        .filter(|slot| slot.state() != State::Written)
        .collect();
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| ArchiveError::Io { action, path, source }
    };
    for slot in &absent {
        mark_absent(writing, slot).map_err(io("write into", directory))?;
    }
    let images = images(writing);
    let count = u32::try_from(writing.layout.volumes.len()).unwrap_or(u32::MAX);
    for (number, volume) in (1..).zip(&writing.layout.volumes) {
        let path = directory.join(partial_name(number));
        let frame = Frame { writing, volume, number, count, images: &images };
        frame.write().map_err(io("write", &path))?;
    }
    if !is_wanted() {
        return Err(ArchiveError::Abandoned { set: set.clone() });
    }
    let seal = Seal { set: set.clone(), volumes: count };
    mark(directory, &seal).map_err(io("seal", directory))?;
    for step in steps(directory, &seal)? {
        step.take(directory).map_err(io("seal", directory))?;
    }
    let lengths = writing.layout.volumes.iter().map(|volume| volume.len);
    let volumes = (1..).zip(lengths).map(|(number, len)| (directory.join(file_name(number)), len));
    let absent = absent.iter().map(|slot| slot.held.digest.clone()).collect();
    Ok(Sealed { volumes: volumes.collect(), absent })
}

/// Gives back the room of what never came, and says so in its headers.
fn mark_absent(writing: &Writing, slot: &Slot) -> io::Result<()> {
    for (extent, piece) in slot.pieces() {
        let file = writing.open(extent.volume)?;
        let is_hole = extent.len > 0 && make_hole(&file, &extent).is_ok();
        if !is_hole && slot.state() == State::Touched {
            fill_with_zeros(&file, &extent)?;
        }
        writing.write_header(&extent, &piece.name(true))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn make_hole(file: &File, extent: &Extent) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};

    let mode = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, mode, extent.offset, extent.len)?)
}

#[cfg(not(target_os = "linux"))]
fn make_hole(_file: &File, _extent: &Extent) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn fill_with_zeros(file: &File, extent: &Extent) -> io::Result<()> {
    let (zeros, end) = (vec![0; ZEROS], extent.offset + extent.len);
    let mut at = extent.offset;
    while at < end {
        let len = usize::try_from(end - at).unwrap_or(ZEROS).min(ZEROS);
        file.write_all_at(zeros.get(..len).unwrap_or_default(), at)?;
        at += len as u64;
    }
    Ok(())
}

/// Lists the tags whose manifests came.
fn images(writing: &Writing) -> Images {
    let listed = writing.listed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let image = |name| {
        let slot = writing.slots.get(writing.names.get(name)?)?;
        let (media_type, size) = (slot.held.media_type.clone()?, slot.held.size);
        Some((name, Descriptor { media_type, digest: slot.held.digest.clone(), size }))
    };
    Images::of(listed.iter().filter_map(image))
}

/// What makes content a volume: the headers and indexes around it.
struct Frame<'a> {
    writing: &'a Writing,
    volume: &'a Volume,
    number: u32,
    count: u32,
    images: &'a Images,
}

impl Frame<'_> {
    /// Writes them, and waits until the whole volume is on the disk.
    fn write(&self) -> io::Result<()> {
        let file = self.writing.open(self.number as usize - 1)?;
        let too_long = || io::Error::other("an index is longer than was planned");
        let mut entries = Vec::with_capacity(self.volume.members.len());
        for member in &self.volume.members {
            let content = match &member.piece {
                Piece::OciLayout => OCI_LAYOUT.to_vec(),
                Piece::Images => padded_json(self.images, member.size).ok_or_else(too_long)?,
                Piece::Whole(held) | Piece::Part { held, .. } => {
                    let absent = !self.writing.is_written(&held.digest);
                    entries.push(entry(member, &held.digest, absent));
                    continue;
                }
                Piece::Volume | Piece::Index => continue,
            };
            entries.push(entry(member, &Digest::of(&content), false));
            put(&file, member, &content)?;
        }
        let (Some(first), Some(last)) = (self.volume.members.first(), self.volume.members.last())
        else {
            return Err(too_long());
        };
        let index = self.index(entries);
        let index = padded_json(&index, last.size).ok_or_else(too_long)?;
        put(&file, last, &index)?;
        let record = padded_json(&self.record(last, &index), VOLUME_LEN).ok_or_else(too_long)?;
        put(&file, first, &record)?;
        file.sync_all()
    }

    fn index(&self, members: Vec<super::index::Entry>) -> VolumeIndex {
        let is_first = self.number == 1;
        VolumeIndex {
            set: self.writing.layout.set.clone(),
            volume: self.number,
            volumes: self.count,
            created: self.writing.created.clone(),
            records: if is_first { self.writing.records.clone() } else { BTreeMap::new() },
            members,
        }
    }

    fn record(&self, index: &Member, content: &[u8]) -> VolumeRecord {
        let (offset, size, digest) = (index.offset, index.size, Digest::of(content));
        VolumeRecord {
            format: FORMAT,
            set: self.writing.layout.set.clone(),
            volume: self.number,
            volumes: self.count,
            length: self.volume.len,
            index: Pointer { offset, size, digest },
        }
    }
}

/// Writes a whole member.
fn put(file: &File, member: &Member, content: &[u8]) -> io::Result<()> {
    let mut bytes = header(&member.name(), member.size);
    let offset = member.offset - bytes.len() as u64;
    bytes.extend_from_slice(content);
    file.write_all_at(&bytes, offset)
}

/// One change to the directory; each can be taken twice.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Gives a volume its name.
    Rename(u32),
    /// Removes a volume of the older set.
    Remove(String),
    /// Waits until the names are on the disk.
    Sync,
    /// Removes the marker.
    Unmark,
}

impl Step {
    fn take(&self, directory: &Path) -> io::Result<()> {
        let missing_is_done = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        match self {
            Self::Rename(number) => {
                let from = directory.join(partial_name(*number));
                missing_is_done(fs::rename(from, directory.join(file_name(*number))))
            }
            Self::Remove(name) => missing_is_done(fs::remove_file(directory.join(name))),
            Self::Sync => File::open(directory)?.sync_all(),
            Self::Unmark => missing_is_done(fs::remove_file(directory.join(MARKER))),
        }
    }
}

/// Writes the marker: from here on, the new set is the one that counts.
fn mark(directory: &Path, seal: &Seal) -> io::Result<()> {
    let temporary = directory.join(format!("{MARKER}.partial"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
    file.write_all(&serde_json::to_vec(seal).map_err(io::Error::other)?)?;
    file.sync_all()?;
    // The names of the volumes must be on the disk before that of the marker is.
    File::open(directory)?.sync_all()?;
    fs::rename(&temporary, directory.join(MARKER))?;
    File::open(directory)?.sync_all()
}

/// Lists what is left to do after the marker was written.
fn steps(directory: &Path, seal: &Seal) -> Result<Vec<Step>, ArchiveError> {
    let mut steps = Vec::new();
    for number in 1..=seal.volumes {
        let partial = directory.join(partial_name(number));
        if fs::exists(&partial).is_ok_and(|exists| exists) {
            steps.push(Step::Rename(number));
        }
    }
    let numbers = numbers(directory).map_err(|source| {
        let (action, path) = ("list", directory.to_owned());
        ArchiveError::Io { action, path, source }
    })?;
    let older = numbers.into_iter().filter(|number| *number > seal.volumes);
    steps.extend(older.map(|number| Step::Remove(file_name(number))));
    steps.extend([Step::Sync, Step::Unmark, Step::Sync]);
    Ok(steps)
}

/// Lists which volumes have files in `directory`, in order.
pub(super) fn numbers(directory: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        numbers.extend(entry?.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what a run that died has left; sealed volumes are not among it.
pub(super) fn remove_partials(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| number_of(name.strip_prefix('.')?.strip_suffix(".partial")?));
        if number.is_some() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a set in `directory` is whole, and has not all its names yet.
pub(super) fn is_marked(directory: &Path) -> bool {
    fs::exists(directory.join(MARKER)).is_ok_and(|exists| exists)
}

fn marker(directory: &Path) -> Result<Option<Seal>, ArchiveError> {
    let path = directory.join(MARKER);
    let length = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ArchiveError::Io { action: "read", path, source }),
    };
    let bytes = if length > MARKER_MAX { Ok(Vec::new()) } else { fs::read(&path) };
    let bytes = bytes.map_err(|source| {
        let path = path.clone();
        ArchiveError::Io { action: "read", path, source }
    })?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| ArchiveError::Damaged {
        path,
        offset: 0,
        fault: format!("it is unreadable: {error}"),
    })
}

/// Finishes what a writer began that died while it was sealing.
pub(super) fn settle(directory: &Path) -> Result<(), ArchiveError> {
    let Some(seal) = marker(directory)? else { return Ok(()) };
    for number in 1..=seal.volumes {
        confirm(directory, &seal, number)?;
    }
    for step in steps(directory, &seal)? {
        step.take(directory).map_err(|source| {
            let (action, path) = ("finish sealing", directory.to_owned());
            ArchiveError::Io { action, path, source }
        })?;
    }
    Ok(())
}

/// Returns where a volume is: under its name, or still under the one it was written with.
pub(super) fn path_of(directory: &Path, number: u32) -> PathBuf {
    let partial = directory.join(partial_name(number));
    if is_marked(directory) && fs::exists(&partial).is_ok_and(|exists| exists) {
        partial
    } else {
        directory.join(file_name(number))
    }
}

/// Makes sure that a marker does not make another set visible.
fn confirm(directory: &Path, seal: &Seal, number: u32) -> Result<(), ArchiveError> {
    let path = path_of(directory, number);
    let medium = match Medium::file(path.clone()) {
        Ok(medium) => medium,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ArchiveError::Missing { path, number, volumes: seal.volumes });
        }
        Err(source) => return Err(ArchiveError::Io { action: "open", path, source }),
    };
    let found = check(&medium)?.record.set;
    if found == seal.set {
        Ok(())
    } else {
        Err(ArchiveError::Foreign { path, found, expected: seal.set.clone() })
    }
}
