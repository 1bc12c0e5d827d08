//! Integration tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may panic; only functions marked as tests are excused by themselves"
)]

mod mapping;
