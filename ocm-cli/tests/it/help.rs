//! What the program says of itself, and of arguments that make no sense.

use assert_cmd::Command;

use crate::world::Said;

fn run(words: &[&str]) -> Said {
    let mut command = Command::cargo_bin("ocm").unwrap();
    Said::new(command.env_clear().args(words).output().unwrap())
}

#[test]
fn every_command_has_help_with_an_example() {
    let single = ["", "catalog", "config", "demo", "graph", "init", "list", "serve", "version"];
    let nested = [
        "catalog explain",
        "catalog filter",
        "catalog validate",
        "config check",
        "config convert",
        "config schema",
        "graph path",
        "graph select",
        "list operators",
        "list releases",
    ];
    for command in single.into_iter().chain(nested) {
        let words: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let help = run(&words);
        help.assert_code(0);
        assert!(help.out.contains("Examples:") && help.err.is_empty());
        insta::assert_snapshot!(format!("help {command}").trim().replace(' ', "-"), help.out);
    }
    assert_eq!(run(&["help"]).out, run(&["--help"]).out);
    assert_eq!(run(&["-h"]).out, run(&["--help"]).out);
}

#[test]
fn as_plugin_of_oc_it_calls_itself_so() {
    let directory = tempfile::tempdir().unwrap();
    let plugin = directory.path().join("oc-mirror");
    std::os::unix::fs::symlink(assert_cmd::cargo::cargo_bin!("ocm"), &plugin).unwrap();
    let plugin =
        |words: &[&str]| Said::new(Command::new(&plugin).env_clear().args(words).output().unwrap());
    plugin(&["--help"])
        .assert_says("Usage: oc mirror -c FILE --workspace file://DIR docker://HOST");
    assert_eq!(
        plugin(&["--version"]).out,
        format!("oc mirror version v{}\n", env!("CARGO_PKG_VERSION"))
    );
    let refused = plugin(&["--v2"]);
    refused.assert_code(1);
    refused.assert_says("For more: oc mirror --help");
}

#[test]
fn what_makes_no_sense_exits_1_with_usage_on_stderr() {
    let cases: [(&[&str], &str); 6] = [
        (&[], "no destination is given"),
        (&["verison"], "nor is `verison` a command"),
        (&["--v1", "docker://r"], "leave `--v1` out"),
        (&["-v2", "docker://r"], "did you mean `--v2`?"),
        (&["-c", "x", "--parallel-images", "65", "file://o"], "is not between 1 and 64"),
        (&["--nonsense"], "unexpected argument"),
    ];
    for (words, what) in cases {
        let said = run(words);
        said.assert_code(1);
        assert!(said.err.contains(what), "{words:?}: {}", said.err);
        assert!(said.err.contains("Usage: ocm -c FILE"), "{words:?}: {}", said.err);
        assert_eq!(said.out, "", "{words:?}");
    }
    let said = run(&["--log-level", "nope"]);
    said.assert_code(1);
    said.assert_says("possible values: error, info, debug, trace");
}

#[test]
fn machines_are_told_in_json_that_something_makes_no_sense() {
    let said = run(&["--log-format", "json", "file://o"]);
    said.assert_code(1);
    let object: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(object["message"], "`--config` is missing");
    assert_eq!(object["hint"], "write `-c FILE`, with an ImageSetConfiguration");
}

#[test]
fn the_version_is_for_machines_too() {
    let said = run(&["version", "--output", "json"]);
    said.assert_code(0);
    let object: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let expected = format!("v{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(object["clientVersion"]["gitVersion"], expected);
    assert!(run(&["version", "-o", "yaml"]).out.contains(&format!("gitVersion: \"{expected}\"")));
    assert!(run(&["--v2", "version"]).out.starts_with("ocm v"));
    assert_eq!(run(&["-v"]).out, format!("ocm version {expected}\n"));
    assert_eq!(run(&["version", "--short"]).out, format!("Client Version: {expected}\n"));
    run(&["version", "--output", "xml"]).assert_code(1);
}
