use std::{borrow::Cow, ops::Range, sync::Arc};

use serde_json::value::RawValue;
use serde_yaml::Value;

use super::{error::ObjectFault, members::Members, yaml};

/// How an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// As a JSON object.
    Json,
    /// As a YAML document, without the line `---` before it.
    Yaml,
}

/// An object of a catalog, to the byte as it is written. Copies share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    format: Format,
    bytes: Arc<[u8]>,
}

impl Body {
    pub(crate) fn new(format: Format, bytes: &[u8]) -> Self {
        Self { format, bytes: bytes.into() }
    }

    /// Returns how it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns it as JSON.
    pub(crate) fn json(&self) -> Result<Cow<'_, [u8]>, ObjectFault> {
        match self.format {
            Format::Json => Ok(Cow::Borrowed(&self.bytes)),
            Format::Yaml => {
                let json = yaml::to_json(&self.bytes)?.ok_or(ObjectFault::NoObject)?;
                Ok(Cow::Owned(json))
            }
        }
    }

    /// Returns it with another text for `key`. Everything else stays as it is; in YAML, as it
    /// reads.
    pub(crate) fn with_text(&self, key: &str, text: &str) -> Result<Self, ObjectFault> {
        match self.format {
            Format::Json => {
                let members = Members::of(&self.bytes).map_err(ObjectFault::Json)?;
                let quoted = serde_json::to_string(text).map_err(ObjectFault::Json)?;
                Ok(match members.get(key) {
                    Some(old) => self.spliced(old, &quoted),
                    None => self.with_member(key, &quoted),
                })
            }
            Format::Yaml => self.changed(|members| {
                members.insert(key.into(), text.into());
            }),
        }
    }

    /// Returns it with only those items of the list `key` whose place in it `is_kept`.
    pub(crate) fn with_items(
        &self,
        key: &str,
        is_kept: impl Fn(usize) -> bool,
    ) -> Result<Self, ObjectFault> {
        match self.format {
            Format::Json => {
                let members = Members::of(&self.bytes).map_err(ObjectFault::Json)?;
                let Some(old) = members.get(key) else { return Ok(self.clone()) };
                let items: Vec<&RawValue> =
                    serde_json::from_str(old.get()).map_err(ObjectFault::Json)?;
                Ok(self.spliced(old, &kept_items(old.get(), &items, is_kept)))
            }
            Format::Yaml => self.changed(|members| {
                if let Some(Value::Sequence(items)) = members.get_mut(key) {
                    let mut nth = 0..;
                    items.retain(|_| nth.next().is_some_and(&is_kept));
                }
            }),
        }
    }

    /// Puts `new` where `old`, which is a part of it, stands.
    fn spliced(&self, old: &RawValue, new: &str) -> Self {
        let start = offset(&self.bytes, old.get());
        let (before, rest) = self.bytes.split_at(start.min(self.bytes.len()));
        let after = rest.get(old.get().len()..).unwrap_or_default();
        Self::new(self.format, &[before, new.as_bytes(), after].concat())
    }

    /// Puts a member before all others.
    fn with_member(&self, key: &str, value: &str) -> Self {
        let inner = self.bytes.strip_prefix(b"{").unwrap_or(&self.bytes);
        let comma = if inner.trim_ascii_start().starts_with(b"}") { "" } else { "," };
        let member = format!("{{\n    \"{key}\": {value}{comma}");
        Self::new(self.format, &[member.as_bytes(), inner].concat())
    }

    fn changed(&self, change: impl FnOnce(&mut serde_yaml::Mapping)) -> Result<Self, ObjectFault> {
        let mut document = yaml::read(&self.bytes)?.ok_or(ObjectFault::NoObject)?;
        if let Value::Mapping(members) = &mut document {
            change(members);
        }
        Ok(Self::new(self.format, &yaml::write(&document)))
    }
}

/// Writes the items of a list that are kept, with the blanks that the list has between them.
fn kept_items(list: &str, items: &[&RawValue], is_kept: impl Fn(usize) -> bool) -> String {
    let places = items.iter().map(|item| {
        let start = offset(list.as_bytes(), item.get());
        start..start + item.get().len()
    });
    let places: Vec<Range<usize>> = places.collect();
    let (Some(begin), Some(end)) = (places.first(), places.last()) else { return list.to_owned() };
    let between = match places.as_slice() {
        [one, two, ..] => list.get(one.end..two.start),
        _ => None,
    };
    let kept = items.iter().enumerate().filter(|(nth, _)| is_kept(*nth));
    let kept: Vec<&str> = kept.map(|(_, item)| item.get()).collect();
    if kept.is_empty() {
        return "[]".to_owned();
    }
    let before = list.get(..begin.start).unwrap_or("[");
    let after = list.get(end.end..).unwrap_or("]");
    format!("{before}{}{after}", kept.join(between.unwrap_or(", ")))
}

/// Returns where in `whole` a part that was borrowed from it begins, in bytes.
fn offset(whole: &[u8], part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}
