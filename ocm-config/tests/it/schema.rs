//! The JSON Schema, held against configurations.
//!
//! A validator of the few words that the schema uses stands here, so that none has to be depended
//! on; `src/schema/tests.rs` sees to it that the schema uses no other.

use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../image-set-configuration.schema.json");

/// Returns what of `instance` the schema refuses: paths, and the word that refuses.
pub(crate) fn refusals(instance: &Value) -> Vec<String> {
    let root: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut refusals = Vec::new();
    Validator { root: &root }.check(&root, instance, "", &mut refusals);
    refusals
}

struct Validator<'s> {
    root: &'s Value,
}

impl Validator<'_> {
    fn accepts(&self, schema: &Value, instance: &Value) -> bool {
        let mut refusals = Vec::new();
        self.check(schema, instance, "", &mut refusals);
        refusals.is_empty()
    }

    fn check(&self, schema: &Value, instance: &Value, path: &str, refusals: &mut Vec<String>) {
        if let Some(reference) = schema.get("$ref") {
            let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
            let schema = self.root.pointer(pointer).unwrap();
            // In draft 7, what stands beside a reference means nothing.
            self.check(schema, instance, path, refusals);
            return;
        }
        let mut refuse = |word: &str| refusals.push(format!("{path}: {word}"));
        let is_of = |name: &str| match name {
            "null" => instance.is_null(),
            "string" => instance.is_string(),
            "boolean" => instance.is_boolean(),
            "number" => instance.is_number(),
            "integer" => instance.is_i64() || instance.is_u64(),
            "array" => instance.is_array(),
            "object" => instance.is_object(),
            other => panic!("type {other}"),
        };
        match schema.get("type") {
            Some(Value::String(name)) if !is_of(name) => refuse("type"),
            Some(Value::Array(names)) if !names.iter().any(|n| is_of(n.as_str().unwrap())) => {
                refuse("type");
            }
            _ => {}
        }
        if schema.get("const").is_some_and(|value| value != instance) {
            refuse("const");
        }
        if let Some(number) = instance.as_f64() {
            let bound = |word| schema.get(word).and_then(Value::as_f64);
            if bound("minimum").is_some_and(|least| number < least) {
                refuse("minimum");
            }
            if bound("maximum").is_some_and(|most| number > most) {
                refuse("maximum");
            }
        }
        let list = |word| schema.get(word).and_then(Value::as_array);
        if list("anyOf").is_some_and(|any| !any.iter().any(|s| self.accepts(s, instance))) {
            refuse("anyOf");
        }
        for schema in list("allOf").into_iter().flatten() {
            self.check(schema, instance, path, refusals);
        }
        if let Some(condition) = schema.get("if") {
            let branch = if self.accepts(condition, instance) { "then" } else { "else" };
            if let Some(schema) = schema.get(branch) {
                self.check(schema, instance, path, refusals);
            }
        }
        self.check_parts(schema, instance, path, refusals);
    }

    fn check_parts(
        &self,
        schema: &Value,
        instance: &Value,
        path: &str,
        refusals: &mut Vec<String>,
    ) {
        if let (Some(items), Value::Array(instances)) = (schema.get("items"), instance) {
            for (i, instance) in instances.iter().enumerate() {
                self.check(items, instance, &format!("{path}[{i}]"), refusals);
            }
        }
        let Value::Object(fields) = instance else { return };
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                refusals.push(format!("{path}: required {name}"));
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, instance) in fields {
            let path = format!("{path}.{name}");
            match properties.and_then(|properties| properties.get(name)) {
                Some(schema) => self.check(schema, instance, &path, refusals),
                None if schema.get("additionalProperties") == Some(&json!(false)) => {
                    refusals.push(format!("{path}: additionalProperties"));
                }
                None => {}
            }
        }
    }
}

fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn it_accepts_what_we_write() {
    for text in [
        include_str!("../fixtures/everything.yaml"),
        include_str!("../fixtures/commented.yaml"),
        include_str!("../fixtures/commented.out.yaml"),
        "kind: DeleteImageSetConfiguration\ndelete:\n",
    ] {
        assert_eq!(refusals(&read(text)), [""; 0], "{text}");
    }
}

#[test]
fn it_refuses_what_is_wrong() {
    let table = [
        ("{}", ": anyOf"),
        ("kind: 4\nmirror: {}", ".kind: type"),
        ("kind: x\nmirror: {platfrom: {}}", ".mirror: anyOf"),
        ("kind: x\nmirror: {}\narchiveSize: four", ".archiveSize: type"),
        ("kind: x\nmirror: {}\narchiveSize: 1048577", ".archiveSize: maximum"),
        ("kind: x\nmirror: {}\nmetadata: {}", ".metadata: additionalProperties"),
        ("kind: x\napiVersion: mirror.openshift.io/v2alpha1", ": anyOf"),
        ("kind: DeleteImageSetConfiguration\nmirror: {}", ": anyOf"),
        ("kind: DeleteImageSetConfiguration\ndelete: {blockedImages: []}", ".delete: anyOf"),
    ];
    for (yaml, refusal) in table {
        assert!(
            refusals(&read(yaml)).contains(&refusal.to_owned()),
            "{yaml}: {:?}",
            refusals(&read(yaml))
        );
    }
}
