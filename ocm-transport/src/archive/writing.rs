//! What is being written, and how far it is.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, RepoName, Tag};
use rustix::fs::{FallocateFlags, fallocate};

use super::{
    ArchiveError, ArchiveLayout, Contents, Held, Piece,
    header::header,
    publish,
    source::{Extent, Found, Holdings, Statements, scan},
    volume::{Medium, partial_name},
};

/// What the writer, its repositories and their uploads have in common.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) directory: PathBuf,
    pub(super) layout: ArchiveLayout,
    pub(super) created: Option<String>,
    pub(super) records: BTreeMap<String, Digest>,
    pub(super) names: BTreeMap<(RepoName, Tag), Digest>,
    pub(super) slots: BTreeMap<Digest, Arc<Slot>>,
    /// Tags whose manifests came.
    pub(super) listed: Mutex<Listed>,
    pub(super) media: Vec<Medium>,
    /// Held while something is written; closed for good by sealing or giving up.
    gate: RwLock<Gate>,
    /// Locked, so that two processes do not write into one directory.
    pub(super) lock: File,
}

/// Tags by repository, and what they point at.
pub(super) type Listed = BTreeMap<RepoName, BTreeMap<Tag, Digest>>;

/// Whether anything may still be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
}

/// The place of some content.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) held: Arc<Held>,
    pub(super) extents: Arc<[Extent]>,
    /// Taken by the upload that writes.
    pub(super) claim: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

/// What is in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Zeros.
    Empty,
    /// A part of it, or something else.
    Touched,
    /// All of it, verified, behind its header.
    Written,
}

/// What a piece of content is to its whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// More follows.
    More,
    /// With it the content is whole, and verified.
    Last,
}

impl Slot {
    pub(super) fn state(&self) -> State {
        *self.lock()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the members that make up this content, and where each lies.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Extent, Piece)> {
        let is_whole = self.extents.len() == 1;
        self.extents.iter().map(move |extent| {
            let held = Arc::clone(&self.held);
            let part = Piece::Part { held: Arc::clone(&held), at: extent.at };
            (*extent, if is_whole { Piece::Whole(held) } else { part })
        })
    }
}

impl Writing {
    pub(super) fn create(
        directory: PathBuf,
        layout: ArchiveLayout,
        contents: &Contents,
    ) -> Result<Self, ArchiveError> {
        if ArchiveLayout::of(contents, layout.volume_size).as_ref() != Ok(&layout) {
            return Err(ArchiveError::Unplanned { set: layout.set });
        }
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| ArchiveError::Io { action, path, source }
        };
        fs::create_dir_all(&directory).map_err(io("create", &directory))?;
        let lock = File::open(&directory).map_err(io("open", &directory))?;
        // Where a directory cannot be locked, nobody else can lock it either: go on without.
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            return Err(ArchiveError::Busy { directory });
        }
        publish::settle(&directory)?;
        publish::remove_partials(&directory).map_err(io("write into", &directory))?;
        let numbers = (1..).take(layout.volumes.len());
        let media = numbers.map(|number| Medium::partial(directory.join(partial_name(number))));
        let records = contents.records.iter();
        Ok(Self {
            created: contents.created.clone(),
            records: records.map(|(name, bytes)| (name.clone(), Digest::of(bytes))).collect(),
            names: contents.names.clone(),
            slots: slots(&layout),
            listed: Mutex::default(),
            media: media.collect(),
            gate: RwLock::new(Gate::Open),
            directory,
            layout,
            lock,
        })
    }

    /// Makes every volume, and asks for its room at once: a disk that is too small says so now.
    pub(super) fn preallocate(&self) -> Result<(), ArchiveError> {
        for (medium, volume) in self.media.iter().zip(&self.layout.volumes) {
            let path = medium.path.clone();
            let made = OpenOptions::new().write(true).create_new(true).open(&path);
            let made = made.and_then(|file| {
                match fallocate(&file, FallocateFlags::empty(), 0, volume.len) {
                    Ok(()) => Ok(()),
                    Err(error) if is_full(&io::Error::from(error)) => Err(error.into()),
                    // Not every file system can: there, it is known when it is full.
                    Err(_unsupported) => file.set_len(volume.len),
                }
            });
            made.map_err(|source| {
                if is_full(&source) {
                    ArchiveError::Full { path, needed: volume.len, source }
                } else {
                    ArchiveError::Io { action: "create", path, source }
                }
            })?;
        }
        Ok(())
    }

    pub(super) fn write_records(&self, contents: &Contents) -> Result<(), ArchiveError> {
        for bytes in contents.records.values() {
            let Some(slot) = self.slots.get(&Digest::of(bytes)) else { continue };
            self.write(slot, 0, bytes, Order::Last).map_err(|source| {
                let (action, path) = ("write into", self.directory.clone());
                ArchiveError::Io { action, path, source }
            })?;
        }
        Ok(())
    }

    /// Writes a piece of content, which begins at offset `at` of it.
    pub(super) fn write(&self, slot: &Slot, at: u64, bytes: &[u8], order: Order) -> io::Result<()> {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if *gate == Gate::Closed {
            return Err(closed());
        }
        let end = at.saturating_add(bytes.len() as u64);
        for extent in &*slot.extents {
            let (from, to) = (at.max(extent.at), end.min(extent.at + extent.len));
            if from < to {
                let index = |offset: u64| usize::try_from(offset - at).map_err(io::Error::other);
                let part = bytes.get(index(from)?..index(to)?).unwrap_or_default();
                self.open(extent.volume)?.write_all_at(part, extent.offset + (from - extent.at))?;
            }
        }
        if order == Order::Last {
            for (extent, piece) in slot.pieces() {
                self.write_header(&extent, &piece.name(false))?;
            }
            *slot.lock() = State::Written;
        }
        Ok(())
    }

    /// Writes the header of a member in front of its content.
    pub(super) fn write_header(&self, extent: &Extent, name: &str) -> io::Result<()> {
        let header = header(name, extent.len);
        self.open(extent.volume)?.write_all_at(&header, extent.offset - header.len() as u64)
    }

    /// Opens a volume for writing; see [`Medium`] for why each time.
    pub(super) fn open(&self, volume: usize) -> io::Result<File> {
        let medium = self.media.get(volume).ok_or(io::ErrorKind::NotFound)?;
        OpenOptions::new().write(true).open(&medium.path)
    }

    /// Waits for what is being written, and lets nothing more be written.
    pub(super) fn close(&self) {
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = Gate::Closed;
    }

    /// Lists `tag`, behind the gate: once that is closed, the list is as it was sealed.
    pub(super) fn list(
        &self,
        repository: &RepoName,
        tag: Option<&Tag>,
        digest: &Digest,
    ) -> io::Result<()> {
        let gate = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        if *gate == Gate::Closed {
            return Err(closed());
        }
        if let Some(tag) = tag {
            let mut listed = self.listed();
            listed.entry(repository.clone()).or_default().insert(tag.clone(), digest.clone());
        }
        Ok(())
    }

    pub(super) fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_written(&self, digest: &Digest) -> bool {
        self.slots.get(digest).is_some_and(|slot| slot.state() == State::Written)
    }
}

fn closed() -> io::Error {
    io::Error::other("the archive was sealed, or given up")
}

/// Whether the file system has no room.
fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::StorageFull | E::QuotaExceeded | E::FileTooLarge)
}

/// Collects the place of each content.
fn slots(layout: &ArchiveLayout) -> BTreeMap<Digest, Arc<Slot>> {
    let mut extents = BTreeMap::<Digest, (Arc<Held>, Vec<Extent>)>::new();
    for (volume, members) in layout.volumes.iter().map(|volume| &volume.members).enumerate() {
        for member in members {
            let Some(held) = member.piece.held() else { continue };
            let at = match &member.piece {
                Piece::Part { at, .. } => *at,
                _ => 0,
            };
            let extent = Extent { volume, offset: member.offset, at, len: member.size };
            let slot = extents.entry(held.digest.clone());
            slot.or_insert_with(|| (Arc::clone(held), Vec::new())).1.push(extent);
        }
    }
    let slot = |(digest, (held, extents)): (Digest, (Arc<Held>, Vec<Extent>))| {
        let (claim, state) = (Arc::default(), Mutex::new(State::Empty));
        (digest, Arc::new(Slot { held, extents: extents.into(), claim, state }))
    };
    extents.into_iter().map(slot).collect()
}

impl fmt::Display for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "archive `{}`", self.directory.display())
    }
}

#[async_trait]
impl Holdings for Writing {
    fn find(&self, digest: &Digest) -> Option<Found> {
        let slot = self.slots.get(digest).filter(|slot| slot.state() == State::Written)?;
        let (size, media_type) = (slot.held.size, slot.held.media_type.clone());
        Some(Found { size, media_type, extents: Arc::clone(&slot.extents) })
    }

    fn manifests(&self) -> Vec<Descriptor> {
        let written = self.slots.values().filter(|slot| slot.state() == State::Written);
        let descriptor = |slot: &Arc<Slot>| {
            let Held { digest, size, media_type } = &*slot.held;
            let media_type = media_type.clone()?;
            Some(Descriptor { media_type, digest: digest.clone(), size: *size })
        };
        written.filter_map(descriptor).collect()
    }

    fn tags(&self, repository: &RepoName) -> BTreeMap<Tag, Digest> {
        self.listed().get(repository).cloned().unwrap_or_default()
    }

    fn tag(&self, repository: &RepoName, tag: &Tag) -> Option<Digest> {
        self.listed().get(repository)?.get(tag).cloned()
    }

    fn media(&self) -> &[Medium] {
        &self.media
    }

    async fn statements(&self) -> Arc<Statements> {
        Arc::new(scan(self).await)
    }
}
