//! Integration tests of `ocm-graph`, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic and say that they are skipped"
)]

mod corpus;
mod fixture;
mod oracle;
mod worked;
