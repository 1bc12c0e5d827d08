use std::collections::{BTreeMap, BTreeSet};

use super::{
    channel::{Kept, Trimmer},
    error::FilterError,
    finding::{Findings, Instead, Missing, Warning},
    near::near,
    selection::{ChannelSelection, Extent, PackageSelection, Selection},
};
use crate::{
    model::{Channel, Package},
    range::VersionRange,
    version::BundleVersion,
};

/// What is to remain of a package.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) default_channel: String,
    /// Of each channel that remains, which of its entries do, in the order they are written.
    pub(super) channels: BTreeMap<String, Vec<bool>>,
}

/// Whether a channel that is selected is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    There,
    Missing,
}

/// Decides what remains of one package.
#[derive(Debug)]
pub(super) struct Decider<'a> {
    pub(super) name: &'a str,
    pub(super) package: &'a Package,
    pub(super) selection: &'a Selection,
}

impl<'a> Decider<'a> {
    /// Decides; what is wrong with the selection, and what people should know, is found.
    pub(super) fn decide(
        &self,
        wanted: Option<&PackageSelection>,
        findings: &mut Findings,
    ) -> Decision {
        let everything = PackageSelection::default();
        let (is_named, wanted) = (wanted.is_some(), wanted.unwrap_or(&everything));
        self.check_ranges(wanted, findings);
        let channels = self.selected(wanted, findings);
        let asked_for = wanted.default_channel.as_deref().filter(|name| !name.is_empty());
        let default = asked_for.unwrap_or_else(|| self.package.default_channel());
        let is_there = default.is_empty() || channels.iter().any(|(name, _)| *name == default);
        if is_named && !is_there && !self.has_none_of(Some(wanted)) {
            let (package, channel) = (self.name.to_owned(), default.to_owned());
            findings.errors.push(match asked_for {
                Some(_) => FilterError::NoSuchDefault { package, channel },
                None => FilterError::DefaultNotSelected { package, channel },
            });
        }
        let mut decision = Decision { default_channel: default.to_owned(), ..Decision::default() };
        for (name, channel) in channels {
            let range = wanted.versions_in(name);
            match self.trim(name, channel, wanted, findings) {
                Kept::Entries(kept) => {
                    decision.channels.insert(name.to_owned(), kept);
                }
                Kept::Nothing { instead } => {
                    let is_default = name == default;
                    self.tell_of_emptied(name, range, (is_default, instead), findings);
                }
                Kept::Failed => {}
            }
        }
        decision
    }

    /// Decides what remains of a channel.
    fn trim(
        &self,
        name: &str,
        channel: &Channel,
        wanted: &PackageSelection,
        findings: &mut Findings,
    ) -> Kept {
        let range = wanted.versions_in(name);
        let trimmer = Trimmer {
            package_name: self.name,
            package: self.package,
            name,
            entries: channel.entries(),
            pre_releases: self.selection.pre_releases,
        };
        match self.selection.extent {
            _ if !wanted.bundles.is_empty() => trimmer.bundles(&wanted.bundles, findings),
            Extent::Full => Kept::Entries(vec![true; channel.entries().len()]),
            Extent::Heads if range.is_unbounded() => trimmer.head(findings),
            Extent::Heads => trimmer.range(range, findings),
        }
    }

    /// Finds fault with ranges that cannot be meant, and with versions that no bundle has.
    fn check_ranges(&self, wanted: &PackageSelection, findings: &mut Findings) {
        let own = wanted.channels.iter().filter(|channel| !channel.versions.is_unbounded());
        for channel in own.clone().filter(|_| !wanted.versions.is_unbounded()) {
            let (package, channel) = (self.name.to_owned(), channel.name.clone());
            findings.errors.push(FilterError::VersionsTwice { package, channel });
        }
        self.check_range(&wanted.versions, Presence::There, findings);
        for channel in own {
            let is_there = self.package.channels().contains_key(&channel.name);
            let presence = if is_there { Presence::There } else { Presence::Missing };
            self.check_range(&channel.versions, presence, findings);
        }
    }

    /// What a channel that is missing would have had is not looked for.
    fn check_range(&self, range: &VersionRange, presence: Presence, findings: &mut Findings) {
        if range.is_unbounded() {
            return;
        }
        let package = self.name.to_owned();
        let version = range.exact().filter(|_| presence == Presence::There);
        if self.selection.extent == Extent::Full {
            let range = range.to_string();
            findings.errors.push(FilterError::FullWithVersions { package, range });
        } else if range.is_crossed() {
            let range = range.to_string();
            findings.errors.push(FilterError::CrossedBounds { package, range });
        } else if let Some(version) = version.filter(|version| !self.has(version)) {
            let (version, near) = (version.clone(), self.near(version));
            findings.errors.push(FilterError::NoSuchVersion { package, version, near });
        }
    }

    fn has(&self, version: &BundleVersion) -> bool {
        self.package.bundles().values().any(|bundle| bundle.version() == Some(version))
    }

    /// Whether channels are selected, and the package has none of them: it is as if it were not
    /// there, which is said.
    pub(super) fn has_none_of(&self, wanted: Option<&PackageSelection>) -> bool {
        let channels = wanted.map_or(&[][..], |wanted| wanted.channels.as_slice());
        let is_there =
            |channel: &ChannelSelection| self.package.channels().contains_key(&channel.name);
        !channels.is_empty() && !channels.iter().any(is_there)
    }

    /// Returns the versions that have the same numbers.
    fn near(&self, wanted: &BundleVersion) -> Vec<BundleVersion> {
        let versions = self.package.bundles().values().filter_map(|bundle| bundle.version());
        let near: BTreeSet<_> = versions.filter(|v| v.numbers() == wanted.numbers()).collect();
        near.into_iter().cloned().collect()
    }

    /// Returns the channels that are selected, those that are there.
    fn selected(
        &self,
        wanted: &PackageSelection,
        findings: &mut Findings,
    ) -> Vec<(&'a str, &'a Channel)> {
        let known = self.package.channels();
        let names: BTreeSet<&str> = wanted.channels.iter().map(|c| c.name.as_str()).collect();
        for name in names.iter().filter(|name| !known.contains_key(**name)) {
            findings.missing.push(Missing::Channel {
                package: self.name.to_owned(),
                channel: (*name).to_owned(),
                near: near(name, known.keys().map(String::as_str)),
            });
        }
        let all = known.iter().map(|(name, channel)| (name.as_str(), &**channel));
        all.filter(|(name, _)| names.is_empty() || names.contains(name)).collect()
    }

    /// A channel of which nothing remains is left out, unless it is the default one.
    fn tell_of_emptied(
        &self,
        channel: &str,
        range: &VersionRange,
        (is_default, instead): (bool, Option<Instead>),
        findings: &mut Findings,
    ) {
        let (package, channel) = (self.name.to_owned(), channel.to_owned());
        let range = range.to_string();
        if is_default {
            findings.errors.push(FilterError::DefaultEmptied { package, channel, range, instead });
        } else {
            findings.warnings.push(Warning::ChannelEmptied { package, channel, range });
        }
    }
}
