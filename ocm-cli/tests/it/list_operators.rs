//! `ocm list operators`, from wherever catalogs are.

use http::StatusCode;
use ocm_testkit::faults::{Fault, Rule};
use ocm_transport::{Transport as _, layout::OciLayout};
use serde_json::{Value, json};

use crate::{
    operators::{CatalogWorld, lay_out},
    world::INSECURE,
};

const INDEX: &str = "FAR/redhat/redhat-operator-index:v4.18";

impl CatalogWorld {
    pub(crate) fn list(&self, words: &str) -> String {
        let said = self.world.run(&format!("list operators --src-tls-verify=false {words}"));
        said.assert_code(0);
        assert_eq!(said.err, "", "{words}");
        self.world.tidy(&said.out)
    }

    pub(crate) fn list_json(&self, words: &str) -> Value {
        serde_json::from_str(&self.list(&format!("{words} --format json"))).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogs_of_a_version() {
    let world = CatalogWorld::new().await;
    let listed = world.list("--catalogs --version 4.18 --registry FAR");
    let expected = "Available OpenShift OperatorHub catalogs:\nOpenShift 4.18:\n\
        FAR/redhat/redhat-operator-index:v4.18\n\
        Invalid catalog reference \"FAR/redhat/certified-operator-index:v4.18\", please check version\n\
        Invalid catalog reference \"FAR/redhat/community-operator-index:v4.18\", please check version\n\
        Invalid catalog reference \"FAR/redhat/redhat-marketplace-index:v4.18\", please check version\n";
    assert_eq!(listed, expected);
    let listed = world.list_json("--version 4.22 --registry FAR/");
    assert_eq!(listed["catalogs"].as_array().unwrap().len(), 3);
    assert_eq!(listed["catalogs"][0]["available"], false);
    // What cannot be told is an error; what can is told all the same.
    let rule = Rule::new(Fault::status(StatusCode::UNAUTHORIZED)).path("redhat-operator-index");
    world.world.far.faults().add(rule);
    let words = "list operators --version 4.18 --src-tls-verify=false --registry FAR";
    let said = world.world.run(words);
    said.assert_code(1);
    assert!(said.out.contains("certified-operator-index:v4.18"), "{}", said.out);
    assert!(!said.out.contains("redhat-operator-index:v4.18"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_catalog() {
    let world = CatalogWorld::new().await;
    let packages = "\
NAME   DISPLAY NAME        DEFAULT CHANNEL
alpha  The alpha operator  stable
beta   The beta operator   stable
gamma  The gamma operator  stable
";
    assert_eq!(world.list(&format!("--catalog {INDEX}")), packages);
    let channels = "\
NAME  DISPLAY NAME       DEFAULT CHANNEL
beta  The beta operator  stable

PACKAGE  CHANNEL  HEAD
beta     fast     beta.v2.1.0
beta     stable   beta.v2.0.0
";
    assert_eq!(world.list(&format!("--catalog {INDEX} --package beta")), channels);
    let delta = "--catalog FAR/community/index:v1 --package delta --channel stable";
    assert_eq!(world.list(delta), "VERSIONS\n4.9.0\n4.10.0\n");

    let listed = world.list_json(&format!("--catalog {INDEX} --package beta"));
    let expected = json!({
        "package": {
            "name": "beta", "displayName": "The beta operator", "defaultChannel": "stable",
        },
        "channels": [
            { "name": "fast", "head": "beta.v2.1.0" }, { "name": "stable", "head": "beta.v2.0.0" },
        ],
    });
    assert_eq!(listed, expected);
    let listed = world.list_json(&format!("--catalog {INDEX} --package beta --channel fast"));
    assert_eq!(listed["versions"][1], json!({ "version": "2.1.0", "bundle": "beta.v2.1.0" }));
    assert_eq!(world.list_json(&format!("--catalog {INDEX}"))["packages"][2]["name"], "gamma");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_and_an_archive_are_read_as_a_registry_is() {
    let world = CatalogWorld::new().await;
    let there = world.list(&format!("--catalog {INDEX} --package beta"));
    lay_out(&world.red, &world.world.path("parts")).await;
    assert_eq!(world.list("--catalog oci://parts --package beta"), there);
    let path = world.world.path("whole");
    let layout = OciLayout::create(&path).await.unwrap();
    let at = layout.destination(&"index".parse().unwrap()).unwrap();
    world.red.image().content.push(&*at, None).await.unwrap();
    let named = format!("--catalog oci://{} --package beta", path.display());
    assert_eq!(world.list(&named), there);

    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    packages:\n    \
           - name: beta\n  - catalog: FAR/not/there:v1\n",
    );
    world.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(4);
    world.world.far.faults().take_log();
    assert_eq!(
        world.list("--from disk"),
        format!("Catalogs of the archive:\nFAR/not/there:v1 (not in it)\n{INDEX}\n")
    );
    let listed = world.list(&format!("--from file://disk --catalog {INDEX}"));
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert_eq!(world.list(&format!("--from disk --catalog {INDEX} --package beta")), there);
    assert!(world.world.far.faults().take_log().is_empty(), "the origin was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_said_with_what_is() {
    let world = CatalogWorld::new().await;
    for (words, what) in [
        ("", "neither `--version` nor `--catalog`"),
        ("--package alpha", "--catalog <REFERENCE>"),
        ("--version four", "`four` is no minor version"),
        ("--catalog FAR/community/index", "is not an image reference"),
        ("--catalog FAR/community/index:v2", "nothing of that name is there"),
        ("--catalog FAR/community/index:v1 --package dalta", "there is `delta`"),
        (
            "--catalog FAR/community/index:v1 --package delta --channel slow",
            "package `delta` has no channel `slow`",
        ),
        ("--catalog oci://nowhere", "nowhere"),
        ("--from nowhere", "nowhere"),
        ("--from docker://nowhere", "docker://nowhere"),
    ] {
        let said = world.world.run(&format!("list operators --src-tls-verify=false {words}"));
        said.assert_code(1);
        said.assert_says(what);
        assert_eq!(said.out, "", "{words}");
    }
    let slow = "--catalog FAR/community/index:v1 --package delta --channel slow";
    let said = world.world.run(&format!("list operators --src-tls-verify=false {slow}"));
    said.assert_says("there is `stable`");
}
