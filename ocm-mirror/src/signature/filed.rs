use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use ocm_oci::Digest;
use tokio::task::spawn_blocking;

use super::message::LIMIT;

/// Most files that are read for one release: it has one or two.
const FILES_LIMIT: usize = 16;

/// Signatures at hand, by the names of their files: `TAG-sha256-HEX`, of which only the digest
/// counts.
#[derive(Debug, Clone, Default)]
pub struct Filed(BTreeMap<String, Bytes>);

/// Signatures at hand could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read signatures from `{}`", .path.display())]
pub struct FiledError {
    /// The directory, or a file in it.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Filed {
    /// Takes the contents of files: those that an archive carried, say.
    pub fn of(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// Reads those files of `directory` that are named after one of `releases`. Where there is no
    /// such directory there is no signature.
    ///
    /// # Errors
    ///
    /// [`FiledError`], when there is something that cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing.
    pub async fn read(directory: &Path, releases: &[Digest]) -> Result<Self, FiledError> {
        let directory = directory.to_owned();
        let hexes: Vec<_> = releases.iter().map(Digest::hex).collect();
        let failed = |path: &Path, source| FiledError { path: path.to_owned(), source };
        let read = {
            let directory = directory.clone();
            spawn_blocking(move || read(&directory, &hexes))
        };
        read.await.unwrap_or_else(|error| Err(failed(&directory, io::Error::other(error))))
    }

    /// Returns what is named after a release, in order.
    pub(super) fn about(&self, release: &Digest) -> impl Iterator<Item = (&str, &Bytes)> {
        let hex = release.hex();
        let named = self.0.iter().filter(move |(name, _)| name.contains(&hex));
        named.map(|(name, content)| (name.as_str(), content))
    }
}

fn read(directory: &Path, hexes: &[String]) -> Result<Filed, FiledError> {
    let failed = |path: &Path, source| FiledError { path: path.to_owned(), source };
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Filed::default()),
        entries => entries.map_err(|error| failed(directory, error))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(directory, error))?;
        // A name that is no text has no digest in it that anybody would write.
        names.extend(entry.file_name().into_string());
    }
    names.sort_unstable();
    let mut found = BTreeMap::new();
    for hex in hexes {
        for name in names.iter().filter(|name| name.contains(hex)).take(FILES_LIMIT) {
            let path = directory.join(name);
            if let Some(content) = content(&path).map_err(|error| failed(&path, error))? {
                found.insert(name.clone(), content);
            }
        }
    }
    Ok(Filed(found))
}

/// Reads a file, and of one that is too large enough to tell; `None` where it is something else.
fn content(path: &Path) -> io::Result<Option<Bytes>> {
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    let mut content = Vec::new();
    File::open(path)?.take(LIMIT as u64 + 1).read_to_end(&mut content)?;
    Ok(Some(content.into()))
}
