use std::{cmp::Ordering, fmt, str::FromStr};

use semver::Version;

/// The version of a bundle, from its `olm.package` property: three numbers, without `v`.
///
/// Two that differ in build metadata alone are equal, and come in no order: `0.8.3` and
/// `0.8.3+0.1645735250.p`. What is written is kept, and printed.
///
/// Source: <https://semver.org/#spec-item-11>.
#[derive(Debug, Clone)]
pub struct BundleVersion(Version);

/// Why some text is no version of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a semantic version: {reason}")]
pub struct VersionError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl BundleVersion {
    /// Whether it is a pre-release: `1.2.0-rc1`, and as well `1.34.1-5` and `4.19.5-rhodf`.
    pub fn is_pre_release(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// Whether both are written the same, build metadata included.
    pub fn is_same_text(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Returns major, minor and patch.
    pub fn numbers(&self) -> [u64; 3] {
        [self.0.major, self.0.minor, self.0.patch]
    }

    pub(crate) fn as_semver(&self) -> &Version {
        &self.0
    }

    pub(crate) fn new(version: Version) -> Self {
        Self(version)
    }
}

impl FromStr for BundleVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let refuse = |error: semver::Error| VersionError {
            text: text.to_owned(),
            reason: error.to_string(),
        };
        Version::parse(text).map(Self).map_err(refuse)
    }
}

impl fmt::Display for BundleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Ord for BundleVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl PartialOrd for BundleVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for BundleVersion {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for BundleVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> BundleVersion {
        text.parse().unwrap()
    }

    #[test]
    fn build_metadata_does_not_count() {
        let (plain, built) = (version("0.8.3"), version("0.8.3+0.1645735250.p"));
        assert_eq!(plain, built);
        assert!(!plain.is_same_text(&built));
        assert_eq!(built.to_string(), "0.8.3+0.1645735250.p");
    }

    #[test]
    fn order() {
        let texts = ["0.9.0", "1.0.0-2", "1.0.0-10", "1.0.0-10.a", "1.0.0-a", "1.0.0", "1.0.10"];
        let versions: Vec<_> = texts.into_iter().map(version).collect();
        assert!(versions.is_sorted());
        assert!(versions.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn loose_ones_are_refused() {
        for text in ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3.4", "1.2.3-01", " 1.2.3"]
        {
            let error = text.parse::<BundleVersion>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{text}` is not")), "{error}");
        }
    }
}
