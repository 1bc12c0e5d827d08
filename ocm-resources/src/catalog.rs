use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ocm_oci::Reference;

use crate::{
    catalog_source, cluster_catalog,
    cluster_catalog::Unaddressable,
    document::{Document, Stamp},
    mirrored::AtMirror,
    template::Template,
};

mod name;

pub use name::{SourceName, SourceNameError};

/// A catalog of operators: which one, where at the mirror, and what was said of its objects.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The catalog, as the configuration names it.
    pub origin: Reference,
    /// Where it is at the mirror, or will be.
    pub place: AtMirror,
    /// The name that somebody chose for its `CatalogSource`.
    pub source_name: Option<SourceName>,
    /// What somebody wants its `CatalogSource` to say besides.
    pub template: Option<Template>,
    /// The directory with its files, where its image brings no program that serves them.
    pub files: Option<String>,
}

/// Where names come from that nobody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// From the place at the mirror: `cs-redhat-operator-index-v4-18`. The next version of a
    /// catalog has another name, and subscriptions have to be moved to it.
    #[default]
    Place,
    /// From the catalog, for the four that clusters with internet have: `redhat-operators`,
    /// `certified-operators`, `community-operators` and `redhat-marketplace`. Subscriptions stay
    /// as they are. All others are named by their place.
    WellKnown,
}

/// The catalogs of a run, each with names for its objects that clusters take and that no other
/// has.
///
/// They are named before anything is copied; so what cannot be named is known then, and names do
/// not depend on what could be copied.
#[derive(Debug, Clone)]
pub struct Catalogs {
    named: Vec<NamedCatalog>,
    notices: Vec<CatalogNotice>,
}

/// A catalog whose objects have names.
#[derive(Debug, Clone)]
pub struct NamedCatalog {
    catalog: Catalog,
    source_name: String,
    stem: String,
}

/// Something to know of the objects of a catalog, before it is copied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogNotice {
    /// Its usual name is that of another catalog.
    #[error(
        "the CatalogSource of {origin} is called `{name}`, as another catalog already has the name \
         `{usual}`; with a `catalogSourceName` it is called as you like"
    )]
    Renamed {
        /// The catalog, as it was written.
        origin: String,
        /// What it would be called alone.
        usual: String,
        /// What it is called.
        name: String,
    },
    /// It can have no `ClusterCatalog`.
    #[error("there is no ClusterCatalog for {origin}: {reason}")]
    NoClusterCatalog {
        /// The catalog, as it was written.
        origin: String,
        /// Why.
        reason: Unaddressable,
    },
}

/// Why catalogs cannot be named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogFault {
    /// Two have the same name, and not by chance.
    #[error(
        "{first} and {second} would both have the CatalogSource `{name}`; expected a \
         `catalogSourceName` of its own for one of them"
    )]
    SameName {
        /// The first, as it was written.
        first: String,
        /// The second, as it was written.
        second: String,
        /// The name.
        name: String,
    },
    /// Two would be in the same place.
    #[error(
        "{first} and {second} would both be at `{place}`; expected another `targetCatalog` or \
         `targetTag` for one of them"
    )]
    SamePlace {
        /// The first, as it was written.
        first: String,
        /// The second, as it was written.
        second: String,
        /// The place.
        place: AtMirror,
    },
}

/// All that keeps the catalogs of a run from being named; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogFaults(Vec<CatalogFault>);

impl Catalogs {
    /// Names the objects of `catalogs`, which are in the order of the configuration.
    ///
    /// Of two that would have the same name by chance the later one gets another; names that
    /// somebody chose, or that are well known, are never changed.
    ///
    /// # Errors
    ///
    /// [`CatalogFaults`], with all of them, where two catalogs are in one place or have the same
    /// chosen or well-known name.
    pub fn name(catalogs: Vec<Catalog>, naming: Naming) -> Result<Self, CatalogFaults> {
        let fixed: Vec<_> = catalogs.iter().map(|catalog| catalog.fixed_name(naming)).collect();
        let faults = faults(&catalogs, &fixed);
        if !faults.is_empty() {
            return Err(CatalogFaults(faults));
        }
        let mut taken: BTreeSet<_> =
            fixed.iter().flatten().map(|name| name.stem().to_owned()).collect();
        let mut notices = Vec::new();
        let mut named = Vec::new();
        for (catalog, fixed) in catalogs.into_iter().zip(fixed) {
            let (stem, source_name) = if let Some(name) = fixed {
                (name.stem().to_owned(), name.to_string())
            } else {
                let stem = free_stem(&catalog, &mut taken, &mut notices);
                let source_name = format!("cs-{stem}");
                (stem, source_name)
            };
            if let Err(reason) = cluster_catalog::is_addressable(&catalog.place) {
                let origin = catalog.origin.as_written().to_owned();
                notices.push(CatalogNotice::NoClusterCatalog { origin, reason });
            }
            named.push(NamedCatalog { catalog, source_name, stem });
        }
        Ok(Self { named, notices })
    }

    /// Returns the catalogs, in the order in which they were given.
    pub fn as_slice(&self) -> &[NamedCatalog] {
        &self.named
    }

    /// Returns what is to be said before anything is copied.
    pub fn notices(&self) -> &[CatalogNotice] {
        &self.notices
    }
}

impl NamedCatalog {
    /// Returns the catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the name of its `CatalogSource`.
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// Returns the name of its `ClusterCatalog`.
    pub fn cluster_name(&self) -> String {
        format!("cc-{}", self.stem)
    }

    /// Returns the files to write for a cluster that gets the catalog: that of its
    /// `CatalogSource`, and that of its `ClusterCatalog` where it can have one.
    pub fn documents(&self, stamp: &Stamp) -> Vec<Document> {
        let source = Document {
            file_name: format!("cs-{}.yaml", self.stem),
            text: catalog_source::object(self, stamp).to_text(),
        };
        let cluster = cluster_catalog::object(self, stamp).map(|object| Document {
            file_name: format!("cc-{}.yaml", self.stem),
            text: object.to_text(),
        });
        [Some(source), cluster].into_iter().flatten().collect()
    }
}

impl Catalog {
    /// Returns the name that is not ours to change.
    fn fixed_name(&self, naming: Naming) -> Option<SourceName> {
        let well_known = || match naming {
            Naming::Place => None,
            Naming::WellKnown => SourceName::well_known(&self.origin),
        };
        self.source_name.clone().or_else(well_known)
    }
}

fn faults(catalogs: &[Catalog], fixed: &[Option<SourceName>]) -> Vec<CatalogFault> {
    let (mut places, mut names) = (BTreeMap::new(), BTreeMap::new());
    let mut faults = Vec::new();
    for (catalog, name) in catalogs.iter().zip(fixed) {
        let second = catalog.origin.as_written();
        if let Some(first) = places.insert(&catalog.place, second) {
            let (first, second) = (first.to_owned(), second.to_owned());
            let place = catalog.place.clone();
            faults.push(CatalogFault::SamePlace { first, second, place });
        }
        let Some(name) = name else { continue };
        if let Some(first) = names.insert(name.stem(), second) {
            let (first, second) = (first.to_owned(), second.to_owned());
            faults.push(CatalogFault::SameName { first, second, name: name.to_string() });
        }
    }
    faults
}

/// Returns a stem that is not taken, and takes it.
fn free_stem(
    catalog: &Catalog,
    taken: &mut BTreeSet<String>,
    notices: &mut Vec<CatalogNotice>,
) -> String {
    let usual = name::usual_stem(&catalog.place);
    if taken.insert(usual.clone()) {
        return usual;
    }
    let mut others = (0..).map(|attempt| name::told_apart(&catalog.place, attempt));
    let stem = others
        .find(|stem| taken.insert(stem.clone()))
        .expect("there are more hashes than catalogs, and the attempts do not end");
    notices.push(CatalogNotice::Renamed {
        origin: catalog.origin.as_written().to_owned(),
        usual: format!("cs-{usual}"),
        name: format!("cs-{stem}"),
    });
    stem
}

impl CatalogFaults {
    /// Returns the faults, in the order of the catalogs.
    pub fn as_slice(&self) -> &[CatalogFault] {
        &self.0
    }
}

impl fmt::Display for CatalogFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for CatalogFaults {}

#[cfg(test)]
mod tests;
