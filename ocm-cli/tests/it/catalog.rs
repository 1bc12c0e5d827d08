//! Commands about catalogs of operators, from outside.

use std::{fs, path::Path};

use assert_cmd::Command;
use tempfile::TempDir;

use crate::world::{Said, names};

const FOO: &str = r#"{"schema": "olm.package", "name": "foo", "defaultChannel": "beta", "icon": {"base64data": "not base64!"}}
{"schema": "olm.channel", "package": "foo", "name": "beta", "entries": [
    {"name": "foo.v0.1.0"},
    {"name": "foo.v0.2.0", "replaces": "foo.v0.1.0", "skips": ["foo.v0.1.1"]},
    {"name": "foo.v0.3.0-rc1", "replaces": "foo.v0.2.0"}
]}
"#;

const BAR: &str = "schema: olm.package\nname: bar\ndefaultChannel: stable\n---\nschema: olm.channel\n\
                   package: bar\nname: stable\nentries:\n- name: bar.v1.0.0\n";

fn bundle(package: &str, version: &str, requires: &str) -> String {
    let properties = match requires {
        "" => String::new(),
        name => format!(
            ", {{\"type\": \"olm.package.required\", \"value\": {{\"packageName\": \"{name}\", \
             \"versionRange\": \">=0.1.0\"}}}}"
        ),
    };
    format!(
        "{{\"schema\": \"olm.bundle\", \"package\": \"{package}\", \"name\": \"{package}.v{version}\", \
         \"image\": \"quay.io/{package}/bundle:v{version}\", \"properties\": [{{\"type\": \"olm.package\", \
         \"value\": {{\"packageName\": \"{package}\", \"version\": \"{version}\"}}}}{properties}], \
         \"relatedImages\": [{{\"name\": \"operator\", \"image\": \"quay.io/{package}/operator:v{version}\"}}]}}\n"
    )
}

/// A directory with a catalog in `configs`.
fn world() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let bundles = ["0.1.0", "0.2.0", "0.3.0-rc1"].map(|version| bundle("foo", version, "bar"));
    write("configs/foo/catalog.json", &format!("{FOO}{}", bundles.concat()));
    write("configs/bar/catalog.yaml", &format!("{BAR}---\n{}", bundle("bar", "1.0.0", "")));
    write("configs/README.md", "# Not a catalog\n");
    write("configs/.indexignore", "*.md\n");
    directory
}

fn run(directory: &Path, words: &str) -> Said {
    let mut command = Command::cargo_bin("ocm").unwrap();
    let words = words.split_whitespace();
    let command = command.env_clear().current_dir(directory).args(words);
    Said::new(command.output().unwrap())
}

/// Writes a configuration that selects packages, written as in YAML.
fn select(directory: &Path, packages: &str) {
    let text = format!(
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  operators:\n  \
         - catalog: quay.io/team/catalog:v1\n    packages: {packages}\n"
    );
    fs::write(directory.join("isc.yaml"), text).unwrap();
}

#[test]
fn a_smaller_catalog() {
    let world = world();
    select(world.path(), "[{name: foo, minVersion: 0.2.0}]");
    let said = run(world.path(), "catalog filter configs -c isc.yaml -o out --format summary");
    said.assert_code(0);
    let summary: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let expected = serde_json::json!({ "packages": { "foo": {
        "defaultChannel": "beta",
        "channels": { "beta": ["foo.v0.2.0"] },
        "bundles": ["foo.v0.2.0"],
    } } });
    assert_eq!(summary, expected);
    said.assert_says("leaves out the pre-releases 0.3.0-rc1; >=0.2.0-0 has them");
    said.assert_says("bundle `foo.v0.2.0` of package `foo` requires package `bar` >=0.1.0");
    assert_eq!(names(&world.path().join("out")), ["foo"]);
    let text = fs::read_to_string(world.path().join("out/foo/catalog.json")).unwrap();
    assert!(text.contains("\"base64data\": \"not base64!\""), "{text}");
    assert!(!text.contains("\"name\": \"foo.v0.1.0\""), "{text}");
    run(world.path(), "catalog validate out").assert_code(0);
    // What is there is not overwritten.
    let again = run(world.path(), "catalog filter configs -c isc.yaml -o out");
    again.assert_code(1);
    again.assert_says("could not make the directory `out`");
    // A file is a catalog as well, and what is filtered can be filtered again.
    let again =
        run(world.path(), "catalog filter out/foo/catalog.json -c isc.yaml --format summary");
    again.assert_code(0);
    assert_eq!(again.out, said.out);
}

#[test]
fn pre_releases_and_dependencies_on_demand() {
    let world = world();
    select(world.path(), "[{name: foo, minVersion: 0.2.0}]");
    let said = run(
        world.path(),
        "catalog filter configs -c isc.yaml --include-prereleases --include-dependencies --format text",
    );
    said.assert_code(0);
    assert_eq!(
        said.out,
        "PACKAGE  CHANNEL  DEFAULT  ENTRIES\n\
         bar      stable   *        bar.v1.0.0\n\
         foo      beta     *        foo.v0.2.0 foo.v0.3.0-rc1\n"
    );
    said.assert_says("added bundle `bar.v1.0.0` of package `bar`, channel `stable`: bundle");
}

#[test]
fn what_is_missing_is_told_and_the_rest_is_there() {
    let world = world();
    select(world.path(), "[{name: baz}, {name: bar, channels: [{name: stable}, {name: stabel}]}]");
    let said = run(world.path(), "catalog filter configs -c isc.yaml -o out");
    said.assert_code(4);
    said.assert_says("there is no package `baz`");
    said.assert_says("did you mean `bar`?");
    said.assert_says("package `bar` has no channel `stabel`");
    assert_eq!(names(&world.path().join("out")), ["bar"]);
    let words = "catalog filter configs -c isc.yaml --allow-missing -o allowed";
    run(world.path(), words).assert_code(0);
    select(world.path(), "[{name: nothing}]");
    let said = run(world.path(), "catalog filter configs -c isc.yaml --allow-missing -o none");
    said.assert_code(4);
    said.assert_says("nothing of the catalog remains");
    assert!(!world.path().join("none").exists());
}

#[test]
fn what_cannot_be_had_is_refused() {
    let world = world();
    select(world.path(), "[{name: foo, minVersion: 2.0.0}]");
    let said = run(world.path(), "catalog filter configs -c isc.yaml -o out");
    said.assert_code(4);
    said.assert_says("package `foo`: its default channel `beta` has no version >=2.0.0");
    said.assert_says("choose other versions");
    assert!(!world.path().join("out").exists());
    fs::write(
        world.path().join("two.yaml"),
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror: {}\n",
    )
    .unwrap();
    let said = run(world.path(), "catalog filter configs -c two.yaml -o out");
    said.assert_code(1);
    said.assert_says("`two.yaml` has 0 catalogs in `mirror.operators`");
    run(world.path(), "catalog filter nowhere -c isc.yaml -o out").assert_code(1);
}

#[test]
fn catalogs_are_checked() {
    let world = world();
    let said = run(world.path(), "catalog validate dir://configs");
    said.assert_code(0);
    let said = run(world.path(), "catalog validate configs");
    said.assert_code(0);
    assert_eq!(said.out, "2 packages, 4 bundles: OLM would accept them\n");
    // A cluster may have such an image; a mirror cannot.
    let bar = bundle("bar", "1.0.0", "").replace("quay.io/bar/operator:v1.0.0", "oci:///tmp/x");
    fs::write(world.path().join("configs/bar/catalog.yaml"), format!("{BAR}---\n{bar}")).unwrap();
    let said = run(world.path(), "catalog validate configs");
    said.assert_code(0);
    said.assert_says("package `bar`: bundle `bar.v1.0.0`: it needs an image in a directory: `oci:");
    fs::write(world.path().join("configs/more.json"), bundle("foo", "0.4.0", "")).unwrap();
    let said = run(world.path(), "catalog validate configs");
    said.assert_code(4);
    said.assert_says("its bundle `foo.v0.4.0` is in no channel");
    assert_eq!(said.out, "2 packages, 5 bundles: OLM would not accept them, for 1 reason\n");
    fs::write(world.path().join("configs/more.json"), "{\"schema\": ").unwrap();
    let said = run(world.path(), "catalog validate configs");
    said.assert_code(4);
    said.assert_says("could not read an object at line 1 of `more.json`");
}

#[test]
fn bundles_are_explained() {
    let world = world();
    select(world.path(), "[{name: foo, minVersion: 0.2.0}]");
    let said = run(world.path(), "catalog explain foo configs -c isc.yaml");
    said.assert_code(0);
    insta::assert_snapshot!("catalog-explain", said.out);
    let said =
        run(world.path(), "catalog explain foo configs -c isc.yaml --version 0.1.0 --format json");
    let object: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["channels"][0]["entries"].as_array().unwrap().len(), 1);
    assert_eq!(object["channels"][0]["entries"][0]["reason"], "below the range");
    let said = run(world.path(), "catalog explain bar configs -c isc.yaml");
    said.assert_code(0);
    said.assert_says("the package is not selected");
    let said = run(world.path(), "catalog explain fou configs");
    said.assert_code(4);
    said.assert_says("did you mean `foo`?");
    let said = run(world.path(), "catalog explain foo");
    said.assert_code(1);
    said.assert_says("write `explain PACKAGE CATALOG`");
    let said = run(world.path(), "catalog explain foo configs --channel betta");
    said.assert_code(4);
    said.assert_says("package `foo` has no channel `betta`");
    said.assert_says("did you mean `beta`?");
    let said = run(world.path(), "catalog explain foo configs --version 0.1.1");
    said.assert_code(4);
    said.assert_says("package `foo` has no version 0.1.1");
    said.assert_says("did you mean `0.1.0`");
    let said = run(world.path(), "catalog explain foo configs --channel beta --version 9.9.9");
    said.assert_code(4);
    said.assert_says("channel `beta` of package `foo` has no version 9.9.9");
}

#[test]
fn images_are_found() {
    let world = world();
    let said = run(world.path(), "catalog explain --image operator:v0.2.0 configs");
    said.assert_code(0);
    assert_eq!(
        said.out,
        "PACKAGE  BUNDLE      KIND     IMAGE\n\
         foo      foo.v0.2.0  related  quay.io/foo/operator:v0.2.0\n"
    );
    run(world.path(), "catalog explain --image nothing configs").assert_code(4);
    run(world.path(), "catalog explain --image= configs").assert_code(1);
}
