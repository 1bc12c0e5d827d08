//! Graphs that nobody sends who means well.

use std::fmt::Write as _;

use ocm_graph::{Graph, GraphError, NoPath, Refusal, solve};
use serde_json::json;

use crate::fixture::version;

fn read(json: &serde_json::Value) -> Result<Graph, GraphError> {
    Graph::from_json(json.to_string().as_bytes())
}

/// A path as long as there are releases, with as many upgrades again from its first one.
fn long(count: usize) -> String {
    let mut json = "{\"nodes\":[".to_owned();
    for nth in 0..count {
        let comma = if nth == 0 { "" } else { "," };
        write!(json, "{comma}{{\"version\":\"4.1.{nth}\"}}").unwrap();
    }
    json.push_str("],\"edges\":[[0,0]");
    for nth in 1..count {
        write!(json, ",[{},{nth}],[{nth},0]", nth - 1).unwrap();
    }
    json.push_str("]}");
    json
}

#[test]
fn what_is_no_graph_says_why() {
    for (json, part) in [
        (
            r#"{"nodes": [{"version": "v4.0.0-0.1", "payload": ""}]}"#,
            "`v4.0.0-0.1` is not a version",
        ),
        (r#"{"nodes": [{"version": "4-0-0+0.1", "payload": ""}]}"#, "`4-0-0+0.1` is not a version"),
        (r#"{"nodes": [{"payload": ""}]}"#, "missing field `version`"),
        ("<html>", "expected value"),
        ("", "EOF"),
        ("[]", "invalid length"),
        (r#"{"kind": "missing_params", "value": "channel"}"#, "missing field `nodes`"),
        (r#"{"nodes": [], "edges": [[0, -1]]}"#, "-1"),
        (r#"{"nodes": [], "edges": [[0, 1, 2]]}"#, "trailing"),
    ] {
        let error = Graph::from_json(json.as_bytes()).unwrap_err();
        let GraphError::Json(source) = &error else { panic!("{error}") };
        assert!(source.to_string().contains(part), "{json}: {source}");
    }
}

#[test]
fn size_has_bounds() {
    let large = vec![b' '; Graph::MAX_BYTES + 1];
    let error = Graph::from_json(&large).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the update graph has 67108865 bytes, more than the 67108864 that are read"
    );
    let error = Graph::from_json(long(50_001).as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the update graph has 50001 releases, more than the 50000 that are read"
    );
    let risks: Vec<_> = (0..65).map(|nth| json!({"name": nth.to_string()})).collect();
    let graph =
        json!({"nodes": [], "edges": [], "conditionalEdges": [{"edges": [], "risks": risks}]});
    assert_eq!(
        read(&graph).unwrap_err().to_string(),
        "the update graph has 65 risks of one upgrade, more than the 64 that are read"
    );
    // What is told is as much as there are upgrades for each risk.
    let edges: Vec<_> = (0..10_000).map(|_| json!({"from": "4.1.0", "to": "4.1.1"})).collect();
    let group = json!({"edges": edges, "risks": &risks[..51]});
    let graph = json!({"nodes": [], "edges": [], "conditionalEdges": [group]});
    assert_eq!(
        read(&graph).unwrap_err().to_string(),
        "the update graph has 510000 risks of all upgrades together, more than the 500000 that \
         are read"
    );
}

/// Neither the stack nor the time grows faster than the graph.
#[test]
fn the_longest_path_is_found() {
    let graph = Graph::from_json(long(50_000).as_bytes()).unwrap();
    let ends = (&version("4.1.0"), &version("4.1.49999"));
    let path = solve(&graph, ends, &Refusal::Nothing).unwrap();
    assert_eq!(path.hops().len(), 49_999);
}

/// One release with an upgrade to each other, in thousands of groups with the same risks.
#[test]
fn upgrades_and_risks_do_not_multiply() {
    let nodes: Vec<_> = (0..2_000).map(|nth| json!({"version": format!("4.1.{nth}")})).collect();
    let edges: Vec<_> =
        (1..2_000).map(|nth| json!({"from": "4.1.0", "to": format!("4.1.{nth}")})).collect();
    let risks: Vec<_> = (0..64).map(|nth| json!({"name": nth.to_string()})).collect();
    let group = json!({"edges": edges, "risks": risks});
    let graph = json!({"nodes": nodes, "edges": [], "conditionalEdges": [group, group, group]});
    let graph = read(&graph).unwrap();
    let refused = Refusal::Named(["63".to_owned()].into());
    let ends = (&version("4.1.0"), &version("4.1.1999"));
    let Err(NoPath::Refused { hops }) = solve(&graph, ends, &refused) else { panic!("{graph:?}") };
    assert_eq!(hops[0].risks().count(), 192);
}

#[test]
fn what_does_not_matter_is_passed_over() {
    let graph = json!({
        "version": 2,
        "unknown": {"deep": [[[]]]},
        "nodes": [
            {"version": "4.1.0", "payload": null, "metadata": null},
            {"version": "4.1.1", "metadata": {"io.openshift.upgrades.graph.release.channels": 7}},
            {"version": "4.1.2", "metadata": {
                "io.openshift.upgrades.graph.release.channels": "stable-4.1, fast-4.1,,",
                "url": ["x"],
            }},
        ],
        // To nowhere, to itself, twice the same.
        "edges": [[0, 1], [0, 1], [1, 1], [2, 9], [u64::MAX, 0]],
        "conditionalEdges": [
            {"edges": [{"from": "4.1.1", "to": "4.1.2"}, {"from": "4.1.1", "to": "4.9.9"},
                       {"from": "", "to": "x"}],
             "risks": null},
            {"edges": null, "risks": [{}]},
        ],
    });
    let graph = read(&graph).unwrap();
    assert_eq!(graph.skipped_edges(), 2);
    assert_eq!(graph.channels().into_iter().collect::<Vec<_>>(), ["fast-4.1", "stable-4.1"]);
    let solve = |refusal| solve(&graph, (&version("4.1.0"), &version("4.1.2")), &refusal);
    let path = solve(Refusal::Nothing).unwrap();
    let hops: Vec<_> = path.hops().iter().map(ToString::to_string).collect();
    assert_eq!(hops, ["4.1.0 to 4.1.1", "4.1.1 to 4.1.2"]);
    // An upgrade without a named risk is conditional all the same.
    assert_eq!(path.conditional().count(), 1);
    assert!(matches!(solve(Refusal::Everything), Err(NoPath::Refused { .. })));

    let nothing = json!({"nodes": null, "edges": null, "conditionalEdges": null});
    assert!(read(&nothing).unwrap().is_empty());
}

/// What servers have listed as both, clusters and oc-mirror take; the risks are told.
#[test]
fn a_recommended_upgrade_can_have_risks() {
    let graph = json!({
        "nodes": [{"version": "4.1.0"}, {"version": "4.1.1"}],
        "edges": [[0, 1]],
        "conditionalEdges": [{
            "edges": [{"from": "4.1.0", "to": "4.1.1"}], "risks": [{"name": "Slow"}],
        }],
    });
    let graph = read(&graph).unwrap();
    let ends = (&version("4.1.0"), &version("4.1.1"));
    let path = solve(&graph, ends, &Refusal::Everything).unwrap();
    assert_eq!(path.conditional().count(), 0);
    assert_eq!(path.exposures().len(), 1);
}

/// A graph of all architectures tells them apart by build metadata.
#[test]
fn build_metadata_decides_between_equals() {
    let graph = json!({
        "nodes": [
            {"version": "4.1.0+amd64", "payload": "a"}, {"version": "4.1.0+s390x", "payload": "b"},
            {"version": "4.1.1+s390x", "payload": "c"},
        ],
        "edges": [[1, 2]],
    });
    let graph = read(&graph).unwrap();
    let payload = |text: &str| graph.release(&version(text)).map(|one| one.payload.as_str());
    assert_eq!(payload("4.1.0"), Some("a"));
    assert_eq!(payload("4.1.0+s390x"), Some("b"));
    assert_eq!(payload("4.1.0+arm64"), Some("a"));
    assert_eq!(payload("4.1.1"), Some("c"));
    let solve = |from: &str| solve(&graph, (&version(from), &version("4.1.1")), &Refusal::Nothing);
    assert!(solve("4.1.0+s390x").is_ok() && solve("4.1.0").is_err());
}
