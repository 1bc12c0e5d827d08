//! What every repository of one layout has in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ocm_oci::{Children, Descriptor, Digest, ManifestError, MediaType, RepoName, TagOrDigest};
use serde::Deserialize;

use super::{OciLayoutError, index::Index};
use crate::{
    Kind, Manifest, Mismatch, Operation, Retry, TransportError, Verb,
    store::{Store, blocking, fault, read_whole},
};

/// Longest `index.json` that is read, in bytes: a hundred thousand images fit.
const INDEX_MAX: u64 = 64 << 20;
/// Largest manifest that is read to see what it names, in bytes.
const MANIFEST_MAX: u64 = 4 << 20;
/// Longest `oci-layout` file, in bytes.
const MARKER_MAX: u64 = 4096;

const MARKER: &str = "oci-layout";
const INDEX: &str = "index.json";
/// What the file `oci-layout` holds.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file>.
const MARKER_CONTENT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// A directory, and what was read of it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    cache: Mutex<Option<(Stamp, Arc<Index>)>>,
    /// What manifests name. By digest, so that it is never out of date.
    children: Mutex<BTreeMap<Digest, Arc<Children>>>,
}

/// One repository, opened.
#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) shared: Arc<Shared>,
    pub(super) name: RepoName,
}

/// Which file `index.json` was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        Self { inode: metadata.ino(), len: metadata.len(), modified }
    }
}

/// Why something could not be done; with an [`Operation`] it is a [`TransportError`].
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Index(OciLayoutError),
    Corrupt(Mismatch),
    Manifest(ManifestError),
    InUse,
    Is(Kind),
}

/// Something is named by a manifest that stays.
#[derive(Debug, thiserror::Error)]
#[error("a manifest that is listed in the layout names it")]
struct InUse;

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<OciLayoutError> for Fault {
    fn from(error: OciLayoutError) -> Self {
        Self::Index(error)
    }
}

impl Fault {
    pub(super) fn in_operation(self, operation: Operation) -> TransportError {
        let new = |kind| TransportError::new(operation.clone(), kind, Retry::Never);
        match self {
            Self::Io(error) => fault(operation, error),
            Self::Index(OciLayoutError::Io { source, .. }) => fault(operation, source),
            Self::Index(error) => new(Kind::Corrupt).caused_by(error),
            Self::Corrupt(mismatch) => new(Kind::Corrupt).caused_by(mismatch),
            Self::Manifest(error) => new(Kind::Refused).caused_by(error),
            Self::InUse => new(Kind::Refused).caused_by(InUse),
            Self::Is(kind) => new(kind),
        }
    }
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "layout `{}`", self.store.root().display())
    }
}

impl Shared {
    /// Opens a layout that is there.
    pub(super) fn open(directory: &Path) -> Result<Self, OciLayoutError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Marker {
            image_layout_version: String,
        }
        let (store, path) = (Store::new(directory.to_owned()), directory.join(MARKER));
        let io = |source| OciLayoutError::Io { action: "read", path: path.clone(), source };
        let Some(file) = store.open_file(MARKER).map_err(io)? else {
            return Err(OciLayoutError::NotALayout { directory: directory.to_owned() });
        };
        let Some(bytes) = read_whole(file, MARKER_MAX).map_err(io)? else {
            return Err(OciLayoutError::TooLarge { path, limit: MARKER_MAX });
        };
        let marker: Marker = serde_json::from_slice(&bytes)
            .map_err(|source| OciLayoutError::Json { path: path.clone(), source })?;
        if !marker.image_layout_version.starts_with("1.") {
            let (directory, version) = (directory.to_owned(), marker.image_layout_version);
            return Err(OciLayoutError::Version { directory, version });
        }
        let shared = Self { store, cache: Mutex::default(), children: Mutex::default() };
        shared.index()?;
        Ok(shared)
    }

    /// Opens the layout in `directory`, and makes it if there is none.
    pub(super) fn create(directory: &Path) -> Result<Self, OciLayoutError> {
        let io = |source| {
            let (action, path) = ("create a layout in", directory.to_owned());
            OciLayoutError::Io { action, path, source }
        };
        fs::create_dir_all(directory).map_err(io)?;
        let store = Store::new(directory.to_owned());
        let is_there = store.open_file(MARKER).map_err(io)?.is_some();
        if !is_there && fs::read_dir(directory).map_err(io)?.next().is_some() {
            return Err(OciLayoutError::NotALayout { directory: directory.to_owned() });
        }
        if !is_there {
            let lock = store.lock().map_err(io)?;
            fs::create_dir_all(directory.join("blobs").join("sha256")).map_err(io)?;
            let index = Index::default().to_bytes().map_err(io::Error::other).map_err(io)?;
            store.replace_file(INDEX, &index).map_err(io)?;
            store.replace_file(MARKER, MARKER_CONTENT).map_err(io)?;
            drop(lock);
        }
        store.remove_leftovers().map_err(io)?;
        Self::open(directory)
    }

    /// Returns what `index.json` says now.
    pub(super) fn index(&self) -> Result<Arc<Index>, OciLayoutError> {
        let path = self.store.root().join(INDEX);
        let io = |source| OciLayoutError::Io { action: "read", path: path.clone(), source };
        let Some(file) = self.store.open_file(INDEX).map_err(io)? else {
            return Err(OciLayoutError::NotALayout { directory: self.store.root().to_owned() });
        };
        let stamp = Stamp::of(&file.metadata().map_err(io)?);
        if let Some((known, index)) = &*lock(&self.cache)
            && *known == stamp
        {
            return Ok(Arc::clone(index));
        }
        let Some(bytes) = read_whole(file, INDEX_MAX).map_err(io)? else {
            return Err(OciLayoutError::TooLarge { path, limit: INDEX_MAX });
        };
        let index = Index::parse(&bytes)
            .map_err(|source| OciLayoutError::Json { path: path.clone(), source })?;
        let index = Arc::new(index);
        *lock(&self.cache) = Some((stamp, Arc::clone(&index)));
        Ok(index)
    }

    /// Replaces `index.json` by what `change` makes of it, if it makes something.
    pub(super) fn change(
        &self,
        change: impl FnOnce(&Index) -> Result<Option<Index>, Fault>,
    ) -> Result<(), Fault> {
        let lock = self.store.lock()?;
        if let Some(index) = change(&*self.index()?)? {
            self.replace(&index)?;
        }
        drop(lock);
        Ok(())
    }

    /// Replaces `index.json`; the caller holds the lock of the store.
    pub(super) fn replace(&self, index: &Index) -> Result<(), Fault> {
        let bytes = index.to_bytes().map_err(io::Error::other)?;
        if bytes.len() as u64 > INDEX_MAX {
            return Err(Fault::Is(Kind::Full));
        }
        Ok(self.store.replace_file(INDEX, &bytes)?)
    }

    /// Finds a manifest of a repository, and makes sure that its file is there.
    pub(super) fn find(
        &self,
        repository: &RepoName,
        reference: &TagOrDigest,
    ) -> Result<Option<Descriptor>, Fault> {
        let index = self.index()?;
        let found = match reference {
            TagOrDigest::Tag(tag) => index.tag(repository, tag).cloned(),
            TagOrDigest::Digest(digest) => {
                let listed = index.listed(repository, digest).cloned();
                listed.or_else(|| self.reachable(index.visible(repository)).remove(digest))
            }
        };
        let Some(descriptor) = found else { return Ok(None) };
        match self.store.open(&descriptor.digest)? {
            None => Ok(None),
            Some((_, len)) if len == descriptor.size => Ok(Some(descriptor)),
            Some(_) => Err(Fault::Is(Kind::Corrupt)),
        }
    }

    /// Returns all manifests to which `roots` lead, and themselves.
    pub(super) fn reachable(&self, roots: Vec<&Descriptor>) -> BTreeMap<Digest, Descriptor> {
        let mut found = BTreeMap::new();
        let mut open: Vec<Descriptor> = roots.into_iter().cloned().collect();
        while let Some(descriptor) = open.pop() {
            let is_image =
                matches!(descriptor.media_type, MediaType::OciManifest | MediaType::DockerManifest);
            let is_new = found.insert(descriptor.digest.clone(), descriptor.clone()).is_none();
            if is_new && !is_image {
                let children = self.children(&descriptor);
                let manifests = children.iter().flat_map(|children| &children.manifests);
                open.extend(manifests.map(|entry| entry.descriptor.clone()));
            }
        }
        found
    }

    /// Returns what a manifest names, if it is there and can be read.
    pub(super) fn children(&self, descriptor: &Descriptor) -> Option<Arc<Children>> {
        if let Some(known) = lock(&self.children).get(&descriptor.digest) {
            return Some(Arc::clone(known));
        }
        let manifest = self.read(descriptor, MANIFEST_MAX).ok()??;
        let children = Arc::new(manifest.children().ok()?);
        lock(&self.children).insert(descriptor.digest.clone(), Arc::clone(&children));
        Some(children)
    }

    /// Reads a manifest of at most `limit` bytes, verified; `None` if its file is not there.
    pub(super) fn read(
        &self,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Manifest>, Fault> {
        let Some((file, len)) = self.store.open(&descriptor.digest)? else { return Ok(None) };
        let bytes = if len > limit { None } else { read_whole(file, limit)? };
        let bytes = bytes.ok_or(Fault::Is(Kind::Refused))?;
        Manifest::verify(descriptor.media_type.clone(), bytes, &descriptor.digest)
            .map(Some)
            .map_err(Fault::Corrupt)
    }

    /// Whether one of `roots`, or a manifest to which they lead, names `digest`.
    pub(super) fn names(&self, roots: Vec<&Descriptor>, digest: &Digest) -> bool {
        self.reachable(roots).values().any(|manifest| {
            self.children(manifest).is_some_and(|children| {
                let manifests = children.manifests.iter().map(|entry| &entry.descriptor.digest);
                let blobs = children.blobs.iter().map(|blob| &blob.digest);
                manifests.chain(blobs).collect::<BTreeSet<_>>().contains(digest)
            })
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Repository {
    pub(super) fn operation(&self, verb: Verb, what: impl fmt::Display) -> Operation {
        let (place, reference) = (self.shared.to_string(), format!("{}@{what}", self.name));
        Operation { place, verb, reference }
    }

    pub(super) fn fail(&self, verb: Verb, what: impl fmt::Display, kind: Kind) -> TransportError {
        TransportError::new(self.operation(verb, what), kind, Retry::Never)
    }

    /// Runs `work`, which waits for a disk, where it holds up nobody.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: Operation,
        work: impl FnOnce(&Shared, &RepoName) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, TransportError> {
        let Self { shared, name } = self.clone();
        match blocking(move || Ok(work(&shared, &name))).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(fault)) => Err(fault.in_operation(operation)),
            Err(error) => Err(fault(operation, error)),
        }
    }
}
