use std::collections::BTreeSet;

use super::{
    cut::{Cut, cut, from_head},
    error::FilterError,
    finding::{Findings, Instead, Warning},
};
use crate::{
    channel_graph::{ChannelGraph, Entries, NameId},
    model::Package,
    range::{PreReleases, VersionRange},
    version::BundleVersion,
};

/// What remains of a channel.
#[derive(Debug)]
pub(super) enum Kept {
    /// Some of its entries: of each, in the order they are written, whether it does.
    Entries(Vec<bool>),
    /// Nothing; what would have some is a range with a pre-release in it, if there is one.
    Nothing { instead: Option<Instead> },
    /// It cannot be said, and why is.
    Failed,
}

/// Trims one channel.
#[derive(Debug)]
pub(super) struct Trimmer<'a> {
    pub(super) package_name: &'a str,
    pub(super) package: &'a Package,
    pub(super) name: &'a str,
    pub(super) entries: &'a Entries,
    pub(super) pre_releases: PreReleases,
}

impl<'a> Trimmer<'a> {
    /// Keeps the head alone.
    pub(super) fn head(&self, findings: &mut Findings) -> Kept {
        let Some(graph) = self.graph(findings) else { return Kept::Failed };
        self.only(|name| name == graph.head())
    }

    /// Keeps what is in a range, and what it takes to get from one to the other.
    pub(super) fn range(&self, range: &VersionRange, findings: &mut Findings) -> Kept {
        if let Some(version) = range.exact() {
            return self.exactly(version, range);
        }
        let Some(graph) = self.graph(findings) else { return Kept::Failed };
        let versions = self.versions(&graph, findings);
        let contains = |version: &BundleVersion| range.contains(version, self.pre_releases);
        let is_in_range: Vec<bool> =
            versions.iter().map(|version| version.is_some_and(contains)).collect();
        let instead = self.hidden(range, &versions, findings);
        let Some(Cut { is_kept, out_of_range }) = cut(self.entries, &graph, &is_in_range) else {
            return Kept::Nothing { instead };
        };
        for name in out_of_range {
            findings.warnings.push(Warning::OutOfRange {
                package: self.package_name.to_owned(),
                channel: self.name.to_owned(),
                bundle: self.entries.name(name).to_owned(),
                version: versions.get(name.index()).copied().flatten().cloned(),
                range: range.to_string(),
            });
        }
        self.only(|name| is_kept.get(name.index()) == Some(&true))
    }

    /// Keeps some bundles, and what it takes to get from one to the other.
    pub(super) fn bundles(&self, wanted: &BTreeSet<String>, findings: &mut Findings) -> Kept {
        let is_wanted = |name: NameId| wanted.contains(self.entries.name(name));
        let count = self.entries.all().filter(|entry| is_wanted(entry.name)).count();
        match count {
            0 => return Kept::Nothing { instead: None },
            // What skips it is not needed for a bundle alone.
            1 => return self.only(is_wanted),
            _ => {}
        }
        let Some(graph) = self.graph(findings) else { return Kept::Failed };
        let mut is_in_range = vec![false; self.entries.name_count()];
        for entry in self.entries.all().filter(|entry| is_wanted(entry.name)) {
            if let Some(place) = is_in_range.get_mut(entry.name.index()) {
                *place = true;
            }
        }
        let Some(Cut { is_kept, .. }) = cut(self.entries, &graph, &is_in_range) else {
            return Kept::Nothing { instead: None };
        };
        self.only(|name| is_kept.get(name.index()) == Some(&true))
    }

    /// Keeps the one entry of a version. Of several that differ in build metadata alone it is the
    /// one that is written as a bound is, or else the one that is nearest to the head.
    fn exactly(&self, wanted: &BundleVersion, range: &VersionRange) -> Kept {
        let graph = ChannelGraph::of(self.entries).ok();
        let order = from_head(self.entries, graph.as_ref());
        let version = |name: &NameId| {
            self.package.bundles().get(self.entries.name(*name)).and_then(|b| b.version())
        };
        let candidates: Vec<NameId> =
            order.into_iter().filter(|name| version(name) == Some(wanted)).collect();
        let is_written = |name: &&NameId| version(name).is_some_and(|v| range.is_written_as(v));
        match candidates.iter().find(is_written).or(candidates.first()) {
            Some(chosen) => self.only(|name| name == *chosen),
            None => Kept::Nothing { instead: None },
        }
    }

    fn only(&self, is_kept: impl Fn(NameId) -> bool) -> Kept {
        Kept::Entries(self.entries.all().map(|entry| is_kept(entry.name)).collect())
    }

    fn graph(&self, findings: &mut Findings) -> Option<ChannelGraph<'a>> {
        let refuse = |faults| {
            let (package, channel) = (self.package_name.to_owned(), self.name.to_owned());
            findings.errors.push(FilterError::Channel { package, channel, faults });
        };
        ChannelGraph::of(self.entries).map_err(refuse).ok()
    }

    /// Returns of each entry the version of its bundle, at the place of its name. What an entry
    /// replaces or skips and is no entry has none here: nothing of it remains, so that nothing
    /// else should remain for its sake.
    fn versions(
        &self,
        graph: &ChannelGraph<'_>,
        findings: &mut Findings,
    ) -> Vec<Option<&'a BundleVersion>> {
        let mut versions = vec![None; self.entries.name_count()];
        for (name, bundle) in self.package.bundles() {
            let entry = self.entries.id(name).filter(|id| graph.entry(*id).is_some());
            let place = entry.and_then(|id| versions.get_mut(id.index()));
            let Some(place) = place else { continue };
            *place = bundle.version();
            if place.is_none() {
                let (package, bundle) = (self.package_name.to_owned(), name.clone());
                findings.warnings.push(Warning::NoVersion { package, bundle });
            }
        }
        versions
    }

    /// Tells of pre-releases that are left out for no other reason than that they are ones, and
    /// returns the range that has them in it.
    fn hidden(
        &self,
        range: &VersionRange,
        versions: &[Option<&BundleVersion>],
        findings: &mut Findings,
    ) -> Option<Instead> {
        let instead = range.with_pre_releases();
        let is_hidden = |version: &&&BundleVersion| {
            instead.contains(version, PreReleases::Hidden)
                && !range.contains(version, self.pre_releases)
        };
        let mut hidden: Vec<BundleVersion> =
            versions.iter().flatten().filter(is_hidden).map(|version| (*version).clone()).collect();
        if hidden.is_empty() || self.pre_releases == PreReleases::Admitted {
            return None;
        }
        hidden.sort();
        let is_admitted = |version| range.contains(version, PreReleases::Admitted);
        let is_same_range = hidden.iter().all(is_admitted);
        let instead = Instead { range: instead.to_string(), is_same_range };
        findings.warnings.push(Warning::PreReleasesHidden {
            package: self.package_name.to_owned(),
            channel: self.name.to_owned(),
            range: range.to_string(),
            versions: hidden,
            instead: instead.clone(),
        });
        Some(instead)
    }
}
