//! Releases of a configuration: asked of a server, of files, and of an archive.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use ocm_config::{ReleaseChannel, ReleaseKind, ReleasePayload, Releases};
use ocm_graph::{MissingPaths, Reason, Refusal, Warning};
use ocm_mirror::{
    Cincinnati, ClientId, GraphDirectory, KeptGraphs, PathRules, ReleaseError, RetryPolicy,
    SelectedReleases, UpdateGraphError, keep_graphs, select_releases,
};
use ocm_oci::{Platform, PlatformFilter};
use ocm_testkit::{Loopback, UpdateServer};
use ocm_transport::{Client, ClientOptions};
use serde_json::json;

/// A graph of `versions`, each of which can be upgraded to the next.
fn graph(architecture: &str, versions: &[&str]) -> String {
    let payload = |version: &str| format!("example.com/release:{version}-{architecture}");
    let nodes: Vec<_> = versions
        .iter()
        .map(|version| json!({"version": version, "payload": payload(version)}))
        .collect();
    let edges: Vec<_> = (1..versions.len()).map(|to| [to - 1, to]).collect();
    json!({"version": 1, "nodes": nodes, "edges": edges}).to_string()
}

fn channel(name: &str, min: &str, max: &str) -> ReleaseChannel {
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    let location = ocm_config::Location { path: String::new(), line: 1, column: 1 };
    ReleaseChannel {
        name: name.to_owned(),
        kind: ReleaseKind::Ocp,
        min: bound(min),
        max: bound(max),
        full: false,
        shortest_path: true,
        location,
    }
}

fn releases(channels: Vec<ReleaseChannel>, architectures: &[&str]) -> Releases {
    let architectures = architectures.iter().map(ToString::to_string).collect();
    Releases { channels, architectures, ..Releases::default() }
}

fn client(served: &Loopback) -> Cincinnati {
    let client = Client::new(ClientOptions::default()).unwrap();
    let retry = RetryPolicy::default().with_retries(2).with_constant_pause(Duration::ZERO);
    Cincinnati::new(client, retry, ClientId::from_random([7; 16]))
        .with_ocp_updates(format!("{}/graph", served.url()))
}

fn found(selected: &SelectedReleases) -> Vec<String> {
    let text = |release: &ocm_mirror::SelectedRelease| {
        format!("{} {}", release.architecture, release.version)
    };
    selected.releases.iter().map(text).collect()
}

/// Two channels, with one between them.
fn world() -> UpdateServer {
    let updates = UpdateServer::default();
    for architecture in ["amd64", "s390x"] {
        let set = |channel: &str, versions: &[&str]| {
            updates.set(channel, architecture, graph(architecture, versions));
        };
        set("stable-4.16", &["4.16.1", "4.16.2"]);
        set("stable-4.17", &["4.16.2", "4.17.1"]);
        let newest = if architecture == "amd64" { "4.18.9" } else { "4.18.8" };
        set("stable-4.18", &["4.17.1", "4.18.1", newest]);
    }
    updates
}

#[tokio::test]
async fn each_graph_is_asked_for_once_and_each_architecture_has_its_own_head() {
    let updates = world();
    let served = updates.serve().await.unwrap();
    let wanted = releases(
        vec![channel("stable-4.16", "4.16.1", "4.16.1"), channel("stable-4.18", "", "")],
        &["amd64", "s390x", "amd64"],
    );
    let selected = select_releases(&wanted, &PathRules::default(), &client(&served)).await;
    assert_eq!(
        found(&selected),
        [
            "amd64 4.16.1",
            "amd64 4.16.2",
            "amd64 4.17.1",
            "amd64 4.18.1",
            "amd64 4.18.9",
            "s390x 4.16.1",
            "s390x 4.16.2",
            "s390x 4.17.1",
            "s390x 4.18.1",
            "s390x 4.18.8",
        ]
    );
    assert!(selected.errors.is_empty() && selected.warnings.is_empty(), "{selected:?}");
    let first = selected.releases.first().unwrap();
    assert_eq!((first.reason, first.channel.name.as_str()), (Reason::Bound, "stable-4.16"));
    assert_eq!(first.payload.as_written(), "example.com/release:4.16.1-amd64");

    let mut asked = updates.asked();
    assert!(asked.iter().all(|request| request.accept.as_deref() == Some("application/json")));
    let id = "07070707-0707-4707-8707-070707070707";
    assert!(asked.iter().all(|request| request.path.ends_with(&format!("&id={id}"))));
    asked.sort_by(|a, b| a.path.cmp(&b.path));
    let paths: Vec<_> = asked.iter().map(|request| request.path.as_str()).collect();
    let path = |architecture: &str, minor: u32| {
        format!("/graph?arch={architecture}&channel=stable-4.{minor}&id={id}")
    };
    let expected = ["amd64", "s390x"]
        .map(|architecture| [16, 17, 18].map(|minor| path(architecture, minor)))
        .concat();
    assert_eq!(paths, expected);
    let names: Vec<_> = selected.graphs.keys().map(String::as_str).collect();
    let kept = "hold-release/cincinnati-graph-data";
    let expected = ["amd64", "s390x"]
        .map(|architecture| {
            [16, 17, 18].map(|m| format!("{kept}/{architecture}-stable-4.{m}.json"))
        })
        .concat();
    assert_eq!(names, expected);
}

/// The far side of an archive decides by the same graphs, and so the same.
#[tokio::test]
async fn what_was_kept_gives_the_same_releases_without_a_server() {
    let updates = world();
    let served = updates.serve().await.unwrap();
    let channels =
        || vec![channel("stable-4.16", "4.16.1", "4.16.1"), channel("stable-4.18", "", "")];
    let wanted = releases(channels(), &[]);
    let there = select_releases(&wanted, &PathRules::default(), &client(&served)).await;
    drop(served);
    let directory = tempfile::tempdir().unwrap();
    keep_graphs(directory.path(), &there.graphs).await.unwrap();
    let files = directory.path().join("hold-release/cincinnati-graph-data");
    let mut names: Vec<_> =
        files.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(
        names,
        ["amd64-stable-4.16.json", "amd64-stable-4.17.json", "amd64-stable-4.18.json"]
    );
    let kept = KeptGraphs::new(there.graphs.clone());
    let from_archive = select_releases(&wanted, &PathRules::default(), &kept).await;
    let from_files =
        select_releases(&wanted, &PathRules::default(), &GraphDirectory::new(&files)).await;
    for here in [from_archive, from_files] {
        assert_eq!(here.releases, there.releases);
        assert_eq!(here.graphs, there.graphs);
    }
    // What was not asked for then is not there now.
    let more = releases(vec![channel("fast-4.18", "", "")], &[]);
    let here = select_releases(&more, &PathRules::default(), &kept).await;
    let [ReleaseError::Graph(error)] = here.errors.as_slice() else { panic!("{here:?}") };
    assert_eq!(
        error.to_string(),
        "the archive has no update graph of channel `fast-4.18` for amd64"
    );
}

#[tokio::test]
async fn a_directory_has_graphs_for_one_architecture_or_for_all() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, versions: &[&str]| {
        std::fs::write(directory.path().join(name), graph("any", versions)).unwrap();
    };
    write("stable-4.18.json", &["4.18.1"]);
    write("arm64-stable-4.18.json", &["4.18.2"]);
    let wanted = releases(vec![channel("stable-4.18", "", "")], &["amd64", "arm64"]);
    let graphs = GraphDirectory::new(directory.path());
    let selected = select_releases(&wanted, &PathRules::default(), &graphs).await;
    assert_eq!(found(&selected), ["amd64 4.18.1", "arm64 4.18.2"]);

    let wanted = releases(vec![channel("stable-4.99", "", "")], &[]);
    let selected = select_releases(&wanted, &PathRules::default(), &graphs).await;
    assert!(matches!(selected.errors.as_slice(), [ReleaseError::Select { .. }]), "{selected:?}");

    let graphs = GraphDirectory::new(directory.path().join("mistyped"));
    let selected = select_releases(&wanted, &PathRules::default(), &graphs).await;
    let [ReleaseError::Graph(UpdateGraphError::Read { .. })] = selected.errors.as_slice() else {
        panic!("{selected:?}")
    };
}

/// Whether an error is the one that is meant.
type Check = fn(&UpdateGraphError) -> bool;

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_fails_that_channel_alone() {
    let updates = world();
    let served = updates.serve().await.unwrap();
    let one = || releases(vec![channel("stable-4.16", "", "")], &[]);
    updates.fail_next(503, "");
    updates.fail_next(429, "");
    let selected = select_releases(&one(), &PathRules::default(), &client(&served)).await;
    assert_eq!(found(&selected), ["amd64 4.16.2"]);
    assert_eq!(updates.asked().len(), 3);

    let cases: [(u16, &str, Check); 5] = [
        (200, "<html>Please log in</html>", |error| {
            matches!(error, UpdateGraphError::NotAGraph { .. })
        }),
        (200, r#"{"kind": "missing_params"}"#, |error| {
            matches!(error, UpdateGraphError::NotAGraph { .. })
        }),
        (200, r#"{"nodes": [{"version": "4.16"}], "edges": []}"#, |error| {
            matches!(error, UpdateGraphError::NotAGraph { .. })
        }),
        (404, "", |error| matches!(error, UpdateGraphError::NoServer { .. })),
        (400, "", |error| matches!(error, UpdateGraphError::Fetch { .. })),
    ];
    for (status, body, is_expected) in cases {
        updates.fail_next(status, body);
        let selected = select_releases(&one(), &PathRules::default(), &client(&served)).await;
        let [ReleaseError::Graph(error)] = selected.errors.as_slice() else { panic!("{body}") };
        assert!(is_expected(error), "{body}: {error}");
        assert!(selected.releases.is_empty() && selected.graphs.is_empty(), "{body}");
    }
    // The other channel is there all the same. Which of the two fails is the server's choice.
    updates.set("stable-4.16", "amd64", "<html>");
    let both = releases(vec![channel("stable-4.16", "", ""), channel("stable-4.18", "", "")], &[]);
    let selected = select_releases(&both, &PathRules::default(), &client(&served)).await;
    assert_eq!(found(&selected), ["amd64 4.18.9"]);
    assert_eq!(selected.errors.len(), 1);
    assert_eq!(selected.graphs.len(), 1);
}

/// A server that fails between two channels is no proof that there is no channel between them.
#[tokio::test]
async fn a_channel_in_between_that_cannot_be_had_is_an_error() {
    let updates = world();
    updates.set("stable-4.17", "amd64", "{}");
    let served = updates.serve().await.unwrap();
    let wanted = releases(
        vec![channel("stable-4.16", "4.16.1", "4.16.1"), channel("stable-4.18", "", "")],
        &[],
    );
    let strict = PathRules { missing_paths: MissingPaths::Fail, ..PathRules::default() };
    let selected = select_releases(&wanted, &strict, &client(&served)).await;
    assert_eq!(found(&selected), ["amd64 4.16.1", "amd64 4.16.2", "amd64 4.18.9"]);
    let [ReleaseError::Graph(_), ReleaseError::Select { source, .. }] = selected.errors.as_slice()
    else {
        panic!("{selected:?}")
    };
    assert!(source.to_string().starts_with("no upgrade path leads from 4.16.1"), "{source}");
}

#[tokio::test]
async fn platforms_mean_one_payload_for_all() {
    let updates = UpdateServer::default();
    updates.set("stable-4.18", "multi", graph("multi", &["4.18.1"]));
    let served = updates.serve().await.unwrap();
    let only = PlatformFilter::Only([Platform::new("linux", "arm64")].into());
    let wanted =
        Releases { platforms: only, ..releases(vec![channel("stable-4.18", "", "")], &[]) };
    let selected = select_releases(&wanted, &PathRules::default(), &client(&served)).await;
    assert_eq!(found(&selected), ["multi 4.18.1"]);
}

#[tokio::test]
async fn a_payload_that_is_named_needs_no_graph() {
    let written = "example.com/release:4.18.1".to_owned();
    let location = ocm_config::Location { path: String::new(), line: 1, column: 1 };
    let reference = written.parse().unwrap();
    let release = Some(ReleasePayload { written, reference, location });
    let wanted = Releases { release, ..releases(vec![channel("stable-4.18", "", "")], &[]) };
    let nowhere = GraphDirectory::new("/nowhere");
    let selected = select_releases(&wanted, &PathRules::default(), &nowhere).await;
    assert!(selected.releases.is_empty() && selected.errors.is_empty(), "{selected:?}");
}

#[tokio::test]
async fn risks_are_told_one_by_one() {
    let mut graph: serde_json::Value =
        serde_json::from_str(&graph("amd64", &["4.18.1", "4.18.2"])).unwrap();
    graph["edges"] = json!([]);
    let risk = |name: &str| {
        json!({
            "name": name, "url": "https://risks.example/1", "message": "It\u{1b}[31m is slow.",
            "matchingRules": [{"type": "PromQL", "promql": {"promql": "max(\n  slow)"}}],
        })
    };
    graph["conditionalEdges"] = json!([{
        "edges": [{"from": "4.18.1", "to": "4.18.2"}], "risks": [risk("Slow"), risk("Late")],
    }]);
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("stable-4.18.json"), graph.to_string()).unwrap();
    let graphs = GraphDirectory::new(directory.path());
    let wanted = releases(vec![channel("stable-4.18", "4.18.1", "4.18.2")], &[]);
    let selected = select_releases(&wanted, &PathRules::default(), &graphs).await;
    let [warning] = selected.warnings.as_slice() else { panic!("{selected:?}") };
    let texts: Vec<_> = warning.notices().into_iter().map(|notice| notice.text).collect();
    assert_eq!(
        texts,
        [
            "amd64: the upgrade path from 4.18.1 in `stable-4.18` to 4.18.2 in `stable-4.18` has \
             risks for some clusters: 4.18.1 to 4.18.2 (Late, Slow)",
            "risk Late: It [31m is slow. (for clusters that match the query `max( slow)`) \
             https://risks.example/1",
            "risk Slow: It [31m is slow. (for clusters that match the query `max( slow)`) \
             https://risks.example/1",
        ]
    );
    let refused =
        PathRules { refusal: Refusal::Named(["Late".to_owned()].into()), ..PathRules::default() };
    let selected = select_releases(&wanted, &refused, &graphs).await;
    assert_eq!(found(&selected), ["amd64 4.18.1", "amd64 4.18.2"]);
    let [warning] = selected.warnings.as_slice() else { panic!("{selected:?}") };
    assert!(matches!(warning.warning, Warning::NoPath(_)));
    let [notice] = &warning.notices()[..] else { panic!("{warning:?}") };
    assert!(notice.text.ends_with("is refused; 4.18.1 to 4.18.2 (Late, Slow)"), "{}", notice.text);
}

/// Names come from a configuration, and go into paths.
#[tokio::test]
async fn no_name_leads_out_of_the_directory() {
    let graphs = KeptGraphs::new(BTreeMap::<String, Bytes>::new());
    for (name, architecture) in
        [("../../etc/x", "amd64"), ("stable-4.18", "a/b"), ("x\ny", "amd64")]
    {
        let wanted = releases(vec![channel(name, "", "")], &[architecture]);
        let selected = select_releases(&wanted, &PathRules::default(), &graphs).await;
        let [ReleaseError::Graph(UpdateGraphError::Name { .. })] = selected.errors.as_slice()
        else {
            panic!("{selected:?}")
        };
    }
}
