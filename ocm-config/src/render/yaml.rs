use std::borrow::Cow;

use super::{Comments, json};
use crate::{
    node::Value,
    scalar,
    tree::Tree,
    yaml::{push_index, push_key},
};

/// Writes a document as block YAML, lists as far in as their keys.
pub(super) fn write(tree: &Tree, comments: &Comments) -> String {
    let mut writer = Writer { text: String::new(), comments };
    writer.comment(&comments.head, 0);
    if let Tree::Map(fields) = tree {
        writer.fields(fields, "", 0);
    }
    writer.comment(&comments.tail, 0);
    writer.text
}

struct Writer<'c> {
    text: String,
    comments: &'c Comments,
}

impl Writer<'_> {
    fn fields(&mut self, fields: &[(Cow<'static, str>, Tree)], path: &str, depth: usize) {
        for (i, (key, value)) in fields.iter().enumerate() {
            let mut path = path.to_owned();
            push_key(&mut path, key);
            // The first field of an item stands on the item's line.
            if i > 0 || self.text.ends_with('\n') || self.text.is_empty() {
                self.before(&path, depth);
                self.indent(depth);
            }
            self.text.extend([key.as_ref(), ":"]);
            match value {
                Tree::Map(fields) if fields.is_empty() => self.end(" {}", &path),
                Tree::List(items) if items.is_empty() => self.end(" []", &path),
                Tree::Map(fields) => {
                    self.end("", &path);
                    self.fields(fields, &path, depth + 1);
                }
                Tree::List(items) => {
                    self.end("", &path);
                    self.items(items, &path, depth);
                }
                Tree::Text(text) => self.end(&format!(" {}", scalar(text)), &path),
                Tree::Word(word) => self.end(&format!(" {word}"), &path),
            }
        }
    }

    fn items(&mut self, items: &[Tree], path: &str, depth: usize) {
        for (i, item) in items.iter().enumerate() {
            let mut path = path.to_owned();
            push_index(&mut path, i);
            self.before(&path, depth);
            if let Tree::Map(fields) = item
                && let Some((key, _)) = fields.first()
            {
                let mut path = path.clone();
                push_key(&mut path, key);
                self.before(&path, depth);
            }
            self.indent(depth);
            self.text.push_str("- ");
            match item {
                Tree::Map(fields) if !fields.is_empty() => self.fields(fields, &path, depth + 1),
                Tree::Text(text) => self.end(&scalar(text), &path),
                Tree::Word(word) => self.end(word, &path),
                Tree::Map(_) => self.end("{}", &path),
                // No key of ours has a list of lists.
                Tree::List(_) => self.end("[]", &path),
            }
        }
    }

    fn before(&mut self, path: &str, depth: usize) {
        if let Some(lines) = self.comments.before.get(path) {
            self.comment(lines, depth);
        }
    }

    fn comment(&mut self, lines: &[String], depth: usize) {
        for line in lines {
            self.indent(depth);
            self.text.extend(["#", line, "\n"]);
        }
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn end(&mut self, text: &str, path: &str) {
        self.text.push_str(text);
        if let Some(comment) = self.comments.beside.get(path) {
            self.text.extend(["  #", comment]);
        }
        self.text.push('\n');
    }
}

/// Returns text as it is, if it is read as that text, else in quotes.
fn scalar(text: &str) -> String {
    let is_text = matches!(scalar::resolve(text), Value::Text(_));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:=,~ ()".contains(c);
    let is_apart = |mark: &str| text.contains(mark) || text.ends_with(mark.trim_end());
    let is_safe = text.chars().all(is_plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/._".contains(c))
        && !text.ends_with(' ')
        && !is_apart(": ");
    if is_text && is_safe { text.to_owned() } else { json::quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_something_else_is_quoted() {
        for text in ["quay.io/a/b:v1", "4.10.1", "stable-4.18", "/a b", "v1.2.3+b", "a(b)"] {
            assert_eq!(scalar(text), text);
        }
        let table = [
            ("4.10", "\"4.10\""),
            ("yes", "\"yes\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("a:", "\"a:\""),
            ("a #b", "\"a #b\""),
            ("- a", "\"- a\""),
            ("*a", "\"*a\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("a\u{1b}\u{85}é", "\"a\\u001b\\u0085é\""),
            ("\u{1f600}\u{2028}", "\"\u{1f600}\\u2028\""),
        ];
        for (text, written) in table {
            assert_eq!(scalar(text), written);
        }
    }
}
