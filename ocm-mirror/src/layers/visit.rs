use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use bytes::Bytes;

/// Takes the files of an image, one after another, in no order that means something.
pub trait Visitor: Send + 'static {
    /// Takes a file of `size` bytes; `path` is relative to the directory that was asked for. What
    /// is not read of `content` is passed over.
    ///
    /// # Errors
    ///
    /// Those of `content`, and any reason to read no further.
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> io::Result<()>;
}

/// Keeps files in memory: few, or all that are not large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    files: BTreeMap<String, Bytes>,
    names: Option<Vec<String>>,
    /// How many more bytes may be kept.
    left: u64,
}

/// More was to be kept than there is room for.
#[derive(Debug, thiserror::Error)]
#[error("its files are too large to be kept in memory")]
struct Full;

impl Collected {
    /// Keeps all files, up to `limit` bytes of them.
    pub fn all(limit: u64) -> Self {
        Self { files: BTreeMap::new(), names: None, left: limit }
    }

    /// Keeps the files of these names, up to `limit` bytes of them.
    pub fn only<N: Into<String>>(names: impl IntoIterator<Item = N>, limit: u64) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { names: Some(names), ..Self::all(limit) }
    }

    /// Returns the files by their path below the directory.
    pub fn into_files(self) -> BTreeMap<String, Bytes> {
        self.files
    }
}

impl Visitor for Collected {
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        if self.names.as_ref().is_some_and(|names| !names.iter().any(|name| name == path)) {
            return Ok(());
        }
        self.left = self.left.checked_sub(size).ok_or_else(|| io::Error::other(Full))?;
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        self.files.insert(path.to_owned(), bytes.into());
        Ok(())
    }
}
