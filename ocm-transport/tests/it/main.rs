//! Every backend keeps the contract of `Transport`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do, and say what they skip"
)]

mod archive;
mod archive_damage;
mod archive_interop;
mod archive_plan;
mod archive_write;
mod layout;
mod memory;
