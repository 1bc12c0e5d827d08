//! The comments of a document, and what each of them is about.

use std::collections::BTreeMap;

use crate::{
    document::Kind,
    keys::{Job, Keys, Shape},
    node::{Node, Value},
    render::Comments,
    yaml::{self, push_index, push_key},
};

/// A comment, and where it stands.
struct Remark<'t> {
    line: u32,
    /// What follows the `#`.
    text: &'t str,
    /// Whether something stands before it in its line.
    is_beside: bool,
}

impl Remark<'_> {
    /// Returns the text without what would end the line, or mean something to a terminal.
    fn shown(&self) -> String {
        let is_shown = |c: &char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
        self.text.chars().filter(is_shown).collect()
    }
}

/// What is at a line: the way to it in the document that is written.
#[derive(Clone)]
enum Anchor {
    At(String),
    /// It is left out, and what is said of it, too.
    Gone,
}

/// What begins in each line.
#[derive(Default)]
struct Anchors {
    /// The outermost of them, which a comment above the line is about.
    first: BTreeMap<u32, Anchor>,
    /// The innermost of them, which a comment beside it is about.
    last: BTreeMap<u32, Anchor>,
}

impl Anchors {
    fn note(&mut self, line: u32, anchor: Anchor) {
        self.first.entry(line).or_insert_with(|| anchor.clone());
        self.last.insert(line, anchor);
    }
}

/// Returns the comments of a document, each at the path that it is about.
pub(super) fn find(text: &str, root: &Node, kind: Kind) -> Comments {
    let mut anchors = Anchors::default();
    walk(root, &kind.keys(), "", &mut anchors);
    let mut comments = Comments::default();
    let first_line = anchors.first.keys().next().copied().unwrap_or(u32::MAX);
    for remark in remarks(text) {
        let text = remark.shown();
        if remark.is_beside {
            match anchors.last.get(&remark.line) {
                Some(Anchor::At(path)) => comments.add_beside(path, text),
                Some(Anchor::Gone) => {}
                // Beside a bracket, or the last line of a long text.
                None => comments.add_above("", text),
            }
            continue;
        }
        if remark.line < first_line {
            comments.head.push(text);
            continue;
        }
        match anchors.first.range(remark.line..).next() {
            Some((_, Anchor::At(path))) => comments.add_above(path, text),
            Some((_, Anchor::Gone)) => {}
            None => comments.tail.push(text),
        }
    }
    comments
}

/// Notes of each line what begins there.
fn walk(node: &Node, keys: &Keys, path: &str, anchors: &mut Anchors) {
    let Value::Map(entries) = &node.value else { return };
    for entry in entries {
        let is_named = |name: &str| entry.key.eq_ignore_ascii_case(name);
        let known = keys.known.iter().find(|key| is_named(key.name)).or_else(|| {
            let Job::Renamed(now) = keys.old.iter().find(|old| is_named(old.name))?.job else {
                return None;
            };
            keys.known.iter().find(|key| key.name == now)
        });
        let Some(key) = known else {
            mark_gone(&entry.value, entry.place.line, anchors);
            continue;
        };
        let mut path = path.to_owned();
        push_key(&mut path, key.name);
        anchors.note(entry.place.line, Anchor::At(path.clone()));
        walk_value(&entry.value, key.shape, &path, anchors);
    }
}

fn walk_value(node: &Node, shape: Shape, path: &str, anchors: &mut Anchors) {
    match (shape, &node.value) {
        (Shape::Map(keys), _) => walk(node, keys, path, anchors),
        (Shape::List(shape), Value::List(items)) => {
            for (i, item) in items.iter().enumerate() {
                let mut path = path.to_owned();
                push_index(&mut path, i);
                anchors.note(item.place.line, Anchor::At(path.clone()));
                walk_value(item, *shape, &path, anchors);
            }
        }
        _ => {}
    }
}

fn mark_gone(node: &Node, line: u32, anchors: &mut Anchors) {
    anchors.note(line, Anchor::Gone);
    anchors.note(node.place.line, Anchor::Gone);
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                mark_gone(&entry.value, entry.place.line, anchors);
            }
        }
        Value::List(items) => {
            for item in items {
                mark_gone(item, item.place.line, anchors);
            }
        }
        _ => {}
    }
}

/// Finds the comments: what follows a `#` that begins a line or comes after a blank, and that is
/// in no text.
fn remarks(text: &str) -> Vec<Remark<'_>> {
    let mut scalars = yaml::scalars(text).into_iter().peekable();
    let mut remarks = Vec::new();
    let mut index = 0;
    for (line, content) in (1..).zip(text.split('\n')) {
        let mut before = ' ';
        for (column, (at, character)) in content.char_indices().enumerate() {
            let place = index + column;
            while scalars.next_if(|scalar| scalar.end <= place).is_some() {}
            let is_in_text = scalars.peek().is_some_and(|scalar| scalar.contains(&place));
            if character == '#' && before.is_whitespace() && !is_in_text {
                let (head, tail) = content.split_at(at);
                let text = tail.trim_start_matches('#').trim_end();
                remarks.push(Remark { line, text, is_beside: !head.trim().is_empty() });
                break;
            }
            before = character;
        }
        index += content.chars().count() + 1;
    }
    remarks
}
