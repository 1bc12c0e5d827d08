//! Every backend keeps the contract of `Transport`.

mod memory;
