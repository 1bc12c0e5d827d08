//! Update graphs as large as the largest: reading one, and upgrade paths in it.
//!
//! With `OCM_CORPUS` the largest real one, else one that is made up, of the same size.

use std::{env, fs, path::PathBuf, sync::LazyLock};

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, NoPath, Query, Refusal, Version, select,
    solve,
};
use serde_json::json;

/// What the largest graph of the corpus has.
const RELEASES: usize = 270;
const RECOMMENDED: usize = 6_460;
const CONDITIONAL: usize = 4_678;
const GROUPS: usize = 81;
/// How many paths are looked for in one go.
const PAIRS: usize = 100;

static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| real().unwrap_or_else(made_up));
static GRAPH: LazyLock<Graph> =
    LazyLock::new(|| Graph::from_json(&TEXT).expect("it is an update graph"));

fn main() {
    divan::main();
}

fn real() -> Option<Vec<u8>> {
    let corpus = PathBuf::from(env::var_os("OCM_CORPUS")?);
    fs::read(corpus.join("graphs/derived/amd64/candidate-4.14_amd64.json")).ok()
}

/// Releases of three minor versions, each with upgrades to later ones.
fn made_up() -> Vec<u8> {
    let version = |nth: usize| format!("4.{}.{}", 12 + nth / 90, nth % 90);
    let node = |nth| json!({"version": version(nth), "payload": format!("example.com/r:{nth}")});
    let mut chance = Chance(7);
    let mut edge = || {
        let from = chance.below(RELEASES - 1);
        (from, from + 1 + chance.below((RELEASES - from - 1).min(60)))
    };
    let edges: Vec<_> = (0..RECOMMENDED).map(|_| edge()).collect();
    let risk = |nth: usize| json!({"name": format!("Risk{nth}"), "matchingRules": []});
    let group = |nth: usize| {
        let edges: Vec<_> = (0..CONDITIONAL / GROUPS)
            .map(|_| edge())
            .map(|(from, to)| json!({"from": version(from), "to": version(to)}))
            .collect();
        json!({"edges": edges, "risks": [risk(nth), risk(nth + 1)]})
    };
    let groups: Vec<_> = (0..GROUPS).map(group).collect();
    let nodes: Vec<_> = (0..RELEASES).map(node).collect();
    let graph = json!({"nodes": nodes, "edges": edges, "conditionalEdges": groups});
    serde_json::to_vec(&graph).expect("a graph is JSON")
}

/// `SplitMix64`: the same pairs in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap_or_default()
    }
}

fn pairs() -> Vec<(Version, Version)> {
    let versions: Vec<_> = GRAPH.releases().map(|release| release.version.clone()).collect();
    let mut chance = Chance(11);
    let mut one = || versions.get(chance.below(versions.len())).cloned();
    (0..PAIRS).filter_map(|_| one().zip(one())).collect()
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let text = &*TEXT;
    bencher.counter(BytesCount::new(text.len())).bench(|| Graph::from_json(text));
}

/// A hundred paths between any two releases; the figure for one is in the column of items.
#[divan::bench]
fn path(bencher: Bencher<'_, '_>) {
    let pairs = pairs();
    bencher.counter(ItemsCount::new(pairs.len())).bench(|| {
        let is_found =
            |(from, to): &&(Version, Version)| solve(&GRAPH, (from, to), &Refusal::Nothing).is_ok();
        pairs.iter().filter(is_found).count()
    });
}

/// The worst: the whole graph is looked through twice, in vain.
#[divan::bench]
fn no_path(bencher: Bencher<'_, '_>) {
    let newest = GRAPH.newest().map(|release| release.version.clone());
    let oldest = GRAPH.oldest().map(|release| release.version.clone());
    let (newest, oldest) = newest.zip(oldest).expect("it has releases");
    let refusal = Refusal::Named(["nothing is called so".to_owned()].into());
    bencher.bench(|| {
        let from_the_newest = solve(&GRAPH, (&newest, &oldest), &refusal);
        assert!(matches!(from_the_newest, Err(NoPath::Unreachable { .. })));
        solve(&GRAPH, (&oldest, &newest), &refusal)
    });
}

/// A whole channel, by range, and by path.
#[divan::bench(args = [Between::All, Between::ShortestPath])]
fn select_channel(bencher: Bencher<'_, '_>, between: Between) {
    let channel = Channel::ocp("candidate-4.14");
    let mut graphs = Graphs::default();
    graphs.insert(channel.clone(), GRAPH.clone());
    let query = ChannelQuery { channel, min: None, max: None, extent: Extent::Full, between };
    let query = Query { channels: vec![query], ..Query::default() };
    bencher.bench(|| select(&query, &graphs));
}
