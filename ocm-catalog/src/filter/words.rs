//! What is found while a catalog is filtered, in words.

use std::fmt;

use super::{Instead, Missing, Warning};

/// Most versions that are listed one by one.
const MOST_VERSIONS: usize = 5;

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package { package, .. } => write!(f, "there is no package `{package}`"),
            Self::Channel { package, channel, .. } => {
                write!(f, "package `{package}` has no channel `{channel}`")
            }
        }
    }
}

impl Missing {
    /// Returns what may have been meant, if anything is near.
    pub fn hint(&self) -> Option<String> {
        let (Self::Package { near, .. } | Self::Channel { near, .. }) = self;
        let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
        (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")))
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let also = if self.is_same_range { ", as has `--include-prereleases`" } else { "" };
        write!(f, "{} has them{also}", self.range)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { package, channel, bundle, version, range } => {
                let version = version.as_ref().map(|version| format!(" ({version})"));
                let version = version.unwrap_or_default();
                write!(
                    f,
                    "channel `{channel}` of package `{package}`: bundle `{bundle}`{version} is not \
                     {range}, and is kept, since upgrades lead through it"
                )
            }
            Self::ChannelEmptied { package, channel, range } => write!(
                f,
                "channel `{channel}` of package `{package}` has no version {range}, and is left out"
            ),
            Self::PreReleasesHidden { package, channel, range, versions, instead } => {
                let shown = versions.iter().take(MOST_VERSIONS).map(ToString::to_string);
                let shown = shown.collect::<Vec<_>>().join(", ");
                let more = versions.len().saturating_sub(MOST_VERSIONS);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                write!(
                    f,
                    "channel `{channel}` of package `{package}`: {range} leaves out the \
                     pre-releases {shown}{more}; {instead}"
                )
            }
            Self::Unmet(unmet) => write!(f, "{unmet}, which is not selected"),
            Self::NoVersion { package, bundle } => write!(
                f,
                "bundle `{bundle}` of package `{package}` has no version that can be read, and \
                 counts as outside of the range"
            ),
        }
    }
}
