//! Integration tests of `ocm-graph`, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic and say that they are skipped"
)]

mod brute_force;
mod corpus;
mod fixture;
mod hostile;
mod oracle;
mod properties;
mod worked;
