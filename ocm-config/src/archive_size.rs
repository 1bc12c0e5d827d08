use std::{fmt, num::NonZeroU64};

/// Bytes of the unit of `archiveSize`.
const GIB: u64 = 1 << 30;

/// How large a volume of an archive may be: in the configuration, a number of GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveSize(NonZeroU64);

impl ArchiveSize {
    /// The largest that is taken, 1 PiB: who writes more means bytes.
    pub const MAX: Self = Self::or_smallest(1 << 20);

    /// Returns the size of `gib` GiB; `None` for zero and above [`MAX`](Self::MAX).
    pub fn from_gib(gib: u64) -> Option<Self> {
        NonZeroU64::new(gib).map(Self).filter(|size| *size <= Self::MAX)
    }

    /// Returns the smallest size that holds `bytes`: what to advise somebody whose volumes are
    /// too small. `None` where that is above [`MAX`](Self::MAX).
    pub fn at_least(bytes: u64) -> Option<Self> {
        Self::from_gib(bytes.div_ceil(GIB).max(1))
    }

    /// Returns the number of GiB, as it stands in the configuration.
    pub fn gib(self) -> u64 {
        self.0.get()
    }

    /// Returns the number of bytes.
    pub fn bytes(self) -> u64 {
        self.gib() * GIB
    }

    const fn or_smallest(gib: u64) -> Self {
        match NonZeroU64::new(gib) {
            Some(gib) => Self(gib),
            None => Self(NonZeroU64::MIN),
        }
    }
}

impl fmt::Display for ArchiveSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} GiB", self.gib())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_rounds_up() {
        let advice = |bytes| ArchiveSize::at_least(bytes).map(ArchiveSize::gib);
        assert_eq!(advice(0), Some(1));
        assert_eq!(advice(GIB), Some(1));
        assert_eq!(advice(GIB + 1), Some(2));
        assert_eq!(advice(u64::MAX), None);
    }

    #[test]
    fn sizes_have_bounds() {
        assert_eq!(ArchiveSize::from_gib(0), None);
        assert_eq!(ArchiveSize::from_gib(4).unwrap().bytes(), 4 << 30);
        assert_eq!(ArchiveSize::from_gib(1 << 20), Some(ArchiveSize::MAX));
        assert_eq!(ArchiveSize::from_gib((1 << 20) + 1), None);
    }
}
