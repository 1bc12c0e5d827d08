use std::collections::BTreeSet;

use crate::{
    fbc::Wanted,
    range::{PreReleases, VersionRange},
};

/// What is wanted of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// How much of a channel for which no versions are given.
    pub extent: Extent,
    /// The packages; where there are none, all packages of the catalog.
    pub packages: Vec<PackageSelection>,
    /// Whether pre-releases are in ranges that name none.
    pub pre_releases: PreReleases,
}

/// How much of a channel is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// Its newest entry alone.
    #[default]
    Heads,
    /// All of it.
    Full,
}

/// What is wanted of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackageSelection {
    /// Its name.
    pub name: String,
    /// The channel to make the default one, instead of what the catalog says.
    pub default_channel: Option<String>,
    /// The versions, in all channels that are wanted.
    pub versions: VersionRange,
    /// The channels; where there are none, all channels of the package.
    pub channels: Vec<ChannelSelection>,
    /// Bundles: where there are any, of each channel they alone, and what it takes to get from one
    /// to the other. No versions are given then.
    pub bundles: BTreeSet<String>,
}

/// What is wanted of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelSelection {
    /// Its name.
    pub name: String,
    /// The versions, in this channel.
    pub versions: VersionRange,
}

impl Selection {
    /// Returns the packages that have to be read for it.
    pub fn wanted(&self) -> Wanted {
        if self.packages.is_empty() {
            return Wanted::All;
        }
        let names: BTreeSet<_> = self.packages.iter().map(|package| package.name.clone()).collect();
        Wanted::Named(names)
    }

    /// Whether it is the catalog as it is: there is nothing to filter.
    pub fn is_everything(&self) -> bool {
        self.packages.is_empty() && self.extent == Extent::Full
    }
}

impl PackageSelection {
    /// Returns the versions that are wanted in a channel: its own, or those of the package.
    pub(crate) fn versions_in(&self, channel: &str) -> &VersionRange {
        let own = self.channels.iter().find(|wanted| wanted.name == channel);
        match own {
            Some(own) if !own.versions.is_unbounded() => &own.versions,
            _ => &self.versions,
        }
    }
}
