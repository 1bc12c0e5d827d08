use std::{
    fs::{self, File},
    io::{self, Read as _},
    num::NonZeroUsize,
    panic::resume_unwind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
};

use ocm_catalog::{CatalogFile, Wanted, read};

/// Most bytes of all files of a catalog. The largest known has 0.3 GB.
pub(crate) const FILES_LIMIT: u64 = 2 << 30;
/// Most entries of a catalog's directories. The largest known has some thousand.
const ENTRIES_LIMIT: usize = 2_000_000;

/// The files of a catalog in a directory of this machine, each with its name inside of it.
#[derive(Debug)]
pub struct CatalogFiles(Vec<(String, PathBuf)>);

/// Why the files of a catalog cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogFilesError {
    /// A file or directory cannot be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is more than any catalog has.
    #[error("`{}` has more than {} GiB of files, or {ENTRIES_LIMIT} of them", path.display(), FILES_LIMIT >> 30)]
    Endless {
        /// Where.
        path: PathBuf,
    },
}

impl CatalogFiles {
    /// Finds them: below a directory, or the file alone. Links to directories are not followed.
    ///
    /// # Errors
    ///
    /// [`CatalogFilesError`], when a directory cannot be listed, or has too much in it.
    pub fn find(root: &Path) -> Result<Self, CatalogFilesError> {
        if !fs::metadata(root).map_err(failed(root))?.is_dir() {
            let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
            return Ok(Self(vec![(name, root.to_owned())]));
        }
        let (mut found, mut directories) = (Vec::new(), vec![(String::new(), root.to_owned())]);
        let mut left = ENTRIES_LIMIT;
        while let Some((prefix, directory)) = directories.pop() {
            for entry in fs::read_dir(&directory).map_err(failed(&directory))? {
                let endless = || CatalogFilesError::Endless { path: root.to_owned() };
                left = left.checked_sub(1).ok_or_else(endless)?;
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

    /// Reads them, in as many threads as there are processors. Each has one file at a time in
    /// memory, and what is wanted of it.
    ///
    /// # Errors
    ///
    /// [`CatalogFilesError`], when one cannot be read, or they are larger than any catalog.
    pub fn read(&self, wanted: &Wanted) -> Result<Vec<CatalogFile>, CatalogFilesError> {
        let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
        let read_some = || {
            let mut read_files = Vec::new();
            while let Some((name, path)) = self.0.get(next.fetch_add(1, Ordering::Relaxed)) {
                let bytes = whole(path, &total)?;
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
            joined.collect::<Result<Vec<Vec<CatalogFile>>, CatalogFilesError>>()
        });
        Ok(parts?.into_iter().flatten().collect())
    }
}

/// Reads a file, as long as all together are no longer than a catalog's.
fn whole(path: &Path, total: &AtomicU64) -> Result<Vec<u8>, CatalogFilesError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed(path))?;
    let left = FILES_LIMIT.saturating_sub(total.load(Ordering::Relaxed));
    let length = file.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(failed(path))?;
    let before = total.fetch_add(length as u64, Ordering::Relaxed);
    if before.saturating_add(length as u64) > FILES_LIMIT {
        return Err(CatalogFilesError::Endless { path: path.to_owned() });
    }
    Ok(bytes)
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CatalogFilesError {
    let path = path.to_owned();
    |source| CatalogFilesError::Read { path, source }
}
