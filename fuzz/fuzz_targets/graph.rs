//! An update graph that somebody altered is refused, or answers every question about it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, NoPath, Query, Refusal, Version, needs,
    select, solve,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(graph) = Graph::from_json(bytes) else { return };
    let versions: Vec<Version> = graph.releases().map(|one| one.version.clone()).take(8).collect();
    assert!(versions.is_sorted());
    for from in &versions {
        for to in &versions {
            ask(&graph, (from, to));
        }
    }
    for between in [Between::All, Between::ShortestPath] {
        choose(&graph, between);
    }
});

fn ask(graph: &Graph, ends: (&Version, &Version)) {
    let free = solve(graph, ends, &Refusal::Nothing);
    let strict = solve(graph, ends, &Refusal::Everything);
    match (&free, &strict) {
        (Ok(free), Ok(strict)) => {
            // Without conditions there is nothing to choose.
            assert_eq!(free, strict);
            assert_eq!(free.conditional().count(), 0);
        }
        (Ok(free), Err(NoPath::Refused { hops })) => {
            assert_eq!(free.conditional().count(), hops.len());
            drop(free.exposures());
        }
        (Err(NoPath::Unreachable { .. }), Err(NoPath::Unreachable { .. })) => {}
        other => panic!("{other:?}"),
    }
    let path = free.iter().flat_map(|path| path.releases()).map(|one| &one.version);
    let path: Vec<_> = path.collect();
    if let [first, .., last] = path[..] {
        assert_eq!((first, last), ends);
    }
}

/// Asks for everything in two channels that both have this graph, and in what lies between.
fn choose(graph: &Graph, between: Between) {
    let channel = |name| ChannelQuery {
        channel: Channel::ocp(name),
        min: None,
        max: None,
        extent: Extent::Full,
        between,
    };
    let channels = vec![channel("stable-4.16"), channel("eus-4.18")];
    let query = Query { channels, ..Query::default() };
    let mut graphs = Graphs::default();
    for _ in 0..200 {
        let needed = needs(&query, &graphs);
        if needed.is_empty() {
            let selection = select(&query, &graphs);
            assert!(selection.releases.is_sorted_by_key(|release| &release.version));
            return;
        }
        for channel in needed {
            graphs.insert(channel, graph.clone());
        }
    }
    panic!("there is always something more to ask for");
}
