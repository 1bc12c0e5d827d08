//! Small graphs, written as a few numbers.

use ocm_graph::{Channel, Graph, Graphs, UpgradePath, Version};
use serde_json::json;

/// A channel, its releases, the upgrades between them by place, and those that have risks.
pub(crate) type Sketch<'a> =
    (&'a str, &'a [&'a str], &'a [(usize, usize)], &'a [(usize, usize, &'a [&'a str])]);

/// Makes a graph as a server would send it.
pub(crate) fn json(sketch: &Sketch<'_>) -> Vec<u8> {
    let (_, versions, edges, risky) = sketch;
    let node = |version: &&str| json!({"version": version, "payload": payload(version)});
    let risk = |name: &&str| {
        json!({
            "name": name, "url": format!("https://risks.example/{name}"), "message": "It is slow.",
            "matchingRules": [{"type": "Always"}],
        })
    };
    let group = |(from, to, risks): &(usize, usize, &[&str])| {
        json!({
            "edges": [{"from": versions[*from], "to": versions[*to]}],
            "risks": risks.iter().map(risk).collect::<Vec<_>>(),
        })
    };
    let graph = json!({
        "version": 1,
        "nodes": versions.iter().map(node).collect::<Vec<_>>(),
        "edges": edges,
        "conditionalEdges": risky.iter().map(group).collect::<Vec<_>>(),
    });
    serde_json::to_vec(&graph).unwrap()
}

pub(crate) fn graph(sketch: &Sketch<'_>) -> Graph {
    Graph::from_json(&json(sketch)).unwrap()
}

pub(crate) fn graphs(sketches: &[Sketch<'_>]) -> Graphs {
    let mut graphs = Graphs::default();
    for sketch in sketches {
        graphs.insert(Channel::ocp(sketch.0), graph(sketch));
    }
    graphs
}

pub(crate) fn payload(version: &str) -> String {
    format!("example.com/release:{}", version.replace('+', "_"))
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub(crate) fn texts<'a>(versions: impl IntoIterator<Item = &'a Version>) -> Vec<String> {
    versions.into_iter().map(ToString::to_string).collect()
}

pub(crate) fn steps(path: &UpgradePath) -> Vec<String> {
    texts(path.releases().iter().map(|release| &release.version))
}
