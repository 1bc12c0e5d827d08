use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use ocm_oci::RepoName;
use ocm_transport::{Source, layout::OciLayoutError};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use crate::{Built, ContentStore, Location, Overlay, Place, Places};

/// How many bytes are kept at most of what is read to find out what it means, so that it need not
/// be read again to be copied.
const ROOM: u64 = 2 << 30;

/// How the names of these directories begin.
const PREFIX: &str = ".built-";

/// Where images are built: a directory of the workspace that goes when the run does.
#[derive(Debug, Clone)]
pub struct Workshop {
    _directory: Arc<Own>,
    store: ContentStore,
    overlay: Overlay,
}

/// A directory that is locked as long as it is somebody's.
#[derive(Debug)]
struct Own {
    directory: TempDir,
    _lock: File,
}

/// Why nothing can be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkshopError {
    #[error("could not make a directory to build images in")]
    Directory(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] OciLayoutError),
}

impl Own {
    /// Makes one, and removes those of runs that were killed.
    fn within(working_dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(working_dir)?;
        // Between its making and its locking, a directory looks like one that nobody owns.
        let turn = File::open(working_dir)?;
        // Where a directory cannot be locked, nothing is removed either.
        drop(turn.lock());
        for entry in fs::read_dir(working_dir)? {
            let entry = entry?;
            let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
            // What cannot be removed harms nobody.
            if is_ours && entry.file_type()?.is_dir() && is_left(&entry.path()) {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(working_dir)?;
        let lock = File::open(directory.path())?;
        drop(lock.try_lock());
        drop(turn);
        Ok(Self { directory, _lock: lock })
    }
}

/// Whether who made a directory is gone, for certain.
fn is_left(directory: &Path) -> bool {
    File::open(directory).is_ok_and(|directory| directory.try_lock().is_ok())
}

impl Workshop {
    /// Makes one in `working_dir`.
    pub(super) async fn create(working_dir: &Path) -> Result<Self, WorkshopError> {
        let working_dir = working_dir.to_owned();
        let own = spawn_blocking(move || Own::within(&working_dir)).await;
        let own = own.map_err(io::Error::other)??;
        let store = ContentStore::create(own.directory.path(), ROOM).await?;
        let overlay = Overlay::new(&store);
        Ok(Self { _directory: Arc::new(own), store, overlay })
    }

    /// Returns where what is built is put, and what is read.
    pub(super) fn store(&self) -> &ContentStore {
        &self.store
    }

    /// Puts an image that was built upon another one at `base` where it can be copied from.
    pub(super) fn shelve(
        &mut self,
        repository: &RepoName,
        built: &Built,
        base: Option<Arc<dyn Source>>,
    ) -> Location {
        self.overlay.add(repository, built, base);
        Location { place: Place::Built, repository: repository.clone() }
    }

    /// Adds to the places that are read what was built here, and what was read before.
    #[must_use]
    pub fn in_places(&self, places: Places) -> Places {
        let built = Arc::new(self.overlay.clone());
        places.with_source(Place::Built, built).with_kept(self.store.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_killed_runs_have_left_is_removed() {
        let working_dir = tempfile::tempdir().unwrap();
        let path = |name: &str| working_dir.path().join(name);
        for name in [".built-left", ".built-left/blobs", "signatures"] {
            fs::create_dir(path(name)).unwrap();
        }
        fs::write(path(".built-left/blobs/one"), "bytes").unwrap();
        fs::write(path(".built-file"), "somebody's").unwrap();
        std::os::unix::fs::symlink(path("signatures"), path(".built-link")).unwrap();
        let names = || {
            let entries = fs::read_dir(working_dir.path()).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.collect::<std::collections::BTreeSet<_>>()
        };

        let first = Workshop::create(working_dir.path()).await.unwrap();
        assert!(!names().contains(".built-left"), "{:?}", names());
        // One that is in use stays, whoever comes next.
        let second = Workshop::create(working_dir.path()).await.unwrap();
        assert_eq!(names().len(), 3 + 2, "{:?}", names());
        drop((first, second));
        assert_eq!(
            names().into_iter().collect::<Vec<_>>(),
            [".built-file", ".built-link", "signatures"]
        );
    }
}
