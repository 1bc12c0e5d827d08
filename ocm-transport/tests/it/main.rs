//! Every backend keeps the contract of `Transport`, and the registry client its side of every
//! dialogue.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test is a failure of the test"
)]

mod archive;
mod fake;
mod memory;
mod registry;
mod registry_auth;
mod registry_docker;
mod support;
