//! Content in a directory, by digest; and what the file system's errors mean to a transport.

mod fault;

pub(crate) use fault::{blocking, fault};
