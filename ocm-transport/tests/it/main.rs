//! Every backend keeps the contract of `Transport`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do: by panicking"
)]

mod archive;
mod archive_damage;
mod archive_interop;
mod archive_plan;
mod archive_write;
mod memory;
