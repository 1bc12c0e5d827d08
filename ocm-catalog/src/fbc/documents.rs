use std::ops::Range;

use memchr::memmem;
use serde_json::Deserializer;

use super::{error::ObjectFault, members::Members, yaml};

/// The documents of a file, one after the other: JSON objects and YAML documents, in any order.
#[derive(Debug)]
pub(crate) struct Documents<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A part of a file that holds one document.
#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// Where in the file it stands, in bytes.
    pub(crate) place: Range<usize>,
    pub(crate) content: Content<'a>,
}

/// What a document is.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// A JSON object, whose members are known by now.
    Json(Members<'a>),
    /// It may be YAML; nothing is known of it.
    Yaml,
    /// Neither: what follows in the file cannot be told apart.
    Broken(ObjectFault),
}

impl<'a> Documents<'a> {
    /// Begins at the beginning of a file.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Self { bytes, at }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over blanks and over what separates YAML documents.
    fn skip_separators(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_ascii_start().len();
            let (before, after) = rest.split_at(blanks);
            let line = memchr::memrchr(b'\n', before).map(|end| end + 1);
            let begins_line = line.unwrap_or(0) == blanks
                && (line.is_some() || self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n'));
            match marker(after).filter(|_| begins_line) {
                Some(length) => self.at += blanks + length,
                None if after.is_empty() || after.starts_with(b"{") => {
                    self.at += blanks;
                    return;
                }
                // What a block begins with is indented by blanks, which belong to it.
                None => {
                    self.at += line.unwrap_or(0);
                    return;
                }
            }
        }
    }

    /// Reads a JSON object. What begins like one may be YAML, too.
    fn json(&mut self) -> Document<'a> {
        let start = self.at;
        let mut objects = Deserializer::from_slice(self.rest()).into_iter::<Members<'a>>();
        match objects.next() {
            Some(Ok(members)) => {
                self.at += objects.byte_offset();
                Document { place: start..self.at, content: Content::Json(members) }
            }
            Some(Err(error)) => {
                let document = self.yaml();
                let text = self.bytes.get(document.place.clone()).unwrap_or_default();
                if yaml::to_json(text).is_ok() {
                    return document;
                }
                let content = Content::Broken(ObjectFault::Json(error));
                self.at = self.bytes.len();
                Document { content, ..document }
            }
            None => {
                Document { place: start..start, content: Content::Broken(ObjectFault::NoObject) }
            }
        }
    }

    /// Takes everything up to the next line that begins a YAML document. No text can have such a
    /// line in it: it would be indented, or end there.
    fn yaml(&mut self) -> Document<'a> {
        let (start, rest) = (self.at, self.rest());
        let is_marker = |at: &usize| rest.get(at + 1..).and_then(marker).is_some();
        let end = memmem::find_iter(rest, b"\n---").find(is_marker).map(|at| at + 1);
        self.at += end.unwrap_or(rest.len());
        Document { place: start..self.at, content: Content::Yaml }
    }
}

impl<'a> Iterator for Documents<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        self.skip_separators();
        match self.rest().first()? {
            b'{' => Some(self.json()),
            _ => Some(self.yaml()),
        }
    }
}

/// Returns the length of the marker at the beginning of `line`: `---` and, if nothing else is
/// there, the rest of the line.
fn marker(line: &[u8]) -> Option<usize> {
    let after = line.strip_prefix(b"---")?;
    let end = memchr::memchr(b'\n', after).unwrap_or(after.len());
    match after.first() {
        None => Some(3),
        Some(first) if !first.is_ascii_whitespace() => None,
        Some(_) if after.get(..end)?.trim_ascii().is_empty() => Some(3 + end),
        Some(_) => Some(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(file: &str) -> Vec<(&'static str, &str)> {
        let kind = |content: &Content<'_>| match content {
            Content::Json(_) => "json",
            Content::Yaml => "yaml",
            Content::Broken(_) => "broken",
        };
        Documents::new(file.as_bytes())
            .map(|document| (kind(&document.content), file.get(document.place).unwrap()))
            .collect()
    }

    #[test]
    fn json_after_json() {
        let file = "\u{feff} {\"a\": \"}\"}{\n}\n\n{\"b\": [{}]}\n";
        assert_eq!(
            texts(file),
            [("json", "{\"a\": \"}\"}"), ("json", "{\n}"), ("json", "{\"b\": [{}]}")]
        );
    }

    #[test]
    fn yaml_after_yaml() {
        let file = "---\na: 1\n---\n---\nb: |\n  ---\n---x: 1\n--- \r\n  c: 1\n--- {d: 1}\n---";
        assert_eq!(
            texts(file),
            [
                ("yaml", "a: 1\n"),
                ("yaml", "b: |\n  ---\n---x: 1\n"),
                ("yaml", "  c: 1\n"),
                ("yaml", "{d: 1}\n"),
            ]
        );
    }

    #[test]
    fn one_after_the_other() {
        let file = "{\"a\": 1}\n---\nb: 1\n---\n{\"c\": 1} {\"d\": 1}\ne: 1\n";
        assert_eq!(
            texts(file),
            [
                ("json", "{\"a\": 1}"),
                ("yaml", "b: 1\n"),
                ("json", "{\"c\": 1}"),
                ("json", "{\"d\": 1}"),
                ("yaml", "e: 1\n"),
            ]
        );
    }

    #[test]
    fn what_is_broken_ends_the_file() {
        let file = "{\"a\": 1}\n{\"b\": }}\n---\nc: 1\n";
        assert_eq!(texts(file), [("json", "{\"a\": 1}"), ("broken", "{\"b\": }}\n")]);
        assert_eq!(texts("{\"a\""), [("broken", "{\"a\"")]);
    }

    #[test]
    fn nothing() {
        for file in ["", "\n", "---\n", "---", "\u{feff}", "--- \n\n---"] {
            assert_eq!(texts(file), [], "{file}");
        }
        assert_eq!(texts("# comment\n"), [("yaml", "# comment\n")]);
    }
}
