//! The engine, from wishes to a report, between two places in memory.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod archive;
mod plan;
mod platforms;
mod run;
mod world;
