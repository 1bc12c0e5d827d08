//! The path from the lowest bound of all channels to the highest.

use std::iter;

use super::{Bounds, Finding, Reason};
use crate::{
    Channel, Graph, Graphs, NoPath, Product, Refusal, Release, SelectError, UpgradePath, Version,
    solve,
    trouble::{MissingPath, WhyMissing},
    walk::{Walk, WalkError},
};

/// Where the path begins and ends.
#[derive(Debug)]
pub(super) struct Ends<'a> {
    first: &'a Channel,
    from: &'a Version,
    last: &'a Channel,
    to: &'a Version,
}

/// Finds the ends; `None` where there is only one channel, or none of OCP.
///
/// Of channels with the same bound the first of the configuration counts; one that has both the
/// lowest and the highest goes before it, as there is nothing to go through then.
pub(super) fn ends<'a>(
    (configured, bounds): (usize, &'a [(&'a Channel, Bounds)]),
) -> Option<Ends<'a>> {
    let ours = || bounds.iter().filter(|(channel, _)| channel.product == Product::Ocp);
    let (first, lowest) =
        ours().min_by_key(|(_, bounds)| &bounds.min).filter(|_| configured > 1)?;
    let highest = ours().map(|(_, bounds)| &bounds.max).max()?;
    let mut lasts = ours().filter(|(_, bounds)| bounds.max == *highest);
    let same = lasts.clone().find(|(channel, _)| channel == first);
    let (last, _) = same.or_else(|| lasts.next())?;
    Some(Ends { first, from: &lowest.min, last, to: highest })
}

impl Ends<'_> {
    pub(super) fn walk(&self, graphs: &Graphs) -> Result<Walk, WalkError> {
        Walk::between(self.first, self.last, graphs)
    }

    fn channels(&self) -> (&Channel, &Channel) {
        (self.first, self.last)
    }

    /// Finds the releases at both ends. The path can start in the first channel, or where the walk
    /// begins: in the last, where no step is made in the first.
    fn releases<'g>(
        &self,
        walk: &Walk,
        graphs: &'g Graphs,
    ) -> (Option<&'g Release>, Option<&'g Release>) {
        let find = |channel, version| graphs.get(channel).and_then(|graph| graph.release(version));
        let mut starts = iter::once(self.first).chain(walk.stations.first());
        let from = starts.find_map(|channel| find(channel, self.from));
        (from, find(self.last, self.to))
    }
}

/// Selects the releases that a cluster goes through from one end to the other.
pub(super) fn select(ends: &Ends<'_>, graphs: &Graphs, finding: &mut Finding<'_>) {
    let walk = match ends.walk(graphs) {
        Ok(walk) => walk,
        Err(WalkError::Name(error)) => return finding.fail(error.into()),
        Err(WalkError::TooFar { from, to }) => {
            return finding.fail(SelectError::TooFar { from, to });
        }
    };
    let (from, to) = ends.releases(&walk, graphs);
    for (release, channel, version) in [(from, ends.first, ends.from), (to, ends.last, ends.to)] {
        if release.is_none() {
            let (channel, version) = (channel.clone(), version.clone());
            finding.fail(SelectError::UnknownRelease { channel, version });
        }
    }
    let (Some(from), Some(to)) = (from, to) else { return };
    let legs = Legs { ends, stations: &walk.stations, graphs };
    let (paths, missing) = legs.best(finding.refusal);
    for leg in paths {
        for release in leg.path.releases() {
            finding.take(release, legs.origin(&release.version), Reason::CrossChannel);
        }
        finding.warn_of_risks(leg.channels, &leg.path);
    }
    if let Some(why) = missing {
        finding.take(from, ends.first, Reason::CrossChannel);
        finding.take(to, ends.last, Reason::CrossChannel);
        finding.miss(MissingPath::new(ends.channels(), (ends.from, ends.to), why));
    }
}

/// The walk, one upgrade path for each channel: to its newest release, which is where the next
/// channel's begins.
struct Legs<'a> {
    ends: &'a Ends<'a>,
    stations: &'a [Channel],
    graphs: &'a Graphs,
}

impl Legs<'_> {
    /// Returns the best path, or, with the reason, what there is of one.
    ///
    /// By the newest release of each channel, if no upgrade is conditional; that is oc-mirror's.
    /// Otherwise the best of all channels together. Where everything conditional is refused, we
    /// do as oc-mirror does.
    fn best(&self, refusal: &Refusal) -> (Vec<Leg<'_>>, Option<WhyMissing>) {
        let plain = self.walk(&Refusal::Everything);
        if plain.arrived {
            return (plain.paths, None);
        }
        let joined = self.ends_joined(refusal);
        match (refusal, joined) {
            (Refusal::Everything, joined) => {
                let why = joined.map_or_else(WhyMissing::from, WhyMissing::from);
                (plain.paths, Some(why))
            }
            (_, Ok(path)) => (vec![Leg { channels: self.ends.channels(), path }], None),
            (_, Err(why)) => (self.walk(refusal).paths, Some(why.into())),
        }
    }

    /// Returns the channels, the first of the configuration among them in any case.
    fn channels(&self) -> impl Iterator<Item = &Channel> {
        iter::once(self.ends.first).chain(self.stations)
    }

    /// Returns the first channel that has a release.
    fn origin(&self, version: &Version) -> &Channel {
        let has = |channel: &&Channel| {
            self.graphs.get(channel).is_some_and(|graph| graph.release(version).is_some())
        };
        self.channels().find(has).unwrap_or(self.ends.last)
    }

    fn ends_joined(&self, refusal: &Refusal) -> Result<UpgradePath, NoPath> {
        let graph = Graph::join(self.channels().filter_map(|channel| self.graphs.get(channel)));
        solve(&graph, (self.ends.from, self.ends.to), refusal)
    }

    /// Goes through the channels one by one. One without a path is passed over: the next one
    /// begins with its newest release all the same, as long as it has it.
    fn walk(&self, refusal: &Refusal) -> Walked<'_> {
        let mut walked = Walked { paths: Vec::new(), arrived: true };
        let mut from = self.ends.from;
        for channel in self.stations {
            let graph = self.graphs.get(channel);
            let newest = graph.and_then(Graph::newest).map(|release| &release.version);
            let to = if channel == self.ends.last { Some(self.ends.to) } else { newest };
            let (Some(graph), Some(to)) = (graph, to) else { return walked.stopped() };
            match solve(graph, (from, to), refusal) {
                Ok(path) => walked.paths.push(Leg { channels: (channel, channel), path }),
                Err(NoPath::UnknownRelease(_)) => return walked.stopped(),
                Err(_) => walked.arrived = false,
            }
            from = to;
        }
        walked
    }
}

/// A path, and the channels in which it begins and ends.
struct Leg<'a> {
    channels: (&'a Channel, &'a Channel),
    path: UpgradePath,
}

/// The paths of a walk.
struct Walked<'a> {
    paths: Vec<Leg<'a>>,
    /// Whether they lead from end to end without a gap.
    arrived: bool,
}

impl Walked<'_> {
    fn stopped(self) -> Self {
        Self { arrived: false, ..self }
    }
}
