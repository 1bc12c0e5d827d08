use serde_yaml::{Mapping, Value};

use super::WORDS;

/// Writes a document so that every reader of YAML, whatever its version, reads the same: texts
/// that are not plain words stand between quotes, as in JSON.
pub(crate) fn write(document: &Value) -> Vec<u8> {
    let mut text = String::new();
    match document {
        Value::Mapping(mapping) if !mapping.is_empty() => members(mapping, 0, &mut text),
        other => line(other, &mut text),
    }
    text.into_bytes()
}

/// Writes each member on a line of its own; the cursor is where the first begins.
fn members(mapping: &Mapping, depth: usize, text: &mut String) {
    for (nth, (key, value)) in mapping.iter().enumerate() {
        if nth > 0 {
            indent(depth, text);
        }
        scalar(key, text);
        text.push(':');
        match value {
            Value::Mapping(inner) if !inner.is_empty() => {
                text.push('\n');
                indent(depth + 1, text);
                members(inner, depth + 1, text);
            }
            Value::Sequence(inner) if !inner.is_empty() => {
                text.push('\n');
                items(inner, depth, text);
            }
            other => {
                text.push(' ');
                line(other, text);
            }
        }
    }
}

/// Writes each item on a line of its own, at the column of the key that they belong to.
fn items(sequence: &[Value], depth: usize, text: &mut String) {
    for item in sequence {
        indent(depth, text);
        text.push_str("- ");
        match item {
            Value::Mapping(inner) if !inner.is_empty() => members(inner, depth + 1, text),
            other => line(other, text),
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}

fn line(value: &Value, text: &mut String) {
    scalar(value, text);
    text.push('\n');
}

/// Writes it on one line: a scalar, or anything else as JSON, which is YAML as well.
fn scalar(value: &Value, text: &mut String) {
    match value {
        Value::String(word) if is_plain(word) => text.push_str(word),
        other => text.push_str(&serde_json::to_string(other).unwrap_or_default()),
    }
}

/// Whether a text needs no quotes, by the rules of all versions: a word of letters.
fn is_plain(text: &str) -> bool {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'/' | b'_');
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(is_safe)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
