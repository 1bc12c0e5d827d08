use std::{collections::BTreeMap, mem, sync::Arc};

use ocm_oci::{Digest, MediaType};

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
    /// Lengths of indexes without members, as long as they can become: the first, and any other.
    first: u64,
    other: u64,
    /// Of whole contents and of parts, which differ only by algorithm and type.
    shapes: BTreeMap<(&'static str, Option<MediaType>), [Shape; 2]>,
}

/// What a member costs beside its content, in bytes.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// The length of its name, or of the one it has when its content never comes: these are alike
    /// in what a header must have.
    name: usize,
    /// The most that its entry takes in an index.
    entry: u64,
}

impl Shape {
    fn of(piece: &Piece) -> Self {
        let (held, name) = (piece.held(), piece.name(true));
        let part = match piece {
            Piece::Part { .. } => Some(Part { at: u64::MAX, of: u64::MAX }),
            _ => None,
        };
        let entry = Entry {
            name: name.clone(),
            offset: u64::MAX,
            size: u64::MAX,
            digest: held.map_or_else(|| Digest::Sha256([0; 32]), |held| held.digest.clone()),
            media_type: held.and_then(|held| held.media_type.clone()),
            part,
            absent: held.is_some(),
        };
        Self { name: name.len(), entry: json_len(&entry) }
    }

    /// Returns the length of a member, its header included.
    fn len(self, size: u64) -> u64 {
        header_len(self.name, size) + padded(size)
    }
}

impl Packer {
    pub(super) fn new(contents: &Contents, volume_size: Option<u64>) -> Self {
        let other = VolumeIndex {
            set: contents.set.clone(),
            volume: VOLUMES_MAX,
            volumes: VOLUMES_MAX,
            created: contents.created.clone(),
            records: BTreeMap::new(),
            members: Vec::<Entry>::new(),
        };
        let records = contents.records.iter();
        let records = records.map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect();
        let first = json_len(&VolumeIndex { records, ..other.clone() });
        let (limit, other) = (volume_size.unwrap_or(u64::MAX), json_len(&other));
        let (volumes, volume, shapes) = (Vec::new(), Volume::default(), BTreeMap::new());
        let mut packer = Self { limit, volumes, volume, index: first, first, other, shapes };
        packer.frame(Piece::Volume, VOLUME_LEN);
        packer
    }

    /// Returns the length of the first index before it lists any content, in bytes.
    pub(super) fn first_index(&self) -> u64 {
        self.first + Shape::of(&Piece::OciLayout).entry + Shape::of(&Piece::Images).entry
    }

    /// Returns more bytes than the contents of one volume can have.
    pub(super) fn most(&self) -> u64 {
        self.limit.saturating_sub(frame_len() + closing(self.other)).max(1)
    }

    /// Returns the length that volumes need at least.
    pub(super) fn least(&mut self, images: u64, held: &[Arc<Held>]) -> u64 {
        let layout = Shape::of(&Piece::OciLayout).len(OCI_LAYOUT.len() as u64);
        let members = layout + Shape::of(&Piece::Images).len(images);
        let frame = self.volume.len + members + closing(self.first_index());
        let part = |held: &Arc<Held>| {
            let [_, part] = self.shapes(held);
            let header = header_len(part.name, SIZE_MAX + 1);
            frame_len() + header + BLOCK + closing(self.other + part.entry)
        };
        held.iter().map(part).fold(frame, u64::max)
    }

    /// Returns what `held` costs as a whole, and what a part of it costs.
    fn shapes(&mut self, held: &Arc<Held>) -> [Shape; 2] {
        let key = (held.digest.algorithm().as_str(), held.media_type.clone());
        *self.shapes.entry(key).or_insert_with(|| {
            let part = Piece::Part { held: Arc::clone(held), at: 0 };
            [Shape::of(&Piece::Whole(Arc::clone(held))), Shape::of(&part)]
        })
    }

    /// Adds content under its name in an OCI layout, cut if no volume can hold it.
    pub(super) fn content(&mut self, held: &Arc<Held>) -> Result<(), LayoutError> {
        let [whole, part] = self.shapes(held);
        let fits = self.fits(whole, held.size);
        if fits || held.size <= room(self.limit, frame_len(), self.other, whole) {
            if !fits {
                self.next()?;
            }
            self.put(Piece::Whole(Arc::clone(held)), held.size, whole);
            return Ok(());
        }
        let mut at = 0;
        while at < held.size {
            let room = room(self.limit, self.volume.len, self.index, part);
            let size = room.min(held.size - at);
            if size > 0 {
                self.put(Piece::Part { held: Arc::clone(held), at }, size, part);
                at += size;
            } else {
                self.next()?;
            }
        }
        Ok(())
    }

    fn put(&mut self, piece: Piece, size: u64, shape: Shape) {
        let offset = self.volume.len + header_len(shape.name, size);
        self.volume.len = offset + padded(size);
        if !matches!(piece, Piece::Volume | Piece::Index) {
            self.index += shape.entry;
        }
        self.volume.members.push(Member { piece, offset, size });
    }

    /// Adds what is no content.
    pub(super) fn frame(&mut self, piece: Piece, size: u64) {
        let shape = Shape::of(&piece);
        self.put(piece, size, shape);
    }

    /// Ends the volume with its index, for which there was always room.
    pub(super) fn close(&mut self) {
        let size = mem::replace(&mut self.index, self.other);
        self.frame(Piece::Index, size);
        self.volume.len += TRAILER;
        self.volumes.push(mem::take(&mut self.volume));
    }

    fn next(&mut self) -> Result<(), LayoutError> {
        self.close();
        if self.volumes.len() as u64 >= u64::from(VOLUMES_MAX) {
            return Err(LayoutError::TooMany { size: self.limit });
        }
        self.frame(Piece::Volume, VOLUME_LEN);
        Ok(())
    }

    fn fits(&self, shape: Shape, size: u64) -> bool {
        let index = self.index + shape.entry;
        self.volume.len + shape.len(size) + closing(index) <= self.limit && index <= INDEX_MAX
    }
}

/// Returns the most bytes that one more member can have: whole blocks.
fn room(limit: u64, used: u64, index: u64, shape: Shape) -> u64 {
    let index = index + shape.entry;
    if index > INDEX_MAX {
        return 0;
    }
    let left = limit.saturating_sub(used + closing(index));
    let contents = |header: u64| left.saturating_sub(header) / BLOCK * BLOCK;
    match contents(header_len(shape.name, 0)) {
        small @ ..=SIZE_MAX => small,
        large => contents(header_len(shape.name, large)).max(SIZE_MAX),
    }
}

/// Returns what a volume has before its first member but `volume.json`.
fn frame_len() -> u64 {
    header_len(Piece::Volume.name(false).len(), VOLUME_LEN) + padded(VOLUME_LEN)
}

/// Returns the length of what ends a volume: its index, and the end of the tar.
fn closing(index: u64) -> u64 {
    header_len(Piece::Index.name(false).len(), index) + padded(index) + TRAILER
}
