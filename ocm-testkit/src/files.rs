use std::collections::BTreeMap;

use bytes::Bytes;
use tar::{EntryType, Header};

/// Bytes of a tar record: headers are one, content is filled up to one.
const RECORD: usize = 512;

/// The files of a layer, with the directories above them; all for anybody to read, of 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// By path; `None` is a directory.
    entries: BTreeMap<String, Option<Bytes>>,
}

impl Files {
    /// Adds a file at `path`, `etc/passwd`.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Bytes>) -> Self {
        let path = path.into();
        for (at, _) in path.match_indices('/') {
            let above = path.get(..=at).unwrap_or_default();
            self.entries.entry(above.to_owned()).or_insert(None);
        }
        self.entries.insert(path, Some(content.into()));
        self
    }

    /// Says that what lower layers have at `path` is gone.
    #[must_use]
    pub fn without(self, path: &str) -> Self {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if parent.is_empty() { "" } else { "/" };
        self.with(format!("{parent}{slash}.wh.{name}"), "")
    }

    /// Writes the tar; paths have to fit into a header, which takes 100 bytes and often more.
    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, content) in &self.entries {
            let bytes = content.as_deref().unwrap_or_default();
            let is_file = content.is_some();
            let mut header = Header::new_ustar();
            // A longer one would be cut, and missed by the test that made it.
            drop(header.set_path(path));
            header.set_entry_type(if is_file { EntryType::Regular } else { EntryType::Directory });
            header.set_mode(if is_file { 0o644 } else { 0o755 });
            header.set_size(bytes.len() as u64);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            header.set_cksum();
            tar.extend_from_slice(header.as_bytes());
            tar.extend_from_slice(bytes);
            tar.resize(tar.len().next_multiple_of(RECORD), 0);
        }
        tar.resize(tar.len() + 2 * RECORD, 0);
        tar
    }
}
