//! A catalog in memory: its packages, and what is in them.

mod assemble;
mod newest;
mod object;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(crate) use assemble::outline;
pub use assemble::{Assembled, BrokenCatalog, assemble};
pub(crate) use object::Object;
pub use object::{Bundle, Channel, Definition, Deprecated, Deprecations, Identity, Other};

/// A catalog, or as much of it as was wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub(crate) packages: BTreeMap<String, Package>,
    pub(crate) others: Vec<Arc<Other>>,
    /// The names of all packages, those that were not wanted among them.
    pub(crate) known: Arc<BTreeSet<String>>,
}

/// A package: an operator, its channels, and its bundles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    pub(crate) definition: Option<Arc<Definition>>,
    pub(crate) channels: BTreeMap<String, Arc<Channel>>,
    pub(crate) bundles: BTreeMap<String, Arc<Bundle>>,
    pub(crate) deprecations: Vec<Arc<Deprecations>>,
    pub(crate) others: Vec<Arc<Other>>,
}

impl Catalog {
    /// Returns the packages by name.
    pub fn packages(&self) -> &BTreeMap<String, Package> {
        &self.packages
    }

    /// Returns what belongs to no package, by schema and name.
    pub fn others(&self) -> &[Arc<Other>] {
        &self.others
    }

    /// Returns the names of all packages of the catalog, those that were not wanted among them.
    pub fn known_packages(&self) -> &BTreeSet<String> {
        &self.known
    }
}

impl Package {
    /// Whether it is one: other objects can belong to a package that is not there.
    pub(crate) fn is_there(&self) -> bool {
        self.definition.is_some()
            || !self.channels.is_empty()
            || !self.bundles.is_empty()
            || !self.deprecations.is_empty()
    }

    /// Returns what introduces it; only a broken catalog has a package without it.
    pub fn definition(&self) -> Option<&Definition> {
        self.definition.as_deref()
    }

    /// Returns the name of its default channel; empty where it has none.
    pub fn default_channel(&self) -> &str {
        self.definition().map_or("", Definition::default_channel)
    }

    /// Returns its channels by name.
    pub fn channels(&self) -> &BTreeMap<String, Arc<Channel>> {
        &self.channels
    }

    /// Returns its bundles by name.
    pub fn bundles(&self) -> &BTreeMap<String, Arc<Bundle>> {
        &self.bundles
    }

    /// Returns what is deprecated in it; there should be one such object at most.
    pub fn deprecations(&self) -> &[Arc<Deprecations>] {
        &self.deprecations
    }

    /// Returns its objects of other schemas, by schema and name.
    pub fn others(&self) -> &[Arc<Other>] {
        &self.others
    }
}
