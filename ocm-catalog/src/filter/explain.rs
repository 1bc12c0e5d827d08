use std::fmt;

use super::{
    FilterErrors,
    decide::Decider,
    decide::Decision,
    finding::Findings,
    selection::{Extent, PackageSelection, Selection},
};
use crate::{
    model::{Catalog, Channel, Package},
    range::{PreReleases, VersionRange},
    version::BundleVersion,
};

/// Why what remains of a package remains, and the rest does not.
#[derive(Debug)]
pub struct Explanation {
    /// Whether the package is selected.
    pub is_selected: bool,
    /// The default channel, as it will be.
    pub default_channel: String,
    /// The channels by name.
    pub channels: Vec<ChannelExplanation>,
    /// Why the selection cannot be had, if it cannot.
    pub errors: Option<FilterErrors>,
}

/// What becomes of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelExplanation {
    /// Its name.
    pub name: String,
    /// Whether it is selected.
    pub is_selected: bool,
    /// The versions that are wanted of it; `None` where no bound is given.
    pub versions: Option<VersionRange>,
    /// Its entries, the newest first, and then those without a version.
    pub entries: Vec<EntryExplanation>,
}

/// What becomes of an entry of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryExplanation {
    /// Its name.
    pub name: String,
    /// Its version, if it has one that can be read.
    pub version: Option<BundleVersion>,
    /// What it replaces.
    pub replaces: Option<String>,
    /// What becomes of it, and why.
    pub verdict: Verdict,
}

/// What becomes of an entry, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// Kept: it is the head, and no versions are given.
    Head,
    /// Kept: everything is.
    Everything,
    /// Kept: it is one of the versions.
    InRange,
    /// Kept: it is none of the versions, but upgrades lead through it.
    OnTheWay,
    /// Left out: its package is not selected.
    PackageNotSelected,
    /// Left out: its channel is not selected.
    ChannelNotSelected,
    /// Left out: it is not the head, and no versions are given.
    NotHead,
    /// Left out: its version is below the lower bound.
    Below,
    /// Left out: its version is above the upper bound.
    Above,
    /// Left out: it is a pre-release, and neither bound is one.
    PreRelease,
    /// Left out: it has no version that can be read.
    NoVersion,
    /// Left out: it is one of the versions, but no upgrade that is kept replaces or skips it, or
    /// another bundle of that version is kept.
    OffTheWay,
    /// Left out: its channel cannot be cut.
    Undecided,
}

impl Verdict {
    /// Whether the entry remains.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Head | Self::Everything | Self::InRange | Self::OnTheWay)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "the head of the channel",
            Self::Everything => "all of the channel is wanted",
            Self::InRange => "in the range",
            Self::OnTheWay => "not in the range, but upgrades lead through it",
            Self::PackageNotSelected => "the package is not selected",
            Self::ChannelNotSelected => "the channel is not selected",
            Self::NotHead => "not the head of the channel, and no versions are given",
            Self::Below => "below the range",
            Self::Above => "above the range",
            Self::PreRelease => "a pre-release, and neither bound is one",
            Self::NoVersion => "it has no version that can be read",
            Self::OffTheWay => "in the range, but nothing that is kept replaces or skips it",
            Self::Undecided => "the channel cannot be cut",
        })
    }
}

impl Catalog {
    /// Explains what a selection makes of a package; `None` where the catalog has no such package.
    pub fn explain(&self, package_name: &str, selection: &Selection) -> Option<Explanation> {
        let (name, package) = self.packages.get_key_value(package_name)?;
        let wanted = selection.packages.iter().find(|wanted| wanted.name == *name);
        let is_selected = wanted.is_some() || selection.packages.is_empty();
        let mut findings = Findings::default();
        let decider = Decider { name, package, selection };
        let decision = decider.decide(wanted, &mut findings);
        let everything = PackageSelection::default();
        let asked = Asked {
            package,
            selection,
            wanted: wanted.unwrap_or(&everything),
            decision: &decision,
            is_selected,
        };
        let channels = package.channels.iter();
        let errors = FilterErrors::of(findings).err().filter(|_| is_selected);
        Some(Explanation {
            is_selected,
            channels: channels.map(|(name, channel)| asked.channel(name, channel)).collect(),
            errors,
            default_channel: decision.default_channel.clone(),
        })
    }
}

/// What is asked for, and what was decided.
#[derive(Debug)]
struct Asked<'a> {
    package: &'a Package,
    selection: &'a Selection,
    wanted: &'a PackageSelection,
    decision: &'a Decision,
    is_selected: bool,
}

impl Asked<'_> {
    fn channel(&self, name: &str, channel: &Channel) -> ChannelExplanation {
        let listed = &self.wanted.channels;
        let is_selected = listed.is_empty() || listed.iter().any(|channel| channel.name == name);
        let range = self.wanted.versions_in(name);
        let kept = self.decision.channels.get(name);
        let mut entries: Vec<_> = channel
            .entries()
            .edges()
            .enumerate()
            .map(|(nth, edges)| {
                let bundle = self.package.bundles.get(edges.name());
                let version = bundle.and_then(|bundle| bundle.version()).cloned();
                let is_kept = kept.and_then(|kept| kept.get(nth)) == Some(&true);
                let verdict = match (self.is_selected, is_selected) {
                    (false, _) => Verdict::PackageNotSelected,
                    (true, false) => Verdict::ChannelNotSelected,
                    _ => self.verdict(version.as_ref(), range, is_kept),
                };
                let (name, replaces) = (edges.name().to_owned(), edges.replaces());
                EntryExplanation { name, version, replaces: replaces.map(str::to_owned), verdict }
            })
            .collect();
        entries.sort_by(|left, right| {
            right.version.cmp(&left.version).then_with(|| left.name.cmp(&right.name))
        });
        let versions = (!range.is_unbounded()).then(|| range.clone());
        ChannelExplanation { name: name.to_owned(), is_selected, versions, entries }
    }

    fn verdict(
        &self,
        version: Option<&BundleVersion>,
        range: &VersionRange,
        is_kept: bool,
    ) -> Verdict {
        let contains =
            |version: &BundleVersion| range.contains(version, self.selection.pre_releases);
        match (self.selection.extent, range.is_unbounded(), is_kept) {
            (Extent::Full, _, true) => Verdict::Everything,
            (Extent::Heads, true, true) => Verdict::Head,
            (_, _, true) if version.is_some_and(contains) => Verdict::InRange,
            (_, _, true) if range.exact().is_some() => Verdict::InRange,
            (_, _, true) => Verdict::OnTheWay,
            (Extent::Full, ..) => Verdict::Undecided,
            (Extent::Heads, true, false) => Verdict::NotHead,
            _ => left_out(version, range, self.selection.pre_releases),
        }
    }
}

/// Returns why an entry of a channel that is cut is not kept.
fn left_out(
    version: Option<&BundleVersion>,
    range: &VersionRange,
    pre_releases: PreReleases,
) -> Verdict {
    let Some(version) = version else { return Verdict::NoVersion };
    let without = |minimum, maximum| VersionRange::new(minimum, maximum);
    let above_minimum = without(range.minimum().cloned(), None);
    let below_maximum = without(None, range.maximum().cloned());
    if !above_minimum.contains(version, PreReleases::Admitted) {
        Verdict::Below
    } else if !below_maximum.contains(version, PreReleases::Admitted) {
        Verdict::Above
    } else if !range.contains(version, pre_releases) {
        Verdict::PreRelease
    } else {
        Verdict::OffTheWay
    }
}
