//! Chance: had here and nowhere else.

use std::hash::{BuildHasher as _, RandomState};

/// Returns bytes that differ from run to run. They are no secret: whoever needs one must ask the
/// system for it.
pub(crate) fn bytes() -> [u8; 16] {
    let half = || u128::from(RandomState::new().hash_one(()));
    ((half() << 64) | half()).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_another_each_time() {
        assert_ne!(bytes(), bytes());
    }
}
