use std::{iter, vec};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Crc;
use ocm_oci::{Digest, Hasher};

use crate::chance::{CHUNK, Chance};

/// Bytes of a tar record: headers are one, content is filled up to one.
const RECORD: u64 = 512;
/// Bytes of two empty records, which end a tar.
const TAR_END: u64 = 2 * RECORD;
/// Most bytes that one stored block of deflate holds.
const BLOCK: usize = 65_535;
/// Bytes around the content of a gzip file: header and trailer.
const FRAME: u64 = 10 + 8;
/// Bytes before the content of a stored block.
const BLOCK_HEAD: u64 = 5;
/// Says that a gzip header carries a comment.
const FCOMMENT: u8 = 0x10;

/// A layer: a gzip file with a tar of made-up files in it, of a length given to the byte.
///
/// Real layers do not compress again, and neither do these: the content is noise, and deflate
/// stores it. That makes them as fast as copying, and independent of any compressor's version.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc1952>, <https://www.rfc-editor.org/rfc/rfc1951>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layer {
    seed: u64,
    tar: u64,
    comment: u64,
}

impl Layer {
    /// Plans a layer of `size` bytes; 23 is the least that a gzip file can have.
    pub(crate) fn new(seed: u64, size: u64) -> Self {
        let size = size.max(Self::gzip(0));
        let mut tar = size / RECORD * RECORD;
        while Self::gzip(tar) > size {
            tar -= RECORD;
        }
        Self { seed, tar, comment: size - Self::gzip(tar) }
    }

    /// Puts a tar into a gzip file, as it is: what a compressor makes of it differs from version
    /// to version.
    pub(crate) fn around(tar: &[u8]) -> Bytes {
        let layer = Self { seed: 0, tar: tar.len() as u64, comment: 0 };
        let tar = iter::once(Bytes::copy_from_slice(tar));
        layer.deflated(tar).collect::<Vec<_>>().concat().into()
    }

    /// Returns how long a gzip file around `tar` bytes is without a comment.
    fn gzip(tar: u64) -> u64 {
        FRAME + tar + BLOCK_HEAD * tar.div_ceil(BLOCK as u64).max(1)
    }

    /// Returns the digest of the tar inside, which an image's configuration lists.
    pub(crate) fn diff_id(self) -> Digest {
        let mut hasher = Hasher::default();
        self.tar().for_each(|part| hasher.update(&part));
        hasher.finish()
    }

    pub(crate) fn chunks(self) -> impl Iterator<Item = Bytes> + Send {
        self.deflated(self.tar())
    }

    /// Returns the gzip file around `tar`, which comes in parts.
    fn deflated(
        self,
        tar: impl Iterator<Item = Bytes> + Send,
    ) -> impl Iterator<Item = Bytes> + Send {
        let mut blocks = Blocks { tar, held: BytesMut::new(), crc: Crc::new() };
        let mut left = self.tar;
        let mut is_first = true;
        let deflated = iter::from_fn(move || {
            let len = left.min(BLOCK as u64);
            left -= len;
            let is_wanted = std::mem::take(&mut is_first) || len > 0;
            is_wanted.then(|| blocks.next(usize::try_from(len).unwrap_or(BLOCK), left == 0))
        });
        iter::once(self.head()).chain(deflated)
    }

    /// The header of the gzip file, with a comment as long as it takes to come to the size.
    fn head(self) -> Bytes {
        let flags = if self.comment > 0 { FCOMMENT } else { 0 };
        let mut head = BytesMut::from(&[0x1f, 0x8b, 8, flags][..]);
        // Where the time would be: so that layers too small for a file differ too.
        head.put_slice(self.seed.to_le_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
        head.put_slice(&[0, 255]);
        if let Some(len) = self.comment.checked_sub(1) {
            head.put_bytes(b'-', usize::try_from(len).unwrap_or_default());
            head.put_u8(0);
        }
        head.freeze()
    }

    /// The parts of the tar, in order.
    fn tar(self) -> impl Iterator<Item = Bytes> + Send + use<> {
        let mut files = Files { chance: Chance::new(self.seed), nth: 0, left: self.files() };
        let end = zeros(self.tar - self.files());
        iter::from_fn(move || files.next()).flatten().chain(iter::once(end))
    }

    /// Returns how many bytes of the tar are for files: none, if there is no room for one.
    fn files(self) -> u64 {
        self.tar.checked_sub(TAR_END).filter(|left| *left >= 2 * RECORD).unwrap_or(0)
    }
}

/// Zeros, fewer than two records and the least tar with a file in it.
fn zeros(len: u64) -> Bytes {
    Bytes::from_static(&[0; 2048]).slice(..usize::try_from(len).unwrap_or_default().min(2048))
}

/// Makes stored blocks of a tar.
struct Blocks<I> {
    tar: I,
    held: BytesMut,
    crc: Crc,
}

impl<I: Iterator<Item = Bytes>> Blocks<I> {
    /// Returns the next block, of `len` bytes; the last is followed by the gzip's trailer.
    fn next(&mut self, len: usize, is_last: bool) -> Bytes {
        while self.held.len() < len {
            let Some(part) = self.tar.next() else { break };
            self.held.extend_from_slice(&part);
        }
        let content = self.held.split_to(len.min(self.held.len()));
        self.crc.update(&content);
        let short = u16::try_from(content.len()).unwrap_or(u16::MAX);
        let mut block = BytesMut::with_capacity(content.len() + 16);
        block.put_u8(u8::from(is_last));
        block.put_u16_le(short);
        block.put_u16_le(!short);
        block.extend_from_slice(&content);
        if is_last {
            block.put_u32_le(self.crc.sum());
            block.put_u32_le(self.crc.amount());
        }
        block.freeze()
    }
}

/// Makes up files until the room for them is full.
struct Files {
    chance: Chance,
    nth: u64,
    /// Bytes left for headers and content; a multiple of a record.
    left: u64,
}

impl Files {
    /// Returns the parts of the next file.
    fn next(&mut self) -> Option<vec::IntoIter<Bytes>> {
        let most = self.left.checked_sub(RECORD)?;
        let wanted = self.size();
        // What is too little for one more file goes to this one.
        let is_last = most.saturating_sub(wanted.next_multiple_of(RECORD)) < 2 * RECORD;
        let size = if is_last { most } else { wanted };
        self.left = most.saturating_sub(size.next_multiple_of(RECORD));
        let mut parts = vec![self.header(size)];
        let mut rest = usize::try_from(size).unwrap_or_default();
        while rest > 0 {
            let part = self.chance.noise(rest.min(CHUNK));
            rest -= part.len();
            parts.push(part);
        }
        parts.push(zeros(size.next_multiple_of(RECORD) - size));
        self.nth += 1;
        Some(parts.into_iter())
    }

    /// Most files are small, most bytes are in large ones.
    fn size(&mut self) -> u64 {
        match self.chance.between(0, 16) {
            0..=9 => self.chance.between(200, 8 << 10),
            10..=14 => self.chance.between(8 << 10, 64 << 10),
            _ => self.chance.between(256 << 10, 1 << 20),
        }
    }

    fn header(&mut self, size: u64) -> Bytes {
        let (directory, name) = (self.chance.between(0, 20), self.chance.next());
        let path = format!("usr/share/made-up-{directory:02}/{:05}-{name:016x}", self.nth);
        let mut header = tar::Header::new_ustar();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        // A path of this length, without `..`, always fits.
        drop(header.set_path(path));
        header.set_cksum();
        Bytes::copy_from_slice(header.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn bytes(layer: Layer) -> Vec<u8> {
        layer.chunks().collect::<Vec<_>>().concat()
    }

    #[test]
    fn layers_have_the_size_asked_for() {
        for size in (23..6000).chain([65_535, 65_536, 65_600, 1 << 20, 2 << 20, (2 << 20) + 1]) {
            assert_eq!(bytes(Layer::new(1, size)).len() as u64, size);
        }
        assert_eq!(bytes(Layer::new(1, 0)).len(), 23);
    }

    #[test]
    fn layers_are_gzip_files_with_a_tar_inside() {
        for size in [23, 600, 1100, 2047, 2100, 3000, 70_000, 3 << 20] {
            let layer = Layer::new(size, size);
            let mut tar = Vec::new();
            flate2::read::GzDecoder::new(&*bytes(layer)).read_to_end(&mut tar).unwrap();
            assert_eq!(Digest::of(&tar), layer.diff_id());
            let mut archive = tar::Archive::new(&*tar);
            let files: Vec<u64> =
                archive.entries().unwrap().map(|file| file.unwrap().size()).collect();
            assert_eq!(files.is_empty(), size < 2100, "{size}: {files:?}");
            if size > 2 << 20 {
                assert!(files.len() > 10 && files.iter().any(|file| *file > 256 << 10));
            }
        }
    }

    #[test]
    fn seeds_tell_layers_apart() {
        for size in [23, 1000, 5000, 1 << 20] {
            assert_eq!(bytes(Layer::new(1, size)), bytes(Layer::new(1, size)));
            assert_ne!(bytes(Layer::new(1, size)), bytes(Layer::new(2, size)));
        }
    }
}
