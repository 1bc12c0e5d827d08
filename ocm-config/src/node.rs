use std::rc::Rc;

/// Where something stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Line, from 1.
    pub(crate) line: u32,
    /// Column, in characters, from 1.
    pub(crate) column: u32,
}

/// A value of a YAML document, before anybody knows what it should be.
///
/// Nodes are shared: an alias is the node that it repeats, so that a document of aliases of
/// aliases costs no memory. What it would cost to walk them is in their [`Extent`].
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    pub(crate) extent: Extent,
}

/// What a value is.
#[derive(Debug)]
pub(crate) enum Value {
    /// Something that cannot be read, which has been said.
    Broken,
    /// Nothing: no text, `~` or `null`.
    Null,
    /// One of the words that YAML 1.1 reads as yes or no, as written.
    Bool(String),
    /// What looks like a number, as written: `4.10` stays `4.10`.
    Number(String),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Rc<Node>>),
    /// A mapping, in the order of the document, no key twice.
    Map(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Rc<Node>,
}

/// What a node is when all its aliases are written out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extent {
    pub(crate) nodes: usize,
    /// Bytes of text in them.
    pub(crate) bytes: usize,
}

impl Extent {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Node {
    /// Whether it says nothing, not even in its depths.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Broken | Value::Bool(_) | Value::Number(_) => false,
            Value::Text(text) => text.is_empty(),
            Value::List(items) => items.is_empty(),
            Value::Map(entries) => entries.iter().all(|entry| entry.value.is_empty()),
        }
    }

    /// Whether there is nothing at all.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Returns what a message calls a value of this sort.
    pub(crate) fn sort(&self) -> &'static str {
        match self.value {
            Value::Broken | Value::Null => "nothing",
            Value::Bool(_) => "yes or no",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}
