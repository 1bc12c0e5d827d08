mod fields;

pub(crate) use fields::Fields;

use crate::{
    fault::{Code, Fault, Findings, Location},
    keys::Keys,
    node::{Entry, Node, Value},
    scalar,
    yaml::push_key,
};

/// A node, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'n> {
    node: &'n Node,
    path: String,
}

impl<'n> Cursor<'n> {
    pub(crate) fn root(node: &'n Node) -> Self {
        Self { node, path: String::new() }
    }

    pub(crate) fn location(&self) -> Location {
        let place = self.node.place;
        Location { path: self.path.clone(), line: place.line, column: place.column }
    }

    pub(crate) fn node(&self) -> &'n Node {
        self.node
    }

    /// Returns the text of a scalar that is text.
    pub(crate) fn text(&self, findings: &mut Findings) -> Option<&'n str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            Value::Bool(written) | Value::Number(written) => {
                let help = format!("quote it if it is meant as text: \"{written}\"");
                findings.add(self.wrong_type("text").with_help(help));
                None
            }
            _ => self.refuse("text", findings),
        }
    }

    /// Returns the text of a scalar where numbers are usual: they are taken as they are written.
    pub(crate) fn text_or_number(&self, findings: &mut Findings) -> Option<&'n str> {
        let Value::Number(written) = &self.node.value else { return self.text(findings) };
        let message = format!("read as the text `{written}`; other tools read a number here");
        let fault = Fault::warning(Code::WrongType, self.location(), message);
        findings.add(fault.with_help(format!("quote it: \"{written}\"")));
        Some(written)
    }

    /// Returns whether a switch is on.
    pub(crate) fn switch(&self, findings: &mut Findings) -> Option<bool> {
        match &self.node.value {
            Value::Bool(written) => Some(scalar::is_on(written)),
            Value::Text(text) => {
                let fault = self.wrong_type("`true` or `false`");
                let is_word = matches!(scalar::resolve(text), Value::Bool(_));
                let help = if is_word { "remove the quotes" } else { "write `true` or `false`" };
                findings.add(fault.with_help(help.to_owned()));
                None
            }
            _ => self.refuse("`true` or `false`", findings),
        }
    }

    /// Returns the items of a list; none where there is nothing.
    pub(crate) fn items(&self, findings: &mut Findings) -> Vec<Self> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::List(items) => {
                let item = |(i, node): (usize, &'n std::rc::Rc<Node>)| Cursor {
                    node,
                    path: format!("{}[{i}]", self.path),
                };
                items.iter().enumerate().map(item).collect()
            }
            Value::Map(_) => {
                let help = "begin each item with `- `".to_owned();
                findings.add(self.wrong_type("a list").with_help(help));
                Vec::new()
            }
            Value::Broken => Vec::new(),
            _ => {
                let help = "write each item below it, after `- `".to_owned();
                findings.add(self.wrong_type("a list").with_help(help));
                Vec::new()
            }
        }
    }

    /// Returns the fields of a mapping; those with unknown keys are said and left out.
    pub(crate) fn fields(&self, keys: Keys, findings: &mut Findings) -> Option<Fields<'n>> {
        match &self.node.value {
            Value::Null => Some(Fields::read(self, &[], keys, findings)),
            Value::Map(entries) => Some(Fields::read(self, entries, keys, findings)),
            _ => self.refuse("a mapping", findings),
        }
    }

    fn child_path(&self, key: &str) -> String {
        let mut path = self.path.clone();
        push_key(&mut path, key);
        path
    }

    fn entry_location(&self, entry: &Entry) -> Location {
        let path = self.child_path(&entry.key);
        Location { path, line: entry.place.line, column: entry.place.column }
    }

    pub(crate) fn wrong_type(&self, expected: &str) -> Fault {
        let message = format!("expected {expected}, found {}", self.node.sort());
        Fault::error(Code::WrongType, self.location(), message)
    }

    fn refuse<T>(&self, expected: &str, findings: &mut Findings) -> Option<T> {
        if !matches!(self.node.value, Value::Broken) {
            findings.add(self.wrong_type(expected));
        }
        None
    }
}
