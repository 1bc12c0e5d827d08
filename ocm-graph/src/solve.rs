use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    fmt, iter,
};

use petgraph::{graph::NodeIndex, visit::EdgeRef as _};

use crate::{
    Advice, Exposure, Graph, Refusal, Release, Risk, Version,
    graph::Risks,
    trouble::{exposures, harmless},
};

/// A way from one release to another, ends included, first to last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpgradePath {
    releases: Vec<Release>,
    hops: Vec<Hop>,
}

/// One upgrade of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// The release that is left.
    pub from: Version,
    /// The release that is arrived at.
    pub to: Version,
    /// To whom it is offered.
    pub advice: Advice,
    risks: Vec<Risks>,
}

/// Why there is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoPath {
    /// The graph does not have this release.
    UnknownRelease(Version),
    /// Every path takes an upgrade that is refused.
    Refused {
        /// The upgrades that are refused, on the path that would be taken otherwise.
        hops: Vec<Hop>,
    },
    /// There is none, whatever is accepted.
    Unreachable {
        /// The newest release that can be reached; it is where the path starts, if none can.
        newest: Version,
    },
}

impl std::error::Error for NoPath {}

impl fmt::Display for NoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownRelease(version) => write!(f, "{version} is not in the update graph"),
            Self::Refused { hops } => {
                f.write_str("each path needs an upgrade that is refused")?;
                let mut hops = hops.iter();
                hops.try_for_each(|hop| write!(f, "; {hop}"))
            }
            Self::Unreachable { newest } => {
                write!(f, "the update graph reaches no further than {newest}")
            }
        }
    }
}

impl Hop {
    /// Returns what is known to go wrong with some clusters.
    ///
    /// Of a recommended upgrade there can be risks too: servers have listed upgrades as both.
    pub fn risks(&self) -> impl Iterator<Item = &Risk> {
        self.risks.iter().flat_map(|risks| risks.iter())
    }
}

impl fmt::Display for Hop {
    /// Writes both ends and the names of the risks, each once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.from, self.to)?;
        let names: BTreeSet<_> = self.risks().map(|risk| harmless(&risk.name)).collect();
        let mut names = names.into_iter();
        names.next().map_or(Ok(()), |first| write!(f, " ({first}"))?;
        names.try_for_each(|name| write!(f, ", {name}"))?;
        if self.risks().next().is_some() { f.write_str(")") } else { Ok(()) }
    }
}

impl UpgradePath {
    /// Returns the releases, first to last.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// Returns the upgrades, one fewer than the releases.
    pub fn hops(&self) -> &[Hop] {
        &self.hops
    }

    /// Returns the upgrades that are not offered to all clusters.
    pub fn conditional(&self) -> impl Iterator<Item = &Hop> {
        self.hops.iter().filter(|hop| hop.advice == Advice::Conditional)
    }

    /// Returns each risk once, with the upgrades that have it, by name.
    pub fn exposures(&self) -> Vec<Exposure<'_>> {
        exposures(&self.hops)
    }
}

/// Finds the best path: the fewest conditional upgrades first, then the fewest upgrades.
///
/// Among equal ones that is taken which a breadth-first search finds that looks at higher versions
/// first. Where there is a path without conditional upgrades, it is oc-mirror's.
///
/// # Errors
///
/// [`NoPath`], which says which of three things is the matter.
pub fn solve(
    graph: &Graph,
    (from, to): (&Version, &Version),
    refusal: &Refusal,
) -> Result<UpgradePath, NoPath> {
    let find = |version: &Version| {
        graph.find(version).ok_or_else(|| NoPath::UnknownRelease(version.clone()))
    };
    let (start, end) = (find(from)?, find(to)?);
    let search = Search::run(graph, (start, end), refusal);
    if let Some(path) = search.path(end) {
        return Ok(path);
    }
    if *refusal != Refusal::Nothing {
        let without = Search::run(graph, (start, end), &Refusal::Nothing);
        if let Some(path) = without.path(end) {
            let is_refused = |hop: &&Hop| hop.risks.iter().any(|risks| refusal.covers(risks));
            let hops = path.conditional().filter(is_refused).cloned().collect();
            return Err(NoPath::Refused { hops });
        }
    }
    Err(NoPath::Unreachable { newest: search.newest().unwrap_or_else(|| from.clone()) })
}

/// Conditional upgrades, then all upgrades.
type Cost = (u32, u32);

/// What is known of the ways from one release.
struct Search<'a> {
    graph: &'a Graph,
    /// By node: the cheapest way there, and the node before it.
    best: Vec<Option<(Cost, NodeIndex)>>,
}

impl<'a> Search<'a> {
    /// Dijkstra's algorithm. Among equal costs the node found first goes first, so that without
    /// conditional upgrades it is a breadth-first search.
    fn run(graph: &'a Graph, (start, end): (NodeIndex, NodeIndex), refusal: &Refusal) -> Self {
        let mut search = Self { graph, best: vec![None; graph.nodes.node_count()] };
        let mut queue = BinaryHeap::from([Reverse(((0, 0), 0_u32, start))]);
        search.improve(start, ((0, 0), start));
        let (mut found, refused) = (0_u32, graph.refused(refusal));
        let mut next = Vec::new();
        while let Some(Reverse((cost, _, here))) = queue.pop() {
            if here == end {
                break;
            }
            if search.cost(here).is_some_and(|best| best < cost) {
                continue;
            }
            next.clear();
            let edges = graph.nodes.edges(here);
            let edges = edges.filter(|edge| edge.weight().is_admitted(&refused));
            next.extend(edges.map(|edge| (edge.target(), edge.weight().advice)));
            // Indices compare as versions do.
            next.sort_unstable_by_key(|(node, _)| Reverse(*node));
            for (node, advice) in &next {
                let risky = u32::from(*advice == Advice::Conditional);
                let there = (cost.0.saturating_add(risky), cost.1.saturating_add(1));
                if search.improve(*node, (there, here)) {
                    found = found.saturating_add(1);
                    queue.push(Reverse((there, found, *node)));
                }
            }
        }
        search
    }

    fn cost(&self, node: NodeIndex) -> Option<Cost> {
        self.best.get(node.index()).copied().flatten().map(|(cost, _)| cost)
    }

    /// Takes note of a way to `node`, and returns whether it is better than any before.
    fn improve(&mut self, node: NodeIndex, way: (Cost, NodeIndex)) -> bool {
        let Some(best) = self.best.get_mut(node.index()) else { return false };
        let is_better = best.is_none_or(|(cost, _)| way.0 < cost);
        if is_better {
            *best = Some(way);
        }
        is_better
    }

    fn before(&self, node: NodeIndex) -> Option<NodeIndex> {
        let (_, before) = self.best.get(node.index()).copied().flatten()?;
        (before != node).then_some(before)
    }

    fn path(&self, end: NodeIndex) -> Option<UpgradePath> {
        self.cost(end)?;
        let mut nodes: Vec<_> = iter::successors(Some(end), |node| self.before(*node)).collect();
        nodes.reverse();
        let releases = nodes.iter().filter_map(|node| self.graph.nodes.node_weight(*node).cloned());
        let hops = nodes.iter().zip(nodes.iter().skip(1));
        Some(UpgradePath {
            releases: releases.collect(),
            hops: hops.filter_map(|(from, to)| hop(self.graph, *from, *to)).collect(),
        })
    }

    fn newest(&self) -> Option<Version> {
        let last = self.best.iter().rposition(Option::is_some)?;
        Some(self.graph.nodes.raw_nodes().get(last)?.weight.version.clone())
    }
}

fn hop(graph: &Graph, from: NodeIndex, to: NodeIndex) -> Option<Hop> {
    let version = |node| Some(graph.nodes.node_weight(node)?.version.clone());
    let upgrade = graph.nodes.edge_weight(graph.nodes.find_edge(from, to)?)?;
    let (advice, risks) = (upgrade.advice, graph.risks(upgrade));
    Some(Hop { from: version(from)?, to: version(to)?, advice, risks })
}
