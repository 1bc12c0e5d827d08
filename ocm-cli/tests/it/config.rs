//! Commands about configurations, from outside.

use std::{fs, path::Path};

use assert_cmd::Command;

use crate::world::Said;

fn run(words: &[&str], input: &str) -> Said {
    let mut command = Command::cargo_bin("ocm").unwrap();
    Said::new(command.env_clear().args(words).write_stdin(input).output().unwrap())
}

const OLD: &str = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v1alpha2\n\
                   storageConfig: {local: {path: store}}\nmirror:\n  additionalImages:\n  \
                   - name: quay.io/team/app  # ours\n";

#[test]
fn what_is_begun_with_can_be_used() {
    for words in [vec!["init"], vec!["init", "4.16", "4.18", "--registry", "r.lab:5000/ocp"]] {
        let template = run(&words, "");
        template.assert_code(0);
        let said = run(&["config", "check", "-"], &template.out);
        said.assert_code(0);
        assert_eq!(said.out, "standard input: can be used as it is\n");
    }
    let json = run(&["init", "4.18", "--output", "json"], "");
    let read: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(read["mirror"]["platform"]["channels"][0]["name"], "stable-4.18");
    let refused = run(&["init", "latest"], "");
    refused.assert_code(1);
    refused.assert_says("write major and minor version");
}

#[test]
fn old_configurations_are_converted() {
    let said = run(&["config", "convert", "-"], OLD);
    said.assert_code(0);
    assert!(said.out.contains("- name: quay.io/team/app:latest  # ours\n"), "{}", said.out);
    assert!(said.out.contains("# was: line 3: `storageConfig` is left out"), "{}", said.out);
    said.assert_says("-:3:1: `storageConfig` is left out");
    let again = run(&["config", "check", "-"], &said.out);
    assert_eq!(again.out, "standard input: can be used as it is\n");
    let refused = run(&["config", "convert", "-"], "kind: ImageSetConfiguration\nmirro: {}\n");
    refused.assert_code(1);
    assert_eq!(refused.out, "");
    refused.assert_says("did you mean `mirror`?");
}

#[test]
fn scripts_learn_what_is_wrong() {
    let said = run(&["config", "check", "--format", "json", "-"], OLD);
    said.assert_code(0);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let file = &found["files"][0];
    assert_eq!((&file["valid"], &file["kind"]), (&true.into(), &"ImageSetConfiguration".into()));
    assert_eq!(file["faults"][1]["code"], "old-key");
    let said = run(&["config", "check", "--format", "json", "-", "/nowhere"], "kind: Pod\n");
    said.assert_code(1);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(found["files"][0]["faults"][0]["line"], 1);
    said.assert_says("could not read `/nowhere`");
}

#[test]
fn the_schema_is_printed() {
    let said = run(&["config", "schema"], "");
    let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(schema["definitions"]["mirror"]["properties"]["operators"].is_object());
}

#[test]
fn repositories_too_deep_for_a_registry_are_found() {
    let text = OLD.replace("quay.io/team/app", "quay.io/a/b/c:v1");
    let said = run(&["config", "check", "--max-nested-paths", "2", "-"], &text);
    said.assert_code(0);
    assert!(said.out.contains("`a/b/c` has 3 components, more than 2"), "{}", said.out);
}

/// Returns the YAML in a page that says it is a configuration.
fn configurations(page: &str) -> Vec<String> {
    let blocks = page.split("```yaml\n").skip(1);
    let blocks = blocks.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned()));
    blocks.filter(|block| block.contains("ImageSetConfiguration")).collect()
}

/// What people copy from this repository is right.
#[test]
fn configurations_in_pages_and_examples_can_be_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut checked = 0;
    let mut check = |name: String, text: &str| {
        let said = run(&["config", "check", "-"], text);
        assert_eq!(said.out.trim_end(), "standard input: can be used as it is", "{name}");
        checked += 1;
    };
    for folder in ["", "docs", "ocm-config", "ocm-cli", "ocm-mirror", "examples"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.display().to_string();
            let kind = path.extension().and_then(|extension| extension.to_str());
            match kind {
                Some("md") => {
                    let page = fs::read_to_string(&path).unwrap();
                    for text in configurations(&page) {
                        check(name.clone(), &text);
                    }
                }
                Some("yaml") if folder == "examples" => {
                    let text = fs::read_to_string(&path).unwrap();
                    if text.contains("ImageSetConfiguration") {
                        check(name, &text);
                    }
                }
                _ => {}
            }
        }
    }
    assert!(checked >= 3, "{checked} configurations were found");
}
