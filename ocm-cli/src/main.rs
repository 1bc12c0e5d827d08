//! `ocm`: brings container content to OpenShift clusters that have no internet.

mod args;
mod clock;
mod configuration;
mod console;
mod environment;
mod exit;
mod files;
mod halt;
mod progress;
mod report;
mod request;
mod supervise;

fn main() {}
