//! Every backend keeps the contract of `Transport`, and the registry client its side of every
//! dialogue.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "what goes wrong in a test is a failure of the test"
)]

mod archive;
mod credentials;
mod fake;
mod memory;
mod oci_client;
mod raw;
mod registry;
mod registry_auth;
mod registry_blob;
mod registry_docker;
mod registry_errors;
mod registry_manifest;
mod registry_pages;
mod registry_proxy;
mod registry_tls;
mod registry_upload;
mod support;
