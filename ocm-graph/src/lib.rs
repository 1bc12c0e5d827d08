//! Which releases a configuration means: channels, ranges and upgrade paths over Cincinnati graphs.
//!
//! A channel's graph has a node for each release and an edge for each upgrade that is offered.
//! Some edges are conditional: they have risks, to which only some clusters are exposed.
//!
//! ```text
//! Query ─needs─► Channel* ─(fetched by the caller)─► Graphs ─┐
//!   │     ▲                                           │      │
//!   │     └──────────── until nothing is needed ──────┘      │
//!   └─────────────────────── select ◄────────────────────────┘
//!                              └─► Selection: releases, errors, warnings
//! ```
//!
//! Pure: bytes in, answers out. Graphs are fetched by others, so that every answer can be had
//! again from the files that led to it.

mod channel;
mod graph;
mod graphs;
mod risk;
mod select;
mod solve;
mod trouble;
mod version;
mod walk;

pub use channel::{Channel, ChannelNameError, Product};
pub use graph::{Advice, Graph, GraphError, Release};
pub use graphs::Graphs;
pub use risk::{Refusal, Risk, Rule};
pub use select::{
    Between, ChannelQuery, Extent, MissingPaths, Query, Reason, Selected, Selection, needs, select,
};
pub use solve::{Hop, NoPath, UpgradePath, solve};
pub use trouble::{End, Exposure, MissingPath, RiskyPath, SelectError, Warning, WhyMissing};
pub use version::{Minor, Version, VersionError};

/// The examples of README.md, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
