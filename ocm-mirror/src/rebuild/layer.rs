use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use bytes::Bytes;
use flate2::{Compression, GzBuilder, write::GzEncoder};
use ocm_oci::{Descriptor, Digest, Hasher, MediaType};
use tar::{EntryType, Header};
use tokio::task::spawn_blocking;

use super::RebuildError;
use crate::ContentStore;

/// How hard is compressed: what gzip does unless told otherwise. Another level is another digest.
const LEVEL: Compression = Compression::new(6);

/// How names begin that say what is gone.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts>.
const WHITEOUT: &str = ".wh.";

/// The directory that anybody may write to. A layer that has something in it has it as well, and
/// with other rights a container's programs could not use it.
const TEMPORARY: &str = "tmp";

/// Longest path, in bytes: Linux opens none that is longer.
const PATH_LIMIT: usize = 4096;

/// What is put into a layer: in order of path, owned by root, readable by anybody, of 1970.
#[derive(Debug, Clone, Default)]
pub struct LayerContent {
    items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone)]
enum Item {
    Directory,
    File { bytes: Bytes, mode: u32 },
}

/// A layer that is in the content store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLayer {
    content: Descriptor,
    diff_id: Digest,
    made_by: String,
}

impl LayerContent {
    /// Adds a file that anybody can read. Directories above it come by themselves.
    ///
    /// # Errors
    ///
    /// [`RebuildError::Path`], where a file in an image cannot be called that.
    pub fn file(&mut self, path: &str, bytes: Bytes) -> Result<(), RebuildError> {
        self.add(path, Item::File { bytes, mode: 0o644 })
    }

    /// Adds a program that anybody can run.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn program(&mut self, path: &str, bytes: Bytes) -> Result<(), RebuildError> {
        self.add(path, Item::File { bytes, mode: 0o755 })
    }

    /// Adds a directory.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn directory(&mut self, path: &str) -> Result<(), RebuildError> {
        self.add(path, Item::Directory)
    }

    /// Hides what the layers below have at `path`.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn gone(&mut self, path: &str) -> Result<(), RebuildError> {
        check(path)?;
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if parent.is_empty() { "" } else { "/" };
        let mark = format!("{parent}{slash}{WHITEOUT}{name}");
        self.put(&mark, Item::File { bytes: Bytes::new(), mode: 0o644 })
    }

    fn add(&mut self, path: &str, item: Item) -> Result<(), RebuildError> {
        check(path)?;
        self.put(path, item)
    }

    fn put(&mut self, path: &str, item: Item) -> Result<(), RebuildError> {
        let clash = || RebuildError::Path(path.to_owned());
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            let kept = self.items.entry(parent.to_owned()).or_insert(Item::Directory);
            if !matches!(kept, Item::Directory) {
                return Err(clash());
            }
            above = parent;
        }
        match (self.items.get(path), &item) {
            (None, _) | (Some(Item::Directory), Item::Directory) => {
                self.items.insert(path.to_owned(), item);
                Ok(())
            }
            _ => Err(clash()),
        }
    }

    /// Writes the layer into `store`; `made_by` says in the history of images where it is from.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing, or the whole layer.
    pub async fn build(
        self,
        store: &ContentStore,
        made_by: impl Into<String> + Send,
    ) -> Result<NewLayer, RebuildError> {
        let made_by = made_by.into();
        let written = spawn_blocking(move || self.write()).await;
        let (bytes, diff_id) =
            written.map_err(io::Error::other).flatten().map_err(RebuildError::Layer)?;
        let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
        let content = Descriptor { media_type: MediaType::OctetStream, digest, size };
        store.add(&content, bytes.into()).await?;
        Ok(NewLayer { content, diff_id, made_by })
    }

    /// Returns the gzip file, and the digest of the tar inside.
    fn write(self) -> io::Result<(Vec<u8>, Digest)> {
        let gzip = GzBuilder::new().write(Vec::new(), LEVEL);
        let mut tar = tar::Builder::new(Hashed { to: gzip, hasher: Hasher::default() });
        for (path, item) in self.items {
            let (bytes, mode, kind) = match item {
                Item::File { bytes, mode } => (bytes, mode, EntryType::Regular),
                Item::Directory if path == TEMPORARY => {
                    (Bytes::new(), 0o1777, EntryType::Directory)
                }
                Item::Directory => (Bytes::new(), 0o755, EntryType::Directory),
            };
            let slash = if kind == EntryType::Directory { "/" } else { "" };
            let mut header = Header::new_gnu();
            header.set_entry_type(kind);
            header.set_mode(mode);
            header.set_size(bytes.len() as u64);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            tar.append_data(&mut header, format!("{path}{slash}"), &*bytes)?;
        }
        let Hashed { to, hasher } = tar.into_inner()?;
        Ok((to.finish()?, hasher.finish()))
    }
}

impl NewLayer {
    /// Returns which blob of the content store it is.
    pub fn content(&self) -> &Descriptor {
        &self.content
    }

    /// Returns the digest of its content before compression.
    pub fn diff_id(&self) -> &Digest {
        &self.diff_id
    }

    /// Returns where it is from, as an image's history tells.
    pub fn made_by(&self) -> &str {
        &self.made_by
    }
}

/// Refuses what leads elsewhere, or means something else than a file of that name.
fn check(path: &str) -> Result<(), RebuildError> {
    let is_right = |part: &str| {
        !matches!(part, "" | "." | "..") && !part.starts_with(WHITEOUT) && !part.contains('\0')
    };
    let is_path = path.len() <= PATH_LIMIT && path.split('/').all(is_right);
    if is_path { Ok(()) } else { Err(RebuildError::Path(path.to_owned())) }
}

/// Hashes what is written, and hands it on.
struct Hashed {
    to: GzEncoder<Vec<u8>>,
    hasher: Hasher,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
