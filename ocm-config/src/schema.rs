//! The JSON Schema of both kinds of document, for editors. It is made of the reader's own tables.

use std::collections::BTreeMap;

use crate::{
    archive_size::ArchiveSize,
    document::{API_VERSION, Kind},
    keys::{Job, Key, Keys, Need, Shape},
    render::json,
    tree::{Fields, Tree},
};

/// The language in which it is written: what editors know best.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// Returns the JSON Schema of configurations.
///
/// It is as lenient as the reader: keys of version 1 and keys in lower case are in it, marked as
/// deprecated.
pub fn json_schema() -> String {
    let mut definitions = BTreeMap::new();
    define(&Kind::ImageSet.keys(), &mut definitions);
    define(&Kind::DeleteSet.keys(), &mut definitions);
    let definitions = definitions
        .into_iter()
        .fold(Fields::default(), |fields, (name, definition)| fields.with(name, definition));
    let is_deletion = Fields::default()
        .with("properties", single("kind", single("const", text(Kind::DeleteSet.name()))))
        .with("required", Tree::List(vec![text("kind")]));
    let schema = Fields::default()
        .with_text("$schema", DIALECT)
        .with_text("title", "What to mirror, or what to delete")
        .with("if", is_deletion.done())
        .with("then", reference(&Kind::DeleteSet.keys()))
        .with("else", reference(&Kind::ImageSet.keys()))
        .with("definitions", definitions.done());
    json::write(&schema.done())
}

/// Adds the definition of a mapping, and of those in it.
fn define(keys: &Keys, definitions: &mut BTreeMap<&'static str, Tree>) {
    if definitions.contains_key(keys.name) {
        return;
    }
    let mut properties = Fields::default();
    for key in keys.known {
        properties = properties.with(key.name, property(key));
    }
    for key in keys.known {
        let lower = key.name.to_lowercase();
        if lower != key.name {
            let advice = format!("write `{}`", key.name);
            properties =
                properties.with(lower, deprecated(value(key.shape, Some("null")), &advice));
        }
    }
    for old in keys.old {
        let advice = match old.job {
            Job::Gone(advice) => format!("remove it: {advice}"),
            Job::Renamed(now) => format!("write `{now}`"),
            Job::Converted { advice } => advice.to_owned(),
        };
        properties = properties.with(old.name, deprecated(Fields::default(), &advice));
        let lower = old.name.to_lowercase();
        if lower != old.name {
            properties = properties.with(lower, deprecated(Fields::default(), &advice));
        }
    }
    let mut definition = Fields::default()
        .with_text("type", "object")
        .with("properties", properties.done())
        .with("additionalProperties", Tree::Word("false".to_owned()));
    definition = require(keys, definition);
    // Before the parts are looked at, or one that contains itself would be looked at for ever.
    definitions.insert(keys.name, definition.done());
    for key in keys.known {
        let mut shape = key.shape;
        while let Shape::List(item) = shape {
            shape = *item;
        }
        if let Shape::Map(keys) = shape {
            define(keys, definitions);
        }
    }
}

/// Says which keys must be there: in whichever case, and in version 1 not what it was for.
fn require(keys: &Keys, definition: Fields) -> Fields {
    let one_of = |name: &str| {
        let lower = name.to_lowercase();
        let spellings = [Some(name), (lower != name).then_some(lower.as_str())];
        let required = |name| single("required", Tree::List(vec![text(name)]));
        single("anyOf", Tree::List(spellings.into_iter().flatten().map(required).collect()))
    };
    let mut all: Vec<_> = keys
        .known
        .iter()
        .filter(|key| key.need == Need::Given)
        .map(|key| one_of(key.name))
        .collect();
    for key in keys.known.iter().filter(|key| key.need == Need::Stated) {
        let is_v2 = single("properties", single("apiVersion", single("const", text(API_VERSION))));
        let condition = Fields::default().with("if", is_v2).with("then", one_of(key.name));
        all.push(condition.done());
    }
    definition.with_list("allOf", all)
}

fn property(key: &Key) -> Tree {
    let null = if key.need == Need::Given { None } else { Some("null") };
    let examples = key.examples.iter().map(|example| text(example)).collect();
    let fields = value(key.shape, null);
    fields.with_text("description", key.about).with_list("examples", examples).done()
}

/// Returns what a value may be; `null` is the word for nothing, if it may be that.
fn value(shape: Shape, null: Option<&'static str>) -> Fields {
    let fields = Fields::default();
    let of_type = |types: &[&str]| {
        let types: Vec<_> = types.iter().copied().chain(null).map(text).collect();
        match types.as_slice() {
            [only] => fields.clone().with("type", only.clone()),
            _ => fields.clone().with("type", Tree::List(types)),
        }
    };
    match shape {
        Shape::Text => of_type(&["string"]),
        Shape::Written => of_type(&["string", "number"]),
        Shape::Switch => of_type(&["boolean"]),
        Shape::Gib => of_type(&["integer"])
            .with("minimum", Tree::Word("0".to_owned()))
            .with("maximum", Tree::Word(ArchiveSize::MAX.gib().to_string())),
        Shape::List(item) => of_type(&["array"]).with("items", value(*item, None).done()),
        Shape::Map(keys) => match null {
            None => fields.with("$ref", text(&path(keys))),
            Some(null) => {
                let nothing = single("type", text(null));
                fields.with("anyOf", Tree::List(vec![reference(keys), nothing]))
            }
        },
    }
}

/// Editors strike such a key through, and do not offer it.
fn deprecated(value: Fields, advice: &str) -> Tree {
    let yes = || Tree::Word("true".to_owned());
    value
        .with_text("description", advice)
        .with_text("deprecationMessage", advice)
        .with("deprecated", yes())
        .with("doNotSuggest", yes())
        .done()
}

fn path(keys: &Keys) -> String {
    format!("#/definitions/{}", keys.name)
}

fn reference(keys: &Keys) -> Tree {
    single("$ref", text(&path(keys)))
}

fn single(key: &'static str, value: Tree) -> Tree {
    Fields::default().with(key, value).done()
}

fn text(text: &str) -> Tree {
    Tree::text(text)
}

#[cfg(test)]
mod tests;
