//! The engine, from wishes to a report, between two places in memory.

mod plan;
mod platforms;
mod run;
mod world;
