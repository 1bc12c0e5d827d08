//! `ocm`: brings container content to OpenShift clusters that have no internet.

mod args;
mod clock;
mod console;
mod destination;
mod environment;
mod exit;
mod files;
mod progress;
mod report;
mod request;
mod supervise;

fn main() {}
