//! What the bundles of a catalog require of others, and what to add so that it is there.
//!
//! ```text
//! selection ──► filter ──► bundles ──► what they require ──► is it there? ──► done
//!     ▲                                                          │ no
//!     └── the package that has it, one bundle of one channel ◄───┘
//! ```

mod offers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{
    fbc::CatalogFile,
    filter::{ChannelSelection, FilterErrors, PackageSelection, Selection},
    model::{Catalog, outline},
    requirement::Requirement,
};
use offers::{Offer, Offers};

/// A requirement of bundles that no bundle of a catalog meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The package of the bundles.
    pub package: String,
    /// The bundles, by name; at least one.
    pub bundles: Vec<String>,
    /// What they require.
    pub requirement: Requirement,
}

/// A bundle that is added because another requires it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its package.
    pub package: String,
    /// The channel that it is taken from.
    pub channel: String,
    /// Its name.
    pub bundle: String,
    /// What it is there for.
    pub reason: Unmet,
}

/// A selection with all that it requires, as far as the catalog has it.
#[derive(Debug)]
pub struct Closure {
    /// The selection, with what was added.
    pub selection: Selection,
    /// What was added, in the order it was.
    pub added: Vec<Added>,
}

/// A whole catalog without the contents of its bundles: enough to find what meets a requirement,
/// and no more than that in memory.
#[derive(Debug)]
pub struct Outline(Catalog);

impl Catalog {
    /// Returns what its bundles require and no bundle in it is, by package.
    pub fn unmet(&self) -> Vec<Unmet> {
        let offers = Offers::of(self);
        let is_met = |requirement: &Requirement| offers.has(requirement);
        let mut found: Vec<Unmet> = Vec::new();
        for (package, content) in self.packages() {
            // By its words: the same is required by version after version.
            let mut of_package: BTreeMap<String, Unmet> = BTreeMap::new();
            for (name, bundle) in content.bundles() {
                for requirement in bundle.requirements().iter().filter(|one| !one.is_met(&is_met)) {
                    let unmet =
                        of_package.entry(requirement.to_string()).or_insert_with(|| Unmet {
                            package: package.clone(),
                            bundles: Vec::new(),
                            requirement: requirement.clone(),
                        });
                    unmet.bundles.push(name.clone());
                }
            }
            found.extend(of_package.into_values());
        }
        found
    }
}

impl Outline {
    /// Makes an outline of files that were read with [`Wanted::Outline`](crate::Wanted::Outline).
    /// What is broken in them is left out: nobody asked for it.
    pub fn assemble(files: impl IntoIterator<Item = CatalogFile>) -> Self {
        Self(outline(files))
    }

    /// Adds to a selection what its bundles require, and what that requires: of each package one
    /// bundle, as long as one will do. Packages that are selected stay as they are.
    ///
    /// # Errors
    ///
    /// As [`Catalog::filter`].
    pub fn close(&self, selection: &Selection) -> Result<Closure, FilterErrors> {
        let offers = Offers::of(&self.0);
        let selected: BTreeSet<String> =
            selection.packages.iter().map(|package| package.name.clone()).collect();
        let mut closure = Closure { selection: selection.clone(), added: Vec::new() };
        if selection.packages.is_empty() {
            return Ok(closure);
        }
        loop {
            let filtered = self.0.filter(&closure.selection)?;
            let there = Offers::of(&filtered.catalog);
            let is_met = |requirement: &Requirement| there.has(requirement);
            let best = |requirement: &Requirement| offers.best(requirement, &selected);
            let can_be = |requirement: &Requirement| best(requirement).is_some();
            let count = closure.added.len();
            for unmet in filtered.catalog.unmet() {
                let missing = unmet.requirement.missing(&is_met, &can_be).into_iter();
                for offer in missing.filter_map(best) {
                    closure.add(&offer, &unmet);
                }
            }
            if closure.added.len() == count {
                return Ok(closure);
            }
        }
    }
}

impl Closure {
    /// Adds a bundle, if it is not there.
    fn add(&mut self, offer: &Offer<'_>, reason: &Unmet) {
        let is_it = |package: &&mut PackageSelection| package.name == offer.package;
        let channel = || {
            let name = offer.channel.to_owned();
            ChannelSelection { name, ..ChannelSelection::default() }
        };
        match self.selection.packages.iter_mut().find(is_it) {
            Some(package) => {
                if !package.bundles.insert(offer.bundle.to_owned()) {
                    return;
                }
                if package.channels.iter().all(|known| known.name != offer.channel) {
                    package.channels.push(channel());
                }
            }
            None => self.selection.packages.push(PackageSelection {
                name: offer.package.to_owned(),
                default_channel: offer.default_channel.map(str::to_owned),
                channels: vec![channel()],
                bundles: [offer.bundle.to_owned()].into(),
                ..PackageSelection::default()
            }),
        }
        self.added.push(Added {
            package: offer.package.to_owned(),
            channel: offer.channel.to_owned(),
            bundle: offer.bundle.to_owned(),
            reason: reason.clone(),
        });
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, bundles, requirement } = self;
        match bundles.as_slice() {
            [bundle] => write!(f, "bundle `{bundle}`")?,
            [first, others @ ..] => write!(f, "bundle `{first}` and {} more", others.len())?,
            [] => {}
        }
        let verb = if bundles.len() > 1 { "require" } else { "requires" };
        write!(f, " of package `{package}` {verb} {requirement}")
    }
}

impl fmt::Display for Added {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, channel, bundle, reason } = self;
        write!(f, "added bundle `{bundle}` of package `{package}`, channel `{channel}`: {reason}")
    }
}
