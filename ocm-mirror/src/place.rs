use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc};

use ocm_oci::{Host, RepoName};
use ocm_transport::{Client, Destination, Source, Transport};
use serde::{Deserialize, Serialize};

use crate::{Code, ContentStore, Failure, Side, kept::Kept};

/// Where content is, as a plan names it. Mirrors and credentials act below it, in the transport.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A registry.
    Registry(Host),
    /// An OCI layout directory.
    Layout(PathBuf),
    /// What the run itself built: catalogs with a selection, the image of the update graph.
    Built,
    /// The archive: a run reads one, or writes one. Where it lies is no part of a plan, so that
    /// the same content makes the same archive in every directory.
    Archive,
}

/// A repository of a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// Which place.
    pub place: Place,
    /// Which repository there.
    pub repository: RepoName,
}

/// Who opens registries that are to be read.
pub trait Registries: fmt::Debug + Send + Sync + 'static {
    /// Opens `host`. Does no I/O.
    fn open(&self, host: &Host) -> Arc<dyn Transport>;
}

impl Registries for Client {
    fn open(&self, host: &Host) -> Arc<dyn Transport> {
        Arc::new(self.registry(host))
    }
}

/// The places of a plan, opened.
///
/// A registry can be source and destination in one run, with other credentials and another trust
/// on either side, so the two are kept apart.
#[derive(Debug, Clone, Default)]
pub struct Places {
    sources: BTreeMap<Place, Arc<dyn Transport>>,
    registries: Option<Arc<dyn Registries>>,
    kept: Option<ContentStore>,
    destination: Option<(Place, Arc<dyn Transport>)>,
}

impl Places {
    /// Adds `place` as one to read from, served by `transport`.
    #[must_use]
    pub fn with_source(mut self, place: Place, transport: Arc<dyn Transport>) -> Self {
        self.sources.insert(place, transport);
        self
    }

    /// Opens every registry that is read from and was not added by itself with `registries`: which
    /// ones there are is known only once catalogs and releases have been read.
    #[must_use]
    pub fn with_registries(self, registries: Arc<dyn Registries>) -> Self {
        Self { registries: Some(registries), ..self }
    }

    /// Reads from `store` what was brought there from registries, in place of asking them again.
    #[must_use]
    pub fn with_kept(self, store: ContentStore) -> Self {
        Self { kept: Some(store), ..self }
    }

    /// Sets the one place to write to, served by `transport`.
    #[must_use]
    pub fn with_destination(self, place: Place, transport: Arc<dyn Transport>) -> Self {
        Self { destination: Some((place, transport)), ..self }
    }

    /// Opens a location for reading, if its place is here.
    pub fn source(&self, at: &Location) -> Option<Arc<dyn Source>> {
        let known = self.sources.get(&at.place).map(|place| place.source(&at.repository));
        let Place::Registry(host) = &at.place else { return known };
        let open = || Some(self.registries.as_ref()?.open(host).source(&at.repository));
        let source = known.or_else(open)?;
        Some(match self.kept.clone() {
            Some(store) => Arc::new(Kept { store, source }),
            None => source,
        })
    }

    /// Opens a location for reading that has to be here.
    pub(crate) fn open(&self, at: &Location) -> Result<Arc<dyn Source>, Failure> {
        let closed =
            || Failure::without(Code::Place, Side::Source, format!("{} is not open", at.place));
        self.source(at).ok_or_else(closed)
    }

    /// Opens a repository for writing, if `to` is the destination and can be written.
    pub fn destination(&self, to: &Place, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        let (place, transport) = self.destination.as_ref()?;
        if place == to { transport.destination(repository) } else { None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(host) => host.fmt(f),
            Self::Layout(path) => write!(f, "layout {}", path.display()),
            Self::Built => f.write_str("what was built here"),
            Self::Archive => f.write_str("the archive"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Registry(host) => write!(f, "{host}/{}", self.repository),
            place => write!(f, "{} in {place}", self.repository),
        }
    }
}
