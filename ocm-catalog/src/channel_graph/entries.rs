use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::fbc::Text;

/// The entries of a channel, in the order they are written.
///
/// Each name is kept once, however many entries skip it.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    ids: HashMap<Arc<str>, NameId>,
    names: Vec<Arc<str>>,
    skipped: Vec<NameId>,
    listed: Vec<Entry>,
}

/// A name in a channel: of an entry, or of what one replaces or skips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameId(usize);

/// An entry of a channel: a bundle, and what it is an upgrade from.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: NameId,
    pub(crate) replaces: Option<NameId>,
    pub(crate) skip_range: Option<Box<str>>,
    /// Its part of all that is skipped in the channel.
    skips: Range<usize>,
}

impl NameId {
    /// Returns it as a place in a list that has one for each name.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

impl Entries {
    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns the names of the entries, in the order they are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.listed.iter().map(|entry| self.name(entry.name))
    }

    /// Returns what an entry replaces and skips, by its name.
    pub fn get(&self, name: &str) -> Option<Edges<'_>> {
        let id = self.id(name)?;
        self.edges().find(|edges| edges.entry.name == id)
    }

    /// Returns of each entry what it replaces and skips, in the order they are written.
    pub fn edges(&self) -> impl Iterator<Item = Edges<'_>> {
        self.listed.iter().map(|entry| Edges { entries: self, entry })
    }

    pub(crate) fn all(&self) -> std::slice::Iter<'_, Entry> {
        self.listed.iter()
    }

    pub(crate) fn nth(&self, nth: usize) -> Option<&Entry> {
        self.listed.get(nth)
    }

    pub(crate) fn skips(&self, entry: &Entry) -> &[NameId] {
        self.skipped.get(entry.skips.clone()).unwrap_or_default()
    }

    pub(crate) fn name(&self, id: NameId) -> &str {
        self.names.get(id.0).map_or("", |name| name)
    }

    pub(crate) fn id(&self, name: &str) -> Option<NameId> {
        self.ids.get(name).copied()
    }

    /// Returns how many names there are.
    pub(crate) fn name_count(&self) -> usize {
        self.names.len()
    }

    /// Returns those entries whose place `is_kept`.
    pub(crate) fn only(&self, is_kept: impl Fn(usize) -> bool) -> Self {
        let mut kept = Self::default();
        // What each name is there, as far as it is: names are compared once, and not for each skip.
        let mut ids = vec![None; self.names.len()];
        let mut take = |kept: &mut Self, id: NameId| match ids.get_mut(id.0) {
            Some(known) => *known.get_or_insert_with(|| kept.intern(self.name(id))),
            None => id,
        };
        for (_, entry) in self.listed.iter().enumerate().filter(|(nth, _)| is_kept(*nth)) {
            let start = kept.skipped.len();
            for skipped in self.skips(entry) {
                let id = take(&mut kept, *skipped);
                kept.skipped.push(id);
            }
            let entry = Entry {
                name: take(&mut kept, entry.name),
                replaces: entry.replaces.map(|id| take(&mut kept, id)),
                skip_range: entry.skip_range.clone(),
                skips: start..kept.skipped.len(),
            };
            kept.listed.push(entry);
        }
        kept
    }

    fn intern(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let (id, name) = (NameId(self.names.len()), Arc::<str>::from(name));
        self.ids.insert(Arc::clone(&name), id);
        self.names.push(name);
        id
    }
}

/// By what they say: how names are kept depends on the order they were read in.
impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.edges().eq(other.edges())
    }
}

impl Eq for Entries {}

/// An entry of a channel, and what it is an upgrade from.
#[derive(Debug, Clone, Copy)]
pub struct Edges<'e> {
    entries: &'e Entries,
    entry: &'e Entry,
}

impl PartialEq for Edges<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.replaces(), self.skip_range())
            == (other.name(), other.replaces(), other.skip_range())
            && self.skips().eq(other.skips())
    }
}

impl<'e> Edges<'e> {
    /// Returns its name.
    pub fn name(&self) -> &'e str {
        self.entries.name(self.entry.name)
    }

    /// Returns the name of what it replaces.
    pub fn replaces(&self) -> Option<&'e str> {
        self.entry.replaces.map(|id| self.entries.name(id))
    }

    /// Returns the names of what it skips, in the order they are written.
    pub fn skips(&self) -> impl Iterator<Item = &'e str> {
        let entries = self.entries;
        entries.skips(self.entry).iter().map(|id| entries.name(*id))
    }

    /// Returns its `skipRange`.
    pub fn skip_range(&self) -> Option<&'e str> {
        self.entry.skip_range.as_deref()
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = Self::default();
        deserializer.deserialize_option(EntryList(&mut entries))?;
        Ok(entries)
    }
}

struct EntryList<'e>(&'e mut Entries);

impl<'de> Visitor<'de> for EntryList<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(EntryObject(self.0))?.is_some() {}
        Ok(())
    }
}

struct EntryObject<'e>(&'e mut Entries);

impl<'de> DeserializeSeed<'de> for EntryObject<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntryObject<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let entries = self.0;
        let (mut name, mut replaces, mut skip_range) = (None, None, None);
        let start = entries.skipped.len();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let is = |known: &str| key.as_ref().eq_ignore_ascii_case(known);
            if is("name") {
                name = map.next_value_seed(Name(entries))?;
            } else if is("replaces") {
                replaces = map.next_value_seed(Name(entries))?;
            } else if is("skips") {
                entries.skipped.truncate(start);
                map.next_value_seed(Skips(entries))?;
            } else if is("skipRange") {
                let range: Option<Text<'de>> = map.next_value()?;
                skip_range = range.filter(|r| !r.as_ref().is_empty()).map(|r| r.as_ref().into());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        let name = name.ok_or_else(|| A::Error::custom("an entry has no `name`"))?;
        let skips = start..entries.skipped.len();
        entries.listed.push(Entry { name, replaces, skip_range, skips });
        Ok(())
    }
}

struct Skips<'e>(&'e mut Entries);

impl<'de> DeserializeSeed<'de> for Skips<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Skips<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(name) = list.next_element_seed(Name(self.0))? {
            if let Some(name) = name {
                self.0.skipped.push(name);
            }
        }
        Ok(())
    }
}

/// A name, taken in without a copy if it is known; what is empty or null is none.
struct Name<'e>(&'e mut Entries);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<NameId>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<NameId>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(if name.is_empty() { None } else { Some(self.0.intern(name)) })
    }
}
