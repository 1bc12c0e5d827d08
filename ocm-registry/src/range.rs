use std::ops::Range;

/// What part of a blob is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: nothing was said, or nothing that has to be understood.
    Whole,
    /// These bytes, none of them outside the blob.
    Part(Range<u64>),
    /// A part that lies outside.
    Outside,
}

/// Reads a `Range` header for content of `size` bytes.
///
/// Several ranges in one, other units and what is malformed are ignored, as the RFC allows.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#name-range>.
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let ends = header.and_then(|text| text.trim().strip_prefix("bytes=")).and_then(ends);
    let range = match ends {
        None => return Wanted::Whole,
        Some((None, last)) => size.saturating_sub(last.unwrap_or_default())..size,
        Some((Some(first), None)) => first..size,
        Some((Some(first), Some(last))) => first..size.min(last.saturating_add(1)),
    };
    if range.is_empty() { Wanted::Outside } else { Wanted::Part(range) }
}

/// Reads `7-9`, `7-` and `-3`; `None` where it is nothing of that kind.
fn ends(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = text.split_once('-').map(|(first, last)| (first.trim(), last.trim()))?;
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    // A number too large is larger than any blob.
    let number = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX));
    let ends = (number(first), number(last));
    let is_backwards = matches!(ends, (Some(first), Some(last)) if first > last);
    let is_range = is_number(first) && is_number(last) && ends != (None, None) && !is_backwards;
    is_range.then_some(ends)
}

/// Reads the `Content-Range` of a chunk, `7-9`, with or without unit and total.
pub(crate) fn content_range(text: &str) -> Option<Range<u64>> {
    let text = text.trim();
    let text = text.strip_prefix("bytes").map_or(text, |rest| rest.trim_start_matches([' ', '=']));
    let text = text.split_once('/').map_or(text, |(range, _total)| range);
    match ends(text)? {
        (Some(first), Some(last)) => Some(first..last.checked_add(1)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        for (text, size, expected) in [
            ("bytes=0-0", 10, Wanted::Part(0..1)),
            ("bytes=3-5", 10, Wanted::Part(3..6)),
            ("bytes=3-", 10, Wanted::Part(3..10)),
            ("bytes=3-99", 10, Wanted::Part(3..10)),
            ("bytes=-3", 10, Wanted::Part(7..10)),
            ("bytes=-99", 10, Wanted::Part(0..10)),
            ("bytes=0-99999999999999999999", 10, Wanted::Part(0..10)),
            ("bytes=10-", 10, Wanted::Outside),
            ("bytes=99999999999999999999-", 10, Wanted::Outside),
            ("bytes=-0", 10, Wanted::Outside),
            ("bytes=0-", 0, Wanted::Outside),
            ("bytes=5-3", 10, Wanted::Whole),
            ("bytes=-", 10, Wanted::Whole),
            ("bytes=+1-2", 10, Wanted::Whole),
            ("bytes=0-1,3-4", 10, Wanted::Whole),
            ("lines=0-1", 10, Wanted::Whole),
            ("", 10, Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(text), size), expected, "{text} of {size}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
    }

    #[test]
    fn content_ranges() {
        for (text, expected) in [
            ("0-9", Some(0..10)),
            ("bytes 5-9/20", Some(5..10)),
            ("bytes=5-9", Some(5..10)),
            ("5-", None),
            ("-5", None),
            ("9-5", None),
            ("0-18446744073709551615", None),
            ("", None),
        ] {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }
}
