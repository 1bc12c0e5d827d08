use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ocm_oci::{Descriptor, Digest, MediaType};

use super::{
    Contents,
    index::{
        Entry, IMAGES_NAME, INDEX_MAX, INDEX_NAME, Images, OCI_LAYOUT, OCI_LAYOUT_NAME, Part,
        VOLUME_NAME, content_name, json_len,
    },
    pack::Packer,
};

/// Largest content, in bytes: its offsets have sixteen digits in names of parts.
const CONTENT_MAX: u64 = 9_999_999_999_999_999;
/// Most bytes in all, so that no sum below overflows.
const TOTAL_MAX: u64 = 1 << 62;
/// Most volumes: their names have six digits.
pub(super) const VOLUMES_MAX: u32 = 999_999;

/// Where every byte of an archive will lie, known before the first byte is fetched.
///
/// So blobs can arrive in any order and be written straight to their place, and equal contents and
/// sizes make equal files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveLayout {
    pub(super) set: Digest,
    pub(super) volume_size: Option<u64>,
    pub(super) volumes: Vec<Volume>,
}

/// One tar file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Volume {
    pub(super) members: Vec<Member>,
    pub(super) len: u64,
}

/// One member of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub(super) piece: Piece,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Which volume of which set this is.
    Volume,
    /// The file that makes the archive an OCI layout.
    OciLayout,
    /// The layout's `index.json`: which manifests have names.
    Images,
    /// A whole manifest, blob or record.
    Whole(Arc<Held>),
    /// A part of one.
    Part {
        /// Of what.
        held: Arc<Held>,
        /// Offset of the part in it, in bytes.
        at: u64,
    },
    /// What the volume holds.
    Index,
}

/// Content that has a place in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The type of a manifest; `None` for blobs and records.
    pub media_type: Option<MediaType>,
}

/// Why there is no layout.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// What cannot be cut does not fit into one volume.
    #[error("volumes of {size} bytes are too small: at least {least} are needed")]
    TooSmall {
        /// Length asked for, in bytes.
        size: u64,
        /// Length at which everything would fit.
        least: u64,
    },
    /// There would be more volumes than their names can count.
    #[error("volumes of {size} bytes are too small: there would be more than {VOLUMES_MAX}")]
    TooMany {
        /// Length asked for, in bytes.
        size: u64,
    },
    /// One content, or all of it, is larger than anything that exists.
    #[error("`{digest}` of {size} bytes is too large for an archive")]
    TooLarge {
        /// Which.
        digest: Digest,
        /// Its length in bytes.
        size: u64,
    },
    /// The lists of names and records are longer than a reader accepts.
    #[error("{names} names and {records} records are too many for one archive")]
    TooManyNames {
        /// How many tags.
        names: usize,
        /// How many records.
        records: usize,
    },
    /// Two lengths are claimed for one content.
    #[error("`{digest}` is said to have both {one} and {other} bytes")]
    TwoSizes {
        /// Which.
        digest: Digest,
        /// A length in bytes.
        one: u64,
        /// Another one.
        other: u64,
    },
    /// A name points at a manifest that is not among the contents.
    #[error("`{name}` names {digest}, which is not among the manifests")]
    Unknown {
        /// The name.
        name: String,
        /// What it points at.
        digest: Digest,
    },
}

impl ArchiveLayout {
    /// Lays out `contents` in volumes of at most `volume_size` bytes, or in one. Pure.
    ///
    /// # Errors
    ///
    /// [`LayoutError::TooSmall`] says what volumes are needed at least; the others are faults of
    /// the contents.
    pub fn of(contents: &Contents, volume_size: Option<u64>) -> Result<Self, LayoutError> {
        let held = held(contents)?;
        let images = json_len(&images(contents)?);
        let mut packer = Packer::new(contents, volume_size);
        let least = packer.least(images, &held);
        if packer.first_index() > INDEX_MAX || images > INDEX_MAX {
            let (names, records) = (contents.names.len(), contents.records.len());
            return Err(LayoutError::TooManyNames { names, records });
        }
        if least > packer.limit {
            return Err(LayoutError::TooSmall { size: packer.limit, least });
        }
        let total: u64 = held.iter().map(|one| one.size).sum();
        if total / packer.most() >= u64::from(VOLUMES_MAX) {
            // Known before a million volumes are laid out in vain.
            return Err(LayoutError::TooMany { size: packer.limit });
        }
        packer.frame(Piece::OciLayout, OCI_LAYOUT.len() as u64);
        packer.frame(Piece::Images, images);
        for one in held {
            packer.content(&one)?;
        }
        packer.close();
        Ok(Self { set: contents.set.clone(), volume_size, volumes: packer.volumes })
    }

    /// Returns the name of the set.
    pub fn set(&self) -> &Digest {
        &self.set
    }

    /// Returns the volumes in order.
    pub fn volumes(&self) -> &[Volume] {
        &self.volumes
    }

    /// Returns the length of all volumes in bytes.
    pub fn total_len(&self) -> u64 {
        self.volumes.iter().map(|volume| volume.len).sum()
    }

    /// Returns what is larger than a volume and so was cut, in order: for who refuses that.
    pub fn cut(&self) -> impl Iterator<Item = &Held> {
        let members = self.volumes.iter().flat_map(|volume| &volume.members);
        members.filter_map(|member| match &member.piece {
            Piece::Part { held, at: 0 } => Some(&**held),
            _ => None,
        })
    }
}

impl Volume {
    /// Returns the members in order.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the length in bytes, the end of the tar included.
    #[expect(clippy::len_without_is_empty, reason = "no volume is empty: it has an index at least")]
    pub fn len(&self) -> u64 {
        self.len
    }
}

impl Member {
    /// Returns what it holds.
    pub fn piece(&self) -> &Piece {
        &self.piece
    }

    /// Returns where its content begins in the volume, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the length of its content in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns its name in the tar, if its content comes.
    pub fn name(&self) -> String {
        self.piece.name(false)
    }
}

impl Piece {
    pub(super) fn name(&self, absent: bool) -> String {
        match self {
            Self::Volume => VOLUME_NAME.to_owned(),
            Self::OciLayout => OCI_LAYOUT_NAME.to_owned(),
            Self::Images => IMAGES_NAME.to_owned(),
            Self::Whole(held) => content_name(&held.digest, None, absent),
            Self::Part { held, at } => content_name(&held.digest, Some(*at), absent),
            Self::Index => INDEX_NAME.to_owned(),
        }
    }

    /// Returns the content of which this is a part or the whole.
    pub(super) fn held(&self) -> Option<&Arc<Held>> {
        match self {
            Self::Whole(held) | Self::Part { held, .. } => Some(held),
            Self::Volume | Self::OciLayout | Self::Images | Self::Index => None,
        }
    }
}

/// Lists what has a place, each content once, in order: records, manifests, blobs.
fn held(contents: &Contents) -> Result<Vec<Arc<Held>>, LayoutError> {
    let records = contents.records.values().map(|bytes| Held {
        digest: Digest::of(bytes),
        size: bytes.len() as u64,
        media_type: None,
    });
    let manifests = contents.manifests.iter().map(|manifest| Held {
        digest: manifest.digest.clone(),
        size: manifest.size,
        media_type: Some(manifest.media_type.clone()),
    });
    let blob = |(digest, size): &(Digest, u64)| Held {
        digest: digest.clone(),
        size: *size,
        media_type: None,
    };
    let (mut order, mut known, mut total) = (Vec::new(), BTreeMap::<Digest, u64>::new(), 0_u64);
    // A record that is also a manifest takes the manifest's place, or it would have no type.
    let of_manifests: BTreeSet<&Digest> =
        contents.manifests.iter().map(|one| &one.digest).collect();
    let records = records.filter(|record| !of_manifests.contains(&record.digest));
    for one in records.chain(manifests).chain(contents.blobs.iter().map(blob)) {
        total = total.saturating_add(one.size);
        if one.size > CONTENT_MAX || total > TOTAL_MAX {
            return Err(LayoutError::TooLarge { digest: one.digest, size: one.size });
        }
        match known.insert(one.digest.clone(), one.size) {
            None => order.push(Arc::new(one)),
            Some(other) if other == one.size => {}
            Some(other) => {
                return Err(LayoutError::TwoSizes {
                    digest: one.digest,
                    one: other,
                    other: one.size,
                });
            }
        }
    }
    Ok(order)
}

/// Returns the `index.json` that lists every name.
fn images(contents: &Contents) -> Result<Images, LayoutError> {
    let manifests: BTreeMap<&Digest, &Descriptor> =
        contents.manifests.iter().map(|manifest| (&manifest.digest, manifest)).collect();
    let mut names = Vec::with_capacity(contents.names.len());
    for (name, digest) in &contents.names {
        let Some(manifest) = manifests.get(digest) else {
            let name = format!("{}:{}", name.0, name.1);
            return Err(LayoutError::Unknown { name, digest: digest.clone() });
        };
        names.push((name, (*manifest).clone()));
    }
    Ok(Images::of(names.into_iter()))
}

/// Returns the entry of `member` in its volume's index.
pub(super) fn entry(member: &Member, digest: &Digest, absent: bool) -> Entry {
    let held = member.piece.held();
    let part = match &member.piece {
        Piece::Part { held, at } => Some(Part { at: *at, of: held.size }),
        _ => None,
    };
    Entry {
        name: member.piece.name(absent),
        offset: member.offset,
        size: member.size,
        digest: held.map_or(digest, |held| &held.digest).clone(),
        media_type: held.and_then(|held| held.media_type.clone()),
        part,
        absent,
    }
}
