use std::{
    collections::{BTreeMap, BTreeSet},
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
use tokio::task::spawn_blocking;

use super::{
    ArchiveError, ArchiveLayout, Contents, Held, Piece, Sealed,
    header::header,
    seal,
    source::{Extent, Found, Holdings, Repository, Statements, scan},
    upload::Filling,
    volume::{Medium, partial_name},
};
use crate::{
    Begun, Destination, Kind, Listing, Manifest, Page, Source, Stored, Transport, TransportError,
    Verb,
    memory::list,
    store::{blocking, fault},
};

/// Writes an archive: a place that takes exactly what was planned, in any order.
///
/// Blobs are shared by all repositories: what one has brought, every other finds present. They are
/// written straight to their place in `.mirror_000001.tar.partial` and its siblings; an archive
/// that is there already stays as it is until [`seal`](Self::seal).
///
/// Dropping it removes what was written. While an upload of some blob is under way, another of the
/// same blob waits for it, and takes over if it fails.
#[derive(Debug)]
pub struct ArchiveWriter {
    shared: Arc<Writing>,
}

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
    pub(super) listed: Mutex<BTreeSet<(RepoName, Tag)>>,
    media: Vec<Medium>,
    /// Held while something is written; closed for good by sealing or giving up.
    gate: RwLock<Gate>,
    /// Locked, so that two processes do not write into one directory.
    lock: File,
}

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

/// Some content was not planned to be in this archive.
#[derive(Debug, thiserror::Error)]
#[error("the archive was planned without it")]
struct NotPlanned;

impl Slot {
    pub(super) fn state(&self) -> State {
        *self.lock()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ArchiveWriter {
    /// Makes the volumes of `layout` in `directory`, at their full length, and writes the records.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Full`] before anything is fetched, where the file system can tell;
    /// [`ArchiveError::Busy`] where another run writes.
    ///
    /// # Cancel safety
    ///
    /// A drop leaves nothing behind.
    pub async fn create(
        directory: &Path,
        layout: ArchiveLayout,
        contents: &Contents,
    ) -> Result<Self, ArchiveError> {
        let (directory, contents) = (directory.to_owned(), contents.clone());
        spawn_blocking(move || {
            let shared = Arc::new(Writing::create(directory, layout, &contents)?);
            let writer = Self { shared };
            writer.shared.preallocate()?;
            writer.shared.write_records(&contents)?;
            Ok(writer)
        })
        .await
        .unwrap_or_else(|error| {
            let (action, path) = ("write into", PathBuf::new());
            Err(ArchiveError::Io { action, path, source: io::Error::other(error) })
        })
    }

    /// Returns the same place behind a pointer of its own, for who keeps places in a table.
    ///
    /// It takes nothing more once this writer was sealed or dropped.
    pub fn place(&self) -> Arc<dyn Transport> {
        Arc::new(Place(Arc::clone(&self.shared)))
    }

    /// Makes the archive visible, in place of the one that was there.
    ///
    /// What never came is marked as absent. Everything is on the disk before the first file is
    /// renamed; if the machine stops in between, whoever opens the directory next goes on.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Io`] where the disk does not take it; the older archive is as it was.
    ///
    /// # Cancel safety
    ///
    /// A drop before the first rename leaves the older archive; after that, it is finished.
    pub async fn seal(self) -> Result<Sealed, ArchiveError> {
        let waiting = Arc::new(());
        let is_wanted = Arc::downgrade(&waiting);
        let sealed = spawn_blocking(move || {
            self.shared.close();
            seal::seal(&self.shared, &|| is_wanted.strong_count() > 0)
        })
        .await;
        drop(waiting);
        sealed.unwrap_or_else(|error| {
            let (action, path) = ("seal", PathBuf::new());
            Err(ArchiveError::Io { action, path, source: io::Error::other(error) })
        })
    }
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        self.shared.close();
        if !seal::is_marked(&self.shared.directory) {
            for medium in &self.shared.media {
                // Nobody is left to be told; the next run removes what this one cannot.
                drop(fs::remove_file(&medium.path));
            }
        }
        // Who still holds `place()` keeps nobody from writing the next archive.
        drop(self.shared.lock.unlock());
    }
}

impl Writing {
    fn create(
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
        seal::settle(&directory)?;
        seal::remove_partials(&directory).map_err(io("write into", &directory))?;
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
    fn preallocate(&self) -> Result<(), ArchiveError> {
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

    fn write_records(&self, contents: &Contents) -> Result<(), ArchiveError> {
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
            return Err(io::Error::other("the archive was sealed, or given up"));
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
    fn close(&self) {
        *self.gate.write().unwrap_or_else(PoisonError::into_inner) = Gate::Closed;
    }

    fn listed(&self) -> MutexGuard<'_, BTreeSet<(RepoName, Tag)>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_written(&self, digest: &Digest) -> bool {
        self.slots.get(digest).is_some_and(|slot| slot.state() == State::Written)
    }
}

impl Slot {
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

impl fmt::Display for ArchiveWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
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
        let listed = self.listed();
        let own = listed.iter().filter(|(name, _)| name == repository);
        own.filter_map(|name| Some((name.1.clone(), self.names.get(name)?.clone()))).collect()
    }

    fn media(&self) -> &[Medium] {
        &self.media
    }

    async fn statements(&self) -> Arc<Statements> {
        Arc::new(scan(self).await)
    }
}

/// [`ArchiveWriter::place`].
#[derive(Debug)]
struct Place(Arc<Writing>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl Transport for Place {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(Repository { held: Arc::clone(&self.0), name: repository.clone() })
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        Some(Arc::new(Repository { held: Arc::clone(&self.0), name: repository.clone() }))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        let names: BTreeSet<RepoName> = self.0.listed().iter().map(|name| name.0.clone()).collect();
        Ok(list(names.iter(), page))
    }
}

#[async_trait]
impl Transport for ArchiveWriter {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.place().source(repository)
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        self.place().destination(repository)
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        self.place().repositories(page).await
    }
}

impl Repository<Writing> {
    fn slot(&self, digest: &Digest) -> Result<&Arc<Slot>, TransportError> {
        let refused = || self.fail(Verb::Push, digest, Kind::Refused).caused_by(NotPlanned);
        self.held.slots.get(digest).ok_or_else(refused)
    }

    /// Everything `manifest` names must be here first, and `tag` must be planned to point at it.
    fn check(&self, manifest: &Manifest, tag: Option<&Tag>) -> Result<(), TransportError> {
        let digest = &manifest.descriptor().digest;
        let fail = |kind| self.fail(Verb::Push, digest, kind);
        let children = manifest.children().map_err(|e| fail(Kind::Refused).caused_by(e))?;
        let manifests = children.manifests.iter().map(|child| &child.descriptor.digest);
        let mut named = manifests.chain(children.blobs.iter().map(|blob| &blob.digest));
        if !named.all(|named| self.held.is_written(named)) {
            return Err(fail(Kind::Incomplete));
        }
        let planned = tag.map(|tag| self.held.names.get(&(self.name.clone(), tag.clone())));
        if planned.is_some_and(|planned| planned != Some(digest)) {
            return Err(fail(Kind::Refused).caused_by(NotPlanned));
        }
        Ok(())
    }
}

#[async_trait]
impl Destination for Repository<Writing> {
    async fn begin(
        &self,
        digest: &Digest,
        size: Option<u64>,
        _mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        let slot = self.slot(digest)?;
        if slot.state() == State::Written {
            return Ok(Begun::Present);
        }
        if size.is_some_and(|size| size != slot.held.size) {
            return Err(self.fail(Verb::Push, digest, Kind::Refused).caused_by(NotPlanned));
        }
        Ok(Begun::Open(Box::new(Filling::new(self.clone(), Arc::clone(slot)))))
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        let digest = &manifest.descriptor().digest;
        let slot = Arc::clone(self.slot(digest)?);
        self.check(manifest, tag)?;
        let claim = Arc::clone(&slot.claim).lock_owned().await;
        let stored = if slot.state() == State::Written { Stored::Already } else { Stored::New };
        if stored == Stored::New {
            let (writing, bytes) = (Arc::clone(&self.held), manifest.bytes().clone());
            blocking(move || {
                let written = writing.write(&slot, 0, &bytes, Order::Last);
                drop(claim);
                written
            })
            .await
            .map_err(|error| fault(self.operation(Verb::Push, digest), error))?;
        }
        self.held.listed().extend(tag.map(|tag| (self.name.clone(), tag.clone())));
        Ok(stored)
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, tag, Kind::Unsupported))
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, digest, Kind::Unsupported))
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        Err(self.fail(Verb::Delete, digest, Kind::Unsupported))
    }
}
