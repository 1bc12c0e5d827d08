use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// A version, ordered by precedence: build metadata is carried and never compared.
///
/// `semver::Version` compares it too, so that `4.1.0+a` and `4.1.0` would be two releases; for
/// the tools that write graphs they are one.
///
/// Source: <https://semver.org/spec/v2.0.0.html#spec-item-10>.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(semver::Version);

/// Why some text is no version.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a version such as `4.18.3`")]
pub struct VersionError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub source: semver::Error,
}

/// A line of releases: `4.18`. What channels are named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
}

impl Version {
    /// Returns the line of releases that it belongs to.
    pub fn line(&self) -> Minor {
        Minor { major: self.0.major, minor: self.0.minor }
    }

    /// Whether the build metadata is the same, too.
    pub(crate) fn is_written_as(&self, other: &Self) -> bool {
        self == other && self.0.build == other.0.build
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl From<semver::Version> for Version {
    fn from(version: semver::Version) -> Self {
        Self(version)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let read = text.parse().map(Self);
        read.map_err(|source| VersionError { text: text.to_owned(), source })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.major, self.0.minor, self.0.patch, &self.0.pre).hash(state);
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_metadata_does_not_count() {
        let ascending = ["4.9.9", "4.10.0-202203141456", "4.10.0-rc.2", "4.10.0", "4.10.1+a"];
        let versions = ascending.map(|text| text.parse::<Version>().unwrap());
        assert!(versions.is_sorted_by(|a, b| a < b));
        let [.., last] = versions;
        assert_eq!(last, "4.10.1+b".parse().unwrap());
        assert_eq!(last.to_string(), "4.10.1+a");
    }

    #[test]
    fn what_is_no_version_is_repeated() {
        for text in ["", "4.18", "v4.18.0", "4-0-0+0.1", "4.01.0", "4.18.x"] {
            let error = text.parse::<Version>().unwrap_err();
            assert_eq!(error.to_string(), format!("`{text}` is not a version such as `4.18.3`"));
        }
    }
}
