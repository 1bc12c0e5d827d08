use std::{cmp::Ordering, fmt, str::FromStr};

use semver::{BuildMetadata, Prerelease, Version};

/// A version as ranges of operators take it: one to three numbers, `v` and zeros before them.
///
/// It keeps its text: `1.2` as an upper bound means all of 1.2, which [`version`](Self::version)
/// does not say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionBound {
    written: String,
    version: Version,
    parts: u8,
}

/// Why some text is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version")]
pub struct VersionError {
    /// What was given.
    pub text: String,
}

impl VersionBound {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the version; numbers that were not written are 0.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Returns how many of major, minor and patch were written: 1 to 3.
    pub fn parts(&self) -> u8 {
        self.parts
    }

    /// Whether nothing lies between this, as the lower bound, and `upper`: numbers that `upper`
    /// does not have are any.
    pub fn is_above(&self, upper: &Self) -> bool {
        let numbers = |version: &Version| [version.major, version.minor, version.patch];
        let of_both = numbers(&self.version).into_iter().zip(numbers(&upper.version));
        let order = of_both
            .take(upper.parts.into())
            .map(|(lower, upper)| lower.cmp(&upper))
            .find(|order| order.is_ne());
        match order {
            Some(order) => order.is_gt(),
            None if upper.parts < 3 => false,
            None => self.version.cmp_precedence(&upper.version) == Ordering::Greater,
        }
    }
}

impl FromStr for VersionBound {
    type Err = VersionError;

    /// Reads as blang's `ParseTolerant` does, with which oc-mirror checks a configuration.
    ///
    /// Source: <https://github.com/blang/semver/blob/v4.0.0/v4/semver.go>.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        read(text).ok_or_else(|| VersionError { text: text.to_owned() })
    }
}

fn read(text: &str) -> Option<VersionBound> {
    let trimmed = text.trim();
    let trimmed = trimmed.strip_prefix('v').unwrap_or(trimmed);
    let (plain, build) = match trimmed.split_once('+') {
        Some((plain, build)) => (plain, BuildMetadata::new(build).ok().filter(|b| !b.is_empty())?),
        None => (trimmed, BuildMetadata::EMPTY),
    };
    let (numbers, pre) = match plain.split_once('-') {
        Some((numbers, pre)) => (numbers, Prerelease::new(pre).ok().filter(|p| !p.is_empty())?),
        None => (plain, Prerelease::EMPTY),
    };
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return None;
    }
    let has_all = parts.len() == 3;
    if !has_all && (!pre.is_empty() || !build.is_empty()) {
        return None;
    }
    let number = |i: usize| parts.get(i).map_or(Some(0), |part| part.parse::<u64>().ok());
    let version = Version { major: number(0)?, minor: number(1)?, patch: number(2)?, pre, build };
    let parts = u8::try_from(parts.len()).ok()?;
    Some(VersionBound { written: text.to_owned(), version, parts })
}

impl fmt::Display for VersionBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl VersionError {
    /// What to write instead.
    pub const HINT: &'static str = "a version is `1.2.3`, or `1.2`, without `x` and `*`";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> VersionBound {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_read_loosely() {
        let table = [
            ("1", "1.0.0", 1),
            ("4.10", "4.10.0", 2),
            ("v1.2.3", "1.2.3", 3),
            ("01.002.3", "1.2.3", 3),
            (" 1.2.3 ", "1.2.3", 3),
            ("1.2.3-rc.1+b.2", "1.2.3-rc.1+b.2", 3),
            ("v3.2.0-16", "3.2.0-16", 3),
            ("4.22.0-202606081658", "4.22.0-202606081658", 3),
        ];
        for (text, version, parts) in table {
            let bound = bound(text);
            assert_eq!((bound.version().to_string().as_str(), bound.parts()), (version, parts));
            assert_eq!(bound.to_string(), text);
        }
        for text in [
            "",
            "v",
            "x.1.1",
            "4.16.x",
            "1.2.3.4",
            "1..2",
            "1.2-rc",
            "1.2+b",
            "1.2.3-",
            "1.2.3+",
            "-1.2.3",
            "1.2.3-01",
            "99999999999999999999.0.0",
            "1.2 .3",
            "V1.2.3",
            "1.2.3-a_b",
        ] {
            assert!(text.parse::<VersionBound>().is_err(), "{text}");
        }
    }

    #[test]
    fn short_upper_bounds_are_wide() {
        let above = |lower: &str, upper: &str| bound(lower).is_above(&bound(upper));
        assert!(!above("1.2.3", "1.2") && !above("1.2.3", "1") && !above("1.2", "1.2.0"));
        assert!(above("1.3", "1.2") && above("2", "1.9.9") && above("1.2", "1.2.0-rc.1"));
        assert!(above("1.2.4", "1.2.3") && !above("1.2.3+b", "1.2.3+a"));
    }
}
