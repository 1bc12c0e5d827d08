//! The JSON of the Cincinnati protocol.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Edge, Graph, GraphError, Line, Release};
use crate::{Risk, Version, risk::null_as_default};

#[derive(Deserialize)]
pub(super) struct WireGraph {
    // Must be there: an error that a server sends in JSON is no graph without releases.
    #[serde(deserialize_with = "null_as_default")]
    nodes: Vec<WireNode>,
    #[serde(default, deserialize_with = "null_as_default")]
    edges: Vec<(u64, u64)>,
    #[serde(default, rename = "conditionalEdges", deserialize_with = "null_as_default")]
    conditional: Vec<WireGroup>,
}

#[derive(Deserialize)]
struct WireNode {
    version: Version,
    #[serde(default, deserialize_with = "null_as_default")]
    payload: String,
    #[serde(default, deserialize_with = "null_as_default")]
    metadata: WireMetadata,
}

#[derive(Deserialize, Default)]
struct WireMetadata {
    #[serde(
        default,
        rename = "io.openshift.upgrades.graph.release.channels",
        deserialize_with = "text_or_nothing"
    )]
    channels: String,
}

#[derive(Deserialize)]
struct WireGroup {
    #[serde(default, deserialize_with = "null_as_default")]
    edges: Vec<WireEdge>,
    #[serde(default, deserialize_with = "null_as_default")]
    risks: Vec<Risk>,
}

#[derive(Deserialize)]
struct WireEdge {
    from: String,
    to: String,
}

/// Most upgrades of a graph. The largest known has some ten thousand.
const MAX_EDGES: usize = 2_000_000;

pub(super) fn read(wire: WireGraph) -> Result<Graph, GraphError> {
    at_most(Graph::MAX_RELEASES, "releases", wire.nodes.len())?;
    let conditional: usize = wire.conditional.iter().map(|group| group.edges.len()).sum();
    at_most(MAX_EDGES, "upgrades", wire.edges.len().saturating_add(conditional))?;
    let most_risks = wire.conditional.iter().map(|group| group.risks.len()).max();
    at_most(Graph::MAX_RISKS, "risks of one upgrade", most_risks.unwrap_or_default())?;
    let exposures = |group: &WireGroup| group.edges.len().saturating_mul(group.risks.len());
    let exposures = wire.conditional.iter().map(exposures).fold(0, usize::saturating_add);
    at_most(Graph::MAX_EXPOSURES, "risks of all upgrades together", exposures)?;
    Ok(build(wire))
}

fn at_most(limit: usize, what: &'static str, count: usize) -> Result<(), GraphError> {
    if count > limit { Err(GraphError::TooMany { what, count, limit }) } else { Ok(()) }
}

fn build(wire: WireGraph) -> Graph {
    let mut releases: Vec<_> = wire.nodes.into_iter().map(release).enumerate().collect();
    // Stable: of equal versions the first stays the first.
    releases.sort_by(|(_, a), (_, b)| a.version.cmp(&b.version));
    let mut places = vec![u32::MAX; releases.len()];
    for (place, (written, _)) in (0..).zip(&releases) {
        if let Some(slot) = places.get_mut(*written) {
            *slot = place;
        }
    }
    let releases: Vec<_> = releases.into_iter().map(|(_, release)| release).collect();
    let written = wire.edges.len();
    let place = |index: u64| places.get(usize::try_from(index).ok()?).copied();
    let edge = |(from, to)| Some((place(from)?, place(to)?, Line::Recommended));
    let mut edges: Vec<Edge> = wire.edges.into_iter().filter_map(edge).collect();
    let skipped_edges = written - edges.len();
    let mut risks = Vec::new();
    for (group, WireGroup { edges: conditional, risks: these }) in (0..).zip(wire.conditional) {
        let edge = |edge: &WireEdge| {
            let (from, to) = (find(&releases, &edge.from)?, find(&releases, &edge.to)?);
            Some((from, to, Line::WithRisks(group)))
        };
        edges.extend(conditional.iter().filter_map(edge));
        risks.push(these.into());
    }
    Graph { skipped_edges, ..Graph::build(releases, edges, risks) }
}

fn release(WireNode { version, payload, metadata }: WireNode) -> Release {
    Release { version, payload, channels: metadata.channels }
}

/// Returns the place of a release that is named by its version; of several, the first.
fn find(releases: &[Release], written: &str) -> Option<u32> {
    let version: Version = written.parse().ok()?;
    let first = releases.partition_point(|release| release.version < version);
    releases.get(first).filter(|release| release.version == version)?;
    u32::try_from(first).ok()
}

/// Of what a release is annotated with nothing is worth refusing it for.
fn text_or_nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Other(IgnoredAny),
    }
    Either::deserialize(deserializer).map(|either| match either {
        Either::Text(text) => text,
        Either::Other(IgnoredAny) => String::new(),
    })
}
