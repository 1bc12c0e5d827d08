//! Every backend keeps the contract of `Transport`.

mod archive;
mod memory;
