use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use ocm_oci::RepoName;
use tokio::task::spawn_blocking;

use super::{
    ArchiveError, ArchiveLayout, Contents, Sealed, publish, seal, source::Repository,
    writing::Writing,
};
use crate::{Destination, Listing, Page, Source, Transport, TransportError, memory::list};

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
        if !publish::is_marked(&self.shared.directory) {
            for medium in &self.shared.media {
                // Nobody is left to be told; the next run removes what this one cannot.
                drop(fs::remove_file(&medium.path));
            }
        }
        // Who still holds `place()` keeps nobody from writing the next archive.
        drop(self.shared.lock.unlock());
    }
}

impl fmt::Display for ArchiveWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
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
        Ok(list(self.0.listed().keys(), page))
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
