//! The program as people run it, against registries on loopback.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod bad_input;
mod catalog;
mod config;
mod demo;
mod failures;
mod graph;
mod help;
mod incomplete;
mod list_operators;
mod mirror;
mod operators;
mod releases;
mod signals;
mod signatures;
mod world;
