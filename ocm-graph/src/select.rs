//! From what a configuration asks for to releases.

use std::collections::{BTreeMap, BTreeSet};

use ocm_oci::ImageRef;

use crate::{
    Channel, Graph, Graphs, MissingPath, Refusal, Release, RiskyPath, SelectError, UpgradePath,
    Version, Warning, graphs::Knowledge, solve,
};

mod cross;

/// What a configuration asks for, of one architecture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// The channels, in the order of the configuration; each name is there once.
    pub channels: Vec<ChannelQuery>,
    /// Which upgrades are not to be relied on.
    pub refusal: Refusal,
    /// What is to be said where a path is wanted and there is none.
    pub missing_paths: MissingPaths,
}

/// What is asked of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelQuery {
    /// Which one.
    pub channel: Channel,
    /// The lowest version that is wanted.
    pub min: Option<Version>,
    /// The highest version that is wanted.
    pub max: Option<Version>,
    /// What is wanted where no bound is given.
    pub extent: Extent,
    /// Which releases between the bounds are wanted.
    pub between: Between,
}

/// What is wanted of a channel for which no bound is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// The newest release.
    #[default]
    Head,
    /// All of them.
    Full,
}

/// Which releases between two are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Between {
    /// All of them.
    #[default]
    All,
    /// Those of the shortest path.
    ShortestPath,
}

/// What is said where a path is wanted and there is none. Both its ends are selected all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingPaths {
    /// A warning.
    #[default]
    Warn,
    /// An error.
    Fail,
}

/// The releases that are meant, and what is to be said of them.
#[derive(Debug, Default)]
pub struct Selection {
    /// The releases, oldest first, each once.
    pub releases: Vec<Selected>,
    /// What was asked for and cannot be had.
    pub errors: Vec<SelectError>,
    /// What might be meant otherwise.
    pub warnings: Vec<Warning>,
}

/// A release that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Its version.
    pub version: Version,
    /// Its payload.
    pub payload: ImageRef,
    /// The channel it was found in; of several, the first that asked for it.
    pub channel: Channel,
    /// What it is needed for.
    pub reason: Reason,
}

/// What a release is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It is one of the bounds of a channel, or between them.
    Bound,
    /// It is on the shortest path between the bounds of a channel.
    Path,
    /// It is on the path from the lowest bound of all channels to the highest.
    CrossChannel,
}

/// Returns the channels whose graphs are needed and are not yet known.
///
/// Which channels lie between those of the configuration depends on what is in those: it is asked
/// again with what was learnt, until nothing is missing.
pub fn needs(query: &Query, graphs: &Graphs) -> BTreeSet<Channel> {
    let channels = query.channels.iter().map(|query| &query.channel);
    let is_unasked = |channel: &&Channel| matches!(graphs.look_up(channel), Knowledge::Unasked);
    let unasked: BTreeSet<_> = channels.filter(is_unasked).cloned().collect();
    if !unasked.is_empty() {
        return unasked;
    }
    let bounds = bounds_of_all(query, graphs);
    let walk = cross::ends((query.channels.len(), &bounds)).and_then(|ends| ends.walk(graphs).ok());
    walk.map(|walk| walk.unasked).unwrap_or_default()
}

/// Finds the releases that are meant.
///
/// Each channel by itself, and, where there are several, the path from the lowest bound to the
/// highest. A channel that fails does not keep the others from being read. Graphs that
/// [`needs`] asks for and that are not there are taken as unavailable.
pub fn select(query: &Query, graphs: &Graphs) -> Selection {
    let mut finding = Finding::new(query);
    for one in &query.channels {
        match graphs.look_up(&one.channel) {
            Knowledge::There(graph) => {
                finding.is_read = true;
                in_channel(one, graph, &mut finding);
            }
            Knowledge::Absent => {
                finding.fail(SelectError::NoReleases { channel: one.channel.clone() });
            }
            // Why it is not there was said where it was asked for.
            Knowledge::Unasked | Knowledge::Unavailable => {}
        }
    }
    finding.warn_of_unknown_risks(graphs);
    let bounds = bounds_of_all(query, graphs);
    if let Some(ends) = cross::ends((query.channels.len(), &bounds)) {
        cross::select(&ends, graphs, &mut finding);
    }
    finding.settle()
}

/// The versions that a channel's bounds come to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bounds {
    min: Version,
    max: Version,
}

/// Resolves a channel's bounds; `None` where there are no releases, or none that could be one.
fn bounds(query: &ChannelQuery, graph: &Graph) -> Option<Bounds> {
    let version = |release: &Release| release.version.clone();
    let (oldest, newest) = (graph.oldest().map(version), graph.newest().map(version));
    let min = match (&query.min, &query.max, query.extent) {
        (Some(min), ..) => Some(min.clone()),
        (None, None, Extent::Head) => newest.clone(),
        (None, ..) => oldest,
    };
    let max = query.max.clone().or(newest);
    min.zip(max).filter(|_| !graph.is_empty()).map(|(min, max)| Bounds { min, max })
}

fn bounds_of_all<'a>(query: &'a Query, graphs: &Graphs) -> Vec<(&'a Channel, Bounds)> {
    let one = |query: &'a ChannelQuery| {
        Some((&query.channel, bounds(query, graphs.get(&query.channel)?)?))
    };
    query.channels.iter().filter_map(one).collect()
}

/// Selects what one channel is asked for.
fn in_channel(query: &ChannelQuery, graph: &Graph, finding: &mut Finding<'_>) {
    let Some(bounds) = bounds(query, graph) else {
        return finding.fail(SelectError::NoneConsidered { channel: query.channel.clone() });
    };
    remark(query, (graph, &bounds), finding);
    match query.between {
        Between::All => all_between(&query.channel, graph, &bounds, finding),
        Between::ShortestPath => path_between(&query.channel, graph, &bounds, finding),
    }
}

fn all_between(channel: &Channel, graph: &Graph, bounds: &Bounds, finding: &mut Finding<'_>) {
    let Bounds { min, max } = bounds.clone();
    let mut found = false;
    // A range with its ends the wrong way round holds nothing.
    for release in graph.range(min.clone()..=max.clone()) {
        found = true;
        finding.take(release, channel, Reason::Bound);
    }
    if !found {
        finding.warn(Warning::NothingBetween { channel: channel.clone(), min, max });
    }
}

fn path_between(channel: &Channel, graph: &Graph, bounds: &Bounds, finding: &mut Finding<'_>) {
    let Bounds { min, max } = bounds;
    let (Some(from), Some(to)) = (graph.release(min), graph.release(max)) else {
        for version in [min, max].into_iter().filter(|version| graph.release(version).is_none()) {
            let (channel, version) = (channel.clone(), version.clone());
            finding.fail(SelectError::UnknownRelease { channel, version });
        }
        return;
    };
    finding.take(from, channel, Reason::Bound);
    finding.take(to, channel, Reason::Bound);
    match solve(graph, (min, max), finding.refusal) {
        Ok(path) => {
            for release in path.releases() {
                finding.take(release, channel, Reason::Path);
            }
            finding.warn_of_risks((channel, channel), &path);
        }
        Err(why) => finding.miss(MissingPath::new((channel, channel), (min, max), why)),
    }
}

/// Says what a channel's bounds may not have been meant to be.
fn remark(query: &ChannelQuery, (graph, bounds): (&Graph, &Bounds), finding: &mut Finding<'_>) {
    let channel = || query.channel.clone();
    if graph.skipped_edges() > 0 {
        let count = graph.skipped_edges();
        finding.warn(Warning::SkippedEdges { channel: channel(), count });
    }
    let Ok(family) = query.channel.family() else { return };
    let is_open = query.min.is_none() && (query.max.is_some() || query.extent == Extent::Full);
    if is_open && bounds.min.line() < family.line {
        let oldest = bounds.min.clone();
        finding.warn(Warning::OlderMinor { channel: channel(), oldest });
    }
    if let (Some(min), Some(max)) = (&query.min, &query.max)
        && query.channel.name.contains("eus")
        && (min.line().major, min.line().minor.saturating_add(1))
            < (max.line().major, max.line().minor)
    {
        finding.warn(Warning::EusSpan { channel: channel(), min: min.clone(), max: max.clone() });
    }
}

/// A selection while it is made.
struct Finding<'a> {
    refusal: &'a Refusal,
    missing_paths: MissingPaths,
    /// Whether any channel is known; why one is not was said where it was asked for.
    is_read: bool,
    releases: BTreeMap<(Version, String), Selected>,
    errors: Vec<SelectError>,
    warnings: Vec<Warning>,
}

impl<'a> Finding<'a> {
    fn new(query: &'a Query) -> Self {
        let Query { refusal, missing_paths, .. } = query;
        let (releases, errors, warnings) = Default::default();
        let missing_paths = *missing_paths;
        Self { refusal, missing_paths, is_read: false, releases, errors, warnings }
    }

    /// Selects a release, unless it is.
    fn take(&mut self, release: &Release, channel: &Channel, reason: Reason) {
        let Release { version, payload, .. } = release;
        let key = (version.clone(), payload.clone());
        if self.releases.contains_key(&key) {
            return;
        }
        match payload.parse() {
            Ok(payload) => {
                let (version, channel) = (version.clone(), channel.clone());
                self.releases.insert(key, Selected { version, payload, channel, reason });
            }
            Err(source) => {
                let (version, channel) = (version.clone(), channel.clone());
                self.fail(SelectError::Payload { version, channel, source });
            }
        }
    }

    fn miss(&mut self, missing: MissingPath) {
        match self.missing_paths {
            MissingPaths::Warn => self.warn(Warning::NoPath(missing)),
            MissingPaths::Fail => self.fail(SelectError::NoPath(missing)),
        }
    }

    fn warn_of_risks(&mut self, channels: (&Channel, &Channel), path: &UpgradePath) {
        if let Some(risky) = RiskyPath::of(channels, path) {
            self.warn(Warning::Risks(risky));
        }
    }

    /// Says which of the refused risks nothing has: a name is easily mistyped, and then nothing is
    /// refused.
    fn warn_of_unknown_risks(&mut self, graphs: &Graphs) {
        let (known, is_any_read) = graphs.risk_names();
        if is_any_read {
            self.refusal.unknown(&known).into_iter().for_each(|warning| self.warn(warning));
        }
    }

    /// Says something, once: a channel's path is also that between channels, if it has both ends.
    fn warn(&mut self, warning: Warning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// As [`warn`](Self::warn).
    fn fail(&mut self, error: SelectError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn settle(mut self) -> Selection {
        let releases: Vec<_> = std::mem::take(&mut self.releases).into_values().collect();
        if releases.is_empty() && self.errors.is_empty() && self.is_read {
            self.fail(SelectError::Nothing);
        }
        for pair in releases.windows(2) {
            if let [a, b] = pair
                && a.version == b.version
            {
                let payloads = [a.payload.clone(), b.payload.clone()];
                let version = a.version.clone();
                self.warnings.push(Warning::SeveralPayloads { version, payloads });
            }
        }
        Selection { releases, errors: self.errors, warnings: self.warnings }
    }
}
