use std::{io, path::PathBuf};

/// Why a directory cannot be used as a layout.
///
/// [`hint`](Self::hint) says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciLayoutError {
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
    /// It is something else.
    #[error("`{}` is not an OCI image layout", directory.display())]
    NotALayout {
        /// The directory.
        directory: PathBuf,
    },
    /// It has a version that is not known here.
    #[error("`{}` is an OCI image layout of version {version}, which is not known here", directory.display())]
    Version {
        /// The directory.
        directory: PathBuf,
        /// Its version.
        version: String,
    },
    /// A file is not what it must be.
    #[error("`{}` is unreadable", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file is longer than anything reasonable.
    #[error("`{}` has more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many it may have.
        limit: u64,
    },
}

impl OciLayoutError {
    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotALayout { .. } => {
                Some("name the directory that holds `oci-layout` and `index.json`".to_owned())
            }
            Self::Json { .. } | Self::TooLarge { .. } => {
                Some("make the layout again with the program that wrote it".to_owned())
            }
            Self::Io { .. } | Self::Version { .. } => None,
        }
    }
}
