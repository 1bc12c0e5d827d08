use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of a JSON object, as they are written and in that order: one pass over the bytes.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// A text that is borrowed wherever it has no escapes; `Cow` by itself never is.
#[derive(Debug)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl<'a> Members<'a> {
    /// Reads one object.
    pub(crate) fn of(object: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(object)
    }

    /// Returns what is called `name`, in whatever case: so OLM reads it. Of several the last one
    /// counts, as there.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.all(name).last()
    }

    /// Returns all that is called `name`, in whatever case.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(key, _)| key.0.eq_ignore_ascii_case(name)).map(|(_, raw)| *raw)
    }

    /// Reads the list of objects that is called `name`. Null is none, and in the list an object
    /// without members.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<Self>, serde_json::Error> {
        let list = self.get(name).map_or("null", RawValue::get);
        let list: Option<Vec<Option<Self>>> = serde_json::from_str(list)?;
        let or_empty = |one: Option<Self>| one.unwrap_or(Self(Vec::new()));
        Ok(list.unwrap_or_default().into_iter().map(or_empty).collect())
    }

    /// Reads the text that is called `name`; null is none.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, serde_json::Error> {
        let Some(raw) = self.get(name) else { return Ok(None) };
        let text: Option<Text<'a>> = serde_json::from_str(raw.get())?;
        Ok(text.map(|text| text.0))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_any_case() {
        let members =
            Members::of(br#"{"Schema": "olm.b\u0075ndle", "n": null, "x": [1, {"schema": 2}]}"#)
                .unwrap();
        assert_eq!(members.text("schema").unwrap().as_deref(), Some("olm.bundle"));
        assert_eq!(members.text("n").unwrap(), None);
        assert_eq!(members.text("absent").unwrap(), None);
        assert_eq!(members.get("x").unwrap().get(), r#"[1, {"schema": 2}]"#);
        assert!(members.text("x").is_err());
        assert!(members.list("n").unwrap().is_empty() && members.list("x").is_err());
    }

    #[test]
    fn null_in_a_list_is_an_object() {
        let members = Members::of(br#"{"x": [{"A": "b"}, null]}"#).unwrap();
        let texts: Vec<_> =
            members.list("X").unwrap().iter().map(|one| one.text("a").unwrap()).collect();
        assert_eq!(texts, [Some("b".into()), None]);
    }

    #[test]
    fn the_last_of_several_counts() {
        let members = Members::of(br#"{"a": 1, "A": 2}"#).unwrap();
        assert_eq!(members.get("a").unwrap().get(), "2");
        assert_eq!(members.all("a").count(), 2);
    }
}
