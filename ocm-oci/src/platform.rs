use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

/// What an image runs on.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// Operating system, as Go names it: `linux`.
    pub os: String,
    /// Processor, as Go names it: `amd64`, `arm64`, `ppc64le`, `s390x`.
    pub architecture: String,
    /// Variant of the processor: `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Makes a platform without a variant.
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self { os: os.into(), architecture: architecture.into(), variant: None }
    }

    /// Whether an image for `self` is what somebody who asks for `wanted` means.
    ///
    /// A variant decides only where it is asked for.
    pub fn is_a(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.variant == wanted.variant)
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.iter().try_for_each(|variant| write!(f, "/{variant}"))
    }
}

/// Which images of an index are wanted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformFilter {
    /// All of them.
    #[default]
    All,
    /// Those for one of these platforms.
    Only(BTreeSet<Platform>),
}

impl PlatformFilter {
    /// Whether an index entry for `platform` is wanted; one without a platform always is.
    pub fn admits(&self, platform: Option<&Platform>) -> bool {
        match (self, platform) {
            (Self::All, _) | (_, None) => true,
            (Self::Only(wanted), Some(platform)) => wanted.iter().any(|one| platform.is_a(one)),
        }
    }

    /// Returns the platforms that are wanted and are for none of `offered`.
    pub fn missing<'a>(&self, offered: impl IntoIterator<Item = &'a Platform>) -> Vec<&Platform> {
        let Self::Only(wanted) = self else { return Vec::new() };
        let offered: Vec<_> = offered.into_iter().collect();
        wanted.iter().filter(|one| !offered.iter().any(|offer| offer.is_a(one))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_decides_only_where_asked_for() {
        let plain = Platform::new("linux", "arm64");
        let v8 = Platform { variant: Some("v8".to_owned()), ..plain.clone() };
        let v7 = Platform { variant: Some("v7".to_owned()), ..plain.clone() };
        assert!(v8.is_a(&plain) && v8.is_a(&v8));
        assert!(!v8.is_a(&v7) && !plain.is_a(&v8));
        assert_eq!(v8.to_string(), "linux/arm64/v8");
    }

    #[test]
    fn a_filter_says_what_it_lacks() {
        let [amd64, arm64, s390x] =
            ["amd64", "arm64", "s390x"].map(|arch| Platform::new("linux", arch));
        let filter = PlatformFilter::Only(BTreeSet::from([amd64.clone(), s390x.clone()]));
        assert!(filter.admits(Some(&amd64)) && filter.admits(None) && !filter.admits(Some(&arm64)));
        assert_eq!(filter.missing([&amd64, &arm64]), [&s390x]);
        assert!(PlatformFilter::All.admits(Some(&arm64)));
        assert_eq!(PlatformFilter::All.missing([]), Vec::<&Platform>::new());
    }
}
