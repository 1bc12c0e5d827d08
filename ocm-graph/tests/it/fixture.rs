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

/// Numbers that look random and are the same for the same seed: `SplitMix64`.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// A part of a pre-release: a number, or a word.
type Part = (u8, u64, String);

/// Returns what versions are compared by, read the naive way.
pub(crate) fn parts(version: &str) -> (Vec<u64>, u8, Vec<Part>) {
    let version = version.split('+').next().unwrap();
    let (numbers, pre) = version.split_once('-').map_or((version, None), |(n, p)| (n, Some(p)));
    let numbers = numbers.split('.').map(|number| number.parse().unwrap()).collect();
    let part = |part: &str| match part.parse() {
        Ok(number) => (0, number, String::new()),
        Err(_) => (1, 0, part.to_owned()),
    };
    match pre {
        None => (numbers, 1, Vec::new()),
        Some(pre) => (numbers, 0, pre.split('.').map(part).collect()),
    }
}
