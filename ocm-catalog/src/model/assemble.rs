use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    fmt,
    sync::Arc,
};

use super::{Catalog, Object};
use crate::fbc::{CatalogFile, DocumentError, Found, ObjectFault, ObjectName};

/// A catalog, and what was found in its files that it can do without.
#[derive(Debug)]
pub struct Assembled {
    /// The catalog.
    pub catalog: Catalog,
    /// Objects that cannot be read and that belong to none of the packages that were wanted.
    pub ignored: Vec<DocumentError>,
}

/// Why files are no catalog that can be used: all that is wrong with them; at least one thing.
#[derive(Debug)]
pub struct BrokenCatalog(Vec<DocumentError>);

impl BrokenCatalog {
    /// Returns everything that is wrong, by file and line.
    pub fn errors(&self) -> &[DocumentError] {
        &self.0
    }
}

impl fmt::Display for BrokenCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [_] => f.write_str("the catalog is broken"),
            errors => write!(f, "the catalog is broken in {} places", errors.len()),
        }
    }
}

impl std::error::Error for BrokenCatalog {
    /// Returns the first of the errors.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.first().map(|error| error as _)
    }
}

/// Makes a catalog of its files, whatever order they come in.
///
/// # Errors
///
/// When some of what was wanted cannot be read, or is there twice.
pub fn assemble(files: impl IntoIterator<Item = CatalogFile>) -> Result<Assembled, BrokenCatalog> {
    let Shelf { catalog, mut errors, ignored, .. } = Shelf::filled(files);
    if !errors.is_empty() {
        errors.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
        return Err(BrokenCatalog(errors));
    }
    Ok(Assembled { catalog, ignored })
}

/// Makes as much of a catalog as there is.
pub(crate) fn outline(files: impl IntoIterator<Item = CatalogFile>) -> Catalog {
    Shelf::filled(files).catalog
}

/// Leaves out the files that a `.indexignore` names: of several, the deepest that says something of
/// a file counts.
fn leave_out(files: &mut Vec<CatalogFile>) {
    let mut rules: Vec<_> = files.iter_mut().filter_map(|file| file.rules.take()).collect();
    rules.sort_by_key(|rules| std::cmp::Reverse(rules.depth()));
    files.retain(|file| {
        let said = rules.iter().find_map(|rules| rules.is_ignored(&file.path));
        !said.unwrap_or_default()
    });
}

/// What comes from several files stands in an order that none of them decides.
fn sort_others(catalog: &mut Catalog) {
    let packages = catalog.packages.values_mut().map(|package| &mut package.others);
    for others in packages.chain([&mut catalog.others]) {
        others.sort_by(|left, right| {
            (&left.schema, &left.name, left.body.bytes()).cmp(&(
                &right.schema,
                &right.name,
                right.body.bytes(),
            ))
        });
    }
}

/// A catalog in the making.
#[derive(Default)]
struct Shelf {
    catalog: Catalog,
    /// Where each object that may be there once was found.
    places: BTreeMap<ObjectName, String>,
    errors: Vec<DocumentError>,
    ignored: Vec<DocumentError>,
}

impl Shelf {
    fn filled(files: impl IntoIterator<Item = CatalogFile>) -> Self {
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        leave_out(&mut files);
        let mut shelf = Self::default();
        let mut known = BTreeSet::new();
        for file in files {
            known.extend(file.packages);
            shelf.errors.extend(file.errors);
            shelf.ignored.extend(file.ignored);
            for found in file.found {
                if let Err(error) = shelf.put(&file.path, found) {
                    shelf.errors.push(error);
                }
            }
        }
        shelf.catalog.known = Arc::new(known);
        sort_others(&mut shelf.catalog);
        shelf
    }

    fn put(&mut self, path: &str, found: Found) -> Result<(), DocumentError> {
        let Found { head, line, object } = found;
        let name = ObjectName { schema: head.schema, package: head.package, name: head.name };
        if !matches!(object, Object::Other(_)) {
            match self.places.entry(name.clone()) {
                btree_map::Entry::Vacant(place) => {
                    place.insert(path.to_owned());
                }
                btree_map::Entry::Occupied(place) => {
                    let fault = ObjectFault::Duplicate { first: place.get().clone() };
                    let path = path.to_owned();
                    return Err(DocumentError { path, line, object: name, fault });
                }
            }
        }
        let ObjectName { package, name, .. } = name;
        if package.is_empty() {
            if let Object::Other(other) = object {
                self.catalog.others.push(other);
            }
            return Ok(());
        }
        let package = self.catalog.packages.entry(package).or_default();
        match object {
            Object::Package(definition) => package.definition = Some(definition),
            Object::Channel(channel) => {
                package.channels.insert(name, channel);
            }
            Object::Bundle(bundle) => {
                package.bundles.insert(name, bundle);
            }
            Object::Deprecations(deprecations) => package.deprecations.push(deprecations),
            Object::Other(other) => package.others.push(other),
        }
        Ok(())
    }
}
