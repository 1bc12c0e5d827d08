//! `ocm`: brings container content to clusters that have no internet.
//!
//! ```text
//! argv ─► args ─► request ─┐
//!         environment ─────┴─► app ─► supervise ─► mirror | demo | graph | list | serve
//!                                     signals        │
//!                                                    ├─► configuration, files: what is read and written
//!                                                    ├─► progress: what events look like
//!                                                    └─► console, report: everything that is said
//! ```

mod app;
mod args;
mod catalog;
mod chance;
mod clock;
mod config;
mod configuration;
mod console;
mod demo;
mod environment;
mod exit;
mod files;
mod graph;
mod halt;
mod init;
mod list;
mod mirror;
mod progress;
mod report;
mod request;
mod serve;
mod session;
mod supervise;
mod table;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::main().into()
}
