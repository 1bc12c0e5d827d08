use std::{collections::BTreeSet, ops::RangeBounds, sync::Arc};

use petgraph::graph::{DiGraph, NodeIndex};

use crate::{Refusal, Risk, Version, Warning};

mod wire;

/// One channel's releases, and the upgrades between them.
///
/// ```
/// use ocm_graph::Graph;
///
/// let json = br#"{
///     "nodes": [{"version": "4.18.1", "payload": "example.com/r:4.18.1"},
///               {"version": "4.18.2", "payload": "example.com/r:4.18.2"}],
///     "edges": [[0, 1]]
/// }"#;
/// let graph = Graph::from_json(json)?;
/// assert_eq!(graph.newest().unwrap().version.to_string(), "4.18.2");
/// # Ok::<(), ocm_graph::GraphError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The oldest release first, so that indices compare as versions do.
    pub(crate) nodes: DiGraph<Release, Upgrade>,
    risks: Vec<Risks>,
    skipped_edges: usize,
    ends: Ends,
}

/// Which releases are the oldest and the newest.
#[derive(Debug, Clone, Copy, Default)]
enum Ends {
    /// Those with the lowest and the highest version.
    #[default]
    All,
    /// Of some of them, by their place; none, if there are none.
    Among(Option<(NodeIndex, NodeIndex)>),
}

/// A release and where its payload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The release's version.
    pub version: Version,
    /// Its payload image, as the graph has it; empty where the graph only knows the version.
    pub payload: String,
    channels: String,
}

/// How a release can become another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upgrade {
    pub(crate) advice: Advice,
    /// Places in the graph's list of risks.
    groups: Vec<u32>,
}

/// To whom an upgrade is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Advice {
    /// To all clusters.
    Recommended,
    /// To clusters that are not exposed to its risks; others need `--allow-not-recommended`.
    Conditional,
}

/// The risks of a group of upgrades. Graphs give the same ones to thousands.
pub(crate) type Risks = Arc<[Risk]>;

/// Why some bytes are not a graph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// They are more than any graph has.
    #[error("the update graph has {bytes} bytes, more than the {limit} that are read")]
    TooLarge {
        /// How many bytes there are.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// It has more of something than any graph has.
    #[error("the update graph has {count} {what}, more than the {limit} that are read")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many are read.
        limit: usize,
    },
    /// They are not the JSON that the protocol describes.
    #[error("the update graph is not the JSON of the Cincinnati protocol")]
    Json(#[from] serde_json::Error),
}

/// An upgrade between two releases, by their place in a list.
type Edge = (u32, u32, Line);

/// What one line of a graph says of an upgrade; that which recommends it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Recommended,
    WithRisks(u32),
}

impl Graph {
    /// Most bytes that are read of one graph: a hundred times as many as the largest has.
    pub const MAX_BYTES: usize = 64 << 20;
    /// Most releases that one graph has; the graph of all channels together has 1,100.
    const MAX_RELEASES: usize = 50_000;
    /// Most risks that one group of upgrades has; 9 is the most that was seen.
    const MAX_RISKS: usize = 64;
    /// Most risks of all upgrades, each counted for each upgrade that has it, as they are told;
    /// 9,518 is the most that was seen.
    const MAX_EXPOSURES: usize = 500_000;

    /// Reads a graph as the Cincinnati protocol serves it.
    ///
    /// Strict about releases: each has a version. An upgrade from or to nowhere is left out and
    /// counted; a conditional one belongs to another channel, and is left out in silence. Where an
    /// upgrade is both recommended and conditional it is recommended, and its risks are kept.
    ///
    /// Source: <https://github.com/openshift/cincinnati/blob/master/docs/design/openshift.md>.
    ///
    /// # Errors
    ///
    /// [`GraphError::TooLarge`] above [`Self::MAX_BYTES`], [`GraphError::TooMany`] releases or
    /// risks, [`GraphError::Json`] for all else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, GraphError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(GraphError::TooLarge { bytes: bytes.len(), limit: Self::MAX_BYTES });
        }
        wire::read(serde_json::from_slice(bytes)?)
    }

    /// Joins graphs into one that has all their releases, each once, and all their upgrades.
    ///
    /// Of two releases with one version the first counts.
    #[must_use]
    pub fn join<'a>(graphs: impl IntoIterator<Item = &'a Self>) -> Self {
        let graphs: Vec<_> = graphs.into_iter().collect();
        let mut releases: Vec<_> = graphs.iter().flat_map(|graph| graph.releases()).collect();
        // Stable: the first of two stays the first.
        releases.sort_by(|a, b| a.version.cmp(&b.version));
        releases.dedup_by(|b, a| a.version == b.version);
        let (mut edges, mut risks) = (Vec::new(), Vec::new());
        for graph in graphs {
            let place = |node: NodeIndex| {
                let version = &graph.nodes.node_weight(node)?.version;
                let found = releases.binary_search_by(|release| release.version.cmp(version));
                u32::try_from(found.ok()?).ok()
            };
            let first_group = u32::try_from(risks.len()).unwrap_or(u32::MAX);
            risks.extend(graph.risks.iter().cloned());
            for edge in graph.nodes.raw_edges() {
                let Some((from, to)) = place(edge.source()).zip(place(edge.target())) else {
                    continue;
                };
                if edge.weight.advice == Advice::Recommended {
                    edges.push((from, to, Line::Recommended));
                }
                let groups = edge.weight.groups.iter();
                let groups =
                    groups.map(|group| Line::WithRisks(first_group.saturating_add(*group)));
                edges.extend(groups.map(|line| (from, to, line)));
            }
        }
        Self::build(releases.into_iter().cloned().collect(), edges, risks)
    }

    /// Makes a graph of releases that are sorted by version, of edges in any order, and of lists
    /// of risks that these name by place.
    fn build(releases: Vec<Release>, mut edges: Vec<Edge>, risks: Vec<Risks>) -> Self {
        edges.sort_unstable();
        edges.dedup();
        let mut nodes = DiGraph::with_capacity(releases.len(), edges.len());
        for release in releases {
            nodes.add_node(release);
        }
        for one in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            let Some((from, to, line)) = one.first() else { continue };
            let advice = match line {
                Line::Recommended => Advice::Recommended,
                Line::WithRisks(_) => Advice::Conditional,
            };
            let group = |(_, _, line): &Edge| match line {
                Line::Recommended => None,
                Line::WithRisks(group) => Some(*group),
            };
            let upgrade = Upgrade { advice, groups: one.iter().filter_map(group).collect() };
            nodes.add_edge(NodeIndex::from(*from), NodeIndex::from(*to), upgrade);
        }
        Self { nodes, risks, skipped_edges: 0, ends: Ends::All }
    }

    /// Returns the node with a version. Of several that only differ in build metadata, as graphs
    /// of all architectures have them, it is the one written just so, if there is one.
    pub(crate) fn find(&self, version: &Version) -> Option<NodeIndex> {
        let nodes = self.nodes.raw_nodes();
        let first = nodes.partition_point(|node| node.weight.version < *version);
        let equal = nodes.get(first..)?;
        let equal = equal.iter().take_while(|node| node.weight.version == *version);
        let exact = equal.clone().position(|node| node.weight.version.is_written_as(version));
        let nth = exact.or_else(|| (equal.count() > 0).then_some(0))?;
        u32::try_from(first + nth).ok().map(NodeIndex::from)
    }

    pub(crate) fn risks(&self, upgrade: &Upgrade) -> Vec<Risks> {
        let group = |group: &u32| self.risks.get(usize::try_from(*group).ok()?).cloned();
        upgrade.groups.iter().filter_map(group).collect()
    }

    /// Returns what risks are called, some of them more than once.
    pub(crate) fn risk_names(&self) -> impl Iterator<Item = &str> {
        self.risks.iter().flat_map(|group| group.iter()).map(|risk| risk.name.as_str())
    }

    /// Says which of the refused risks nothing in it has.
    pub fn unknown_risks(&self, refusal: &Refusal) -> Vec<Warning> {
        refusal.unknown(&self.risk_names().collect())
    }

    /// Returns which groups of risks are refused, by their place.
    pub(crate) fn refused(&self, refusal: &Refusal) -> Vec<bool> {
        self.risks.iter().map(|risks| refusal.covers(risks)).collect()
    }

    /// Returns a release by version.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.nodes.node_weight(self.find(version)?)
    }

    /// Returns the releases, oldest first.
    pub fn releases(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.nodes.raw_nodes().iter().map(|node| &node.weight)
    }

    /// Returns the releases with a version in a range, oldest first.
    ///
    /// Pre-releases count as any other: `4.16.0-rc.1` is between `4.15.0` and `4.16.0`.
    pub fn range(&self, range: impl RangeBounds<Version>) -> impl Iterator<Item = &Release> {
        self.releases().filter(move |release| range.contains(&release.version))
    }

    /// Lets only versions that are `considered` be the newest and the oldest.
    #[must_use]
    pub fn with_ends_among(self, considered: impl Fn(&Version) -> bool) -> Self {
        let is_considered = |index: &NodeIndex| {
            self.nodes.node_weight(*index).is_some_and(|release| considered(&release.version))
        };
        let mut among = self.nodes.node_indices().filter(is_considered);
        let oldest = among.next();
        let ends = oldest.map(|oldest| (oldest, among.next_back().unwrap_or(oldest)));
        Self { ends: Ends::Among(ends), ..self }
    }

    /// Returns the release with the highest version, of those that count.
    pub fn newest(&self) -> Option<&Release> {
        match self.ends {
            Ends::All => self.releases().next_back(),
            Ends::Among(ends) => self.nodes.node_weight(ends?.1),
        }
    }

    /// Returns the release with the lowest version, of those that count.
    pub fn oldest(&self) -> Option<&Release> {
        match self.ends {
            Ends::All => self.releases().next(),
            Ends::Among(ends) => self.nodes.node_weight(ends?.0),
        }
    }

    /// Whether it has no releases: what servers say of channels that they do not know.
    pub fn is_empty(&self) -> bool {
        self.nodes.node_count() == 0
    }

    /// Returns how many upgrades named releases that are not there.
    pub fn skipped_edges(&self) -> usize {
        self.skipped_edges
    }

    /// Returns all channels that its releases are in.
    pub fn channels(&self) -> BTreeSet<&str> {
        self.releases().flat_map(Release::channels).collect()
    }
}

impl Upgrade {
    /// Whether it may be taken where groups of risks are refused by their place.
    pub(crate) fn is_admitted(&self, refused: &[bool]) -> bool {
        let is_refused = |group: &u32| {
            usize::try_from(*group).ok().and_then(|group| refused.get(group)).is_some_and(|it| *it)
        };
        self.advice == Advice::Recommended || !self.groups.iter().any(is_refused)
    }
}

impl Release {
    /// Returns the channels that it is in, as far as its graph says so.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.channels.split(',').map(str::trim).filter(|name| !name.is_empty())
    }
}
