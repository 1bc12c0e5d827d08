//! The schema, the tables and the reader agree.

use serde_json::{Map, Value, json};

use super::*;
use crate::{Code, Severity, keys, parse_document};

const COMMITTED: &str = include_str!("../../image-set-configuration.schema.json");

/// The words that the schema is made of: `accepts` in the tests of the crate knows these.
const WORDS: [&str; 18] = [
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "definitions",
    "deprecated",
    "deprecationMessage",
    "description",
    "doNotSuggest",
    "else",
    "examples",
    "if",
    "items",
    "maximum",
    "minimum",
    "properties",
];
const MORE_WORDS: [&str; 4] = ["required", "then", "title", "type"];

#[test]
fn the_committed_schema_is_that_of_the_tables() {
    let schema = json_schema();
    assert!(
        schema == COMMITTED,
        "write it anew: cargo run -p ocm-cli -- config schema > \
         ocm-config/image-set-configuration.schema.json"
    );
}

#[test]
fn the_schema_has_only_words_that_the_tests_know() {
    fn check(value: &Value, is_named: bool) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let is_word =
                        WORDS.contains(&key.as_str()) || MORE_WORDS.contains(&key.as_str());
                    assert!(is_named || is_word, "{key}");
                    let are_names =
                        !is_named && matches!(key.as_str(), "properties" | "definitions");
                    check(value, are_names);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, false)),
            _ => {}
        }
    }
    check(&serde_json::from_str(&json_schema()).unwrap(), false);
}

/// Returns the least mapping with `keys` that is accepted.
fn least(keys: &Keys) -> Map<String, Value> {
    let given = keys.known.iter().filter(|key| key.need != Need::Optional);
    given.map(|key| (key.name.to_owned(), sample(key))).collect()
}

fn sample(key: &Key) -> Value {
    match (key.name, key.shape) {
        ("catalog", _) => json!("quay.io/a/b:v1"),
        (_, Shape::Map(keys)) => Value::Object(least(keys)),
        _ => json!("x"),
    }
}

/// Takes a key, the way to it, and how to make a document in which it has some value.
type Visit<'v> = dyn FnMut(&'static Key, &str, &dyn Fn(Option<Value>) -> Value) + 'v;

/// Visits each key of `keys` and below.
fn each_key(
    keys: &'static Keys,
    path: &str,
    wrap: &dyn Fn(Map<String, Value>) -> Value,
    visit: &mut Visit<'_>,
) {
    for key in keys.known {
        let with = |value: Option<Value>| {
            let mut mapping = least(keys);
            mapping.remove(key.name);
            mapping.extend(value.map(|value| (key.name.to_owned(), value)));
            wrap(mapping)
        };
        let path =
            if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        visit(key, &path, &with);
        match key.shape {
            Shape::Map(keys) => {
                let wrap = |mapping| with(Some(Value::Object(mapping)));
                each_key(keys, &path, &wrap, visit);
            }
            Shape::List(Shape::Map(keys)) => {
                let wrap = |mapping| with(Some(json!([Value::Object(mapping)])));
                each_key(keys, &format!("{path}[0]"), &wrap, visit);
            }
            _ => {}
        }
    }
}

/// Visits each key of both kinds of document.
fn each_key_of_all(visit: &mut Visit<'_>) {
    for (keys, kind) in [(&keys::ROOT, Kind::ImageSet), (&keys::DELETE_ROOT, Kind::DeleteSet)] {
        let wrap = |mut mapping: Map<String, Value>| {
            if mapping.get("kind").is_some_and(|kind| kind == "x") {
                mapping.insert("kind".to_owned(), json!(kind.name()));
            }
            Value::Object(mapping)
        };
        each_key(keys, "", &wrap, visit);
    }
}

/// Returns whether the reader finds the type of what is at `path` wrong.
fn is_wrong_type(document: &Value, path: &str) -> bool {
    let text = document.to_string();
    let Err(faults) = parse_document(text.as_bytes()) else { return false };
    faults.iter().any(|fault| {
        let at = &fault.location.path;
        let is_here = at == path || at.strip_prefix(path).is_some_and(|rest| rest.starts_with('['));
        fault.severity == Severity::Error && fault.code == Code::WrongType && is_here
    })
}

fn has_shape(value: &Value, shape: Shape) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Text, value) => value.is_string(),
        (Shape::Written, value) => value.is_string() || value.is_number(),
        (Shape::Switch, value) => value.is_boolean(),
        (Shape::Gib, value) => value.is_number(),
        (Shape::Map(_), value) => value.is_object(),
        (Shape::List(item), Value::Array(items)) => {
            items.iter().all(|value| !value.is_null() && has_shape(value, *item))
        }
        (Shape::List(_), _) => false,
    }
}

/// What the tables say of a key's type is what the reader takes.
#[test]
fn the_reader_takes_what_the_tables_say() {
    let values = [
        json!(null),
        json!("text"),
        json!(true),
        json!(4),
        json!({}),
        json!([]),
        json!(["text"]),
        json!([true]),
        json!([4]),
        json!([{}]),
        json!([[]]),
    ];
    let mut keys = 0;
    each_key_of_all(&mut |key, path, with| {
        keys += 1;
        for value in &values {
            // A kind that is none is a fault of its own.
            if key.name == "kind" && value.is_string() {
                continue;
            }
            let document = with(Some(value.clone()));
            let wrong = is_wrong_type(&document, path);
            assert_eq!(wrong, !has_shape(value, key.shape), "{path}: {value}");
        }
    });
    assert!(keys > 100, "{keys} keys were looked at");
}

/// What the tables say of a key's need is what the reader wants.
#[test]
fn the_reader_misses_what_the_tables_demand() {
    each_key_of_all(&mut |key, path, with| {
        for (value, is_enough) in
            [(None, key.need == Need::Optional), (Some(Value::Null), key.need != Need::Given)]
        {
            // Instead of its name, a chart has a path; of a platform that lacks a part it depends
            // on whose it is whether all is lost, or only that image.
            let is_special =
                (key.name == "name" && path.contains("helm")) || path.contains("platforms[0].");
            let text = with(value).to_string();
            let missing = match parse_document(text.as_bytes()) {
                Ok(_) => false,
                Err(faults) => faults.iter().any(|fault| {
                    fault.code == Code::MissingKey
                        && fault.message.contains(&format!("`{}`", key.name))
                }),
            };
            assert!(missing != is_enough || is_special, "{path}: {text}");
        }
    });
}
