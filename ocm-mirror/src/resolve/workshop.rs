use std::{io, path::Path, sync::Arc};

use ocm_oci::RepoName;
use ocm_transport::{Source, layout::OciLayoutError};
use tempfile::TempDir;

use crate::{Built, ContentStore, Location, Overlay, Place, Places};

/// How many bytes are kept at most of what is read to find out what it means, so that it need not
/// be read again to be copied.
const ROOM: u64 = 2 << 30;

/// Where images are built: a directory of the workspace that goes when the run does.
#[derive(Debug, Clone)]
pub struct Workshop {
    _directory: Arc<TempDir>,
    store: ContentStore,
    overlay: Overlay,
}

/// Why nothing can be built.
#[derive(Debug, thiserror::Error)]
pub(super) enum WorkshopError {
    #[error("could not make a directory to build images in")]
    Directory(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] OciLayoutError),
}

impl Workshop {
    /// Makes one in `working_dir`.
    pub(super) async fn create(working_dir: &Path) -> Result<Self, WorkshopError> {
        tokio::fs::create_dir_all(working_dir).await?;
        let directory = tempfile::Builder::new().prefix(".built-").tempdir_in(working_dir)?;
        let store = ContentStore::create(directory.path(), ROOM).await?;
        let overlay = Overlay::new(&store);
        Ok(Self { _directory: Arc::new(directory), store, overlay })
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
