//! Catalogs as they are written: as they were, but for what was taken out.

use ocm_catalog::Catalog;

use crate::fixture::{catalog, filtered};

fn written(catalog: &Catalog) -> Vec<(String, String)> {
    let files = catalog.render();
    files.map(|file| (file.path, String::from_utf8(file.bytes).unwrap())).collect()
}

fn bundle(name: &str) -> String {
    format!(
        "{{ \"schema\": \"olm.bundle\", \"name\": \"{name}\", \"package\": \"p\", \"big\": 12345678901234567890.0,\n\
         \t\"image\": \"quay.io/p/{name}:v1\", \"properties\": [{{\"type\": \"olm.package\", \"value\": \
         {{\"version\": \"{name}.0.0\", \"packageName\": \"p\"}}}}]}}"
    )
}

#[test]
fn json_stays_as_it_is() {
    let package =
        "{\"schema\":\"olm.package\",\n\n  \"name\": \"p\", \"description\": \"a \\u00e9 b\"}";
    let channel = "{\"entries\" : [ {\"name\": \"2\", \"x\": 1},\n  {\"name\":\"1\"},\n  {\"name\": \"3\", \
                   \"replaces\": \"2\", \"skips\": [\"1\"]} ],\n \"schema\": \"olm.channel\", \"package\": \
                   \"p\", \"name\": \"c\", \"unknown\": {}}";
    let file = [package, channel, &bundle("2"), &bundle("3"), &bundle("1")].join("\n");
    let left = filtered(&catalog(&[&file]), "p default=c c[2..3.0.0]").catalog;
    let expected_package = "{\n    \"defaultChannel\": \"c\",\"schema\":\"olm.package\",\n\n  \"name\": \
                            \"p\", \"description\": \"a \\u00e9 b\"}";
    let expected_channel = channel.replace(
        "{\"name\": \"2\", \"x\": 1},\n  {\"name\":\"1\"},\n  {",
        "{\"name\": \"2\", \"x\": 1},\n  {",
    );
    let expected = [expected_package, &expected_channel, &bundle("2"), &bundle("3")].join("\n");
    assert_eq!(written(&left), [("p/catalog.json".to_owned(), format!("{expected}\n"))]);
}

#[test]
fn another_default_channel_takes_the_place_of_the_first() {
    let package = "{\"schema\": \"olm.package\", \"DefaultChannel\" : \"old\" , \"name\": \"p\"}";
    let channel = "{\"schema\": \"olm.channel\", \"package\": \"p\", \"name\": \"c\\\"\", \"entries\": \
                   [{\"name\": \"1\"}]}";
    let file = [package, channel, &bundle("1")].join("\n");
    let left = filtered(&catalog(&[&file]), "p default=c\"").catalog;
    let [(_, text)] = &written(&left)[..] else { panic!("one file") };
    assert!(text.contains("\"DefaultChannel\" : \"c\\\"\" , \"name\""), "{text}");
}

const YAML: &str = "\
schema: olm.package # comment
name: p
defaultChannel: old
---
schema: olm.channel
package: p
name: \"4.10\"
entries:
- name: '3'
  replaces: '2'
  skips: [\"1\"]
- name: '2'
  skipRange: '<2.0.0'
- name: '1'
properties: [{type: a, value: {b: [1, 2.50, null, true], c: {}}}]
text: |
  several
  lines
---
schema: olm.bundle
package: p
name: '2'
image: quay.io/p/p@sha256:0000000000000000000000000000000000000000000000000000000000000000
properties:
- {type: olm.package, value: {packageName: p, version: 2.0.0}}
---
schema: olm.bundle
package: p
name: '3'
image: quay.io/p/p:v3
properties:
- {type: olm.package, value: {packageName: p, version: 3.0.0}}
";

#[test]
fn yaml_stays_as_it_reads() {
    let left = filtered(&catalog(&[YAML]), "p default=4.10 4.10[2.0.0..3.0.0]").catalog;
    let [(path, text)] = &written(&left)[..] else { panic!("one file") };
    assert_eq!(path, "p/catalog.yaml");
    assert_begins(
        text,
        "\
---
schema: olm.package
name: p
defaultChannel: \"4.10\"
---
schema: olm.channel
package: p
name: \"4.10\"
entries:
- name: \"3\"
  replaces: \"2\"
  skips:
  - \"1\"
- name: \"2\"
  skipRange: \"<2.0.0\"
properties:
- type: a
  value:
    b:
    - 1
    - 2.5
    - null
    - true
    c: {}
text: \"several\\nlines\\n\"
---
",
    );
    // The bundles are not touched.
    assert!(text.ends_with(YAML.split_once("lines\n---\n").unwrap().1), "{text}");
    assert!(catalog(&[text]) == left);
}

/// Compares the beginning of a text, so that a failure shows where it differs.
fn assert_begins(text: &str, expected: &str) {
    let lines = expected.lines().count();
    let beginning: Vec<_> = text.lines().take(lines).collect();
    assert_eq!(beginning, expected.lines().collect::<Vec<_>>());
}

#[test]
fn deprecations_are_cut_as_well() {
    let text = format!(
        "{YAML}---
schema: olm.deprecations
package: p
entries:
- reference: {{schema: olm.bundle, name: '1'}}
  message: gone
- reference: {{schema: olm.bundle, name: '3'}}
  message: \"yes\"
"
    );
    let left = filtered(&catalog(&[&text]), "p default=4.10").catalog;
    let [(_, text)] = &written(&left)[..] else { panic!("one file") };
    let expected = "---
schema: olm.deprecations
package: p
entries:
- reference:
    schema: olm.bundle
    name: \"3\"
  message: \"yes\"
";
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn what_belongs_to_no_package_stands_at_the_root() {
    let left = filtered(&catalog(&[YAML, "{\"schema\": \"io.x\"}"]), "p default=4.10").catalog;
    let paths: Vec<_> = written(&left).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["catalog.json", "p/catalog.yaml"]);
}
