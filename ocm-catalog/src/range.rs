//! Ranges of versions, as the configuration states them; and those that bundles state.

mod olm_range;

use std::{fmt, str::FromStr};

use semver::{BuildMetadata, Prerelease, Version};

use crate::version::BundleVersion;
pub use olm_range::{OlmRange, OlmRangeError};

/// A bound of a [`VersionRange`], written loosely: `5`, `5.2`, `v5.2.0`, `05.2.1-rc1+build`.
///
/// As a lower bound, what is not written is 0; as an upper bound it is anything: `5.2` bounds all
/// of `5.2.z`.
///
/// Source: <https://github.com/Masterminds/semver/blob/v3.4.0/README.md#checking-version-constraints>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    written: String,
    version: BundleVersion,
    precision: Precision,
}

/// How many of the three numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    Major,
    Minor,
    Patch,
}

/// Why some text is not a [`Bound`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}")]
pub struct BoundError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Whether a range without a pre-release in its bounds has pre-releases in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreReleases {
    /// No, as in oc-mirror: `1.0.0` and higher does not have `2.0.0-rc1`.
    #[default]
    Hidden,
    /// Yes.
    Admitted,
}

/// The versions that are wanted: from a lower bound to an upper one, both of them included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionRange {
    minimum: Option<Bound>,
    maximum: Option<Bound>,
}

impl VersionRange {
    /// Makes the range between two bounds; without any it bounds nothing.
    pub fn new(minimum: Option<Bound>, maximum: Option<Bound>) -> Self {
        Self { minimum, maximum }
    }

    /// Whether there is no bound.
    pub fn is_unbounded(&self) -> bool {
        self.minimum.is_none() && self.maximum.is_none()
    }

    /// Returns the lower bound.
    pub fn minimum(&self) -> Option<&Bound> {
        self.minimum.as_ref()
    }

    /// Returns the upper bound.
    pub fn maximum(&self) -> Option<&Bound> {
        self.maximum.as_ref()
    }

    /// Whether `version` is in it.
    ///
    /// A pre-release is in it only if one of the bounds is a pre-release too, or if they are
    /// admitted.
    pub fn contains(&self, version: &BundleVersion, pre_releases: PreReleases) -> bool {
        let is_hidden = version.is_pre_release()
            && pre_releases == PreReleases::Hidden
            && !self.names_pre_releases();
        !is_hidden
            && self.minimum.as_ref().is_none_or(|bound| *version >= bound.version)
            && self.maximum.as_ref().is_none_or(|bound| bound.is_at_least(version))
    }

    /// Whether no version at all can be in it.
    pub fn is_crossed(&self) -> bool {
        match (&self.minimum, &self.maximum) {
            (Some(minimum), Some(maximum)) => !maximum.is_at_least(&minimum.version),
            _ => false,
        }
    }

    /// Returns the only version that is wanted, where both bounds are the same.
    ///
    /// `1.2` means `1.2.0` here, as it does in oc-mirror; from `1.2.0` to `1.2` is all of `1.2.z`.
    pub fn exact(&self) -> Option<&BundleVersion> {
        let (minimum, maximum) = (self.minimum.as_ref()?, self.maximum.as_ref()?);
        let is_whole =
            maximum.precision == Precision::Patch || minimum.precision == maximum.precision;
        (is_whole && minimum.version == maximum.version).then_some(&minimum.version)
    }

    /// Whether one of the bounds is written as `version` is, build metadata included.
    pub(crate) fn is_written_as(&self, version: &BundleVersion) -> bool {
        let bounds = [&self.minimum, &self.maximum].into_iter().flatten();
        bounds.into_iter().any(|bound| bound.version.is_same_text(version))
    }

    /// Returns the nearest range that has pre-releases in it, those of the lower bound included:
    /// for `1.34.1` and higher, `1.34.1-0` and higher, which has `1.34.1-5` in it.
    #[must_use]
    pub fn with_pre_releases(&self) -> Self {
        let mut opened = self.clone();
        if self.names_pre_releases() {
            return opened;
        }
        if let Some(bound) = &self.minimum {
            let [major, minor, patch] = bound.version.numbers();
            opened.minimum = Bound::first_of(major, minor, patch);
        } else if let Some(bound) = &self.maximum {
            let [major, minor, patch] = bound.version.numbers();
            opened.maximum = match bound.precision {
                Precision::Major => Bound::first_of(major.saturating_add(1), 0, 0),
                Precision::Minor => Bound::first_of(major, minor.saturating_add(1), 0),
                Precision::Patch => Bound::first_of(major, minor, patch.saturating_add(1)),
            };
        }
        opened
    }

    fn names_pre_releases(&self) -> bool {
        [&self.minimum, &self.maximum].into_iter().flatten().any(|b| b.version.is_pre_release())
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.minimum, &self.maximum) {
            (Some(minimum), Some(maximum)) => write!(f, ">={minimum} <={maximum}"),
            (Some(minimum), None) => write!(f, ">={minimum}"),
            (None, Some(maximum)) => write!(f, "<={maximum}"),
            (None, None) => f.write_str("any"),
        }
    }
}

impl Bound {
    /// Whether it, as an upper bound, has `version` below it, or is it.
    fn is_at_least(&self, version: &BundleVersion) -> bool {
        let ([major, minor, _], [most_major, most_minor, _]) =
            (version.numbers(), self.version.numbers());
        match self.precision {
            Precision::Major => major <= most_major,
            Precision::Minor => (major, minor) <= (most_major, most_minor),
            Precision::Patch => *version <= self.version,
        }
    }

    /// Returns the lowest pre-release of a version.
    fn first_of(major: u64, minor: u64, patch: u64) -> Option<Self> {
        format!("{major}.{minor}.{patch}-0").parse().ok()
    }
}

impl FromStr for Bound {
    type Err = BoundError;

    fn from_str(written: &str) -> Result<Self, BoundError> {
        let refuse = |reason| BoundError { text: written.to_owned(), reason };
        let text = written.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = split_off(text, '+');
        let (numbers, pre) = split_off(text, '-');
        let mut found = [0; 3];
        let mut precision = None;
        for (nth, number) in numbers.split('.').enumerate() {
            let place =
                found.get_mut(nth).ok_or_else(|| refuse("it has more than three numbers"))?;
            *place = digits(number).ok_or_else(|| refuse("it has a part that is no number"))?;
            precision = [Precision::Major, Precision::Minor, Precision::Patch].get(nth).copied();
        }
        let [major, minor, patch] = found;
        let mut version = Version::new(major, minor, patch);
        if let Some(pre) = pre {
            let known = Prerelease::new(pre).ok().filter(|pre| !pre.is_empty());
            version.pre = known.ok_or_else(|| refuse("what follows `-` is no pre-release"))?;
        }
        if let Some(build) = build {
            let known = BuildMetadata::new(build).ok().filter(|build| !build.is_empty());
            version.build = known.ok_or_else(|| refuse("what follows `+` is no build metadata"))?;
        }
        let precision = precision.ok_or_else(|| refuse("it is empty"))?;
        Ok(Self { written: written.to_owned(), version: BundleVersion::new(version), precision })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Splits at the first `mark`, which belongs to neither part.
fn split_off(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Reads a number of nothing but digits: no sign.
fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
