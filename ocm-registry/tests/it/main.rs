//! The distribution API, as plain HTTP requests see it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

mod delete;
mod listing;
mod manifest;
mod places;
mod pull;
mod running;
mod server;
mod upload;
