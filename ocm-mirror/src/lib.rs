//! From wishes to a report, in one direction; each step hands one value on.
//!
//! ```text
//! ImageSet ─resolve─► Wishes ─survey─► Survey ─expand─► Expansion ─plan─► Plan ─execute─► Event* ─► Report
//!                             HEADs             manifests,          pure       the only step
//!                                               sizes                          that moves content
//! ```
//!
//! A decision is taken once, left of [`Plan`]; right of it nothing decides. So a dry run is a plan
//! printed, a retry is the same plan executed again, and so is going on after a crash.
//!
//! [`prepare()`] does survey, expand and plan in one go; [`execute()`] carries the plan out.
//! Mirroring from registry to registry, into an archive and out of it differ in the
//! [`Places`] they are given, and in nothing else:
//!
//! | | resolve | survey | source | destination |
//! |---|---|---|---|---|
//! | registry to registry | rules, [`Upstream::Origins`] | [`Holdings::Ask`] | registries | a registry |
//! | to an archive | no rules, [`Upstream::Origins`] | [`Holdings::Nothing`] | registries | an `ArchiveWriter` for the [`contents`] of the plan, sealed at the end |
//! | from an archive | rules, [`Upstream::Archive`] with [`Archived::read`] | [`Holdings::Ask`] | an `ArchiveReader` | a registry |

mod archive;
mod attach;
mod catalog_files;
mod catalog_image;
mod cincinnati;
mod content_store;
mod destination;
mod drive;
mod event;
mod execute;
mod expand;
mod failure;
mod kept;
mod layers;
mod layouts;
mod overlay;
mod pack;
mod payload;
mod place;
mod plan;
mod prepare;
mod rebuild;
mod report;
mod resolve;
mod resources;
mod retry;
mod select_releases;
pub mod signature;
mod standing;
mod steady;
mod survey;
mod update_graphs;
mod wish;

pub use archive::{Archived, ArchivedError, contents};
pub use attach::{ArchivedAttachments, Attaching, AttachingScope, Signatures};
pub use catalog_files::{CatalogFiles, CatalogFilesError};
pub use catalog_image::{CatalogImage, CatalogImageError};
pub use cincinnati::{Cincinnati, ClientId, OCP_UPDATES, OKD_UPDATES};
pub use content_store::ContentStore;
pub use destination::{Destination, DestinationError, DestinationRules, TargetError, TargetFault};
pub use event::{Event, Outcome, Transfer};
pub use execute::{Means, Options, Run, execute};
pub use expand::{Expansion, expand};
pub use failure::{Code, Failure, Side};
pub use layers::{
    Below, Collected, ConfigurationFault, ImageConfiguration, ImageFiles, LayerFault, LayersError,
    Limits, Seen, Visitor,
};
pub use layouts::Layouts;
pub use overlay::Overlay;
pub use pack::Pack;
pub use payload::{
    BootKeys, Component, KubeVirt, Payload, PayloadError, ReleaseMetadata, release_suffix,
};
pub use place::{Location, Place, Places, Registries};
pub use plan::{
    Attached, Blob, Fates, Image, ImageId, Lost, Name, Node, Plan, PlanError, Planned, Present,
    Summary, Warning, plan,
};
pub use prepare::{PlatformIndex, PrepareError, Prepared, Request, prepare};
pub use rebuild::{
    Base, Built, Change, Copier, CopierError, GraphData, GraphDataError, LayerContent, NewLayer,
    RebuildError, gather, rebuild, rebuild_catalog, scratch,
};
pub use report::{BlobTally, Report, Tally};
pub use resolve::{
    AtHand, CatalogReader, Decided, DecidedCatalog, DecidedRelease, GraphBase, GraphDataOrigin,
    GraphDataOriginError, GraphImage, Incomplete, Notice, OperatorRules, ReleaseTrust, Releasing,
    Resolved, Resolving, Upstream, Workshop, additional_images, catalog_selection, resolve,
};
pub use resources::{at_mirror, documents, mirror_sets};
pub use retry::RetryPolicy;
pub use select_releases::{
    PathRules, ReleaseError, ReleaseWarning, SelectedRelease, SelectedReleases, select_releases,
};
pub use standing::standing;
pub use survey::{Answer, Asking, Holdings, Survey, survey};
pub use update_graphs::{
    GraphDirectory, KeptGraphs, UpdateGraphError, UpdateGraphs, graph_file, keep_graphs,
};
pub use wish::{Group, Kind, Wanted, WishId, Wishes};

/// The examples of README.md, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
