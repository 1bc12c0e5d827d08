//! File-based operator catalogs: read as streams, filtered by package, channel and version,
//! checked as OLM does.
//!
//! ```text
//! files ──► objects ──► Catalog ──► Filtered ──┬─► files: render
//!       read       assemble     filter         └─► images
//! ```
//!
//! Nothing here reads or writes files: the caller brings paths and bytes, in as many threads as it
//! likes.

mod channel_graph;
mod closure;
mod fbc;
mod filter;
mod images;
mod model;
mod range;
mod render;
mod requirement;
mod validate;
mod version;

pub use channel_graph::{Edges, Entries, GraphFault, GraphFaults};
pub use closure::{Added, Closure, Outline, Unmet};
pub use fbc::{Body, CatalogFile, DocumentError, Format, ObjectFault, ObjectName, Wanted, read};
pub use filter::{
    ChannelExplanation, ChannelSelection, Dropped, EntryExplanation, Explanation, Extent,
    FilterError, FilterErrors, Filtered, Instead, Missing, PackageSelection, Reduced, Selection,
    Verdict, Warning, near,
};
pub use images::{BundleImage, BundleImages, ImageKind, ImageList, ImagesError};
pub use model::{
    Assembled, BrokenCatalog, Bundle, Catalog, Channel, Definition, Deprecated, Deprecations,
    Identity, Other, Package, assemble,
};
pub use range::{Bound, BoundError, OlmRange, OlmRangeError, PreReleases, VersionRange};
pub use render::RenderedFile;
pub use requirement::{ApiKind, Requirement};
pub use validate::{Defect, Flaw, validate};
pub use version::{BundleVersion, VersionError};

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
