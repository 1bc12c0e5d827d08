//! What is written is read as the same.

use ocm_config::{Document, ImageSet};
use proptest::prelude::*;
use regex::Regex;
use serde_json::{Value, json};

use crate::parsed;

/// Returns everything that a configuration says, without where it stands.
pub(crate) fn meaning(document: &impl std::fmt::Debug) -> String {
    let location = Regex::new(r#"Location \{ path: "(\\.|[^"\\])*", line: \d+, column: \d+ \}"#);
    location.unwrap().replace_all(&format!("{document:?}"), "-").into_owned()
}

fn again(image_set: &ImageSet) -> ImageSet {
    let yaml = image_set.to_yaml();
    let parsed = ocm_config::parse(yaml.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{yaml}"));
    parsed.image_set
}

#[test]
fn everything_is_written_in_the_usual_order() {
    let text = include_str!("../fixtures/everything.yaml");
    let parsed = ocm_config::parse(text.as_bytes()).unwrap();
    assert_eq!(parsed.image_set.to_yaml(), text);
    assert_eq!(meaning(&again(&parsed.image_set)), meaning(&parsed.image_set));
    let json = parsed.image_set.to_json();
    serde_json::from_str::<Value>(&json).unwrap();
    let read = ocm_config::parse(json.as_bytes()).unwrap().image_set;
    assert_eq!(meaning(&read), meaning(&parsed.image_set));
}

#[test]
fn deletions_are_written() {
    let text = "kind: DeleteImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n\
                delete:\n  additionalImages:\n  - name: quay.io/a/b:v1\n";
    let parsed = ocm_config::parse_delete(text.as_bytes()).unwrap();
    assert_eq!(parsed.delete_set.to_yaml(), text);
    let document = ocm_config::parse_document(text.as_bytes()).unwrap().document;
    assert!(matches!(document, Document::DeleteSet(_)), "{document:?}");
}

/// What cannot be used is written as it was: who reads it is told the same.
#[test]
fn what_is_wrong_stays_wrong() {
    let image_set = parsed(
        "mirror:\n  operators:\n  - catalog: q.io/UPPER:v1\n    TARGETTAG: 4.10\n    full: true\n    \
         packages:\n    - {name: a, minVersion: '2', maxVersion: '1'}\n  additionalImages:\n  \
         - name: quay.io/a/b\n    platforms: [{os: linux}]\n",
    )
    .image_set;
    assert_eq!(meaning(&again(&image_set)), meaning(&image_set));
    let yaml = image_set.to_yaml();
    assert!(yaml.contains("targetTag: \"4.10\"") && yaml.contains("full: true"), "{yaml}");
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,8}", "[ -~]{1,12}", "\\PC{1,8}"]
        .prop_filter("text that says something", |text| !text.is_empty())
}

fn version() -> impl Strategy<Value = String> {
    prop_oneof!["v?[0-9]{1,2}(\\.[0-9]{1,2}){0,2}", "[0-9]\\.[0-9]{1,2}\\.[0-9](-[a-z]{1,3})?"]
}

fn reference() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,5}\\.io(:[1-9][0-9]{3})?/[a-z]{1,5}(/[a-z]{1,5}){0,2}:[a-zA-Z0-9_][a-z0-9.-]{0,5}",
        "[a-z]{1,5}/[a-z]{1,5}@sha256:[0-9a-f]{64}",
        "oci://(/[a-z ]{1,5}){1,3}",
        "[A-Z]{1,3}/[a-z]{1,3}",
    ]
}

fn platforms() -> impl Strategy<Value = Value> {
    let platform = ("[a-z]{1,5}", "[a-z0-9]{1,5}")
        .prop_map(|(os, architecture)| json!({"os": os, "architecture": architecture}));
    prop::collection::vec(platform, 0..3).prop_map(Value::from)
}

/// A mapping that has each key or has it not.
fn mapping<const N: usize>(
    fields: [(&'static str, BoxedStrategy<Value>); N],
) -> BoxedStrategy<Value> {
    let fields = fields.map(|(key, value)| {
        prop::option::of(value).prop_map(move |value| value.map(|value| (key.to_owned(), value)))
    });
    Vec::from(fields)
        .prop_map(|fields| Value::Object(fields.into_iter().flatten().collect()))
        .boxed()
}

/// A list of mappings, each of which has a key of its own.
fn list(
    key: &'static str,
    name: BoxedStrategy<String>,
    rest: BoxedStrategy<Value>,
) -> BoxedStrategy<Value> {
    prop::collection::btree_map(name, rest, 0..4)
        .prop_map(move |items| {
            let item = |(name, mut rest): (String, Value)| {
                rest.as_object_mut().unwrap().insert(key.to_owned(), Value::from(name));
                rest
            };
            Value::Array(items.into_iter().map(item).collect())
        })
        .boxed()
}

fn value(
    strategy: impl Strategy<Value = impl Into<Value> + std::fmt::Debug + 'static> + 'static,
) -> BoxedStrategy<Value> {
    strategy.prop_map(Into::into).boxed()
}

fn release_channels() -> BoxedStrategy<Value> {
    let rest = mapping([
        ("type", value(prop_oneof!["ocp", "okd"])),
        ("minVersion", value("4\\.1\\.[0-9]")),
        ("maxVersion", value("4\\.1[0-9]\\.[0-9](-rc\\.1)?")),
        ("full", value(any::<bool>())),
        ("shortestPath", value(any::<bool>())),
    ]);
    list("name", text().boxed(), rest)
}

fn catalogs() -> BoxedStrategy<Value> {
    let channel = mapping([("minVersion", value(version())), ("maxVersion", value(version()))]);
    let package = mapping([
        ("defaultChannel", value(text())),
        ("channels", list("name", text().boxed(), channel)),
    ]);
    let rest = mapping([
        ("targetCatalog", value("[a-z]{1,4}/[a-zA-Z]{1,4}")),
        ("targetTag", value("[a-z0-9.]{1,4}")),
        ("full", value(any::<bool>())),
        ("skipDependencies", value(any::<bool>())),
        ("targetCatalogSourceTemplate", value(text())),
        ("catalogSourceName", value("[a-z.-]{1,5}")),
        ("platforms", platforms().boxed()),
        ("packages", list("name", text().boxed(), package)),
    ]);
    list("catalog", reference().boxed(), rest)
}

fn helm() -> BoxedStrategy<Value> {
    let chart = mapping([
        ("version", value(version())),
        ("path", value(text())),
        ("imagePaths", value(prop::collection::vec("\\{[a-z.*# ]{0,6}\\}", 0..3))),
        ("platforms", platforms().boxed()),
    ]);
    let charts = list("name", text().boxed(), chart.clone());
    let repository = (charts.clone(), any::<bool>(), text()).prop_map(|(charts, all, url)| {
        if all { json!({"url": url}) } else { json!({"url": url, "charts": charts}) }
    });
    mapping([("repositories", list("name", text().boxed(), repository.boxed())), ("local", charts)])
}

fn configuration() -> BoxedStrategy<Value> {
    let image = mapping([
        ("targetRepo", value("[a-z]{1,4}/[a-zA-Z]{1,4}")),
        ("targetTag", value("[a-z0-9.-]{1,4}")),
        ("platforms", platforms().boxed()),
    ]);
    let nothing = || Just(json!({})).boxed();
    let mirror = mapping([
        (
            "platform",
            mapping([
                ("graph", value(any::<bool>())),
                ("kubeVirtContainer", value(any::<bool>())),
                ("channels", release_channels()),
                ("platforms", platforms().boxed()),
            ]),
        ),
        ("operators", catalogs()),
        ("additionalImages", list("name", reference().boxed(), image)),
        ("helm", helm()),
        (
            "blockedImages",
            list(
                "name",
                "[a-z.*]{1,6}"
                    .prop_filter("a pattern", |p| !p.starts_with('*') && !p.contains("**"))
                    .boxed(),
                nothing(),
            ),
        ),
        ("samples", list("name", text().boxed(), nothing())),
    ]);
    (mirror, 0_u32..100)
        .prop_map(|(mirror, size)| json!({"kind": "ImageSetConfiguration", "apiVersion": "mirror.openshift.io/v2alpha1", "mirror": mirror, "archiveSize": size}))
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read_as_the_same(configuration in configuration()) {
        let text = configuration.to_string();
        let parsed = match ocm_config::parse(text.as_bytes()) {
            Ok(parsed) => parsed,
            // Catalogs that end up in the same place.
            Err(faults) => {
                let is_chance = |fault: &ocm_config::Fault| {
                    fault.severity < ocm_config::Severity::Error || fault.code == ocm_config::Code::Duplicate
                };
                prop_assert!(faults.iter().all(is_chance), "{faults:#?}\n{text}");
                return Ok(());
            }
        };
        let image_set = parsed.image_set;
        let yaml = image_set.to_yaml();
        let read = again(&image_set);
        prop_assert_eq!(meaning(&read), meaning(&image_set), "{}", yaml);
        prop_assert_eq!(read.to_yaml(), yaml);
        let json = image_set.to_json();
        let read = ocm_config::parse(json.as_bytes()).unwrap().image_set;
        prop_assert_eq!(meaning(&read), meaning(&image_set), "{}", json);
    }
}
