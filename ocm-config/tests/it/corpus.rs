//! Configurations that people have, held against what oc-mirror's two versions made of them.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use ocm_config::{Code, Fault, Faults, Severity};
use serde::Deserialize;
use serde_json::Value;

use crate::{rendering::meaning, schema::refusals};

/// What oc-mirror said of a file.
#[derive(Deserialize)]
struct Expected {
    file: String,
    /// The kind of configuration that it took it for, or `reject`.
    v2: String,
    v1: String,
    #[serde(default)]
    v2_config: Value,
    #[serde(default)]
    v1_config: Value,
}

fn corpus() -> Option<(PathBuf, Vec<Expected>)> {
    let Some(folder) = env::var_os("OCM_CORPUS").map(|corpus| PathBuf::from(corpus).join("isc"))
    else {
        eprintln!("skipped: OCM_CORPUS names no corpus");
        return None;
    };
    let expected = fs::read_to_string(folder.join("EXPECTED.jsonl")).unwrap();
    let expected = expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some((folder, expected))
}

/// What ocm makes of a file, as oc-mirror would write it.
struct Read {
    config: Value,
    warnings: Vec<Fault>,
}

fn read(bytes: &[u8], kind: &str) -> Result<Read, Faults> {
    let (json, warnings) = if kind == "disc" {
        let parsed = ocm_config::parse_delete(bytes)?;
        (parsed.delete_set.to_json(), parsed.warnings)
    } else {
        let parsed = ocm_config::parse(bytes)?;
        (parsed.image_set.to_json(), parsed.warnings)
    };
    Ok(Read { config: serde_json::from_str(&json).unwrap(), warnings })
}

/// Leaves out what says nothing, and what one of the two fills in.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields = map.iter().filter_map(|(key, value)| {
                let value = plain(value);
                let is_nothing = match &value {
                    Value::Null | Value::Bool(false) => true,
                    Value::Array(items) => items.is_empty(),
                    Value::Object(map) => map.is_empty(),
                    Value::String(text) => {
                        text.is_empty()
                            || matches!(key.as_str(), "apiVersion" | "kind")
                            || (key == "type" && text == "ocp")
                    }
                    Value::Number(number) => number.as_u64() == Some(0),
                    Value::Bool(true) => false,
                };
                (!is_nothing).then(|| (key.clone(), value))
            });
            Value::Object(fields.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        _ => value.clone(),
    }
}

/// Leaves out the architecture that is meant where none is said: version 1 fills it in, and
/// version 2 in deletions.
fn without_default_architecture(mut config: Value) -> Value {
    for path in ["/mirror/platform", "/delete/platform"] {
        if let Some(platform) = config.pointer_mut(path).and_then(Value::as_object_mut)
            && platform.get("architectures") == Some(&serde_json::json!(["amd64"]))
        {
            platform.remove("architectures");
        }
    }
    plain(&config)
}

fn without_store(mut config: Value) -> Value {
    config.as_object_mut().unwrap().remove("storageConfig");
    config
}

fn errors(faults: &Faults) -> Vec<Code> {
    let errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
    errors.map(|fault| fault.code).collect()
}

fn has_no_place_outside(faults: &[Fault], bytes: &[u8], file: &str) {
    let lines = u32::try_from(bytes.split(|b| *b == b'\n').count()).unwrap();
    for fault in faults {
        assert!((1..=lines).contains(&fault.location.line), "{file}: {fault}");
    }
}

/// What oc-mirror v2 accepts has the same meaning here.
#[test]
fn what_version_2_accepts_means_the_same() {
    let Some((folder, expected)) = corpus() else { return };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for Expected { file, v2, v2_config, .. } in expected.iter().filter(|e| e.v2 != "reject") {
        let bytes = fs::read(folder.join(file)).unwrap();
        let outcome = match read(&bytes, v2) {
            Ok(Read { config, .. }) => {
                let [ours, theirs] =
                    [&config, v2_config].map(|c| without_default_architecture(plain(c)));
                assert_eq!(ours, theirs, "{file}");
                "same"
            }
            Err(faults) => {
                has_no_place_outside(faults.as_slice(), &bytes, file);
                match errors(&faults).as_slice() {
                    [Code::SeveralDocuments] => "several documents",
                    _ => panic!("{file}: {faults:#?}"),
                }
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    eprintln!("accepted by version 2: {counts:?}");
    let expected = [("same", 148), ("several documents", 3)];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// What only oc-mirror v1 accepts has the meaning of version 1 here.
#[test]
fn what_only_version_1_accepts_means_the_same_as_there() {
    let Some((folder, expected)) = corpus() else { return };
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for Expected { file, v1_config, .. } in
        expected.iter().filter(|e| e.v2 == "reject" && e.v1 == "accept")
    {
        let bytes = fs::read(folder.join(file)).unwrap();
        let outcome = match read(&bytes, "isc") {
            Ok(Read { config, warnings }) => {
                assert!(!warnings.is_empty(), "{file}");
                has_no_place_outside(&warnings, &bytes, file);
                let [ours, theirs] =
                    [&config, v1_config].map(|c| without_default_architecture(plain(c)));
                let theirs = without_store(theirs);
                let is_changed = |warning: &&Fault| {
                    let is_store = warning.location.path == "storageConfig";
                    matches!(warning.code, Code::OldKey | Code::OldMeaning) && !is_store
                };
                match warnings.iter().find(is_changed) {
                    _ if ours == theirs => "same",
                    Some(_) => "said in the words of version 2",
                    None => panic!("{file}\n{ours}\n{theirs}"),
                }
            }
            Err(faults) => {
                has_no_place_outside(faults.as_slice(), &bytes, file);
                match errors(&faults).as_slice() {
                    [Code::DuplicateKey] => "duplicate key",
                    [Code::Version, Code::Version] => "no version",
                    _ => panic!("{file}: {faults:#?}"),
                }
            }
        };
        *counts.entry(outcome).or_default() += 1;
    }
    eprintln!("accepted by version 1 alone: {counts:?}");
    let expected = [
        ("duplicate key", 2),
        ("no version", 2),
        ("said in the words of version 2", 11),
        ("same", 74),
    ];
    assert_eq!(counts, BTreeMap::from(expected));
}

/// What both refuse is refused, with a place in the file; all but configurations of the very
/// first version, which neither reads any more.
#[test]
fn what_both_refuse_is_refused() {
    let Some((folder, expected)) = corpus() else { return };
    let (mut refused, mut first_version) = (0, 0);
    for Expected { file, .. } in expected.iter().filter(|e| e.v2 == "reject" && e.v1 == "reject") {
        let bytes = fs::read(folder.join(file)).unwrap();
        match read(&bytes, "isc") {
            Ok(Read { warnings, .. }) => {
                has_no_place_outside(&warnings, &bytes, file);
                let is_version =
                    |w: &&Fault| w.code == Code::ApiVersion && w.message.contains("/v1alpha1`");
                assert!(warnings.iter().any(|warning| is_version(&warning)), "{file}");
                first_version += 1;
            }
            Err(faults) => {
                has_no_place_outside(faults.as_slice(), &bytes, file);
                refused += 1;
            }
        }
    }
    eprintln!("refused by both: {refused} refused, {first_version} of v1alpha1 accepted");
    assert_eq!((refused, first_version), (49, 54));
}

/// Whatever is accepted can be written as version 2, and then means the same without a word on
/// version 1.
#[test]
fn whatever_is_accepted_is_converted() {
    let Some((folder, expected)) = corpus() else { return };
    let mut count = 0;
    for Expected { file, .. } in &expected {
        let bytes = fs::read(folder.join(file)).unwrap();
        let Ok(converted) = ocm_config::convert(&bytes) else { continue };
        let again = ocm_config::parse_document(converted.yaml.as_bytes())
            .unwrap_or_else(|faults| panic!("{file}: {faults}\n{}", converted.yaml));
        assert_eq!(meaning(&again.document), meaning(&converted.document), "{file}");
        let is_old = |code| {
            matches!(code, Code::OldKey | Code::OldMeaning | Code::ApiVersion | Code::KeyCase)
        };
        assert!(!again.warnings.iter().any(|w| is_old(w.code)), "{file}: {:#?}", again.warnings);
        count += 1;
    }
    eprintln!("{count} converted");
    assert_eq!(count, 148 + 85 + 54);
}

/// Whatever is accepted is valid by the JSON Schema.
#[test]
fn whatever_is_accepted_is_valid() {
    let Some((folder, expected)) = corpus() else { return };
    let mut valid = 0;
    for Expected { file, .. } in &expected {
        let bytes = fs::read(folder.join(file)).unwrap();
        if ocm_config::parse_document(&bytes).is_ok() {
            let text = String::from_utf8(bytes).unwrap();
            let refusals = refusals(&serde_saphyr::from_str(&text).unwrap());
            assert_eq!(refusals, [""; 0], "{file}");
            valid += 1;
        }
    }
    eprintln!("{valid} valid by the schema");
    assert_eq!(valid, 148 + 85 + 54);
}

/// All selections of releases that oc-mirror was asked for are taken, and those are warned of whose
/// bounds are the wrong way round.
#[test]
fn bounds_of_releases_that_are_the_wrong_way_round_are_told() {
    let Some(corpus) = env::var_os("OCM_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: OCM_CORPUS names no corpus");
        return;
    };
    let lines = fs::read_to_string(corpus.join("oracle/release.jsonl")).unwrap();
    let mut told = 0;
    for line in lines.lines() {
        let asked: Value = serde_json::from_str(line).unwrap();
        let set = serde_json::json!({
            "kind": "ImageSetConfiguration",
            "apiVersion": "mirror.openshift.io/v2alpha1",
            "mirror": { "platform": { "channels": asked["channels"] } },
        });
        let parsed = ocm_config::parse(set.to_string().as_bytes());
        let warnings = parsed.unwrap_or_else(|faults| panic!("{line}: {faults:?}")).warnings;
        told += usize::from(warnings.iter().any(|warning| warning.code == Code::EmptyRange));
    }
    assert_eq!(told, 62);
}
