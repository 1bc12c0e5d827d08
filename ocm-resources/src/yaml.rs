//! The YAML that is written: block style, keys in alphabetical order.
//!
//! What reads it are Go programs with the rules of YAML 1.1, to which `on` is a boolean,
//! `1:20` a number and a date a date. Text is quoted by those rules here, which the libraries
//! for YAML 1.2 do not know.

use std::{collections::BTreeMap, fmt::Write as _};

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Yaml {
    Text(String),
    /// A number, a yes or no, or nothing: written as it is here, without quotes.
    Plain(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

impl Yaml {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn map<const N: usize>(entries: [(&'static str, Self); N]) -> Self {
        Self::entries(entries)
    }

    pub(crate) fn entries(entries: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Returns the document, with the `---` that begins it.
    pub(crate) fn to_document(&self) -> String {
        format!("---\n{}", self.to_text())
    }

    /// Returns the document, as the only one of a file.
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out
    }

    /// Writes the lines of a collection, the first without the indentation that is already
    /// there when it follows `- `.
    fn write(&self, out: &mut String, indentation: usize) {
        match self {
            Self::Text(text) => {
                push_scalar(out, text);
                out.push('\n');
            }
            Self::Plain(text) => {
                out.push_str(text);
                out.push('\n');
            }
            Self::List(items) if items.is_empty() => out.push_str("[]\n"),
            Self::Map(entries) if entries.is_empty() => out.push_str("{}\n"),
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    indent(out, if i == 0 { 0 } else { indentation });
                    out.push_str("- ");
                    item.write(out, indentation + 2);
                }
            }
            Self::Map(entries) => {
                for (i, (key, value)) in entries.iter().enumerate() {
                    indent(out, if i == 0 { 0 } else { indentation });
                    push_scalar(out, key);
                    out.push(':');
                    value.write_after_key(out, indentation);
                }
            }
        }
    }

    /// Items of a list stand below their key, entries of a mapping two blanks to the right.
    fn write_after_key(&self, out: &mut String, indentation: usize) {
        let below = match self {
            Self::List(items) if !items.is_empty() => indentation,
            Self::Map(entries) if !entries.is_empty() => indentation + 2,
            _ => {
                out.push(' ');
                return self.write(out, indentation);
            }
        };
        out.push('\n');
        indent(out, below);
        self.write(out, below);
    }
}

fn indent(out: &mut String, blanks: usize) {
    out.extend(std::iter::repeat_n(' ', blanks));
}

fn push_scalar(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                write!(out, "\\U{:08X}", u32::from(c)).expect("a string takes all that is written");
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether text without quotes is read as this text, by YAML 1.1 and 1.2 alike. In doubt, no.
fn is_plain(text: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "._-/:@+= ".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(is_legal)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !is_word(text)
        && !is_number(text)
}

/// Whether a scalar without quotes is more than text to somebody.
pub(crate) fn is_typed(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.strip_prefix('.').unwrap_or(unsigned);
    let is_special = ["inf", "nan"].iter().any(|word| word.eq_ignore_ascii_case(digits));
    matches!(text, "" | "~") || is_word(text) || is_special || is_number(digits)
}

/// What is yes, no or nothing to somebody.
fn is_word(text: &str) -> bool {
    let words = ["y", "yes", "on", "true", "n", "no", "off", "false", "null"];
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether text could be a number, a time or a date to somebody. Host names have other letters,
/// addresses more dots.
fn is_number(text: &str) -> bool {
    let begins_with_year = text
        .split_once('-')
        .is_some_and(|(year, _)| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()));
    let is_numeral = |c: char| c.is_ascii_hexdigit() || "._:+-xoXO".contains(c);
    let is_numeric = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(is_numeral)
        && text.matches('.').count() < 2;
    begins_with_year || is_numeric
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scalar(text: &str) -> String {
        let mut out = String::new();
        push_scalar(&mut out, text);
        out
    }

    #[test]
    fn quotes_what_anybody_reads_as_something_else() {
        let plain = [
            "quay.io/a/b",
            "10.0.0.9:8443/x",
            "127.0.0.1:5000",
            "localhost:5000",
            "oc-mirror v2",
            "v1.2.3+g4",
            "0.1.0",
            "idms-release-0",
        ];
        for text in plain {
            assert_eq!(scalar(text), text);
        }
        let quoted = [
            "",
            " ",
            "a ",
            "a: b",
            "a:",
            "yes",
            "On",
            "NULL",
            "~",
            "1",
            "1.5",
            "1e3",
            "0x1f",
            "0777",
            "1_000",
            "1:20",
            "2026-08-21",
            "2026-08-21T10:11:12Z",
            "- a",
            "#a",
            "é",
            "a#b",
        ];
        for text in quoted {
            assert_eq!(scalar(text), format!("{text:?}"));
        }
        assert_eq!(scalar("a\"\\\n\t\u{7}"), "\"a\\\"\\\\\\n\\t\\U00000007\"");
    }

    #[test]
    fn lists_stand_below_their_key() {
        let item = Yaml::map([("b", Yaml::List(vec![Yaml::text("x"), Yaml::text("w")]))]);
        let document = Yaml::map([
            ("z", Yaml::text("last")),
            ("a", Yaml::List(vec![item, Yaml::map([("c", Yaml::text("1"))])])),
            ("e", Yaml::map([])),
            ("l", Yaml::List(vec![])),
            ("q", Yaml::List(vec![Yaml::List(vec![]), Yaml::map([]), Yaml::Plain("1".to_owned())])),
            ("m", Yaml::map([("k", Yaml::map([("o", Yaml::text("p"))]))])),
        ]);
        let expected = "---\na:\n- b:\n  - x\n  - w\n- c: \"1\"\ne: {}\nl: []\n\
                        m:\n  k:\n    o: p\nq:\n- []\n- {}\n- 1\nz: last\n";
        assert_eq!(document.to_document(), expected);
    }

    proptest! {
        #[test]
        fn text_survives(text in any::<String>()) {
            let document = Yaml::map([("key", Yaml::text(text.clone()))]).to_document();
            let read: BTreeMap<String, serde_yaml::Value> = serde_yaml::from_str(&document).unwrap();
            prop_assert_eq!(read.get("key").and_then(|v| v.as_str()), Some(text.as_str()));
        }
    }
}
