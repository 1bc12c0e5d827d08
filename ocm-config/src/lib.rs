//! Reads `ImageSetConfiguration`s: bytes in, a typed configuration or all its faults out.
//!
//! ```text
//! bytes ──► text ──► nodes with places ──► ImageSet, warnings
//!        document         yaml        reader   └─or─► Faults: line, column, path, message, help
//! ```
//!
//! Nothing here reads files or prints: the caller brings the bytes, and shows the [`Fault`]s as
//! it likes.
//!
//! ```
//! let document = b"
//! kind: ImageSetConfiguration
//! apiVersion: mirror.openshift.io/v2alpha1
//! mirror:
//!   additionalImages:
//!   - name: quay.io/team/app:v1
//! ";
//! let parsed = ocm_config::parse(document)?;
//! assert_eq!(parsed.image_set.mirror.additional_images[0].name, "quay.io/team/app:v1");
//! # Ok::<(), ocm_config::Faults>(())
//! ```

mod archive_size;
mod convert;
mod cursor;
mod document;
mod fault;
mod image_path;
mod image_set;
mod keys;
mod node;
mod pattern;
mod reader;
mod render;
mod scalar;
mod schema;
mod source;
mod template;
mod tree;
mod version;
mod yaml;

pub use archive_size::ArchiveSize;
pub use convert::{Converted, convert};
pub use document::{
    Document, Parsed, ParsedDelete, ParsedDocument, parse, parse_delete, parse_document,
};
pub use fault::{Code, Fault, Faults, Location, Severity};
pub use image_path::{ImagePath, ImagePathError, ImagePathFault};
pub use image_set::{
    AdditionalImage, BlockedImage, Catalog, CatalogFault, CatalogFaults, CatalogProblem, Chart,
    Charts, DeleteSet, Helm, HelmRepository, ImageFault, ImageFaults, ImageProblem, ImageSet,
    ItemFault, ItemFaults, Mirror, Package, PackageChannel, Problem, ReleaseChannel, ReleaseKind,
    ReleasePayload, Releases, Sample, WantedCatalog, WantedImage,
};
pub use pattern::{Pattern, PatternError, PatternFault};
pub use schema::json_schema;
pub use source::SIZE_LIMIT;
pub use template::{Template, TemplateError};
pub use version::{VersionBound, VersionError};
