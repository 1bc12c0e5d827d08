//! The engine, from wishes to a report, between two places in memory.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do: by panicking"
)]

mod archive;
mod attachments;
mod layers;
mod layouts;
mod mapping;
mod payload;
mod plan;
mod platforms;
mod rebuild;
mod releases;
mod run;
mod signature;
mod world;
