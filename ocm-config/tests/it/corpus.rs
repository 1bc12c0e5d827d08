//! Configurations that people have, held against what oc-mirror v2 made of them.

use std::{env, fs, path::PathBuf};

use ocm_config::{Code, Severity};
use serde::Deserialize;
use serde_json::Value;

/// What oc-mirror said of a file.
#[derive(Deserialize)]
struct Expected {
    file: String,
    /// The kind of configuration that it took it for, or `reject`.
    v2: String,
    v1: String,
    #[serde(default)]
    v2_config: Value,
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

fn has_only_images(config: &Value) -> bool {
    let mirror = config.get("mirror").and_then(Value::as_object);
    let is_ours = |key: &str| matches!(key, "additionalImages" | "blockedImages");
    mirror.is_some_and(|mirror| {
        mirror.iter().all(|(key, value)| is_ours(key) || value == &serde_json::json!({}))
    })
}

#[test]
fn what_names_images_only_is_read_with_the_same_meaning() {
    let Some((folder, expected)) = corpus() else { return };
    let mut count = 0;
    for Expected { file, v2_config, .. } in
        expected.iter().filter(|e| e.v2 == "isc" && has_only_images(&e.v2_config))
    {
        let bytes = fs::read(folder.join(file)).unwrap();
        let parsed = ocm_config::parse(&bytes).unwrap_or_else(|faults| panic!("{file}: {faults}"));
        let texts = |list: &str, key: &str| -> Vec<Option<String>> {
            let items = v2_config.pointer(&format!("/mirror/{list}")).and_then(Value::as_array);
            let text = |item: &Value| item.get(key).and_then(Value::as_str).map(str::to_owned);
            items.map(|items| items.iter().map(text).collect()).unwrap_or_default()
        };
        let mirror = parsed.image_set.mirror;
        let images = &mirror.additional_images;
        let names: Vec<_> = images.iter().map(|image| Some(image.name.clone())).collect();
        assert_eq!(names, texts("additionalImages", "name"), "{file}");
        let wanted: Vec<_> = images.iter().map(|image| image.wanted.as_ref().ok()).collect();
        for (key, wanted) in [
            (
                "targetRepo",
                wanted
                    .iter()
                    .map(|w| (*w)?.target_repo.as_ref().map(ToString::to_string))
                    .collect::<Vec<_>>(),
            ),
            (
                "targetTag",
                wanted.iter().map(|w| (*w)?.target_tag.as_ref().map(ToString::to_string)).collect(),
            ),
        ] {
            assert_eq!(wanted, texts("additionalImages", key), "{file}");
        }
        let blocked: Vec<_> =
            mirror.blocked_images.iter().map(|b| Some(b.pattern.to_string())).collect();
        assert_eq!(blocked, texts("blockedImages", "name"), "{file}");
        count += 1;
    }
    eprintln!("{count} configurations with images only");
    assert_eq!(count, 11);
}

/// What oc-mirror accepts is accepted, and what it refuses is refused, with a place inside the
/// file.
#[test]
fn what_is_refused_is_refused_for_a_reason_and_in_a_place() {
    let Some((folder, expected)) = corpus() else { return };
    let (mut accepted, mut otherwise, mut both) = (0, 0, 0);
    for Expected { file, v2, v1, .. } in &expected {
        let bytes = fs::read(folder.join(file)).unwrap();
        let faults = match v2.as_str() {
            "disc" => ocm_config::parse_delete(&bytes).err(),
            _ => ocm_config::parse(&bytes).err(),
        };
        let is_refused = v2 == "reject";
        let Some(faults) = faults else {
            assert!(!is_refused, "{file} is accepted");
            accepted += 1;
            continue;
        };
        let lines = u32::try_from(bytes.split(|b| *b == b'\n').count()).unwrap();
        assert!(faults.iter().all(|f| (1..=lines).contains(&f.location.line)), "{file}: {faults}");
        if is_refused {
            both += usize::from(v1 == "reject");
            continue;
        }
        let mut errors = faults.iter().filter(|fault| fault.severity == Severity::Error);
        let is_expected = |code| matches!(code, Code::SeveralDocuments | Code::EmptyRange);
        assert!(errors.all(|fault| is_expected(fault.code)), "{file}: {faults:#?}");
        otherwise += 1;
    }
    eprintln!(
        "{accepted} accepted, {otherwise} that are refused on purpose, {both} that both refuse"
    );
    assert_eq!((accepted, otherwise), (146, 5));
}
