use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{apply, decide::Decision, error::FilterError, unaccepted};
use crate::{
    channel_graph::{ChannelGraph, Entries, NameId, list},
    closure::Unmet,
    model::{Catalog, Package},
};

/// A catalog without some of its bundles.
#[derive(Debug)]
pub struct Reduced {
    /// What remains of the catalog: what was changed of it OLM accepts.
    pub catalog: Catalog,
    /// What had to go with those bundles, by package.
    pub dropped: Vec<Dropped>,
    /// What remaining bundles require, and was there before.
    pub unmet: Vec<Unmet>,
}

/// Something that had to go with a bundle that it cannot be without.
#[derive(Debug)]
#[non_exhaustive]
pub enum Dropped {
    /// Bundles from which no upgrade leads to the head of a channel any more.
    Bundles {
        /// The package.
        package: String,
        /// Their names; at least one.
        bundles: Vec<String>,
    },
    /// A channel of which nothing remains.
    Channel {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
    },
    /// A package of whose default channel nothing remains.
    Package {
        /// The package.
        package: String,
        /// The channel.
        default_channel: String,
    },
    /// A package of which nothing remains that OLM accepts.
    Unfit {
        /// The package.
        package: String,
        /// Why not.
        reason: FilterError,
    },
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundles { package, bundles } => write!(
                f,
                "package `{package}` goes without {} too, from which no upgrade leads on any more",
                list(bundles)
            ),
            Self::Channel { package, channel } => {
                write!(f, "channel `{channel}` of package `{package}` has no bundle left")
            }
            Self::Package { package, default_channel } => write!(
                f,
                "package `{package}` is left out: its default channel `{default_channel}` has no \
                 bundle left"
            ),
            Self::Unfit { package, reason: FilterError::Invalid(defect) } => {
                write!(f, "package `{package}` is left out: {}", defect.flaw)
            }
            Self::Unfit { package, reason } => {
                write!(f, "package `{package}` is left out: {reason}")
            }
        }
    }
}

impl Catalog {
    /// Returns it without bundles that cannot be had, which are named by package and name.
    ///
    /// Of a channel there remains its newest part that has one head, and from all of which upgrades
    /// lead there: no upgrade is made up, so that what is older than a missing bundle goes with it,
    /// unless something newer skips it. A channel without entries goes, and a package goes with
    /// its default channel, since which other one people want is theirs to say. Packages that have
    /// none of the bundles stay as they are.
    ///
    /// ```text
    /// d ─► c ─► b ─► a      without d: c b a    without c: d    without b: d c    without a: d c b
    /// ```
    #[must_use]
    pub fn without(&self, bundles: &BTreeSet<(String, String)>) -> Reduced {
        let (mut catalog, mut dropped) = (self.clone(), Vec::new());
        for (name, package) in &self.packages {
            let is_gone = |bundle: &str| bundles.contains(&(name.clone(), bundle.to_owned()));
            if !package.bundles.keys().any(|bundle| is_gone(bundle)) {
                continue;
            }
            match reduced(name, package, is_gone, &mut dropped) {
                Some(package) => catalog.packages.insert(name.clone(), package),
                None => catalog.packages.remove(name),
            };
        }
        let known = catalog.packages.keys().cloned().collect();
        catalog.known = Arc::new(known);
        let (before, mut unmet) = (self.unmet(), catalog.unmet());
        let is_same =
            |a: &Unmet, b: &Unmet| a.package == b.package && a.requirement == b.requirement;
        unmet.retain(|new| !before.iter().any(|old| is_same(old, new)));
        Reduced { catalog, dropped, unmet }
    }
}

/// Returns what remains of a package that loses bundles.
fn reduced(
    name: &str,
    package: &Package,
    is_gone: impl Fn(&str) -> bool,
    dropped: &mut Vec<Dropped>,
) -> Option<Package> {
    let default_channel = package.default_channel().to_owned();
    let mut decision = Decision { default_channel, ..Decision::default() };
    let mut emptied = Vec::new();
    for (channel_name, channel) in &package.channels {
        let entries = channel.entries();
        if let Some(kept) = remaining(entries, |id| is_gone(entries.name(id))) {
            decision.channels.insert(channel_name.clone(), kept);
        } else {
            emptied.push(channel_name.clone());
        }
    }
    if emptied.contains(&decision.default_channel) || decision.channels.is_empty() {
        let Decision { default_channel, .. } = decision;
        dropped.push(Dropped::Package { package: name.to_owned(), default_channel });
        return None;
    }
    let applied = apply::apply(name, package, &decision);
    let checked = applied.and_then(|left| {
        let refused = unaccepted(name, &left).next();
        refused.map_or(Ok(left), Err)
    });
    match checked {
        Ok(left) => {
            let channel = |channel| Dropped::Channel { package: name.to_owned(), channel };
            dropped.extend(emptied.into_iter().map(channel));
            let lost = package.bundles.keys();
            let lost =
                lost.filter(|bundle| !left.bundles.contains_key(*bundle) && !is_gone(bundle));
            let bundles: Vec<_> = lost.cloned().collect();
            if !bundles.is_empty() {
                dropped.push(Dropped::Bundles { package: name.to_owned(), bundles });
            }
            Some(left)
        }
        Err(reason) => {
            dropped.push(Dropped::Unfit { package: name.to_owned(), reason });
            None
        }
    }
}

/// Returns of each entry whether it remains, where any does.
fn remaining(entries: &Entries, is_gone: impl Fn(NameId) -> bool) -> Option<Vec<bool>> {
    if !entries.all().any(|entry| is_gone(entry.name)) {
        return Some(vec![true; entries.len()]);
    }
    let graph = ChannelGraph::of(entries).ok()?;
    let stays = |name: &NameId| graph.entry(*name).is_some() && !is_gone(*name);
    let chain = graph.chain().into_iter().skip_while(|name| !stays(name));
    let mut chain: Vec<_> = chain.take_while(stays).collect();
    if chain.is_empty() {
        return None;
    }
    loop {
        let marks = Marks::of(entries, &graph, &chain, stays);
        let Some(stranded) = marks.first_stranded(&chain) else {
            return Some(entries.all().map(|entry| marks.is_kept(entry.name)).collect());
        };
        chain.truncate(stranded);
    }
}

/// What is so of each name, at its place.
struct Marks {
    is_kept: Vec<bool>,
    is_skipped: Vec<bool>,
}

impl Marks {
    /// Keeps a chain, what it skips, what that skips, and so on.
    fn of(
        entries: &Entries,
        graph: &ChannelGraph<'_>,
        chain: &[NameId],
        stays: impl Fn(&NameId) -> bool,
    ) -> Self {
        let none = vec![false; entries.name_count()];
        let mut marks = Self { is_kept: none.clone(), is_skipped: none };
        let mut reached = chain.to_vec();
        while let Some(name) = reached.pop() {
            let Some(kept) = marks.is_kept.get_mut(name.index()) else { continue };
            if std::mem::replace(kept, true) {
                continue;
            }
            let skips = graph.entry(name).map(|entry| entries.skips(entry)).unwrap_or_default();
            for skipped in skips {
                if let Some(mark) = marks.is_skipped.get_mut(skipped.index()) {
                    *mark = true;
                }
            }
            reached.extend(skips.iter().copied().filter(|skipped| stays(skipped)));
        }
        marks
    }

    fn is_kept(&self, name: NameId) -> bool {
        self.is_kept.get(name.index()) == Some(&true)
    }

    fn is_skipped(&self, name: NameId) -> bool {
        self.is_skipped.get(name.index()) == Some(&true)
    }

    /// Returns the place of the first of a chain that OLM finds no way to: it stops at what is both
    /// replaced and skipped.
    fn first_stranded(&self, chain: &[NameId]) -> Option<usize> {
        let mut names = chain.iter().enumerate();
        names.find(|(_, name)| self.is_skipped(**name))?;
        names.find(|(_, name)| !self.is_skipped(**name)).map(|(nth, _)| nth)
    }
}
