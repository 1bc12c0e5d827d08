//! `ocm`: brings container content to OpenShift clusters that have no internet.

mod args;
mod destination;
mod environment;
mod request;

fn main() {}
