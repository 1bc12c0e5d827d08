//! File-based catalogs: files of JSON objects and YAML documents, told apart by what they begin
//! with.
//!
//! ```text
//! file ──► documents ──► head: schema, package, name ──┬─► not wanted: nothing is kept of it
//!          framed in     YAML: off the lines alone     └─► wanted: its bytes, and what its
//!          one pass                                        schema tells
//! ```

mod body;
mod documents;
mod error;
mod head;
mod ignore;
mod members;
mod read;
mod yaml;

pub use body::{Body, Format};
pub use error::{DocumentError, ObjectFault, ObjectName};
pub use read::{CatalogFile, Wanted, read};
pub(crate) use {
    head::Head,
    members::{Members, Text},
    read::Found,
};
