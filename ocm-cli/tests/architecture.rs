//! The crate graph, as a test: an arrow that is not drawn here does not get into `main`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// What each crate may use of this workspace. The command line may use everything.
const ARROWS: [(&str, &[&str]); 11] = [
    ("ocm-oci", &[]),
    ("ocm-config", &["ocm-oci"]),
    ("ocm-graph", &["ocm-oci"]),
    ("ocm-catalog", &["ocm-oci"]),
    ("ocm-resources", &["ocm-oci"]),
    ("ocm-transport", &["ocm-oci"]),
    ("ocm-registry", &["ocm-oci", "ocm-transport"]),
    ("ocm-testkit", &["ocm-oci", "ocm-transport", "ocm-registry"]),
    (
        "ocm-mirror",
        &["ocm-oci", "ocm-config", "ocm-graph", "ocm-catalog", "ocm-resources", "ocm-transport"],
    ),
    (
        "ocm-cli",
        &[
            "ocm-oci",
            "ocm-config",
            "ocm-graph",
            "ocm-catalog",
            "ocm-resources",
            "ocm-transport",
            "ocm-registry",
            "ocm-testkit",
            "ocm-mirror",
        ],
    ),
    (
        "ocm-benches",
        &[
            "ocm-oci",
            "ocm-config",
            "ocm-graph",
            "ocm-catalog",
            "ocm-transport",
            "ocm-registry",
            "ocm-testkit",
            "ocm-mirror",
        ],
    ),
];

/// Crates that compute only; and what none of them may depend on, be it for a runtime or a clock.
const PURE: [&str; 5] = ["ocm-oci", "ocm-config", "ocm-graph", "ocm-catalog", "ocm-resources"];
const IMPURE: [&str; 8] =
    ["async-trait", "chrono", "futures", "hyper", "jiff", "reqwest", "time", "tokio"];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .output()
        .unwrap();
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Returns what `package` depends on, by `kind`: null for what it is built with.
fn dependencies<'a>(package: &'a Value, kind: &'a Value) -> impl Iterator<Item = &'a Value> {
    package["dependencies"].as_array().unwrap().iter().filter(move |d| d["kind"] == *kind)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

#[test]
fn arrows_point_one_way() {
    let (arrows, packages) = (BTreeMap::from(ARROWS), packages());
    let found: BTreeSet<_> = packages.iter().map(name).collect();
    assert_eq!(found, arrows.keys().copied().collect(), "a crate is not drawn");
    for package in &packages {
        let (from, allowed) = (name(package), arrows[name(package)]);
        for to in dependencies(package, &Value::Null).map(name) {
            assert!(!to.starts_with("ocm-") || allowed.contains(&to), "{from} must not use {to}");
            let is_impure = PURE.contains(&from) && IMPURE.contains(&to);
            assert!(!is_impure, "{from} is pure and must not use {to}");
        }
    }
}

/// Tests may use the testkit and the server it leads to, themselves with more features, and what
/// their crate may use.
#[test]
fn tests_add_only_the_testkit() {
    let arrows = BTreeMap::from(ARROWS);
    for package in &packages() {
        let (from, allowed) = (name(package), arrows[name(package)]);
        for to in dependencies(package, &Value::from("dev")).map(name) {
            let is_for_tests = ["ocm-testkit", "ocm-registry", from].contains(&to);
            let is_allowed = allowed.contains(&to) || is_for_tests;
            assert!(!to.starts_with("ocm-") || is_allowed, "tests of {from} must not use {to}");
        }
    }
}

/// A crate of this workspace that is named without a version cannot be published.
#[test]
fn path_dependencies_carry_versions() {
    for package in &packages() {
        for dependency in dependencies(package, &Value::Null) {
            let (from, to) = (name(package), name(dependency));
            assert_ne!(dependency["req"], "*", "{from} uses {to} without a version");
        }
    }
}

/// A version that stands in two places drifts apart.
#[test]
fn versions_stand_in_the_workspace_only() {
    for package in &packages() {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        for line in manifest.lines().filter(|line| line.contains('=')) {
            let names_a_version = line.contains("version = \"");
            assert!(!names_a_version, "{}: {line}", name(package));
        }
    }
}

/// A room too large to know is two rooms. Tests may be longer.
#[test]
fn no_file_is_above_500_lines() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<_> = packages()
        .iter()
        .map(|package| root.join(name(package).replace("ocm-benches", "benches")).join("src"))
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
                assert!(is_test || lines <= 500, "{} has {lines} lines", path.display());
            }
        }
    }
}
