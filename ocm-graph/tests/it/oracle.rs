//! What oc-mirror selects, 2,000 times: equal, or different in one of the ways that
//! [`Difference`] names; `docs/differences.md` has the reasons.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, Query, Reason, Refusal, Selection,
    Version, Warning, needs, select,
};
use serde::Deserialize;

use crate::corpus;

/// The ways in which we differ where all risks are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// From an `eus` channel the next one is looked for at the next minor version there, where
    /// there is none, and everything fails; here at the one after it.
    EusStride,
    /// The channel with the highest version is older than the one with the lowest: there the walk
    /// goes past it until there are no channels any more; here it goes straight there.
    Backwards,
    /// There is no such channel for a minor version in between (`prerelease-4.3`): there
    /// everything fails, here the last channel's kind stands in.
    KindEnds,
    /// A channel in between lacks the newest release of the one before: there that channel's own
    /// newest release is looked up in the last channel, and is taken for the end of the path, or
    /// not found, and everything fails; here the end is the end.
    BlockedBetween,
    /// One pre-release by itself is never found there as a range.
    PreReleaseAlone,
}

const COUNTS: [(Difference, usize); 5] = [
    (Difference::EusStride, 64),
    (Difference::Backwards, 14),
    (Difference::KindEnds, 3),
    (Difference::BlockedBetween, 12),
    (Difference::PreReleaseAlone, 2),
];

#[derive(Deserialize)]
struct Line {
    id: u32,
    channels: Vec<Asked>,
    expect: Expect,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    name: String,
    min_version: Option<Version>,
    max_version: Option<Version>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    shortest_path: bool,
}

#[derive(Deserialize)]
struct Expect {
    versions: BTreeSet<String>,
    error: Option<String>,
}

impl Asked {
    fn query(&self) -> ChannelQuery {
        ChannelQuery {
            channel: Channel::ocp(&self.name),
            min: self.min_version.clone(),
            max: self.max_version.clone(),
            extent: if self.full { Extent::Full } else { Extent::Head },
            between: if self.shortest_path { Between::ShortestPath } else { Between::All },
        }
    }

    fn prefix(&self) -> &str {
        self.name.rsplit_once('-').unwrap().0
    }

    fn minor(&self) -> u64 {
        self.name.rsplit_once('.').unwrap().1.parse().unwrap()
    }
}

/// The derived graphs, each read once.
struct Library<'a> {
    corpus: &'a Path,
    known: BTreeMap<Channel, Arc<Graph>>,
}

impl Library<'_> {
    fn graphs(&mut self, query: &Query) -> Graphs {
        let mut graphs = Graphs::default();
        loop {
            let needs = needs(query, &graphs);
            if needs.is_empty() {
                return graphs;
            }
            for channel in needs {
                let graph = self.known.entry(channel.clone());
                let graph = graph.or_insert_with(|| corpus::derived(self.corpus, &channel.name));
                graphs.insert(channel, Arc::clone(graph));
            }
        }
    }

    fn graph(&self, name: &str) -> &Graph {
        &self.known[&Channel::ocp(name)]
    }
}

impl Line {
    fn query(&self, refusal: Refusal) -> Query {
        let channels = self.channels.iter().map(Asked::query).collect();
        Query { channels, refusal, ..Query::default() }
    }

    /// Returns the channels with the lowest and with the highest version.
    fn ends(&self, library: &Library<'_>) -> (&Asked, &Asked) {
        let lowest = |asked: &&Asked| {
            let graph = library.graph(&asked.name);
            let end = if asked.full || asked.max_version.is_some() {
                graph.oldest()
            } else {
                graph.newest()
            };
            asked.min_version.clone().or_else(|| end.map(|release| release.version.clone()))
        };
        let highest = |asked: &&Asked| {
            let newest = library.graph(&asked.name).newest().map(|release| release.version.clone());
            asked.max_version.clone().or(newest)
        };
        let first = self.channels.iter().min_by_key(lowest).unwrap();
        (first, self.channels.iter().max_by_key(highest).unwrap())
    }

    /// Says why `ours` is not what is expected; what it says holds for all that it is said of.
    fn difference(&self, ours: &Selection, library: &Library<'_>) -> Option<Difference> {
        let theirs = &self.expect.versions;
        let extra = || ours.releases.iter().filter(|r| !theirs.contains(&r.version.to_string()));
        let lacking = theirs.difference(&versions(ours)).count();
        if let [
            Asked { min_version: Some(min), max_version: Some(max), shortest_path: false, .. },
        ] = self.channels.as_slice()
        {
            let is_it = min == max && min.to_string().contains('-') && theirs.is_empty();
            return (is_it && extra().count() == 1).then_some(Difference::PreReleaseAlone);
        }
        if extra().any(|release| release.reason != Reason::CrossChannel) {
            return None;
        }
        let (first, last) = self.ends(library);
        let error = self.expect.error.as_deref().unwrap_or_default();
        let missing = error.split("NoVersionsFound").nth(1);
        let missing = missing.and_then(|text| text.split("in the \"").nth(1)?.split('"').next());
        match missing {
            _ if last.minor() < first.minor() && !error.is_empty() => Some(Difference::Backwards),
            Some(name) if name == format!("eus-4.{}", first.minor() + 1) => {
                (first.prefix() == "eus").then_some(Difference::EusStride)
            }
            Some(name) => {
                let is_it = name.starts_with(&format!("{}-", first.prefix()));
                (is_it && library.graph(name).is_empty()).then_some(Difference::KindEnds)
            }
            None => {
                let is_walk = first.minor() + 1 < last.minor();
                let is_broken = ours.warnings.iter().any(|w| matches!(w, Warning::NoPath(_)));
                let is_end = error.contains("VersionNotFound: current version") || lacking == 1;
                (is_walk && is_broken && is_end).then_some(Difference::BlockedBetween)
            }
        }
    }
}

fn versions(selection: &Selection) -> BTreeSet<String> {
    selection.releases.iter().map(|release| release.version.to_string()).collect()
}

fn lines(corpus: &Path) -> Vec<Line> {
    let text = fs::read_to_string(corpus.join("oracle/release.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn with_risks_refused_the_releases_are_those_of_oc_mirror_or_the_difference_has_a_name() {
    let Some(corpus) = corpus::folder() else { return };
    let mut library = Library { corpus: &corpus, known: BTreeMap::new() };
    let mut counts: BTreeMap<Difference, usize> = BTreeMap::new();
    let (mut same, mut errors) = (0, 0);
    for line in lines(&corpus) {
        let query = line.query(Refusal::Everything);
        let ours = select(&query, &library.graphs(&query));
        let is_same = versions(&ours) == line.expect.versions;
        if is_same && ours.errors.is_empty() == line.expect.error.is_none() {
            same += 1;
            errors += usize::from(!ours.errors.is_empty());
            continue;
        }
        let difference = line.difference(&ours, &library);
        let difference = difference.unwrap_or_else(|| {
            let (theirs, error) = (&line.expect.versions, &line.expect.error);
            let (ours, errors) = (versions(&ours), &ours.errors);
            panic!("{}: {ours:?} {errors:?}\nis not\n{theirs:?} {error:?}", line.id)
        });
        *counts.entry(difference).or_default() += 1;
    }
    eprintln!("{same} selections are the same, {errors} errors among them; {counts:?}");
    assert_eq!((same, errors), (1905, 86));
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), COUNTS);
}

/// What people get who refuse nothing.
#[test]
fn most_paths_that_oc_mirror_does_not_find_are_there() {
    let Some(corpus) = corpus::folder() else { return };
    let mut library = Library { corpus: &corpus, known: BTreeMap::new() };
    let mut counts = [0; 4];
    for line in lines(&corpus) {
        let mut missing = |refusal| {
            let query = line.query(refusal);
            let selection = select(&query, &library.graphs(&query));
            let is_missing = |warning: &Warning| matches!(warning, Warning::NoPath(_));
            let is_risky = selection.warnings.iter().any(|w| matches!(w, Warning::Risks(_)));
            (selection.warnings.iter().any(is_missing), is_risky)
        };
        let (strict, _) = missing(Refusal::Everything);
        let (free, is_risky) = missing(Refusal::Nothing);
        assert!(strict || !free, "{}", line.id);
        let at = [strict, strict && !free, strict && !free && !is_risky, free];
        counts.iter_mut().zip(at).for_each(|(count, is_it)| *count += usize::from(is_it));
    }
    let [strict, found, safe, none] = counts;
    eprintln!(
        "{strict} selections lack a path; {found} have one, {safe} without risks; {none} none"
    );
    assert_eq!(counts, [999, 252, 67, 747]);
}
