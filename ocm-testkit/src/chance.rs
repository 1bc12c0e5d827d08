use std::sync::LazyLock;

use bytes::Bytes;

/// Bytes in one chunk of synthetic content.
pub(crate) const CHUNK: usize = 64 << 10;

/// Bytes of noise that all content is cut from.
const POOL: usize = 1 << 20;

/// Numbers that look random and are the same for the same seed, on every machine, for ever.
///
/// `SplitMix64`, of Steele, Lea and Flood; public domain code at
/// <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number from `low` up to, and not including, `high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % high.saturating_sub(low).max(1)
    }

    /// Returns `len` bytes of noise, at most [`CHUNK`], without making them.
    pub(crate) fn noise(&mut self, len: usize) -> Bytes {
        let len = len.min(CHUNK);
        let at = usize::try_from(self.between(0, (POOL - CHUNK) as u64)).unwrap_or_default();
        NOISE.slice(at..at + len)
    }
}

/// Returns a seed for one of many things that come from `seed`.
pub(crate) fn derive(seed: u64, nth: u64) -> u64 {
    Chance::new(seed ^ Chance::new(nth).next()).next()
}

/// Noise to cut from: making it anew for every blob would take longer, in a debug build, than all
/// that is done with the blob.
static NOISE: LazyLock<Bytes> = LazyLock::new(|| {
    let mut chance = Chance::new(0);
    (0..POOL / 8).flat_map(|_| chance.next().to_le_bytes()).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_reference() {
        // The first outputs of the reference implementation for the seed 1234567.
        let mut chance = Chance::new(1_234_567);
        let first = [chance.next(), chance.next(), chance.next()];
        let reference =
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(first, reference);
    }
}
