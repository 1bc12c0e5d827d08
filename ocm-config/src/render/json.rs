use std::borrow::Cow;

use crate::tree::Tree;

/// Writes a document as JSON, indented by two.
pub(crate) fn write(tree: &Tree) -> String {
    let mut text = String::new();
    value(tree, 0, &mut text);
    text.push('\n');
    text
}

fn value(tree: &Tree, depth: usize, text: &mut String) {
    match tree {
        Tree::Text(content) => text.push_str(&quoted(content)),
        Tree::Word(word) => text.push_str(word),
        Tree::List(items) => {
            let item = |item: &Tree, text: &mut String| value(item, depth + 1, text);
            enclosed(("[", "]"), items, depth, text, item);
        }
        Tree::Map(fields) => {
            let field = |(key, content): &(Cow<'static, str>, Tree), text: &mut String| {
                text.extend([quoted(key).as_str(), ": "]);
                value(content, depth + 1, text);
            };
            enclosed(("{", "}"), fields, depth, text, field);
        }
    }
}

fn enclosed<T>(
    (open, close): (&str, &str),
    items: &[T],
    depth: usize,
    text: &mut String,
    write: impl Fn(&T, &mut String),
) {
    let line = |depth, text: &mut String| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    text.push_str(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        line(depth + 1, text);
        write(item, text);
    }
    if !items.is_empty() {
        line(depth, text);
    }
    text.push_str(close);
}

/// Returns text in double quotes, which JSON and YAML read alike.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // What no editor shows, and what one of the two takes for the end of a line.
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                escape(character, &mut quoted);
            }
            _ if character.is_control() => escape(character, &mut quoted),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// All of these have four digits.
fn escape(character: char, quoted: &mut String) {
    quoted.extend(["\\u", format!("{:04x}", u32::from(character)).as_str()]);
}
