//! Where content lives: one trait, any backend.
//!
//! A [`Transport`] is a place: a registry, a layout directory, an archive. It opens repositories,
//! which are read through [`Source`] and written through [`Destination`]. Mirroring is copying
//! between two places; the three workflows of disconnected mirroring are three pairs of them.
//!
//! ```text
//! Source::blob ─► Body ──┐ raw, as sent
//!            Descriptor ─┴► BlobStream ──► Upload::finish ─► Stored
//!                             verified           └► Interrupted { upload, cause } ─► resume
//! ```
//!
//! # Contract
//!
//! Every backend keeps these, and `conformance` checks them:
//!
//! 1. *Verified*: content is stored only if its size and digest are those promised.
//! 2. *Atomic*: content is visible under its digest whole, or not at all. What is dropped, or
//!    aborted, was never there.
//! 3. *Idempotent*: storing what is there already succeeds and changes nothing.
//! 4. *Ordered*: a manifest is refused before what it names is there.

pub mod archive;
mod credentials;
mod error;
mod limit;
mod manifest;
mod memory;
mod oci_client;
mod registry;
mod store;
mod stream;
mod traits;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use crate::oci_client::{OciClient, from_oci_reference, to_oci_reference};
pub use credentials::{CredentialFiles, Credentials, CredentialsError, HelperError, Login};
pub use error::{Kind, Mismatch, Operation, Retry, TransportError, Verb};
pub use limit::Limits;
pub use manifest::Manifest;
pub use memory::{Memory, Tally};
pub use registry::{
    Client, ClientError, ClientOptions, Proxies, ProxyError, Registry, SystemRoots, TlsError,
    TlsOptions, Verify,
};
pub use stream::{BlobStream, Body, Checkpoint};
pub use traits::{
    Begun, Destination, Interrupted, Listing, Page, Referrer, Source, SourceExt, Stored, Transport,
    Upload,
};
