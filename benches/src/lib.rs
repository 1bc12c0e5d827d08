//! What the benches have in common: content, a place that counts, a client with nothing in it.
//!
//! ```text
//! benches/    cargo bench: what a part costs, in this process
//! examples/   what compare.sh needs: content for a registry, and a yardstick
//! compare.sh  ocm beside other tools, between real registries
//! ```

mod counted;
mod plain;
mod world;

pub use counted::{Counted, Requests};
pub use plain::{Plain, PlainError};
pub use world::{FIVE_RELEASES, MANY, ReleaseShape, SEED, TEN_THOUSAND, World};
