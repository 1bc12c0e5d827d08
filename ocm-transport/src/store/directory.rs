use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ocm_oci::{Digest, Hasher};
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use crate::{Mismatch, Stored};

/// Where files lie that are not whole yet; an OCI layout leaves other names in its root to us.
const OURS: &str = ".ocm";
/// How their names begin.
const INGEST: &str = "ingest-";

/// Bytes read at once of what is hashed.
const WINDOW: usize = 64 << 10;

/// Content in a directory, by digest, as in an OCI layout: `blobs/sha256/<hex>`.
///
/// Whatever has a name there is whole and on the disk: it is written beside, and renamed. Nothing
/// outside the directory is ever read: symbolic links in it are refused.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    root: PathBuf,
}

/// Content on its way into a [`Store`]. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Ingest {
    store: Store,
    file: NamedTempFile,
}

impl Store {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns where content is, or would be.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.folder(digest).join(digest.hex())
    }

    fn folder(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().as_str())
    }

    /// Opens a file of the layout itself; `None` where it is not there.
    pub(crate) fn open_file(&self, name: &str) -> io::Result<Option<File>> {
        open_regular(&self.root.join(name))
    }

    /// Opens content, and returns its length; `None` where it is not there.
    pub(crate) fn open(&self, digest: &Digest) -> io::Result<Option<(File, u64)>> {
        let folder = self.folder(digest);
        for folder in [&self.root.join("blobs"), &folder] {
            match fs::symlink_metadata(folder) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(not_regular(folder)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = open_regular(&folder.join(digest.hex()))? else { return Ok(None) };
        let len = file.metadata()?.len();
        Ok(Some((file, len)))
    }

    /// Removes content; `false` where it was not there.
    pub(crate) fn remove(&self, digest: &Digest) -> io::Result<bool> {
        match fs::remove_file(self.folder(digest).join(digest.hex())) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until nobody else changes this directory; until the file is dropped, nobody does.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let ours = self.root.join(OURS);
        fs::create_dir_all(&ours)?;
        if !fs::symlink_metadata(&ours)?.is_dir() {
            return Err(not_regular(&ours));
        }
        let lock = File::open(ours)?;
        // Where a directory cannot be locked, nobody else can lock it either: go on without.
        drop(lock.lock());
        Ok(lock)
    }

    /// Begins to take in content.
    pub(crate) fn ingest(&self) -> io::Result<Ingest> {
        let lock = self.lock()?;
        let file = tempfile::Builder::new().prefix(INGEST).tempfile_in(self.root.join(OURS))?;
        // Says that somebody is at work; see `remove_leftovers`.
        drop(file.as_file().try_lock());
        drop(lock);
        Ok(Ingest { store: self.clone(), file })
    }

    /// Removes what processes that were killed have begun.
    pub(crate) fn remove_leftovers(&self) -> io::Result<()> {
        let lock = self.lock()?;
        for entry in fs::read_dir(self.root.join(OURS))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.starts_with(INGEST) {
                continue;
            }
            let Some(file) = open_regular(&path)? else { continue };
            if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                fs::remove_file(&path)?;
            }
        }
        drop(lock);
        Ok(())
    }

    /// Replaces a file of the layout itself: whoever reads sees the old bytes or the new.
    pub(crate) fn replace_file(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new().prefix(INGEST).tempfile_in(self.root.join(OURS))?;
        file.write_all(bytes)?;
        make_readable(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(self.root.join(name)).map_err(|error| error.error)?;
        File::open(&self.root)?.sync_all()
    }
}

impl Ingest {
    /// Writes `piece`, which begins at `offset`.
    pub(crate) fn write(&self, offset: u64, piece: &[u8]) -> io::Result<()> {
        self.file.as_file().write_all_at(piece, offset)
    }

    /// Reads all that was written; returns how it differs from `digest`.
    pub(crate) fn mismatch(&self, digest: &Digest) -> io::Result<Option<Mismatch>> {
        let (mut hasher, mut buffer) = (Hasher::new(digest.algorithm()), vec![0; WINDOW]);
        loop {
            let len = self.file.as_file().read_at(&mut buffer, hasher.offset())?;
            if len == 0 {
                break;
            }
            hasher.update(buffer.get(..len).unwrap_or_default());
        }
        let (received, actual) = (hasher.offset(), hasher.finish());
        let wrong = Mismatch { expected: digest.clone(), actual, received };
        Ok((wrong.actual != *digest).then_some(wrong))
    }

    /// Gives the content its name; the caller has verified that it is `digest`.
    pub(crate) fn commit(self, digest: &Digest) -> io::Result<Stored> {
        let folder = self.store.folder(digest);
        // One of another length was cut or altered since, and is replaced.
        let len = self.file.as_file().metadata()?.len();
        if self.store.open(digest)?.is_some_and(|(_, found)| found == len) {
            return Ok(Stored::Already);
        }
        fs::create_dir_all(&folder)?;
        make_readable(self.file.as_file())?;
        self.file.as_file().sync_all()?;
        self.file.persist(folder.join(digest.hex())).map_err(|error| error.error)?;
        File::open(&folder)?.sync_all()?;
        Ok(Stored::New)
    }
}

/// Temporary files are private; what becomes of them is not.
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Opens a regular file, never through a symbolic link, never waiting for a pipe.
fn open_regular(path: &Path) -> io::Result<Option<File>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(not_regular(path));
        }
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() { Ok(Some(file)) } else { Err(not_regular(path)) }
}

fn not_regular(path: &Path) -> io::Error {
    let text = format!("`{}` is a symbolic link, or no regular file", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// Reads a file of at most `limit` bytes; `None` if there are more.
pub(crate) fn read_whole(file: File, limit: u64) -> io::Result<Option<Bytes>> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then(|| bytes.into()))
}
