//! File-based operator catalogs: read as streams, filtered by package, channel and version, checked as OLM does.

mod channel_graph;
mod fbc;
mod model;
mod range;
mod version;

pub use channel_graph::{Edges, Entries, GraphFault};
pub use fbc::{Body, CatalogFile, DocumentError, Format, ObjectFault, ObjectName, Wanted, read};
pub use model::{
    Assembled, BrokenCatalog, Bundle, Catalog, Channel, Definition, Deprecated, Deprecations,
    Identity, Other, Package, assemble,
};
pub use range::{Bound, BoundError, PreReleases, SkipRange, SkipRangeError, VersionRange};
pub use version::{BundleVersion, VersionError};
