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
    fs::{self, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Zoned;

use crate::request::Flow;

const WORKING_DIR: &str = "working-dir";
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
        Self { root, when: when.strftime("%Y%m%d_%H%M%S").to_string() }
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
    match workspace.file_name().is_some_and(|name| name == WORKING_DIR) {
        true => workspace.to_owned(),
        false => workspace.join(WORKING_DIR),
    }
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

/// Replaces a directory by one that holds `files` and nothing else.
fn replace_directory(
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
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn working_dir(flow: &Flow) -> WorkingDir {
        WorkingDir::new(flow, &Clock::stopped().local())
    }

    #[test]
    fn each_flow_has_its_working_directory() {
        let there = tempfile::tempdir().unwrap();
        let (volume, directory) = (there.path().join("mirror_000001.tar"), there.path());
        fs::write(&volume, "").unwrap();
        let target = || "r:5000".parse().unwrap();
        let from = |from: &Path, workspace: Option<&str>| Flow::DiskToMirror {
            from: from.to_owned(),
            workspace: workspace.map(PathBuf::from),
            target: target(),
        };
        let to_mirror = |workspace: &str| Flow::MirrorToMirror {
            workspace: workspace.into(),
            target: target(),
        };
        let cases = [
            (Flow::MirrorToDisk { directory: "out".into() }, "out/working-dir".into()),
            (
                Flow::MirrorToDisk { directory: "working-dir".into() },
                "working-dir/working-dir".into(),
            ),
            (to_mirror("w"), "w/working-dir".into()),
            (to_mirror("w/working-dir/"), "w/working-dir".into()),
            (from(directory, None), directory.join("working-dir")),
            (from(&volume, None), directory.join("working-dir")),
            (from(directory, Some("w")), "w/working-dir".into()),
        ];
        for (flow, expected) in cases {
            assert_eq!(working_dir(&flow).path(), expected, "{flow:?}");
        }
    }

    #[test]
    fn logs_carry_the_time_at_which_the_run_began() {
        let run = working_dir(&Flow::MirrorToDisk { directory: "o".into() });
        let logs = Path::new("o/working-dir/logs");
        assert_eq!(run.log_file(), logs.join("oc-mirror-20261121_042607.log"));
        assert_eq!(run.errors_file(), logs.join("mirroring_errors_20261121_042607.txt"));
    }

    #[test]
    fn a_directory_is_replaced_as_a_whole() {
        let there = tempfile::tempdir().unwrap();
        let flow = Flow::MirrorToDisk { directory: there.path().to_owned() };
        let run = working_dir(&flow);
        let file = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        run.replace_resources([file("a.yaml", "1"), file("b.yaml", "2")]).unwrap();
        let made = run.replace_resources([file("b.yaml", "3")]).unwrap();
        let names: Vec<_> =
            fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["b.yaml"]);
        assert_eq!(fs::read_to_string(made.join("b.yaml")).unwrap(), "3");
        let left = fs::read_dir(run.path()).unwrap().count();
        assert_eq!(left, 1, "what was staged is gone");
    }

    #[test]
    fn what_cannot_be_written_is_named_with_advice() {
        let there = tempfile::tempdir().unwrap();
        let file = there.path().join("file");
        fs::write(&file, "").unwrap();
        let error = make_dir(&file.join("logs")).unwrap_err();
        assert!(error.to_string().starts_with("could not make the directory `/"), "{error}");
        assert_eq!(error.hint().unwrap(), "something that is not a directory is in the way");
        assert_eq!(read(&there.path().join("no")).unwrap_err().hint().unwrap(), "check the path");
    }
}
