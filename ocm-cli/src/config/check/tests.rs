//! Configurations with faults, and what a person sees of them.

use std::fs;

use super::*;
use crate::{
    args::{LogFormat, LogLevel},
    console::{
        Colour,
        tests::{Desk, desk},
    },
};

/// Documents, each below a line with its name.
const DOCUMENTS: &str = include_str!("documents.txt");

fn documents() -> Vec<(&'static str, &'static str)> {
    let named = |part: &'static str| part.split_once('\n');
    DOCUMENTS.split("=== ").filter_map(named).collect()
}

/// Returns what is said of a document, and how the check ends.
fn said(document: &str, format: ResultFormat, colour: Colour) -> (String, Exit) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("isc.yaml");
    fs::write(&file, document).unwrap();
    let Desk { mut console, out, err } = desk(LogLevel::Info, LogFormat::Text, colour);
    let args = CheckArgs { files: vec![file], format, max_nested_paths: None };
    let exit = run(&args, &mut console);
    assert_eq!(err.text(), "");
    let directory = format!("{}/", directory.path().display());
    (out.text().replace(&directory, ""), exit)
}

fn all(colour: Colour) -> String {
    let one = |(name, document)| {
        let (said, _) = said(document, ResultFormat::Text, colour);
        format!("=== {name}\n{said}")
    };
    documents().into_iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_a_person_sees() {
    assert!(documents().len() > 40);
    insta::assert_snapshot!(all(Colour::Never));
}

#[test]
fn what_a_person_sees_in_colour() {
    let seen = all(Colour::Always);
    assert_eq!(console::strip_ansi_codes(&seen), all(Colour::Never));
    insta::assert_snapshot!(seen.replace('\u{1b}', "␛"));
}

#[test]
fn every_fault_says_what_to_do() {
    for (name, document) in documents() {
        let (said, exit) = said(document, ResultFormat::Json, Colour::Never);
        let found: serde_json::Value = serde_json::from_str(&said).unwrap();
        let file = &found["files"][0];
        let faults = file["faults"].as_array().unwrap();
        assert!(!faults.is_empty(), "{name}");
        assert!(faults.iter().all(|fault| fault["help"].is_string()), "{name}: {said}");
        let is_valid = faults.iter().all(|fault| fault["severity"] != "error");
        assert_eq!(file["valid"], is_valid, "{name}");
        assert_eq!(exit == Exit::SUCCESS, is_valid, "{name}");
    }
}

#[test]
fn what_is_right_is_said_in_one_line() {
    let text = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  \
                additionalImages:\n  - name: quay.io/team/a:v1\n";
    let (said, exit) = said(text, ResultFormat::Text, Colour::Never);
    assert_eq!((said.as_str(), exit), ("isc.yaml: can be used as it is\n", Exit::SUCCESS));
}
