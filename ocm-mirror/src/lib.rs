//! To come.

mod destination;

pub use destination::{Destination, DestinationError, DestinationRules, TargetError, TargetFault};
