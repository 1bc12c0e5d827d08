//! Tar headers, made one way: ustar, with a pax header where a name or a size demands it.
//!
//! Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06>.

/// A tar's unit, in bytes: headers are one block, contents are padded to whole blocks.
pub(super) const BLOCK: u64 = 512;
/// Two empty blocks end a tar.
pub(super) const TRAILER: u64 = 2 * BLOCK;
/// Longest name that fits into a plain header. The `prefix` field is left alone: too few readers
/// agree on it.
const NAME_MAX: usize = 100;
/// Largest size that eleven octal digits hold: 8 GiB less one byte.
pub(super) const SIZE_MAX: u64 = 0o777_7777_7777;

const REGULAR: u8 = b'0';
const PAX: u8 = b'x';
/// Name of the pax header itself; readers ignore it.
const PAX_NAME: &str = ".ocm/pax";

/// Returns the length of what comes before the content of a member with a name of that length.
///
/// A pax header is one block, and one more with its records: a path of ours and a size fit.
pub(super) fn header_len(name_len: usize, size: u64) -> u64 {
    if needs_pax(name_len, size) { 3 * BLOCK } else { BLOCK }
}

/// Returns `len`, rounded up to whole blocks.
pub(super) fn padded(len: u64) -> u64 {
    len.div_ceil(BLOCK) * BLOCK
}

fn needs_pax(name_len: usize, size: u64) -> bool {
    name_len > NAME_MAX || size > SIZE_MAX
}

/// Returns what comes before the content of a member: the same bytes for the same member, always.
pub(super) fn header(name: &str, size: u64) -> Vec<u8> {
    if !needs_pax(name.len(), size) {
        return block(name, size, REGULAR);
    }
    let mut records = String::new();
    if name.len() > NAME_MAX {
        records.push_str(&record("path", name));
    }
    if size > SIZE_MAX {
        records.push_str(&record("size", &size.to_string()));
    }
    let mut bytes = block(PAX_NAME, records.len() as u64, PAX);
    field(&mut bytes, records.as_bytes(), 512);
    // Where the size does not fit, what stands in the plain header counts for nothing.
    bytes.extend(block(name, if size > SIZE_MAX { 0 } else { size }, REGULAR));
    bytes
}

/// Returns a pax record, which begins with its own length.
fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut len = rest.len();
    while len != rest.len() + len.to_string().len() {
        len = rest.len() + len.to_string().len();
    }
    format!("{len}{rest}")
}

fn block(name: &str, size: u64, kind: u8) -> Vec<u8> {
    let spaces = [b' '; 8];
    let sum: u32 = with_checksum(name, size, kind, &spaces).into_iter().map(u32::from).sum();
    with_checksum(name, size, kind, format!("{sum:06o}\0 ").as_bytes())
}

fn with_checksum(name: &str, size: u64, kind: u8, checksum: &[u8]) -> Vec<u8> {
    let mut block = Vec::with_capacity(512);
    field(&mut block, name.as_bytes(), NAME_MAX);
    field(&mut block, b"0000644", 8);
    field(&mut block, b"0000000", 8);
    field(&mut block, b"0000000", 8);
    field(&mut block, format!("{size:011o}").as_bytes(), 12);
    field(&mut block, b"00000000000", 12);
    field(&mut block, checksum, 8);
    block.push(kind);
    field(&mut block, b"", 100);
    field(&mut block, b"ustar\x0000", 8);
    field(&mut block, b"", 64);
    field(&mut block, b"0000000", 8);
    field(&mut block, b"0000000", 8);
    block.resize(512, 0);
    block
}

/// Adds a field of `width` bytes: what fits of `text`, and zeros.
fn field(block: &mut Vec<u8>, text: &[u8], width: usize) {
    let end = block.len() + width;
    block.extend(text.iter().take(width));
    block.resize(end, 0);
}

/// Says for people what stands where a header of ours should be: its kind and its name.
///
/// `None` where it is no header at all. What it returns is printable, whatever it read.
pub(super) fn describe(block: &[u8]) -> Option<String> {
    let name = block.get(..NAME_MAX)?.split(|byte| *byte == 0).next()?;
    let magic = block.get(257..262)?;
    let kind = match block.get(156)? {
        b'0' | 0 => "a file",
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'5' => "a directory",
        b'6' => "a pipe",
        _ => "a member of unknown type",
    };
    let name: String =
        String::from_utf8_lossy(name).chars().flat_map(char::escape_default).collect();
    (magic == b"ustar" && !name.is_empty()).then(|| format!("{kind} named `{name}`"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn written(name: &str, size: u64) -> (String, u64, u64) {
        let mut archive = tar::Archive::new(std::io::Cursor::new({
            let mut bytes = header(name, size);
            assert_eq!(bytes.len() as u64, header_len(name.len(), size));
            bytes.extend([0; 2048]);
            bytes
        }));
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.header().entry_type(), tar::EntryType::Regular);
        assert_eq!(entry.header().mode().unwrap(), 0o644);
        assert_eq!(entry.header().mtime().unwrap(), 0);
        assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
        let mut first = [0];
        assert_eq!(entry.read(&mut first).unwrap(), usize::from(size > 0));
        let name = entry.path().unwrap().display().to_string();
        (name, entry.size(), entry.raw_file_position())
    }

    #[test]
    fn another_reader_finds_name_size_and_content() {
        for name in ["a".to_owned(), "n".repeat(100), "n".repeat(101), "n".repeat(147)] {
            for size in [0, 1, 512, SIZE_MAX, SIZE_MAX + 1, 1 << 50] {
                assert_eq!(
                    written(&name, size),
                    (name.clone(), size, header_len(name.len(), size))
                );
            }
        }
    }

    #[test]
    fn says_what_a_foreign_header_is() {
        let mut link = tar::Header::new_ustar();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_path("x\n").unwrap();
        link.set_cksum();
        assert_eq!(describe(link.as_bytes()).unwrap(), r"a symbolic link named `x\n`");
        assert_eq!(describe(&[0; 512]), None);
        assert_eq!(describe(b"short"), None);
    }
}
