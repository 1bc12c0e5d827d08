//! What makes content an archive: headers, indexes, and the mark of what never came.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use ocm_oci::{Descriptor, Digest, RepoName, Tag};
use serde::{Serialize, Serializer};

use super::{
    ArchiveError, Member, Piece, Volume,
    header::header,
    index::{
        FORMAT, Images, OCI_LAYOUT, Pointer, VOLUME_LEN, VolumeIndex, VolumeRecord, padded_json,
    },
    plan::entry,
    publish::{Seal, publish},
    source::Extent,
    volume::{file_name, partial_name},
    writing::{Slot, State, Writing},
};

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
    publish(directory, &seal)?;
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
    let image = |(name, digest)| {
        let slot = writing.slots.get(digest)?;
        let (media_type, size) = (slot.held.media_type.clone()?, slot.held.size);
        Some((name, Descriptor { media_type, digest: digest.clone(), size }))
    };
    let listed = writing.listed();
    let is_listed =
        |name: &(RepoName, Tag)| listed.get(&name.0).is_some_and(|tags| tags.contains_key(&name.1));
    Images::of(writing.names.iter().filter(|(name, _)| is_listed(name)).filter_map(image))
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
        let mut digests = BTreeMap::new();
        for member in &self.volume.members {
            let content = match &member.piece {
                Piece::OciLayout => OCI_LAYOUT.to_vec(),
                Piece::Images => padded_json(self.images, member.size).ok_or_else(too_long)?,
                Piece::Whole(_) | Piece::Part { .. } | Piece::Volume | Piece::Index => continue,
            };
            digests.insert(member.offset, Digest::of(&content));
            put(&file, member, &content)?;
        }
        let (Some(first), Some(last)) = (self.volume.members.first(), self.volume.members.last())
        else {
            return Err(too_long());
        };
        let index = self.index(Entries { frame: self, digests });
        let index = padded_json(&index, last.size).ok_or_else(too_long)?;
        put(&file, last, &index)?;
        let record = padded_json(&self.record(last, &index), VOLUME_LEN).ok_or_else(too_long)?;
        put(&file, first, &record)?;
        file.sync_all()
    }

    fn index<M>(&self, members: M) -> VolumeIndex<M> {
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

/// The members of a volume, each turned into an entry only while it is written: there may be a
/// hundred thousand.
struct Entries<'a> {
    frame: &'a Frame<'a>,
    /// Of what is no content, by offset.
    digests: BTreeMap<u64, Digest>,
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.frame.volume.members.iter().filter_map(|member| {
            let held = member.piece.held().map(|held| &held.digest);
            let absent = held.is_some_and(|digest| !self.frame.writing.is_written(digest));
            Some(entry(member, held.or_else(|| self.digests.get(&member.offset))?, absent))
        });
        serializer.collect_seq(entries)
    }
}

/// Writes a whole member.
fn put(file: &File, member: &Member, content: &[u8]) -> io::Result<()> {
    let mut bytes = header(&member.name(), member.size);
    let offset = member.offset - bytes.len() as u64;
    bytes.extend_from_slice(content);
    file.write_all_at(&bytes, offset)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// What `make_hole` does, where holes cannot be made.
    #[test]
    fn zeros_fill_just_their_extent() {
        for (offset, len) in [(0, 0), (1, 1), (512, ZEROS as u64), (7, 3 * ZEROS as u64 + 5)] {
            let mut file = tempfile::tempfile().unwrap();
            let before = vec![0xff; 4 * ZEROS];
            file.write_all_at(&before, 0).unwrap();
            fill_with_zeros(&file, &Extent { volume: 0, offset, at: 0, len }).unwrap();
            let mut after = Vec::new();
            file.read_to_end(&mut after).unwrap();
            let mut expected = before;
            let end = usize::try_from(offset + len).unwrap();
            expected[usize::try_from(offset).unwrap()..end].fill(0);
            assert!(after == expected, "{offset} {len}");
        }
    }
}
