//! Synthetic content and servers, for tests, benches and the demo.
//!
//! Content is made from a seed: the same seed gives the same digests on every machine. Blobs are
//! made as they are read, so that a gigabyte of them costs no memory.
//!
//! ```text
//! seed ─► Blob ─► Content ─► Published ─► Upstream ─┬─► a Transport to read from
//!         bytes    image,     under a     a whole    ├─► fill(any place)
//!                  index,     name        registry   └─► Loopback: an HTTP registry
//!                  artifact
//! ```

mod blob;
mod catalog;
mod chance;
mod content;
mod demo;
mod files;
mod layer;
mod loopback;
mod release;
mod shape;
mod signer;
mod update_server;
mod upstream;
mod website;

#[cfg(feature = "faults")]
pub mod faults;

pub use blob::Blob;
pub use catalog::{Catalog, MadeCatalog, Naming};
pub use content::{Content, Format, Settings};
pub use demo::Demo;
pub use files::Files;
pub use loopback::{Loopback, Reserved};
pub use release::{Release, Releases};
pub use shape::Shape;
pub use signer::ReleaseSigner;
pub use update_server::{GraphRequest, UpdateServer};
pub use upstream::{Published, Upstream};
pub use website::Website;

/// The examples of README.md, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
