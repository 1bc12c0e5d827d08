//! The working directory: what lies where, and how it gets there whole.
//!
//! ```text
//! working-dir/logs/oc-mirror-<when>.log          everything that was said
//!             logs/mirroring_errors_<when>.txt   what failed, if anything did
//!             dry-run/mapping.txt, missing.txt   --dry-run
//!             mapping.txt                        what was mirrored
//!             cluster-resources/…                replaced as a whole, at the end
//! ```
//!
//! oc-mirror makes a dozen directories more, most of which stay empty; here a directory is made
//! when something goes into it.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

use jiff::Zoned;

use crate::request::Flow;

/// Most runs that begin in one second and have logs of their own.
const MOST_RUNS: u32 = 99;
const WORKING_DIR: &str = "working-dir";
/// The name of what is typed or piped in.
pub(crate) const STANDARD_INPUT: &str = "-";
/// What files of results may be, before the umask.
const FILE_MODE: u32 = 0o644;

/// The working directory of one run.
#[derive(Debug, Clone)]
pub(crate) struct WorkingDir {
    root: PathBuf,
    when: String,
}

/// Why a file is not where it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// A directory cannot be made.
    #[error("could not make the directory `{}`", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("could not read `{}`", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl FileError {
    fn cause(&self) -> &io::Error {
        match self {
            Self::Directory { source, .. }
            | Self::Write { source, .. }
            | Self::Read { source, .. } => source,
        }
    }

    /// Returns what may help.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self.cause().kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => match self {
                Self::Read { .. } => "check who may read it",
                _ => {
                    "check who may write there; `--workspace file://DIR` puts logs and results \
                      elsewhere"
                }
            },
            io::ErrorKind::NotFound if matches!(self, Self::Read { .. }) => "check the path",
            io::ErrorKind::DirectoryNotEmpty => "name one that is not there, or is empty",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room there",
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                "something that is not a directory is in the way"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl WorkingDir {
    /// Returns the one of a run that began at `when`. Nothing is made yet.
    pub(crate) fn new(flow: &Flow, when: &Zoned) -> Self {
        let root = match flow {
            Flow::MirrorToDisk { directory } => directory.join(WORKING_DIR),
            Flow::MirrorToMirror { workspace, .. }
            | Flow::DiskToMirror { workspace: Some(workspace), .. } => within(workspace),
            Flow::DiskToMirror { from, workspace: None, .. } => archive_dir(from).join(WORKING_DIR),
        };
        let when = when.strftime("%Y%m%d_%H%M%S").to_string();
        let first = Self { root, when };
        // Another run may have begun in the same second.
        let later = (2..=MOST_RUNS)
            .map(|number| Self { when: format!("{}-{number}", first.when), ..first.clone() });
        let mut runs = std::iter::once(first.clone()).chain(later);
        runs.find(|run| !run.log_file().exists()).unwrap_or(first)
    }

    /// Returns the directory.
    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// Returns where what is said goes.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.root.join("logs").join(format!("oc-mirror-{}.log", self.when))
    }

    /// Returns where what failed is listed.
    pub(crate) fn errors_file(&self) -> PathBuf {
        self.root.join("logs").join(format!("mirroring_errors_{}.txt", self.when))
    }

    /// Returns where the resources for a cluster are.
    pub(crate) fn resources(&self) -> PathBuf {
        self.root.join("cluster-resources")
    }

    /// Returns where a dry run writes.
    pub(crate) fn dry_run(&self) -> PathBuf {
        self.root.join("dry-run")
    }

    /// Returns where what was mirrored is listed.
    pub(crate) fn mapping_file(&self) -> PathBuf {
        self.root.join("mapping.txt")
    }

    /// Replaces the resources for a cluster: those of an earlier run stay until all new ones are
    /// written.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn replace_resources(
        &self,
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<PathBuf, FileError> {
        replace_directory(&self.resources(), files)
    }

    /// Replaces what an earlier dry run found.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn replace_dry_run(
        &self,
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<PathBuf, FileError> {
        replace_directory(&self.dry_run(), files)
    }
}

/// The working directory inside `workspace`, unless it is one already.
fn within(workspace: &Path) -> PathBuf {
    let is_one = workspace.file_name().is_some_and(|name| name == WORKING_DIR);
    if is_one { workspace.to_owned() } else { workspace.join(WORKING_DIR) }
}

/// The directory of an archive that may be named by its only file.
pub(crate) fn archive_dir(from: &Path) -> PathBuf {
    match (from.is_file(), from.parent()) {
        (true, Some(parent)) => parent.to_owned(),
        _ => from.to_owned(),
    }
}

/// Makes a directory, and those above it.
///
/// # Errors
///
/// When it cannot be made.
pub(crate) fn make_dir(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path)
        .map_err(|source| FileError::Directory { path: path.to_owned(), source })
}

/// Reads a file whole.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

/// Reads a file, or what is typed or piped in where its name is `-`, and one byte more than
/// `limit` at most: whoever reads it sees that it is too long.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    let read = if path == Path::new(STANDARD_INPUT) {
        io::stdin().lock().take(limit).read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content))
    };
    read.map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    Ok(content)
}

/// Writes a file whole, or leaves what was there.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    make_dir(parent)?;
    let put = || {
        let mut builder = tempfile::Builder::new();
        let mut file =
            builder.permissions(Permissions::from_mode(FILE_MODE)).tempfile_in(parent)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    };
    put().map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Returns the whole path of a directory that is to be filled: it must not be there, or be empty,
/// so that nobody's files are mixed with others, or lost.
///
/// # Errors
///
/// When there is something in it.
pub(crate) fn vacant(path: &Path) -> Result<PathBuf, FileError> {
    let failed = |source| FileError::Directory { path: path.to_owned(), source };
    let whole = std::path::absolute(path).map_err(failed)?;
    match fs::read_dir(&whole).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(failed(io::ErrorKind::DirectoryNotEmpty.into())),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(whole),
    }
}

/// Replaces a directory by one that holds `files` and nothing else.
///
/// # Errors
///
/// When a file cannot be written, and when one would not be in that directory.
pub(crate) fn replace_directory(
    path: &Path,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
) -> Result<PathBuf, FileError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    make_dir(parent)?;
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let staged = tempfile::Builder::new().prefix(".ocm-").tempdir_in(parent).map_err(failed)?;
    let (fresh, stale) = (staged.path().join("new"), staged.path().join("old"));
    make_dir(&fresh)?;
    for (name, content) in files {
        if !Path::new(&name).components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        }
        write(&fresh.join(name), &content)?;
    }
    match fs::rename(path, &stale) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        moved => moved.map_err(failed)?,
    }
    fs::rename(&fresh, path).map_err(failed)?;
    staged.close().map_err(failed)?;
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests;
