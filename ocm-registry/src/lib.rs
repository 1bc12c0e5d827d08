//! An embedded OCI registry: the distribution API over any `Transport`.
//!
//! A *registry* is an HTTP server that keeps repositories of blobs and manifests. Anything that
//! implements [`Transport`](ocm_transport::Transport) becomes one here: a directory, an archive,
//! memory. Tests, the demo and `ocm serve` use it; so can any program that needs a registry of its
//! own and no second process.
//!
//! ```text
//! connection ─► Server ─► router ─► route ─┬─► blob      GET, HEAD with ranges; DELETE
//!               accepts,   any     path to ├─► upload    POST, PATCH, PUT ─► Sessions (bounded)
//!               owns the   front   what is ├─► manifest  GET, HEAD, PUT, DELETE
//!               work       of it   meant   └─► listing   tags, referrers, catalog
//!                                                 │
//!                                                 └─► Source / Destination of the place below
//! ```
//!
//! Blobs are scoped to their repository, as far as the place below scopes them. No blob is ever
//! held whole. Every task belongs to the future of [`Server::run`]; dropping that stops them all.

mod ask;
mod blob;
mod body;
mod listing;
mod manifest;
mod options;
mod problem;
mod range;
mod reply;
mod route;
mod router;
mod server;
mod session;
mod upload;

pub use options::{Access, ServerOptions};
pub use router::router;
pub use server::{Server, ServerError};

/// The examples of README.md, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
