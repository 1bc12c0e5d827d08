//! Nouns of the OCI world: digests, descriptors, names, references, and what a manifest names.
//!
//! A registry stores *blobs* (bytes nobody interprets) and *manifests* (JSON that names blobs, or
//! other manifests). Both are identified by their digest; a manifest may also carry tags.
//!
//! ```text
//! tag ──► index ──┬─► manifest (amd64) ──► config, layer, layer, …
//!                 └─► manifest (arm64) ──► config, layer, …
//! ```
//!
//! No I/O, no async, no opinion. Every other crate speaks in these types, so that a string is
//! parsed once, at the edge where it enters.
//!
//! ```
//! use ocm_oci::ImageRef;
//!
//! let image: ImageRef = "quay.io/team/app:v1".parse()?;
//! assert_eq!(image.host().to_string(), "quay.io");
//! assert_eq!(image.repository().to_string(), "team/app");
//! # Ok::<(), ocm_oci::ReferenceError>(())
//! ```

mod descriptor;
mod digest;
mod manifest;
mod name;
mod platform;
mod reference;
mod spelling;
mod text;

pub use descriptor::{Descriptor, MediaType};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use manifest::{Children, IndexEntry, ManifestError};
pub use name::{NameError, RepoName, Tag, TagOrDigest};
pub use platform::{Platform, PlatformFilter};
pub use reference::{
    DirectoryRef, Host, ImageRef, LayoutRef, Reference, ReferenceError, ReferenceFault,
};
pub use spelling::similar;
