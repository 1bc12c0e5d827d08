//! One layer, from its compressed bytes to the files that are seen in the image.

use std::{
    collections::BTreeSet,
    io::{BufReader, Cursor, Read},
};

use flate2::read::MultiGzDecoder;

use super::{
    LayerFault, Visitor,
    cover::{Cover, Mark, below, clean},
    limits::{Metered, Spent},
    tape::{Entry, Kind, Tape},
};

/// How a gzip file begins.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc1952#section-2.3>.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// How a frame of zstd begins.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1>.
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Largest window of zstd, as a power of two of bytes: what its own program accepts, 128 MiB.
const ZSTD_WINDOW: u32 = 27;
/// Bytes unpacked at once.
const UNPACKED: usize = 64 << 10;

/// An image that is being read.
#[derive(Debug)]
pub(crate) struct Unpacking<V> {
    pub(crate) wanted: Wanted<V>,
    pub(super) spent: Spent,
}

/// The directory that is read, and what was found of it so far.
#[derive(Debug)]
pub(crate) struct Wanted<V> {
    /// The directory, cleaned.
    pub(super) prefix: Vec<u8>,
    pub(crate) visitor: V,
    /// What the layers above hide.
    pub(super) cover: Cover,
    /// Files that were handed over.
    pub(super) files: BTreeSet<Vec<u8>>,
    /// Links that were passed over.
    pub(super) links: u64,
}

/// What one layer brings.
#[derive(Default)]
struct Brought {
    /// What its entries hide.
    cover: Cover,
    files: BTreeSet<Vec<u8>>,
}

impl<V: Visitor> Unpacking<V> {
    /// Begins with nothing above, and wants all files.
    pub(crate) fn all(visitor: V, spent: Spent) -> Self {
        let (cover, files) = (Cover::default(), BTreeSet::new());
        let wanted = Wanted { prefix: Vec::new(), visitor, cover, files, links: 0 };
        Self { wanted, spent }
    }

    /// Reads one layer, whatever it is compressed with: what it is called may be wrong.
    pub(crate) fn layer(&mut self, mut from: impl Read) -> Result<(), LayerFault> {
        let mut head = Vec::new();
        from.by_ref().take(ZSTD.len() as u64).read_to_end(&mut head)?;
        let (is_gzip, is_zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD));
        let whole = Cursor::new(head).chain(from);
        if is_gzip {
            self.tar(MultiGzDecoder::new(whole))
        } else if is_zstd {
            let mut decoder = zstd::Decoder::new(whole)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            self.tar(decoder)
        } else {
            self.tar(whole)
        }
    }

    fn tar(&mut self, from: impl Read) -> Result<(), LayerFault> {
        let Self { wanted, spent } = self;
        let mut left = spent.left();
        let metered = BufReader::with_capacity(UNPACKED, Metered { from, left: &mut left });
        let (mut tape, mut brought) = (Tape::new(metered, spent), Brought::default());
        while let Some(entry) = tape.next()? {
            wanted.take(&entry, &mut tape, &mut brought)?;
        }
        spent.unpacked(left);
        wanted.cover.extend(brought.cover)?;
        wanted.files.append(&mut brought.files);
        Ok(())
    }
}

impl<V: Visitor> Wanted<V> {
    fn take<R: Read>(
        &mut self,
        entry: &Entry,
        tape: &mut Tape<'_, R>,
        brought: &mut Brought,
    ) -> Result<(), LayerFault> {
        let path = clean(&entry.path)?;
        let mark = Mark::of(&path);
        if mark != Mark::Plain {
            // What is marked in a layer is gone from those below, and not from itself.
            return if mark.matters(&self.prefix) { brought.cover.mark(mark) } else { Ok(()) };
        }
        let (is_link, is_directory) = (entry.kind == Kind::Link, entry.kind == Kind::Directory);
        let Some(name) = below(&path, &self.prefix) else {
            // A link or a file in place of the directory, or of one above it.
            let is_in_place = path == self.prefix || below(&self.prefix, &path).is_some();
            if !is_directory && is_in_place {
                self.links += u64::from(is_link);
                brought.cover.other(&path)?;
            }
            return Ok(());
        };
        if is_directory {
            return brought.cover.directory(&path);
        }
        let is_seen = !self.cover.hides(&path);
        brought.cover.other(&path)?;
        self.links += u64::from(is_link && is_seen);
        if is_seen && matches!(entry.kind, Kind::File | Kind::Sparse) {
            let Ok(name) = str::from_utf8(name) else { return Err(unreadable(name)) };
            tape.check(entry, name)?;
            if !brought.files.insert(path.clone()) {
                return Err(LayerFault::Twice(name.to_owned()));
            }
            self.visitor.file(name, entry.size, &mut tape.content())?;
        }
        Ok(())
    }
}

fn unreadable(name: &[u8]) -> LayerFault {
    LayerFault::Name(String::from_utf8_lossy(name).into_owned())
}

impl Mark {
    /// Whether this says something of what lies under `prefix`.
    fn matters(&self, prefix: &[u8]) -> bool {
        let (Self::Gone(path) | Self::Emptied(path)) = self else { return false };
        path == prefix || below(path, prefix).is_some() || below(prefix, path).is_some()
    }
}
