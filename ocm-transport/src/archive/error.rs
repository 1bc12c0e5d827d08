use std::{io, path::PathBuf};

use ocm_oci::Digest;

/// Why an archive cannot be written, sealed or opened.
///
/// [`hint`](Self::hint) says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file system said no.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There is no room for a volume.
    #[error("there is no room for the {needed} bytes of `{}`", path.display())]
    Full {
        /// The volume.
        path: PathBuf,
        /// Its length in bytes.
        needed: u64,
        /// What the file system said.
        source: io::Error,
    },
    /// Another process writes there.
    #[error("an archive is being written into `{}` already", directory.display())]
    Busy {
        /// Where.
        directory: PathBuf,
    },
    /// The layout was made for other contents.
    #[error("layout and contents of archive {set} do not belong together")]
    Unplanned {
        /// Which set.
        set: Digest,
    },
    /// Nobody waits any more for the archive to be sealed.
    #[error("sealing of archive {set} was given up before it became visible")]
    Abandoned {
        /// Which set.
        set: Digest,
    },
    /// There is no first volume.
    #[error("`{}` holds no archive", directory.display())]
    NoArchive {
        /// Where it was looked for.
        directory: PathBuf,
    },
    /// Volumes are there, and one is not.
    #[error("volume {number} of {volumes} is missing: `{}`", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
        /// Which one, from 1.
        number: u32,
        /// How many there are in all.
        volumes: u32,
    },
    /// A volume of another archive lies among these.
    #[error("`{}` belongs to archive {found}, not to archive {expected}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Set it belongs to.
        found: Digest,
        /// Set of the others.
        expected: Digest,
    },
    /// A volume bears another's name.
    #[error("`{}` is volume {found}, not volume {number}", path.display())]
    Swapped {
        /// The file.
        path: PathBuf,
        /// Which one its name says.
        number: u32,
        /// Which one it is.
        found: u32,
    },
    /// A volume has no bytes.
    #[error("`{}` is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A volume is shorter, or longer, than it was written.
    #[error("`{}` has {found} bytes, and should have {expected}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length with which it was written.
        expected: u64,
    },
    /// The file is something else.
    #[error("`{}` is not a volume of an archive", path.display())]
    NotAVolume {
        /// The file.
        path: PathBuf,
        /// What it begins with, if it is a tar.
        begins_with: Option<String>,
    },
    /// The file is of a later format.
    #[error("`{}` is of archive format {format}, which is not known here", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// Headers, padding or indexes are not what they must be.
    #[error("`{}` is damaged at byte {offset}: {fault}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// What is wrong there.
        fault: String,
    },
}

impl ArchiveError {
    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Full { .. } => "free some space, or write to another file system".to_owned(),
            Self::Busy { .. } => {
                "wait for the other run to end, or name another directory".to_owned()
            }
            Self::NoArchive { .. } => {
                "name the directory that holds `mirror_000001.tar`, or the file itself".to_owned()
            }
            Self::Missing { .. } => "copy it beside the others; all volumes are needed".to_owned(),
            Self::Foreign { .. } => {
                "copy this volume again from where the others were written".to_owned()
            }
            Self::Swapped { found, .. } => {
                format!("rename it to `{}`", super::volume::file_name(*found))
            }
            Self::Empty { .. } | Self::Length { .. } | Self::Damaged { .. } => {
                "copy the file again from where it was written, and compare the two".to_owned()
            }
            Self::NotAVolume { begins_with: Some(name), .. }
                if name.contains("docker/registry") =>
            {
                "it looks like an archive of oc-mirror, which cannot be read yet".to_owned()
            }
            Self::NotAVolume { .. } => "name an archive that ocm wrote".to_owned(),
            Self::Format { .. } => {
                "use the version of ocm that wrote it, or a newer one".to_owned()
            }
            Self::Io { .. } | Self::Unplanned { .. } | Self::Abandoned { .. } => return None,
        };
        Some(hint)
    }
}
