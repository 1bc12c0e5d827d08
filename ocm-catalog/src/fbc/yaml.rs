//! YAML as JSON, so that objects are read in one way; and YAML written, for objects that change.

mod bounded;
mod write;

use bounded::{Bounded, Budget};
use serde::de::DeserializeSeed as _;
use serde_yaml::Value;

use super::error::ObjectFault;
pub(crate) use write::write;

/// Words that some reader of YAML takes for a truth value or for nothing, in any case.
pub(crate) const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// Reads a document; `None` where it is empty, as it is after a separator at the end of a file.
pub(crate) fn read(document: &[u8]) -> Result<Option<Value>, ObjectFault> {
    let budget = Budget::whole();
    let read = Bounded(&budget).deserialize(serde_yaml::Deserializer::from_slice(document));
    let mut value = read.map_err(ObjectFault::Yaml)?;
    value.apply_merge().map_err(ObjectFault::Yaml)?;
    match value {
        Value::Null => Ok(None),
        Value::Mapping(_) => Ok(Some(value)),
        _ => Err(ObjectFault::NoObject),
    }
}

/// Returns a document as a JSON object; `None` where it is empty.
pub(crate) fn to_json(document: &[u8]) -> Result<Option<Vec<u8>>, ObjectFault> {
    let Some(value) = read(document)? else { return Ok(None) };
    serde_json::to_vec(&value).map(Some).map_err(ObjectFault::Json)
}
