use std::{collections::BTreeMap, mem, sync::Arc};

use ocm_oci::Digest;

use super::{
    Contents,
    header::{BLOCK, SIZE_MAX, TRAILER, header_len, padded},
    index::{Entry, INDEX_MAX, OCI_LAYOUT, Part, VOLUME_LEN, VolumeIndex, json_len},
    plan::{Held, LayoutError, Member, Piece, VOLUMES_MAX, Volume},
};

/// Fills one volume after the other.
pub(super) struct Packer {
    pub(super) limit: u64,
    pub(super) volumes: Vec<Volume>,
    volume: Volume,
    /// Length of this volume's index so far, in bytes.
    index: u64,
    /// Indexes without members, as long as they can become.
    first: VolumeIndex,
    other: VolumeIndex,
}

impl Packer {
    pub(super) fn new(contents: &Contents, volume_size: Option<u64>) -> Self {
        let other = VolumeIndex {
            set: contents.set.clone(),
            volume: VOLUMES_MAX,
            volumes: VOLUMES_MAX,
            created: contents.created.clone(),
            records: BTreeMap::new(),
            members: Vec::new(),
        };
        let records = contents.records.iter();
        let records = records.map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let first = VolumeIndex { records, ..other.clone() };
        let limit = volume_size.unwrap_or(u64::MAX);
        let (volumes, volume, index) = (Vec::new(), Volume::default(), json_len(&first));
        let mut packer = Self { limit, volumes, volume, index, first, other };
        packer.put(Piece::Volume, VOLUME_LEN);
        packer
    }

    /// Returns the length of the first index before it lists any content, in bytes.
    pub(super) fn first_index(&self) -> u64 {
        json_len(&self.first) + Self::entry_len(&Piece::OciLayout) + Self::entry_len(&Piece::Images)
    }

    /// Returns the length that volumes need at least.
    pub(super) fn least(&self, images: u64, held: &[Arc<Held>]) -> u64 {
        let (layout, length) = (Piece::OciLayout, OCI_LAYOUT.len() as u64);
        let members = member_len(&layout, length) + member_len(&Piece::Images, images);
        let entries = Self::entry_len(&layout) + Self::entry_len(&Piece::Images);
        let frame = self.volume.len + members + closing(self.index + entries);
        let part = |held: &Arc<Held>| {
            let part = Piece::Part { held: Arc::clone(held), at: 0 };
            let index = json_len(&self.other) + Self::entry_len(&part);
            frame_len() + header_len(&part.name(true), SIZE_MAX + 1) + BLOCK + closing(index)
        };
        held.iter().map(part).fold(frame, u64::max)
    }

    /// Adds content under its name in an OCI layout, cut if no volume can hold it.
    pub(super) fn content(&mut self, held: &Arc<Held>) -> Result<(), LayoutError> {
        let whole = Piece::Whole(Arc::clone(held));
        if self.fits(&whole, held.size) {
            self.put(whole, held.size);
            return Ok(());
        }
        if held.size <= self.room_in_new(&whole) {
            self.next()?;
            self.put(whole, held.size);
            return Ok(());
        }
        let mut at = 0;
        while at < held.size {
            let part = Piece::Part { held: Arc::clone(held), at };
            let size = self.room(&part).min(held.size - at);
            if size > 0 {
                self.put(part, size);
                at += size;
            } else {
                self.next()?;
            }
        }
        Ok(())
    }

    pub(super) fn put(&mut self, piece: Piece, size: u64) {
        let offset = self.volume.len + header_len(&piece.name(true), size);
        self.volume.len = offset + padded(size);
        if !matches!(piece, Piece::Volume | Piece::Index) {
            self.index += Self::entry_len(&piece);
        }
        self.volume.members.push(Member { piece, offset, size });
    }

    /// Ends the volume with its index, for which there was always room.
    pub(super) fn close(&mut self) {
        let size = mem::replace(&mut self.index, json_len(&self.other));
        self.put(Piece::Index, size);
        self.volume.len += TRAILER;
        self.volumes.push(mem::take(&mut self.volume));
    }

    fn next(&mut self) -> Result<(), LayoutError> {
        self.close();
        if self.volumes.len() as u64 >= u64::from(VOLUMES_MAX) {
            return Err(LayoutError::TooMany { size: self.limit });
        }
        self.put(Piece::Volume, VOLUME_LEN);
        Ok(())
    }

    fn fits(&self, piece: &Piece, size: u64) -> bool {
        let index = self.index + Self::entry_len(piece);
        let end = self.volume.len + member_len(piece, size) + closing(index);
        end <= self.limit && index <= INDEX_MAX
    }

    /// Returns the most bytes of content that still fit as `piece`.
    fn room(&self, piece: &Piece) -> u64 {
        room(self.limit, self.volume.len, self.index, piece)
    }

    /// Returns the same for a volume that holds nothing yet.
    fn room_in_new(&self, piece: &Piece) -> u64 {
        room(self.limit, frame_len(), json_len(&self.other), piece)
    }

    /// Returns the most bytes that an entry for `piece` takes in an index.
    fn entry_len(piece: &Piece) -> u64 {
        let held = piece.held();
        let part = match piece {
            Piece::Part { .. } => Some(Part { at: u64::MAX, of: u64::MAX }),
            _ => None,
        };
        let entry = Entry {
            name: piece.name(true),
            offset: u64::MAX,
            size: u64::MAX,
            digest: held.map_or_else(|| Digest::Sha256([0; 32]), |held| held.digest.clone()),
            media_type: held.and_then(|held| held.media_type.clone()),
            part,
            absent: held.is_some(),
        };
        json_len(&entry)
    }
}

/// Returns the most bytes that one more member can have: whole blocks.
fn room(limit: u64, used: u64, index: u64, piece: &Piece) -> u64 {
    let index = index + Packer::entry_len(piece);
    if index > INDEX_MAX {
        return 0;
    }
    let left = limit.saturating_sub(used + closing(index));
    let name = piece.name(true);
    let contents = |header: u64| left.saturating_sub(header) / BLOCK * BLOCK;
    match contents(header_len(&name, 0)) {
        small @ ..=SIZE_MAX => small,
        large => contents(header_len(&name, large)).max(SIZE_MAX),
    }
}

/// Returns what a volume has before its first member but `volume.json`.
fn frame_len() -> u64 {
    member_len(&Piece::Volume, VOLUME_LEN)
}

fn member_len(piece: &Piece, size: u64) -> u64 {
    header_len(&piece.name(true), size) + padded(size)
}

/// Returns the length of what ends a volume: its index, and the end of the tar.
fn closing(index: u64) -> u64 {
    member_len(&Piece::Index, index) + TRAILER
}
