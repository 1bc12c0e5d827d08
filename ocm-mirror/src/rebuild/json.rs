//! Manifests and configurations as trees, so that what we do not know of them stays.

use std::{collections::BTreeMap, mem};

use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, Platform};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Change, RebuildError};

/// The date of what has none, so that it is the same every day.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Reads `bytes`, which have `digest`.
pub(super) fn read(digest: &Digest, bytes: &[u8]) -> Result<Value, RebuildError> {
    serde_json::from_slice(bytes)
        .map_err(|source| RebuildError::Json { digest: digest.clone(), source })
}

/// Writes a tree, with its keys in order of name: a feature of `serde_json` that another crate
/// turns on would otherwise change digests.
pub(super) fn write(value: &Value) -> Bytes {
    // Nothing in a tree of text and numbers cannot be written.
    serde_json::to_vec(&Sorted(value)).unwrap_or_default().into()
}

struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(map) => {
                let sorted: BTreeMap<_, _> = map.iter().map(|(k, v)| (k, Sorted(v))).collect();
                serializer.collect_map(sorted)
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            other => other.serialize(serializer),
        }
    }
}

/// Replaces the entries of an index, one for one; `None` leaves one out.
pub(super) fn relist(
    index: &mut Value,
    rebuilt: Vec<Option<(Descriptor, Option<Platform>)>>,
) -> Option<()> {
    let index = index.as_object_mut()?;
    // It would say of this index what was said of the original.
    index.remove("subject");
    let listed = mem::take(index.get_mut("manifests")?.as_array_mut()?);
    let mut entries = Vec::new();
    for (mut entry, new) in listed.into_iter().zip(rebuilt) {
        let Some((content, platform)) = new else { continue };
        let fields = entry.as_object_mut()?;
        describe(fields, &content);
        if fields.get("platform").is_none_or(Value::is_null)
            && let Some(platform) = platform.filter(|platform| !platform.os.is_empty())
        {
            fields.insert("platform".to_owned(), serde_json::to_value(platform).ok()?);
        }
        entries.push(entry);
    }
    index.insert("manifests".to_owned(), Value::Array(entries));
    Some(())
}

/// Gives an image another configuration, and more layers.
pub(super) fn relayer(
    image: &mut Value,
    config: &Descriptor,
    added: impl Iterator<Item = Descriptor>,
) -> Option<()> {
    let image = image.as_object_mut()?;
    image.remove("subject");
    describe(image.get_mut("config")?.as_object_mut()?, config);
    let layers = list(image, "layers")?;
    layers.extend(added.filter_map(|layer| serde_json::to_value(layer).ok()));
    Some(())
}

/// Whether the uppermost layer says that it was made by `step`.
pub(super) fn is_made_by(config: &Value, step: &str) -> bool {
    let history = config.get("history").and_then(Value::as_array);
    let last = history.and_then(|history| history.last()?.get("created_by")?.as_str());
    last == Some(step)
}

/// Takes away the uppermost layer, of which the last step of the history tells.
pub(super) fn unlayer(image: &mut Value, config: &mut Value) -> Option<()> {
    image.get_mut("layers")?.as_array_mut()?.pop()?;
    config.get_mut("rootfs")?.get_mut("diff_ids")?.as_array_mut()?.pop()?;
    config.get_mut("history")?.as_array_mut()?.pop().map(drop)
}

/// Changes a configuration of an image with so many layers; returns what the image runs on.
pub(super) fn configure(config: &mut Value, change: &Change, layers: usize) -> Option<Platform> {
    let config = config.as_object_mut()?;
    let rootfs = config.get_mut("rootfs")?.as_object_mut()?;
    let diff_ids = list(rootfs, "diff_ids")?;
    if diff_ids.len() != layers {
        return None;
    }
    diff_ids.extend(change.layers.iter().map(|layer| json!(layer.diff_id())));
    // The mark of what is to be replaced some day is in the history. One of the new layers alone
    // would be wrong, so that those below are in it as well.
    if change.replaced.is_some() && config.get("history").is_none_or(Value::is_null) {
        let below = vec![json!({ "created": CREATED }); layers];
        config.insert("history".to_owned(), Value::Array(below));
    }
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        let step =
            |made: &super::NewLayer| json!({ "created": CREATED, "created_by": made.made_by() });
        history.extend(change.layers.iter().map(step));
    }
    let settings = object(config, "config")?;
    if let Some(command) = &change.command {
        settings.insert("Cmd".to_owned(), json!(command));
    }
    if !change.labels.is_empty() {
        let labels = object(settings, "Labels")?;
        labels.extend(change.labels.iter().map(|(key, value)| (key.clone(), json!(value))));
    }
    let text = |key: &str| config.get(key).and_then(Value::as_str).map(str::to_owned);
    let platform = Platform::new(text("os").unwrap_or_default(), text("architecture")?);
    Some(Platform { variant: text("variant").filter(|one| !one.is_empty()), ..platform })
}

fn describe(fields: &mut Map<String, Value>, content: &Descriptor) {
    fields.insert("digest".to_owned(), json!(content.digest));
    fields.insert("size".to_owned(), json!(content.size));
    // The bytes themselves, which small content may carry along.
    fields.remove("data");
}

/// Returns the object under `key`; makes one where there is none.
fn object<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Map<String, Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut()
}

/// Returns the list under `key`; makes one where there is none.
fn list<'a>(map: &'a mut Map<String, Value>, key: &str) -> Option<&'a mut Vec<Value>> {
    let value = map.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!([]);
    }
    value.as_array_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_in_order_whatever_order_they_are_kept_in() {
        let text = r#"{"b":[{"d":1,"c":2.5}],"a":null,"B":"<&>","n":12345678901234567890}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        let sorted = r#"{"B":"<&>","a":null,"b":[{"c":2.5,"d":1}],"n":12345678901234567890}"#;
        assert_eq!(write(&value), sorted);
    }
}
