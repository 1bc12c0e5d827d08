//! The upgrades of a channel: each entry can replace one other and skip many.
//!
//! ```text
//! head ─replaces─► b ─replaces─► c ─replaces─► …    the chain, from the head on
//!   └─skips─► x    └─skips─► y, z                   never the head of anything
//! ```

mod entries;

use std::fmt;

pub use entries::{Edges, Entries};
pub(crate) use entries::{Entry, NameId};

/// What is wrong with the upgrades of a channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphFault {
    /// There is nothing in it.
    #[error("it has no entries")]
    Empty,
    /// An entry is there twice.
    #[error("entry `{entry}` is there twice")]
    Duplicate {
        /// Its name.
        entry: String,
    },
    /// An entry replaces itself.
    #[error("entry `{entry}` replaces itself")]
    ReplacesItself {
        /// Its name.
        entry: String,
    },
    /// An entry skips itself.
    #[error("entry `{entry}` skips itself")]
    SkipsItself {
        /// Its name.
        entry: String,
    },
    /// Every entry is replaced or skipped by another.
    #[error("it has no head: every entry is replaced or skipped by another")]
    NoHead,
    /// Several entries are neither replaced nor skipped.
    #[error("it has several heads: {}", list(heads))]
    ManyHeads {
        /// Their names, sorted.
        heads: Vec<String>,
    },
    /// There is a way from an entry back to it.
    #[error("there is a cycle in it: {}", list(entries))]
    Cycle {
        /// The names of those that are in a cycle, or can be reached from one only; sorted.
        entries: Vec<String>,
    },
}

/// All that is wrong with the upgrades of a channel; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFaults(Vec<GraphFault>);

impl GraphFaults {
    /// Returns the faults.
    pub fn faults(&self) -> &[GraphFault] {
        &self.0
    }
}

impl fmt::Display for GraphFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join("; "))
    }
}

impl std::error::Error for GraphFaults {}

/// Most names that are printed.
const MOST_NAMES: usize = 5;

/// Lists names, as far as anybody reads them.
pub(crate) fn list(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The entries of a channel that has one head and no cycle.
#[derive(Debug)]
pub(crate) struct ChannelGraph<'e> {
    entries: &'e Entries,
    /// Of each name, the place of its entry.
    places: Vec<Option<usize>>,
    head: NameId,
}

impl<'e> ChannelGraph<'e> {
    /// Checks the upgrades of a channel. It takes time in proportion to their number.
    pub(crate) fn of(entries: &'e Entries) -> Result<Self, GraphFaults> {
        let mut faults = Vec::new();
        let places = places(entries, &mut faults);
        let incoming = incoming(entries, &mut faults);
        let heads: Vec<_> = entries
            .all()
            .map(|entry| entry.name)
            .filter(|name| incoming.get(name.index()) == Some(&0))
            .collect();
        let head = match heads.as_slice() {
            _ if entries.is_empty() => None,
            [head] => Some(*head),
            [] => {
                faults.push(GraphFault::NoHead);
                None
            }
            _ => {
                let mut heads: Vec<_> =
                    heads.iter().map(|name| entries.name(*name).to_owned()).collect();
                heads.sort();
                // A head that is there twice is a duplicate, which is said.
                heads.dedup();
                if heads.len() > 1 {
                    faults.push(GraphFault::ManyHeads { heads });
                }
                None
            }
        };
        match head {
            Some(head) if faults.is_empty() => {
                let graph = Self { entries, places, head };
                graph.refuse_cycles(incoming)?;
                Ok(graph)
            }
            _ => Err(GraphFaults(faults)),
        }
    }

    /// Returns the name of the entry that nothing replaces or skips.
    pub(crate) fn head(&self) -> NameId {
        self.head
    }

    /// Returns the entry of a name, if it has one.
    pub(crate) fn entry(&self, name: NameId) -> Option<&'e Entry> {
        let place = self.places.get(name.index()).copied().flatten()?;
        self.entries.nth(place)
    }

    /// Returns the head, what it replaces, what that replaces, and so on. The last of them may be
    /// a name without an entry.
    pub(crate) fn chain(&self) -> Vec<NameId> {
        let next = |name: &NameId| self.entry(*name)?.replaces;
        std::iter::successors(Some(self.head), next).collect()
    }

    /// Goes from the head to everything whose upgrades were all gone over before. What is left
    /// then is in a cycle, or behind one.
    fn refuse_cycles(&self, mut incoming: Vec<usize>) -> Result<(), GraphFaults> {
        let mut reached = vec![self.head];
        while let Some(name) = reached.pop() {
            let Some(entry) = self.entry(name) else { continue };
            for next in edges(self.entries, entry) {
                let Some(count) = incoming.get_mut(next.index()) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    reached.push(next);
                }
            }
        }
        let left = self.entries.all().map(|entry| entry.name);
        let mut left: Vec<_> = left
            .filter(|name| incoming.get(name.index()).is_some_and(|count| *count > 0))
            .map(|name| self.entries.name(name).to_owned())
            .collect();
        left.sort();
        if left.is_empty() {
            Ok(())
        } else {
            Err(GraphFaults(vec![GraphFault::Cycle { entries: left }]))
        }
    }
}

/// Returns what an entry is an upgrade from, itself excepted.
fn edges<'e>(entries: &'e Entries, entry: &'e Entry) -> impl Iterator<Item = NameId> {
    let all = entry.replaces.into_iter().chain(entries.skips(entry).iter().copied());
    all.filter(|name| *name != entry.name)
}

/// Finds the place of each name's entry.
fn places(entries: &Entries, faults: &mut Vec<GraphFault>) -> Vec<Option<usize>> {
    let mut places = vec![None; entries.name_count()];
    for (nth, entry) in entries.all().enumerate() {
        let before = places.get_mut(entry.name.index()).and_then(|place| place.replace(nth));
        if before.is_some() {
            let entry = entries.name(entry.name).to_owned();
            faults.push(GraphFault::Duplicate { entry });
        }
    }
    if entries.is_empty() {
        faults.push(GraphFault::Empty);
    }
    places
}

/// Counts how often each name is replaced or skipped.
fn incoming(entries: &Entries, faults: &mut Vec<GraphFault>) -> Vec<usize> {
    let mut incoming = vec![0_usize; entries.name_count()];
    for entry in entries.all() {
        let name = || entries.name(entry.name).to_owned();
        if entry.replaces == Some(entry.name) {
            faults.push(GraphFault::ReplacesItself { entry: name() });
        }
        if entries.skips(entry).contains(&entry.name) {
            faults.push(GraphFault::SkipsItself { entry: name() });
        }
        for next in edges(entries, entry) {
            if let Some(count) = incoming.get_mut(next.index()) {
                *count = count.saturating_add(1);
            }
        }
    }
    incoming
}

#[cfg(test)]
mod tests;
