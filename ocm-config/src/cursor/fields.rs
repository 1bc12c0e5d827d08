use std::collections::{BTreeMap, BTreeSet};

use ocm_oci::similar;

use super::Cursor;
use crate::{
    fault::{Code, Fault, Findings, Location, quoted},
    keys::{Job, Keys, Old},
    node::{Entry, Place, Value},
};

/// For how many unknown keys of one mapping a similar one is looked for, which takes a while.
const SUGGESTIONS: usize = 100;

/// A mapping whose keys are all known.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    /// The keys, each with its own place and its value.
    found: BTreeMap<&'static str, (Place, Cursor<'n>)>,
    /// Keys that are probably meant by one that is unknown.
    meant: BTreeSet<&'static str>,
    location: Location,
}

impl<'n> Fields<'n> {
    /// Reads the entries of the mapping at `cursor`.
    pub(super) fn read(
        cursor: &Cursor<'n>,
        entries: &'n [Entry],
        keys: Keys,
        findings: &mut Findings,
    ) -> Self {
        let (found, meant) = (BTreeMap::new(), BTreeSet::new());
        let fields = Self { found, meant, location: cursor.location() };
        let mut gathering = Gathering { cursor, keys, fields, unknown_keys: 0 };
        for entry in entries {
            gathering.take(entry, findings);
        }
        gathering.fields
    }

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

    /// Returns the text of a key where numbers are usual, if it is there and not empty.
    pub(crate) fn written(&self, key: &'static str, findings: &mut Findings) -> Option<&'n str> {
        self.get(key)?.text_or_number(findings).filter(|text| !text.is_empty())
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

/// The fields of a mapping while its entries are read.
struct Gathering<'n, 'c> {
    cursor: &'c Cursor<'n>,
    keys: Keys,
    fields: Fields<'n>,
    unknown_keys: usize,
}

impl<'n> Gathering<'n, '_> {
    fn take(&mut self, entry: &'n Entry, findings: &mut Findings) {
        if let Some(key) = known(&entry.key, self.keys) {
            let is_first = self.insert(key, entry, findings);
            if is_first && key != entry.key {
                let message = format!("{} is read as `{key}`", quoted(&entry.key));
                let location = self.cursor.entry_location(entry);
                let fault = Fault::warning(Code::KeyCase, location, message);
                findings.add(fault.with_help(format!("write `{key}`")));
            }
            return;
        }
        if let Some(old) = old(&entry.key, self.keys) {
            self.take_old(old, entry, findings);
            return;
        }
        self.unknown_keys += 1;
        let names: Vec<_> = self.keys.names().collect();
        let similar = (self.unknown_keys <= SUGGESTIONS)
            .then(|| similar(&entry.key, names.iter().copied()))
            .flatten();
        self.fields.meant.extend(similar);
        let message = format!("unknown key {}; expected {}", quoted(&entry.key), one_of(&names));
        let fault = Fault::error(Code::UnknownKey, self.cursor.entry_location(entry), message);
        findings.add(fault.with_help(advice(&entry.key, similar)));
    }

    /// Says of a key of version 1 where its job is done now.
    fn take_old(&mut self, old: &Old, entry: &'n Entry, findings: &mut Findings) {
        let location = self.cursor.entry_location(entry);
        if findings.dialect() > old.last {
            let message = format!("`{}` is a key of {}", old.name, old.last.as_str());
            let advice = match old.job {
                Job::Gone(advice) => format!("remove it: {advice}"),
                Job::Converted { advice, .. } => advice.to_owned(),
                Job::Renamed(now) => format!("write `{now}`"),
            };
            findings.add(Fault::error(Code::OldKey, location, message).with_help(advice));
            return;
        }
        match old.job {
            Job::Gone(advice) => {
                let message = format!("`{}` is left out: version 2 has no such key", old.name);
                let fault = Fault::warning(Code::OldKey, location, message);
                findings.leave_out(fault, self.cursor.path.clone(), advice);
            }
            Job::Renamed(now) => {
                let message = format!("`{}` is read as `{now}`", old.name);
                let fault = Fault::warning(Code::OldKey, location, message);
                let path = self.cursor.child_path(now);
                findings.change(fault.with_help(format!("write `{now}`")), path);
                self.insert(now, entry, findings);
            }
            Job::Converted { .. } => {
                self.insert(old.name, entry, findings);
            }
        }
    }

    /// Keeps the value of a key, unless there is one already.
    fn insert(&mut self, key: &'static str, entry: &'n Entry, findings: &mut Findings) -> bool {
        let Some((first, _)) = self.fields.found.get(key) else {
            let cursor = Cursor { node: &entry.value, path: self.cursor.child_path(key) };
            self.fields.found.insert(key, (entry.place, cursor));
            return true;
        };
        let message = format!("{} is already there, in line {}", quoted(&entry.key), first.line);
        let fault = Fault::error(Code::DuplicateKey, self.cursor.entry_location(entry), message);
        findings.add(fault.with_help("expected once, in whichever case".to_owned()));
        false
    }
}

/// Returns what to write instead of an unknown key, where that can be said.
fn advice(key: &str, similar: Option<&str>) -> Option<String> {
    if key.contains('\u{a0}') {
        return Some("use plain blanks: there are others in it (U+00A0), as pages have".to_owned());
    }
    if let Some(rest) = key.strip_prefix('-') {
        return Some(format!("write a blank after the dash: {}", quoted(&format!("- {rest}"))));
    }
    match key {
        "mirror" => Some("say what to delete below `delete`, without `mirror`".to_owned()),
        "delete" => Some("what to delete stands in a file of its own kind".to_owned()),
        _ => similar.map(|key| format!("did you mean `{key}`?")),
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

/// Returns the key of version 1 that is meant, whatever its case.
fn old(key: &str, keys: Keys) -> Option<&'static Old> {
    keys.old.iter().find(|old| old.name.eq_ignore_ascii_case(key))
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
