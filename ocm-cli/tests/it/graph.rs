//! Update graphs on the command line: paths, selections, lists.

use std::fs;

use assert_cmd::Command;
use ocm_testkit::{Loopback, UpdateServer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::Said;

/// A server of graphs, and a directory with a configuration.
struct World {
    updates: UpdateServer,
    served: Loopback,
    directory: TempDir,
}

/// A graph of 4.18, which has one upgrade with risks, and of 4.17, from whose newest release there
/// is no way on.
fn graphs() -> [(&'static str, Value); 2] {
    let node = |version: &str, channels: &str| {
        json!({
            "version": version,
            "payload": format!("example.com/release:{version}"),
            "metadata": {"io.openshift.upgrades.graph.release.channels": channels},
        })
    };
    let risk = json!({
        "name": "Slow", "url": "https://risks.example/slow", "message": "It is \"slow\".",
        "matchingRules": [{"type": "Always"}],
    });
    let new = json!({
        "version": 1,
        "nodes": [
            node("4.17.1", "stable-4.17,stable-4.18"),
            node("4.18.1", "stable-4.18,fast-4.18"),
            node("4.18.2", "stable-4.18"),
        ],
        "edges": [[0, 1]],
        "conditionalEdges": [{"edges": [{"from": "4.18.1", "to": "4.18.2"}], "risks": [risk]}],
    });
    let old = json!({
        "version": 1,
        "nodes": [node("4.17.1", "stable-4.17,stable-4.18"), node("4.17.9", "stable-4.17")],
        "edges": [[0, 1]],
    });
    [("stable-4.17", old), ("stable-4.18", new)]
}

impl World {
    async fn new() -> Self {
        let updates = UpdateServer::default();
        for (channel, graph) in graphs() {
            updates.set(channel, "amd64", graph.to_string());
        }
        let served = updates.serve().await.unwrap();
        let world = Self { updates, served, directory: tempfile::tempdir().unwrap() };
        world.configure(
            "    channels:\n    - name: stable-4.17\n      minVersion: 4.17.1\n      \
             maxVersion: 4.17.1\n    - name: stable-4.18\n",
        );
        world
    }

    fn configure(&self, platform: &str) {
        let head = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n";
        let file = self.directory.path().join("isc.yaml");
        fs::write(file, format!("{head}mirror:\n  platform:\n{platform}")).unwrap();
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::cargo_bin("ocm").unwrap();
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("UPDATE_URL_OVERRIDE", format!("{}/graph", self.served.url()))
            .args(words.split_whitespace());
        command
    }

    fn run(&self, words: &str) -> Said {
        Said::new(self.command(words).output().unwrap())
    }

    fn json(&self, words: &str) -> Value {
        let said = self.run(&format!("{words} --format json"));
        said.assert_code(0);
        serde_json::from_str(&said.out).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_shown_to_people_and_to_be_typed() {
    let world = World::new().await;
    let said = world.run("graph path --channel stable-4.18 --from 4.17.1 --to 4.18.2");
    said.assert_code(0);
    assert_eq!(said.err, "");
    insta::assert_snapshot!("graph-path", said.out);
    let said = world.run("graph path --channel stable-4.18 --from 4.18.1 --to 4.18.1");
    assert_eq!(said.out, "0 upgrades in stable-4.18: 4.18.1\n");
    let dot = "graph path --channel stable-4.18 --from 4.17.1 --to 4.18.2 --format dot";
    insta::assert_snapshot!("graph-path-dot", world.run(dot).out);
    let mistyped = "graph path --channel stable-4.18 --from 4.17.1 --to 4.18.2 --refuse-risk slow";
    world.run(mistyped).assert_says("has the risk `slow`; is `Slow` meant?");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_shown_to_programs() {
    let world = World::new().await;
    let words = "graph path --channel stable-4.18 --from 4.17.1 --to 4.18.2";
    let path = world.json(words);
    insta::assert_json_snapshot!("graph-path-json", path);

    let refused = world.run(&format!("{words} --refuse-risk Loud,Slow --format json"));
    refused.assert_code(1);
    let object: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(object["reason"], "refused");
    assert_eq!(object["refused"][0]["risks"][0]["name"], "Slow");
    refused.assert_says("each path needs an upgrade that is refused; 4.18.1 to 4.18.2 (Slow)");

    let back = "graph path --channel stable-4.18 --from 4.18.1 --to 4.17.1 --format json";
    let object: Value = serde_json::from_str(&world.run(back).out).unwrap();
    assert_eq!((&object["reason"], &object["newest"]), (&"unreachable".into(), &"4.18.2".into()));
    let unknown = "graph path --channel stable-4.18 --from 4.18.1 --to 4.18.7 --format json";
    let object: Value = serde_json::from_str(&world.run(unknown).out).unwrap();
    assert_eq!(
        (&object["reason"], &object["unknown"]),
        (&"unknown-release".into(), &"4.18.7".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_comes_from_a_server_a_directory_a_file_or_a_pipe() {
    let world = World::new().await;
    let [_, (_, graph)] = graphs();
    let file = world.directory.path().join("stable-4.18.json");
    fs::write(&file, graph.to_string()).unwrap();
    let ends = "--from 4.17.1 --to 4.18.2";
    for source in ["--graph stable-4.18.json", "--graph-dir . --channel stable-4.18"] {
        let said = world.run(&format!("graph path {source} {ends}"));
        said.assert_code(0);
        said.assert_says("oc adm upgrade --to=4.18.2 --allow-not-recommended");
    }
    let mut piped = world.command(&format!("graph path --graph - {ends}"));
    Said::new(piped.write_stdin(graph.to_string()).output().unwrap()).assert_code(0);
    assert!(world.updates.asked().is_empty());

    for (words, what) in [
        ("--graph nothing.json", "could not read `nothing.json`"),
        ("--graph isc.yaml", "`isc.yaml` is not an update graph"),
        ("--channel stable-9.99", "channel `stable-9.99` has no releases for amd64"),
        ("--channel stable-4.18 --arch s390x", "channel `stable-4.18` has no releases for s390x"),
        ("", "--channel <CHANNEL>"),
        ("--graph x --graph-dir y", "cannot be used with"),
    ] {
        let said = world.run(&format!("graph path {words} {ends}"));
        said.assert_code(1);
        said.assert_says(what);
    }
    let said = world.run("graph path --channel stable-4.18 --from 4.18 --to 4.18.2");
    said.assert_says("`4.18` is not a version such as `4.18.3`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_told_release_by_release() {
    let world = World::new().await;
    let said = world.run("graph select -c isc.yaml");
    said.assert_code(0);
    // Without the time of each line.
    let told: Vec<_> = said.err.lines().filter_map(|line| line.split_once("  [")).collect();
    let told = told.iter().flat_map(|(_, told)| ["[", told, "\n"]).collect::<String>();
    insta::assert_snapshot!("graph-select", format!("{}\n{told}", said.out));
    insta::assert_json_snapshot!("graph-select-json", world.json("graph select -c isc.yaml"));
    let mut asked: Vec<_> =
        world.updates.asked().into_iter().map(|request| request.query["channel"].clone()).collect();
    asked.truncate(2);
    asked.sort();
    assert_eq!(asked, ["stable-4.17", "stable-4.18"]);

    let strict = world.run("graph select -c isc.yaml --refuse-risk all");
    strict.assert_code(0);
    strict.assert_says("no upgrade path leads from 4.17.1 in `stable-4.17` to 4.18.2");
    let required = world.run("graph select -c isc.yaml --refuse-risk all --require-path");
    required.assert_code(2);
    required.assert_says("not every release that is asked for can be had for amd64");
    // What there is, is told all the same.
    assert!(required.out.contains("4.17.1") && required.out.contains("4.18.2"));

    world.configure("    architectures: [amd64]\n");
    world.run("graph select -c isc.yaml").assert_says("isc.yaml names no releases");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_asked_for_again_as_often_as_is_said() {
    let world = World::new().await;
    for words in ["list releases --version 4.18", "graph select -c isc.yaml"] {
        let asked = || world.updates.asked().len();
        let before = asked();
        world.run(words).assert_code(0);
        let usual = asked() - before;
        world.updates.fail_next(503, "");
        assert_ne!(world.run(&format!("{words} --retry-times 0")).code, 0, "{words}");
        let before = asked();
        world.updates.fail_next(503, "");
        world.run(&format!("{words} --retry-times 1 --retry-delay 1ms")).assert_code(0);
        assert_eq!(asked() - before, usual + 1, "{words}");
    }
    let said = world.run("list releases --version 4.18 --retry-times -1");
    said.assert_code(1);
    said.assert_says("`--retry-times -1` is not a number of retries");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_can_be_kept_from_being_the_newest() {
    let world = World::new().await;
    world.configure("    channels:\n    - name: stable-4.18\n");
    let with = |filter: &str| {
        let mut command = world.command("graph select -c isc.yaml");
        Said::new(command.env("VERSION_FILTER", filter).output().unwrap())
    };
    let said = with(r"4\.18\.1");
    said.assert_code(0);
    assert!(said.out.contains("4.18.1") && !said.out.contains("4.18.2"), "{}", said.out);
    said.assert_says(r"`VERSION_FILTER`: only versions that `4\.18\.1` matches count");
    let said = with("4.99");
    said.assert_code(2);
    said.assert_says("no release of channel `stable-4.18` counts as its newest or its oldest one");
    let said = with("4.(");
    said.assert_code(1);
    said.assert_says("`VERSION_FILTER` cannot be used");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_fails_sets_the_bit_of_releases() {
    let world = World::new().await;
    world.updates.set("stable-4.17", "amd64", "<html>Please log in</html>");
    let said = world.run("graph select -c isc.yaml --format json");
    said.assert_code(2);
    said.assert_says("what came for channel `stable-4.17` and amd64 is not an update graph");
    let object: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["releases"][0]["version"], "4.18.2");

    world.configure("    release: example.com/release:4.18.1\n");
    let named = world.json("graph select -c isc.yaml");
    assert_eq!(named["releases"][0]["payload"], "example.com/release:4.18.1");
    world.configure("    channels: []\n");
    assert_eq!(world.json("graph select -c isc.yaml"), json!({"releases": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_are_listed() {
    let world = World::new().await;
    let said = world.run("list releases --version 4.18");
    said.assert_code(0);
    insta::assert_snapshot!("list-releases", said.out);
    assert!(said.err.is_empty());
    let said = world.run("list releases --channel fast-4.18");
    said.assert_code(1);
    said.assert_says("channel `fast-4.18` has no releases for amd64");
    assert_eq!(said.out, "");
    // One architecture that is not there does not hide the other.
    let said = world.run("list releases --version 4.17 --filter-by-archs s390x,amd64");
    said.assert_code(1);
    assert!(said.out.ends_with("Channel: stable-4.17\nArchitecture: amd64\n4.17.1\n4.17.9\n"));

    let said = world.run("list releases --channels --version 4.18");
    assert_eq!(said.out, "Channels of OpenShift 4.18:\n\nfast-4.18\nstable-4.17\nstable-4.18\n");
    let said = world.run("list releases --version 4.18 --from 4.17.1 --to 4.18.1");
    assert_eq!(said.out, "Channel: stable-4.18\nArchitecture: amd64\n4.17.1\n4.18.1\n");
    let listed = world.json("list releases --version 4.18 --from 4.18.1");
    assert_eq!(listed["paths"][0]["hops"][0]["conditional"], true);
    assert_eq!(listed["releases"][0]["channels"], json!(["fast-4.18", "stable-4.18"]));
    let channels = world.json("list releases --channels --version 4.17");
    assert_eq!(channels, json!({"channels": ["stable-4.17", "stable-4.18"]}));

    for (words, what) in [
        ("--channels", "--version <X.Y>"),
        ("--channel stable-", "is the beginning of a channel's name"),
        ("--filter-by-archs x86", "possible values: amd64, arm64"),
        ("--version 4.18 --from 4.18.2 --to 4.17.1", "reaches no further than 4.18.2"),
        ("--version 9.99", "channel `stable-9.99` has no releases for amd64"),
        ("--channels --version 9.99", "channel `stable-9.99` has no releases for amd64"),
    ] {
        let said = world.run(&format!("list releases {words}"));
        said.assert_code(1);
        assert_eq!(said.out, "", "{words}");
        said.assert_says(what);
    }
}

/// The server is asked in the name of nobody in particular, a different one in each run.
#[tokio::test(flavor = "multi_thread")]
async fn each_run_has_an_id_of_its_own() {
    let world = World::new().await;
    for _ in 0..2 {
        world.run("list releases --version 4.18").assert_code(0);
    }
    let asked = world.updates.asked();
    let ids: Vec<_> = asked.iter().map(|request| request.query["id"].as_str()).collect();
    let [first, second] = ids[..] else { panic!("{asked:?}") };
    assert_ne!(first, second);
    assert!(asked.iter().all(|request| !request.query.contains_key("version")));
}
