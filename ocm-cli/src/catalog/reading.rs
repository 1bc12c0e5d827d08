//! Reads the files of a catalog, in as many threads as there are processors.

use std::{
    fs, io,
    num::NonZeroUsize,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use ocm_catalog::{CatalogFile, Wanted, read};

use crate::files::{self, FileError};

/// The files of a catalog: each with its name inside of it.
#[derive(Debug)]
pub(super) struct CatalogFiles(Vec<(String, PathBuf)>);

impl CatalogFiles {
    /// Finds them: below a directory, or the file alone.
    ///
    /// # Errors
    ///
    /// When a directory cannot be listed.
    pub(super) fn find(root: &Path) -> Result<Self, FileError> {
        if !fs::metadata(root).map_err(failed(root))?.is_dir() {
            let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
            return Ok(Self(vec![(name, root.to_owned())]));
        }
        let (mut found, mut directories) = (Vec::new(), vec![(String::new(), root.to_owned())]);
        while let Some((prefix, directory)) = directories.pop() {
            for entry in fs::read_dir(&directory).map_err(failed(&directory))? {
                let entry = entry.map_err(failed(&directory))?;
                let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
                // A link to a directory is not followed: it may lead back.
                let kind = entry.file_type().map_err(failed(&entry.path()))?;
                if kind.is_dir() {
                    directories.push((format!("{name}/"), entry.path()));
                } else if entry.path().is_file() {
                    found.push((name, entry.path()));
                }
            }
        }
        found.sort();
        Ok(Self(found))
    }

    /// Reads them. Each thread has one file at a time in memory, and what is wanted of it.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub(super) fn read(&self, wanted: &Wanted) -> Result<Vec<CatalogFile>, FileError> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let next = AtomicUsize::new(0);
        let read_some = || {
            let mut read_files = Vec::new();
            while let Some((name, path)) = self.0.get(next.fetch_add(1, Ordering::Relaxed)) {
                let bytes = files::read(path)?;
                read_files.push(read(name, &bytes, wanted));
            }
            Ok(read_files)
        };
        let parts = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(read_some)).collect();
            let joined = threads.into_iter().map(|thread| match thread.join() {
                Ok(part) => part,
                Err(panic) => resume_unwind(panic),
            });
            joined.collect::<Result<Vec<Vec<CatalogFile>>, FileError>>()
        });
        Ok(parts?.into_iter().flatten().collect())
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    |source| FileError::Read { path, source }
}
