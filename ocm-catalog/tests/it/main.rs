//! Integration tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests may panic and say that they are skipped; only functions marked as tests \
              are excused by themselves"
)]

mod corpus;
mod dependencies;
mod examples;
mod explaining;
mod fixture;
mod images;
mod naive;
mod oracle;
mod properties;
mod reading;
mod validation;
mod without;
mod writing;
