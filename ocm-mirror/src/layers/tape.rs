//! A tar, header by header.
//!
//! Written here, since iterating with the `tar` crate reads names of any length into memory, and
//! since what a runtime sees decides: containers are unpacked by Go programs, so sizes are read as
//! Go's `archive/tar` reads them.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::{LayerFault, limits::Spent};

/// Bytes of a record: headers are one, content is filled up to one.
const RECORD: usize = 512;
/// Longest name, in bytes: Linux opens none that is longer.
const NAME_LIMIT: u64 = 4096;
/// Longest list of extended attributes of one entry, in bytes: what Go reads at most.
const RECORDS_LIMIT: u64 = 1 << 20;

/// What an entry is, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Hard or symbolic.
    Link,
    /// A file whose holes were left out.
    Sparse,
    /// A device or a pipe.
    Other,
}

/// One entry: its name as written, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Length of the content in bytes.
    pub(super) size: u64,
}

/// Reads the entries of a tar, one after another.
pub(super) struct Tape<'a, R> {
    from: R,
    /// What is left of the current entry's content, in bytes.
    content: u64,
    /// What follows it up to the next header, in bytes.
    padding: u64,
    spent: &'a mut Spent,
}

/// What came before a header about it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl<'a, R: Read> Tape<'a, R> {
    /// Begins at the first header of `from`; counts what it reads in `spent`.
    pub(super) fn new(from: R, spent: &'a mut Spent) -> Self {
        Self { from, content: 0, padding: 0, spent }
    }

    /// Returns the next entry; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, LayerFault> {
        self.skip()?;
        let mut extended = Extended::default();
        while let Some(header) = self.header()? {
            let size = header.entry_size().map_err(LayerFault::Io)?;
            match header.entry_type() {
                EntryType::GNULongName => {
                    let mut name = self.extension(size, NAME_LIMIT)?;
                    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
                    name.truncate(end);
                    extended.path = Some(name);
                }
                EntryType::XHeader => extended.read(&self.extension(size, RECORDS_LIMIT)?)?,
                EntryType::GNULongLink | EntryType::XGlobalHeader => {
                    self.begin(size);
                    self.skip()?;
                }
                kind => return self.entry(&header, kind, (size, extended)).map(Some),
            }
        }
        Ok(None)
    }

    /// Refuses a file that is not handed over.
    pub(super) fn check(&self, entry: &Entry, name: &str) -> Result<(), LayerFault> {
        if entry.kind == Kind::Sparse {
            return Err(LayerFault::Sparse(name.to_owned()));
        }
        self.spent.file(entry.size)
    }

    /// Reads the content of the current entry.
    pub(super) fn content(&mut self) -> impl Read {
        Content { tape: self }
    }

    fn entry(
        &mut self,
        header: &Header,
        kind: EntryType,
        (size, extended): (u64, Extended),
    ) -> Result<Entry, LayerFault> {
        let path = extended.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let size = extended.size.unwrap_or(size);
        let is_folder = path.ends_with(b"/");
        let old = header.as_bytes().get(156) == Some(&0);
        let (kind, size) = match kind {
            EntryType::Regular if is_folder && old => (Kind::Directory, 0),
            EntryType::Regular | EntryType::Continuous if is_folder => (Kind::Directory, size),
            EntryType::Regular | EntryType::Continuous if extended.is_sparse => {
                (Kind::Sparse, size)
            }
            EntryType::Regular | EntryType::Continuous => (Kind::File, size),
            // These have no content, whatever their header says.
            EntryType::Directory => (Kind::Directory, 0),
            EntryType::Link | EntryType::Symlink => (Kind::Link, 0),
            EntryType::Char | EntryType::Block | EntryType::Fifo => (Kind::Other, 0),
            EntryType::GNUSparse => {
                self.skip_map(header)?;
                (Kind::Sparse, size)
            }
            _ => (Kind::Other, size),
        };
        self.begin(size);
        Ok(Entry { path, kind, size })
    }

    /// Reads a header; `None` at the end, be it marked or not.
    fn header(&mut self) -> Result<Option<Header>, LayerFault> {
        let mut header = Header::new_old();
        if !self.record(header.as_mut_bytes())? {
            return Ok(None);
        }
        self.spent.entry()?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            // The end is two such records; what follows one alone, readers disagree about.
            let is_end = !self.record(header.as_mut_bytes())?
                || header.as_bytes().iter().all(|byte| *byte == 0);
            return if is_end { Ok(None) } else { Err(LayerFault::Header) };
        }
        if is_sum_right(&header) { Ok(Some(header)) } else { Err(LayerFault::Header) }
    }

    /// Fills `record`; `false` where nothing is left.
    fn record(&mut self, record: &mut [u8; RECORD]) -> Result<bool, LayerFault> {
        let mut filled = 0;
        while let Some(rest) = record.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.from.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(LayerFault::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LayerFault::Io(error)),
            }
        }
        Ok(true)
    }

    fn begin(&mut self, size: u64) {
        self.content = size;
        self.padding = size.wrapping_neg() % RECORD as u64;
    }

    /// Reads an extension whole.
    fn extension(&mut self, size: u64, limit: u64) -> Result<Vec<u8>, LayerFault> {
        if size > limit {
            return Err(LayerFault::TooLarge { what: "a name or attribute", limit });
        }
        self.begin(size);
        let mut bytes = Vec::new();
        self.content().read_to_end(&mut bytes)?;
        self.skip()?;
        Ok(bytes)
    }

    /// Passes over what is left of the current entry.
    fn skip(&mut self) -> Result<(), LayerFault> {
        io::copy(&mut self.content(), &mut io::sink())?;
        // The last record of all need not be filled up.
        io::copy(&mut self.from.by_ref().take(self.padding), &mut io::sink())?;
        self.padding = 0;
        Ok(())
    }

    /// Passes over the rest of a list of holes, which lies between header and content.
    fn skip_map(&mut self, header: &Header) -> Result<(), LayerFault> {
        let mut more = header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
        let mut map = [0; RECORD];
        while more {
            self.spent.entry()?;
            if !self.record(&mut map)? {
                return Err(LayerFault::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            more = map.get(504) == Some(&1);
        }
        Ok(())
    }
}

/// The content of the current entry, and no more.
struct Content<'t, 'a, R> {
    tape: &'t mut Tape<'a, R>,
}

impl<R: Read> Read for Content<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.tape.content).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.tape.from.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.tape.content = self.tape.content.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Extended {
    /// Reads records of the form `LENGTH KEY=VALUE\n`.
    ///
    /// Source: <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03>.
    fn read(&mut self, mut records: &[u8]) -> Result<(), LayerFault> {
        while !records.is_empty() {
            let (key, value, rest) = record(records).ok_or(LayerFault::Header)?;
            records = rest;
            match key {
                b"path" if value.len() as u64 <= NAME_LIMIT => self.path = Some(value.to_vec()),
                b"path" => {
                    return Err(LayerFault::TooLarge { what: "a name", limit: NAME_LIMIT });
                }
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or(LayerFault::Header)?);
                }
                key => self.is_sparse |= key.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }
}

/// Takes one record apart: key, value, and what follows.
fn record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = records.iter().position(|byte| *byte == b' ')?;
    let len: usize = std::str::from_utf8(records.get(..blank)?).ok()?.parse().ok()?;
    let (text, rest) = records.split_at_checked(len)?;
    let text = text.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((text.get(..equals)?, text.get(equals + 1..)?, rest))
}

/// Whether the sum in the header is that of its bytes, which some have counted as signed ones.
fn is_sum_right(header: &Header) -> bool {
    let Ok(written) = header.cksum() else { return false };
    let bytes = header.as_bytes().iter().enumerate();
    let blanked = bytes.map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: u32 = blanked.clone().map(u32::from).sum();
    let signed: i32 = blanked.map(|byte| i32::from(byte.cast_signed())).sum();
    written == unsigned || i64::from(written) == i64::from(signed)
}
