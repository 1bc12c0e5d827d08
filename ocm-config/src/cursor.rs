use std::collections::{BTreeMap, BTreeSet};

use crate::{
    fault::{Code, Fault, Findings, Location, quoted},
    keys::Keys,
    node::{Entry, Node, Place, Value},
    scalar,
    suggest::similar,
    yaml::push_key,
};

/// For how many unknown keys of one mapping a similar one is looked for, which takes a while.
const SUGGESTIONS: usize = 100;

/// A node, and the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'n> {
    node: &'n Node,
    path: String,
}

/// A mapping whose keys are all known.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    /// The keys, each with its own place and its value.
    found: BTreeMap<&'static str, (Place, Cursor<'n>)>,
    /// Keys that are probably meant by one that is unknown.
    meant: BTreeSet<&'static str>,
    location: Location,
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
            _ => self.refuse("a list", findings).unwrap_or_default(),
        }
    }

    /// Returns the fields of a mapping; those with unknown keys are said and left out.
    pub(crate) fn fields(&self, keys: Keys, findings: &mut Findings) -> Option<Fields<'n>> {
        let entries = match &self.node.value {
            Value::Null => &[],
            Value::Map(entries) => entries.as_slice(),
            _ => return self.refuse("a mapping", findings),
        };
        let mut found = BTreeMap::new();
        let mut meant = BTreeSet::new();
        let mut unknown_keys = 0;
        for entry in entries {
            let Some(key) = known(&entry.key, keys) else {
                unknown_keys += 1;
                let similar = (unknown_keys <= SUGGESTIONS)
                    .then(|| similar(&entry.key, keys.names()))
                    .flatten();
                meant.extend(similar);
                findings.add(unknown(&entry.key, keys, similar, self.entry_location(entry)));
                continue;
            };
            let cursor = Cursor { node: &entry.value, path: self.child_path(key) };
            if let Some((first, _)) = found.insert(key, (entry.place, cursor)) {
                let message =
                    format!("{} is already there, in line {}", quoted(&entry.key), first.line);
                let fault = Fault::error(Code::DuplicateKey, self.entry_location(entry), message);
                findings.add(fault.with_help("expected once, in whichever case".to_owned()));
            } else if key != entry.key {
                let message = format!("{} is read as `{key}`", quoted(&entry.key));
                let fault = Fault::warning(Code::KeyCase, self.entry_location(entry), message);
                findings.add(fault.with_help(format!("write `{key}`")));
            }
        }
        Some(Fields { found, meant, location: self.location() })
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
        findings.add(self.wrong_type(expected));
        None
    }
}

impl<'n> Fields<'n> {
    /// Returns the value of one of the known keys, if it is there and not null.
    pub(crate) fn get(&self, key: &'static str) -> Option<&Cursor<'n>> {
        let (_, value) = self.found.get(key)?;
        Some(value).filter(|value| !matches!(value.node.value, Value::Null))
    }

    /// Whether the key is there, if only with nothing or misspelt.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.found.contains_key(key) || self.meant.contains(key)
    }

    /// Returns where the mapping is.
    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Returns where the value of a key is; where it is not there, where the mapping is.
    pub(crate) fn location_of(&self, key: &'static str) -> Location {
        self.found.get(key).map_or_else(|| self.location.clone(), |(_, value)| value.location())
    }

    /// Returns the location of a key itself; where it is not there, that of the mapping.
    pub(crate) fn key_location(&self, key: &'static str) -> Location {
        let Some((place, value)) = self.found.get(key) else { return self.location.clone() };
        Location { path: value.path.clone(), line: place.line, column: place.column }
    }

    /// Returns the value of a key that must be there.
    pub(crate) fn require(
        &self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<&Cursor<'n>> {
        let value = self.get(key);
        // Whoever wrote `nmae` knows that there must be a name, and is told already.
        if value.is_none() && !self.meant.contains(key) {
            let message = format!("`{key}` is missing");
            findings.error(Code::MissingKey, self.location.clone(), message);
        }
        value
    }

    /// Returns the text of a key, if it is there and not empty.
    pub(crate) fn text(&self, key: &'static str, findings: &mut Findings) -> Option<&'n str> {
        self.get(key)?.text(findings).filter(|text| !text.is_empty())
    }

    /// Returns whether a switch is on; one that is not there is off.
    pub(crate) fn switch(&self, key: &'static str, findings: &mut Findings) -> bool {
        self.get(key).and_then(|value| value.switch(findings)).unwrap_or_default()
    }

    /// Returns the items of a key's list.
    pub(crate) fn items(&self, key: &'static str, findings: &mut Findings) -> Vec<Cursor<'n>> {
        self.get(key).map(|list| list.items(findings)).unwrap_or_default()
    }
}

/// Returns the key that is meant, whatever its case.
fn known(key: &str, keys: Keys) -> Option<&'static str> {
    let mut known = keys.names();
    known
        .clone()
        .find(|known| *known == key)
        .or_else(|| known.find(|k| k.eq_ignore_ascii_case(key)))
}

/// Makes the fault of an unknown key; `similar` is the one that was probably meant.
fn unknown(key: &str, keys: Keys, similar: Option<&str>, location: Location) -> Fault {
    if let Some((old, advice)) = keys.old.iter().find(|(old, _)| old.eq_ignore_ascii_case(key)) {
        let message = format!("`{old}` is a key of version 1");
        return Fault::error(Code::OldKey, location, message).with_help((*advice).to_owned());
    }
    let message = format!(
        "unknown key {}; expected {}",
        quoted(key),
        one_of(&keys.names().collect::<Vec<_>>())
    );
    let help = similar.map(|key| format!("did you mean `{key}`?"));
    Fault::error(Code::UnknownKey, location, message).with_help(help)
}

/// `a`, `a` or `b`; `a`, `b` or `c`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "none".to_owned(),
    }
}
