//! What holds for all graphs.

use std::collections::BTreeSet;

use ocm_graph::{
    Between, Channel, ChannelQuery, Extent, Graph, Graphs, Hop, NoPath, Query, Refusal, Version,
    select, solve,
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    brute_force::{self, Plain},
    fixture::{parts, payload, steps, texts},
};

/// Versions that are near to each other in every way that matters.
fn version() -> impl Strategy<Value = String> {
    let pre = prop_oneof![
        4 => Just(String::new()),
        1 => (0..3_u8).prop_map(|n| format!("-rc.{n}")),
        1 => Just("-0.nightly-2024-01-02".to_owned()),
        1 => Just("-rc".to_owned()),
    ];
    (16..19_u8, 0..12_u8, pre).prop_map(|(minor, patch, pre)| format!("4.{minor}.{patch}{pre}"))
}

/// A graph as a server would send it: releases in any order, upgrades in any direction.
fn graph() -> impl Strategy<Value = Value> {
    vec(version(), 1..14).prop_flat_map(|versions| {
        let versions: Vec<_> = {
            let mut seen = BTreeSet::new();
            versions.into_iter().filter(|version| seen.insert(version.clone())).collect()
        };
        let count = versions.len();
        let edge = move || (0..count, 0..count);
        let risky = vec((edge(), vec(0..3_usize, 1..3)), 0..12);
        (vec(edge(), 0..24), risky)
            .prop_map(move |(edges, risky)| json_of(&versions, &edges, &risky))
    })
}

type Edge = (usize, usize);

const RISKS: [&str; 3] = ["Slow", "Loud", "Hot"];

fn json_of(versions: &[String], edges: &[Edge], risky: &[(Edge, Vec<usize>)]) -> Value {
    let node = |version: &String| json!({"version": version, "payload": payload(version)});
    let risk = |nth: &usize| json!({"name": RISKS[*nth]});
    let group = |((from, to), risks): &(Edge, Vec<usize>)| {
        json!({
            "edges": [{"from": versions[*from], "to": versions[*to]}],
            "risks": risks.iter().map(risk).collect::<Vec<_>>(),
        })
    };
    json!({
        "nodes": versions.iter().map(node).collect::<Vec<_>>(),
        "edges": edges,
        "conditionalEdges": risky.iter().map(group).collect::<Vec<_>>(),
    })
}

fn read(json: &Value) -> Graph {
    Graph::from_json(json.to_string().as_bytes()).unwrap()
}

/// Puts releases and upgrades in another order, which means the same.
fn reversed(json: &Value) -> Value {
    let nodes = json["nodes"].as_array().unwrap();
    let last = nodes.len() - 1;
    let turned = |edge: &Value| {
        let end = |at: usize| last - usize::try_from(edge[at].as_u64().unwrap()).unwrap();
        json!([end(0), end(1)])
    };
    let backwards = |key: &str| json[key].as_array().unwrap().iter().rev();
    json!({
        "nodes": backwards("nodes").collect::<Vec<_>>(),
        "edges": backwards("edges").map(turned).collect::<Vec<_>>(),
        "conditionalEdges": backwards("conditionalEdges").collect::<Vec<_>>(),
    })
}

fn versions(graph: &Graph) -> Vec<Version> {
    graph.releases().map(|release| release.version.clone()).collect()
}

proptest! {
    #[test]
    fn paths_are_the_best_there_are(json in graph()) {
        let (graph, plain) = (read(&json), Plain::of(&json));
        let all: Vec<_> = (0..plain.count()).collect();
        for from in 0..plain.count() {
            brute_force::compare("made up", (&graph, &plain), from, &all);
        }
    }

    #[test]
    fn the_order_in_a_file_means_nothing(json in graph()) {
        let (one, other) = (read(&json), read(&reversed(&json)));
        prop_assert_eq!(versions(&one), versions(&other));
        for from in versions(&one) {
            for to in versions(&one) {
                let solve = |graph| solve(graph, (&from, &to), &Refusal::Nothing);
                let way = |solved: Result<ocm_graph::UpgradePath, NoPath>| {
                    solved.map(|path| (steps(&path), path.conditional().count()))
                };
                prop_assert_eq!(way(solve(&one)), way(solve(&other)));
            }
        }
    }

    /// Whoever refuses a risk gets a path without it, or none; and never a better one.
    #[test]
    fn what_is_refused_is_not_taken(json in graph()) {
        let graph = read(&json);
        let refused = Refusal::Named(["Slow".to_owned()].into());
        for from in versions(&graph) {
            for to in versions(&graph) {
                let free = solve(&graph, (&from, &to), &Refusal::Nothing);
                let cost = |path: &ocm_graph::UpgradePath| {
                    (path.conditional().count(), path.hops().len())
                };
                match (solve(&graph, (&from, &to), &refused), &free) {
                    (Ok(path), Ok(free)) => {
                        let is_slow = path.conditional().flat_map(Hop::risks)
                            .any(|risk| risk.name == "Slow");
                        prop_assert!(!is_slow);
                        prop_assert!(cost(free) <= cost(&path));
                    }
                    (Err(NoPath::Refused { hops }), Ok(_)) => prop_assert!(!hops.is_empty()),
                    (Err(NoPath::Unreachable { .. }), Err(NoPath::Unreachable { .. })) => {}
                    (strict, free) => prop_assert!(false, "{strict:?} {free:?}"),
                }
            }
        }
    }

    #[test]
    fn ranges_are_what_lies_between(
        json in graph(), min in proptest::option::of(version()),
        max in proptest::option::of(version()), is_full in any::<bool>(),
    ) {
        let graph = read(&json);
        let bound = |text: &Option<String>| text.as_ref().map(|text| text.parse().unwrap());
        let (min, max): (Option<Version>, Option<Version>) = (bound(&min), bound(&max));
        let query = Query {
            channels: vec![ChannelQuery {
                channel: Channel::ocp("stable-4.18"),
                min: min.clone(),
                max: max.clone(),
                extent: if is_full { Extent::Full } else { Extent::Head },
                between: Between::All,
            }],
            ..Query::default()
        };
        let all = versions(&graph);
        let is_head = min.is_none() && max.is_none() && !is_full;
        let expected: Vec<_> = all.iter()
            .filter(|version| min.as_ref().is_none_or(|min| *version >= min))
            .filter(|version| max.as_ref().is_none_or(|max| *version <= max))
            .filter(|version| !is_head || Some(*version) == all.last())
            .collect();
        let mut graphs = Graphs::default();
        graphs.insert(Channel::ocp("stable-4.18"), graph.clone());
        let selection = select(&query, &graphs);
        let found = selection.releases.iter().map(|release| &release.version);
        prop_assert_eq!(texts(found), texts(expected));
        prop_assert_eq!(selection.releases.is_empty(), !selection.errors.is_empty());
    }

    #[test]
    fn joining_adds_nothing_and_loses_nothing(one in graph(), other in graph()) {
        let (one, other) = (read(&one), read(&other));
        prop_assert_eq!(versions(&Graph::join([&one, &one])), versions(&one));
        let joined = Graph::join([&one, &other]);
        let expected: BTreeSet<_> = versions(&one).into_iter().chain(versions(&other)).collect();
        prop_assert_eq!(versions(&joined), expected.into_iter().collect::<Vec<_>>());
        for graph in [&one, &other] {
            for from in versions(graph) {
                for to in versions(graph) {
                    let cost = |graph| {
                        let path = solve(graph, (&from, &to), &Refusal::Nothing).ok()?;
                        Some((path.conditional().count(), path.hops().len()))
                    };
                    if let Some(alone) = cost(graph) {
                        prop_assert!(cost(&joined).is_some_and(|together| together <= alone));
                    }
                }
            }
        }
    }

    /// Precedence, written the naive way.
    #[test]
    fn versions_compare_part_by_part(a in version(), b in version()) {
        let (one, other): (Version, Version) = (a.parse().unwrap(), b.parse().unwrap());
        prop_assert_eq!(one.cmp(&other), parts(&a).cmp(&parts(&b)));
    }

    #[test]
    fn no_bytes_are_too_odd(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Graph::from_json(&bytes).is_err());
    }

    /// A graph in which something is missing, doubled or of another type is read or refused.
    #[test]
    fn no_graph_is_too_odd(json in graph(), at in any::<prop::sample::Index>(), with in ".{0,6}") {
        let mut text: Vec<char> = json.to_string().chars().collect();
        let at = at.index(text.len());
        let end = (at + 3).min(text.len());
        text.splice(at..end, with.chars());
        let text: String = text.into_iter().collect();
        if let Ok(graph) = Graph::from_json(text.as_bytes()) {
            let (oldest, newest) = (graph.oldest(), graph.newest());
            if let (Some(oldest), Some(newest)) = (oldest, newest) {
                drop(solve(&graph, (&oldest.version, &newest.version), &Refusal::Nothing));
            }
        }
    }
}
