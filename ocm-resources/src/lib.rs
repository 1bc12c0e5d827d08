//! What a cluster has to be told after mirroring, as pure functions of what was mirrored.
//!
//! A cluster without internet still asks for `quay.io/team/app`, looks for operators in catalogs
//! that are out of reach, and accepts no upgrade that it cannot verify. What tells it otherwise:
//!
//! ```text
//! what was mirrored ──► MirrorSets        ──┐   idms-oc-mirror.yaml, itms-oc-mirror.yaml
//! catalogs ───────────► Catalogs          ──┤   cs-….yaml, cc-….yaml
//! releases ───────────► ReleaseSignatures ──┼─► signature-configmap.json, .yaml
//! graph, a release ───► UpdateService     ──┘   updateService.yaml
//!                           documents
//! ```
//!
//! Nothing is written here: a [`Document`] is a file name and a text.
//!
//! ```
//! use ocm_oci::Digest;
//! use ocm_resources::{ImageKind, MirrorSets, Mirrored, Scope, Stamp};
//!
//! let images = [Mirrored {
//!     origin: "quay.io/team/app:v1".parse()?,
//!     host: "mirror.example:5000".parse()?,
//!     repository: "ns/team/app".parse()?,
//!     tag: "v1".parse()?,
//!     digest: Digest::of(b"its manifest"),
//!     kind: ImageKind::Generic,
//! }];
//! let sets = MirrorSets::of(&images, Scope::Shortest);
//! let stamp = Stamp {
//!     created_at: "2026-11-21T10:11:12Z".to_owned(),
//!     created_by: "ocm".to_owned(),
//!     version: "0.1.0".to_owned(),
//! };
//! let documents = sets.documents(&stamp);
//! assert_eq!(documents[0].file_name, "itms-oc-mirror.yaml");
//! assert!(documents[0].text.contains("source: quay.io/team"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod catalog;
mod catalog_source;
mod cluster_catalog;
mod document;
mod mirror_set;
mod mirrored;
mod signature;
mod template;
#[cfg(test)]
mod testing;
mod update_service;
mod yaml;

pub use catalog::{
    Catalog, CatalogFault, CatalogFaults, CatalogNotice, Catalogs, NamedCatalog, Naming,
    SourceName, SourceNameError,
};
pub use cluster_catalog::Unaddressable;
pub use document::{Document, Stamp};
pub use mirror_set::{
    Change, LeftOut, MirrorKind, MirrorSet, MirrorSets, Notice, Scope, Unwritable,
};
pub use mirrored::{AtMirror, Category, ImageKind, Mirrored};
pub use signature::ReleaseSignatures;
pub use template::{Template, TemplateError, TemplateFault, TemplateProblem};
pub use update_service::UpdateService;
