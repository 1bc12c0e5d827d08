//! Content and servers, used as tests of other crates use them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod catalog;
mod content;
mod loopback;
mod release;

#[cfg(feature = "faults")]
mod faults;
