//! The moment at which an archive becomes visible, and what is done if the machine stops in it.
//!
//! ```text
//! volumes synced ─► marker ─► rename each ─► remove what is left of the older set ─► no marker
//!   older set counts  │  new set counts, under whichever names
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ocm_oci::Digest;
use serde::{Deserialize, Serialize};

use super::{
    ArchiveError,
    volume::{Medium, check, file_name, number_of, partial_name},
};

/// The file that says: these volumes are whole and on the disk, whatever they are called.
const MARKER: &str = ".mirror.seal";
/// Longest marker, in bytes.
const MARKER_MAX: u64 = 4096;
/// What the marker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    pub(super) set: Digest,
    pub(super) volumes: u32,
}

/// Makes a set visible of which every byte is on the disk.
pub(super) fn publish(directory: &Path, seal: &Seal) -> Result<(), ArchiveError> {
    mark(directory, seal).map_err(|source| {
        let (action, path) = ("seal", directory.to_owned());
        ArchiveError::Io { action, path, source }
    })?;
    take(directory, seal)
}

/// Does what is left to do after the marker was written.
fn take(directory: &Path, seal: &Seal) -> Result<(), ArchiveError> {
    for step in steps(directory, seal)? {
        step.take(directory).map_err(|source| {
            let (action, path) = ("finish sealing", directory.to_owned());
            ArchiveError::Io { action, path, source }
        })?;
    }
    Ok(())
}

/// One change to the directory; each can be taken twice.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Gives a volume its name.
    Rename(u32),
    /// Removes a volume of the older set.
    Remove(String),
    /// Waits until the names are on the disk.
    Sync,
    /// Removes the marker.
    Unmark,
}

impl Step {
    fn take(&self, directory: &Path) -> io::Result<()> {
        let missing_is_done = |result: io::Result<()>| match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        match self {
            Self::Rename(number) => {
                let from = directory.join(partial_name(*number));
                missing_is_done(fs::rename(from, directory.join(file_name(*number))))
            }
            Self::Remove(name) => missing_is_done(fs::remove_file(directory.join(name))),
            Self::Sync => File::open(directory)?.sync_all(),
            Self::Unmark => missing_is_done(fs::remove_file(directory.join(MARKER))),
        }
    }
}

/// Writes the marker: from here on, the new set is the one that counts.
fn mark(directory: &Path, seal: &Seal) -> io::Result<()> {
    let temporary = directory.join(format!("{MARKER}.partial"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&temporary)?;
    file.write_all(&serde_json::to_vec(seal).map_err(io::Error::other)?)?;
    file.sync_all()?;
    // The names of the volumes must be on the disk before that of the marker is.
    File::open(directory)?.sync_all()?;
    fs::rename(&temporary, directory.join(MARKER))?;
    File::open(directory)?.sync_all()
}

/// Lists what is left to do after the marker was written.
fn steps(directory: &Path, seal: &Seal) -> Result<Vec<Step>, ArchiveError> {
    let mut steps = Vec::new();
    for number in 1..=seal.volumes {
        let partial = directory.join(partial_name(number));
        if fs::exists(&partial).is_ok_and(|exists| exists) {
            steps.push(Step::Rename(number));
        }
    }
    let numbers = numbers(directory).map_err(|source| {
        let (action, path) = ("list", directory.to_owned());
        ArchiveError::Io { action, path, source }
    })?;
    let older = numbers.into_iter().filter(|number| *number > seal.volumes);
    steps.extend(older.map(|number| Step::Remove(file_name(number))));
    steps.extend([Step::Sync, Step::Unmark, Step::Sync]);
    Ok(steps)
}

/// Lists which volumes have files in `directory`, in order.
pub(super) fn numbers(directory: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        numbers.extend(entry?.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what a run that died has left; sealed volumes are not among it.
pub(super) fn remove_partials(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| number_of(name.strip_prefix('.')?.strip_suffix(".partial")?));
        if number.is_some() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a set in `directory` is whole, and has not all its names yet.
pub(super) fn is_marked(directory: &Path) -> bool {
    fs::exists(directory.join(MARKER)).is_ok_and(|exists| exists)
}

fn marker(directory: &Path) -> Result<Option<Seal>, ArchiveError> {
    let path = directory.join(MARKER);
    let length = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ArchiveError::Io { action: "read", path, source }),
    };
    let bytes = if length > MARKER_MAX { Ok(Vec::new()) } else { fs::read(&path) };
    let bytes = bytes.map_err(|source| {
        let path = path.clone();
        ArchiveError::Io { action: "read", path, source }
    })?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| ArchiveError::Damaged {
        path,
        offset: 0,
        fault: format!("it is unreadable: {error}"),
    })
}

/// Finishes what a writer began that died while it was sealing.
pub(super) fn settle(directory: &Path) -> Result<(), ArchiveError> {
    let Some(seal) = marker(directory)? else { return Ok(()) };
    for number in 1..=seal.volumes {
        confirm(directory, &seal, number)?;
    }
    take(directory, &seal)
}

/// Returns where a volume is: under its name, or still under the one it was written with.
pub(super) fn path_of(directory: &Path, number: u32) -> PathBuf {
    let partial = directory.join(partial_name(number));
    if is_marked(directory) && fs::exists(&partial).is_ok_and(|exists| exists) {
        partial
    } else {
        directory.join(file_name(number))
    }
}

/// Makes sure that a marker does not make another set visible.
fn confirm(directory: &Path, seal: &Seal, number: u32) -> Result<(), ArchiveError> {
    let path = path_of(directory, number);
    let medium = match Medium::file(path.clone()) {
        Ok(medium) => medium,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ArchiveError::Missing { path, number, volumes: seal.volumes });
        }
        Err(source) => return Err(ArchiveError::Io { action: "open", path, source }),
    };
    let found = check(&medium)?.record.set;
    if found == seal.set {
        Ok(())
    } else {
        Err(ArchiveError::Foreign { path, found, expected: seal.set.clone() })
    }
}
