use std::{borrow::Cow, fmt, sync::Arc};

use serde_json::value::RawValue;
use serde_yaml::{Mapping, Value};

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
#[derive(Clone, PartialEq, Eq)]
pub struct Body {
    format: Format,
    bytes: Arc<Vec<u8>>,
}

impl Body {
    pub(crate) fn new(format: Format, bytes: Vec<u8>) -> Self {
        Self { format, bytes: Arc::new(bytes) }
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
                    Some(old) => {
                        self.spliced(old, |bytes| bytes.extend_from_slice(quoted.as_bytes()))
                    }
                    None => self.with_member(key, &quoted),
                })
            }
            Format::Yaml => self.changed(|members| {
                let key = key_of(members, key);
                members.insert(key, text.into());
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
                Ok(self.spliced(old, |bytes| keep_items(old.get(), &items, is_kept, bytes)))
            }
            Format::Yaml => self.changed(|members| {
                let key = key_of(members, key);
                if let Some(Value::Sequence(items)) = members.get_mut(&key) {
                    let mut nth = 0..;
                    items.retain(|_| nth.next().is_some_and(&is_kept));
                }
            }),
        }
    }

    /// Puts what `write` writes where `old`, which is a part of it, stands.
    fn spliced(&self, old: &RawValue, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        let start = offset(&self.bytes, old.get()).min(self.bytes.len());
        let (before, rest) = self.bytes.split_at(start);
        let mut bytes = Vec::with_capacity(self.bytes.len());
        bytes.extend_from_slice(before);
        write(&mut bytes);
        bytes.extend_from_slice(rest.get(old.get().len()..).unwrap_or_default());
        bytes.shrink_to_fit();
        Self::new(self.format, bytes)
    }

    /// Puts a member before all others.
    fn with_member(&self, key: &str, value: &str) -> Self {
        let inner = self.bytes.strip_prefix(b"{").unwrap_or(&self.bytes);
        let comma = if inner.trim_ascii_start().starts_with(b"}") { "" } else { "," };
        let member = format!("{{\n    \"{key}\": {value}{comma}");
        Self::new(self.format, [member.as_bytes(), inner].concat())
    }

    fn changed(&self, change: impl FnOnce(&mut Mapping)) -> Result<Self, ObjectFault> {
        let mut document = yaml::read(&self.bytes)?.ok_or(ObjectFault::NoObject)?;
        if let Value::Mapping(members) = &mut document {
            change(members);
        }
        Ok(Self::new(self.format, yaml::write(&document)))
    }
}

/// Says how long it is: bundles are too long to be looked at.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.bytes.len();
        f.debug_struct("Body").field("format", &self.format).field("length", &length).finish()
    }
}

/// Writes the items of a list that are kept, with the blanks that the list has between them.
fn keep_items(
    list: &str,
    items: &[&RawValue],
    is_kept: impl Fn(usize) -> bool,
    bytes: &mut Vec<u8>,
) {
    let place = |item: &RawValue| {
        let start = offset(list.as_bytes(), item.get());
        start..start + item.get().len()
    };
    let between = match items {
        [one, two, ..] => list.get(place(one).end..place(two).start),
        _ => None,
    };
    let between = between.unwrap_or(", ");
    let begin = items.first().and_then(|item| list.get(..place(item).start)).unwrap_or("[");
    let end = items.last().and_then(|item| list.get(place(item).end..)).unwrap_or("]");
    let mut kept = items.iter().enumerate().filter(|(nth, _)| is_kept(*nth)).peekable();
    if kept.peek().is_none() {
        bytes.extend_from_slice(b"[]");
        return;
    }
    for (nth, (_, item)) in kept.enumerate() {
        bytes.extend_from_slice(if nth == 0 { begin } else { between }.as_bytes());
        bytes.extend_from_slice(item.get().as_bytes());
    }
    bytes.extend_from_slice(end.as_bytes());
}

/// Returns the key that is read as `key`, in the case that it has; see [`Members::get`].
fn key_of(members: &Mapping, key: &str) -> Value {
    let keys = members.keys().filter_map(Value::as_str);
    keys.filter(|known| known.eq_ignore_ascii_case(key)).last().unwrap_or(key).into()
}

/// Returns where in `whole` a part that was borrowed from it begins, in bytes.
fn offset(whole: &[u8], part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(whole.as_ptr().addr())
}
