use std::borrow::Cow;

use crate::fault::{Code, Fault, Findings, Location};

/// Most bytes of a document that are read; the largest configuration known has 60 KB.
pub const SIZE_LIMIT: usize = 16 << 20;

/// Returns the bytes as text, if they are some.
pub(crate) fn text<'b>(bytes: &'b [u8], findings: &mut Findings) -> Option<Cow<'b, str>> {
    if bytes.len() > SIZE_LIMIT {
        let message = format!("more than {} MiB; this is no configuration", SIZE_LIMIT >> 20);
        findings.error(Code::TooLarge, beginning(), message);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let fault = Fault::error(Code::Encoding, end_of(valid), "not UTF-8 text");
            findings.add(fault.with_help("save the file as UTF-8".to_owned()));
            return None;
        }
    };
    let Some(rest) = text.strip_prefix('\u{feff}') else { return Some(with_plain_lines(text)) };
    let message = "the file begins with a byte order mark, which is left out";
    let fault = Fault::warning(Code::Encoding, beginning(), message);
    findings.add(fault.with_help("save the file as UTF-8 without it".to_owned()));
    Some(with_plain_lines(rest))
}

/// Ends each line in a line feed: to YAML a carriage return alone ends one, too, and places are
/// told in lines.
fn with_plain_lines(text: &str) -> Cow<'_, str> {
    let is_alone =
        |(at, _): (usize, &str)| !text.get(at + 1..).is_some_and(|t| t.starts_with('\n'));
    if !text.match_indices('\r').any(is_alone) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// Returns the place of what a whole document lacks.
pub(crate) fn beginning() -> Location {
    Location { path: String::new(), line: 1, column: 1 }
}

/// Returns where text ends that is known to be UTF-8.
fn end_of(text: &[u8]) -> Location {
    let text = String::from_utf8_lossy(text);
    let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Location {
        path: String::new(),
        line: number(text.matches('\n').count()),
        column: number(last_line.chars().count()),
    }
}
