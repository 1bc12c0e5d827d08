//! A document with all its aliases written out, as long as that stays within bounds.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_yaml::{Mapping, Value};

/// Most values of a document, aliases written out. Real ones have some thousand.
const VALUES: usize = 4_000_000;
/// Most bytes of text in them.
const BYTES: usize = 256 << 20;

/// What a document may still have.
#[derive(Debug)]
pub(super) struct Budget {
    values: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    pub(super) fn whole() -> Self {
        Self { values: Cell::new(VALUES), bytes: Cell::new(BYTES) }
    }

    fn spend<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let left = (self.values.get().checked_sub(1), self.bytes.get().checked_sub(bytes));
        let (Some(values), Some(bytes)) = left else {
            return Err(E::custom("aliases make the document too large"));
        };
        self.values.set(values);
        self.bytes.set(bytes);
        Ok(())
    }
}

/// Reads one value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounded<'b>(pub(super) &'b Budget);

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a tag")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.0.spend(0).map(|()| value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.0.spend(0).map(|()| value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.0.spend(0).map(|()| value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.0.spend(0).map(|()| value.into())
    }

    /// What is larger than other readers know numbers is as large as they make it.
    #[expect(clippy::cast_precision_loss, reason = "JSON has no larger integers for its readers")]
    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON has no larger integers for its readers")]
    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.0.spend(value.len()).map(|()| value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.0.spend(0).map(|()| Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Sequence(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut all = Mapping::new();
        while let Some(key) = entries.next_key_seed(self)? {
            let value = entries.next_value_seed(self)?;
            if all.contains_key(&key) {
                return Err(A::Error::custom(format!("duplicate key {key:?}")));
            }
            all.insert(key, value);
        }
        Ok(Value::Mapping(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Value, serde_yaml::Error> {
        Bounded(&Budget::whole()).deserialize(serde_yaml::Deserializer::from_str(text))
    }

    #[test]
    fn integers_may_be_of_any_size() {
        assert_eq!(
            read("a: 340282366920938463463374607431768211455").unwrap()["a"],
            2f64.powi(128)
        );
        assert!(read("a: -170141183460469231731687303715884105728").is_ok());
    }

    /// A few hundred bytes that would be gigabytes.
    #[test]
    fn aliases_of_aliases_are_refused() {
        let items = |what: &str, count: usize| vec![what; count].join(", ");
        let (long, many) = (items("0", 100_000), items("*a", 5_000));
        let text = format!("x: &a [{long}]\ny: [{many}]\n");
        assert!(read(&text).unwrap_err().to_string().contains("too large"));
        let text = format!("x: &a [{}]\ny: [{}]\n", items("0", 10), items("*a", 10));
        assert!(read(&text).is_ok());
    }

    #[test]
    fn values_are_what_they_are_without_bounds() {
        let text = "a: [1, -1, 1.5, true, ~, text, '1', 0x10, 1e3]\nb: {c: {d: []}}\n1: one\n";
        assert_eq!(read(text).unwrap(), serde_yaml::from_str::<Value>(text).unwrap());
    }
}
