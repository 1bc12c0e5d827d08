//! Every backend keeps the contract of `Transport`, and the registry client its side of every
//! dialogue.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do, and say what they skip"
)]

mod archive;
mod archive_damage;
mod archive_interop;
mod archive_plan;
mod archive_write;
mod credentials;
mod fake;
mod fetch;
mod layout;
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
mod registry_subject;
mod registry_tls;
mod registry_upload;
mod support;
