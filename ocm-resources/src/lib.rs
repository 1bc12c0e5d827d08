//! What a cluster has to be told after mirroring, as pure functions of what was mirrored.
//!
//! A cluster without internet still asks for `quay.io/team/app`. An `ImageDigestMirrorSet`
//! (IDMS) and an `ImageTagMirrorSet` (ITMS) tell it where to look instead:
//!
//! ```text
//! what was mirrored ──► MirrorSets ──documents──► idms-oc-mirror.yaml, itms-oc-mirror.yaml
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
//! assert!(documents[0].yaml.contains("source: quay.io/team"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod document;
mod mirror_set;
mod yaml;

pub use document::{Document, Stamp};
pub use mirror_set::{
    Category, Change, ImageKind, LeftOut, MirrorKind, MirrorSet, MirrorSets, Mirrored, Notice,
    Scope, Unwritable,
};
