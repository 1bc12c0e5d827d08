use std::borrow::Cow;

use memchr::{memchr, memchr3_iter};

use super::{error::ObjectFault, members::Members, yaml::WORDS};

/// What an object says of itself: `schema`, and to which package it belongs, and its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub(crate) schema: String,
    /// Empty for what belongs to the whole catalog.
    pub(crate) package: String,
    pub(crate) name: String,
}

impl Head {
    /// Reads it off an object.
    pub(crate) fn of(members: &Members<'_>) -> Result<Self, ObjectFault> {
        let schema = field(members, "schema")?;
        if schema.is_empty() {
            return Err(ObjectFault::NoSchema);
        }
        Ok(Self::new(&schema, &field(members, "package")?, &field(members, "name")?))
    }

    /// Reads it off the lines of a YAML document that begin without a blank. `None` where that
    /// may not be all there is to it: the document has to be read as YAML then.
    ///
    /// It is enough for the three schemas that most of a catalog consists of, which have one each
    /// of these keys: a line in the middle of a text that looks like one of them makes two.
    pub(crate) fn of_lines(document: &[u8]) -> Option<Self> {
        if has_other_ends_of_lines(document) {
            return None;
        }
        let (mut schema, mut package, mut name) = (None, None, None);
        let (mut rest, mut goes_on) = (document, false);
        while let Some(&first) = rest.first() {
            let (line, after) = match memchr(b'\n', rest) {
                Some(end) => (rest.get(..end)?, rest.get(end + 1..)?),
                None => (rest, &[][..]),
            };
            rest = after;
            // What is indented below a text belongs to it.
            if goes_on && first == b' ' && !line.trim_ascii().is_empty() {
                return None;
            }
            if matches!(first, b' ' | b'\n' | b'\r' | b'#' | b'-') {
                continue;
            }
            goes_on = false;
            let colon = memchr(b':', line)?;
            let (key, value) = (line.get(..colon)?, line.get(colon + 1..)?);
            let is_word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            if !key.iter().all(is_word) || value.first().is_some_and(|b| !b.is_ascii_whitespace()) {
                return None;
            }
            let field = match key {
                b"schema" => &mut schema,
                b"package" => &mut package,
                b"name" => &mut name,
                _ if is_head_key(key) => return None,
                _ => continue,
            };
            if field.replace(plain_text(value)?).is_some() {
                return None;
            }
            goes_on = true;
        }
        let (schema, name) = (schema?, name?);
        let package = match schema {
            "olm.package" if package.is_none() => "",
            "olm.channel" | "olm.bundle" => package?,
            _ => return None,
        };
        Some(Self::new(schema, package, name))
    }

    /// A package belongs to itself, whatever it says.
    fn new(schema: &str, package: &str, name: &str) -> Self {
        let package = if schema == "olm.package" { name } else { package };
        Self { schema: schema.to_owned(), package: package.to_owned(), name: name.to_owned() }
    }
}

/// Reads a text that may be absent, but not be there twice, nor be anything else.
fn field<'a>(members: &Members<'a>, key: &'static str) -> Result<Cow<'a, str>, ObjectFault> {
    if members.all(key).count() > 1 {
        return Err(ObjectFault::Twice { key });
    }
    let text = members.text(key).map_err(|source| ObjectFault::NoText { key, source })?;
    Ok(text.unwrap_or_default())
}

/// Whether lines end in other ways than with `\n` or `\r\n`: YAML knows several.
fn has_other_ends_of_lines(document: &[u8]) -> bool {
    memchr3_iter(b'\r', 0xc2, 0xe2, document).any(|at| match document.get(at..) {
        Some([b'\r', after @ ..]) => !after.starts_with(b"\n"),
        Some([0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..]) => true,
        _ => false,
    })
}

/// Whether a key is one of the three in another case.
fn is_head_key(key: &[u8]) -> bool {
    ["schema", "package", "name"].iter().any(|known| key.eq_ignore_ascii_case(known.as_bytes()))
}

/// Reads a scalar that is a text beyond doubt, plain or between quotes, and on one line.
fn plain_text(value: &[u8]) -> Option<&str> {
    let value = std::str::from_utf8(value).ok()?.trim_ascii();
    let is_safe = |text: &str| {
        let is_safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'/' | b'+');
        !text.is_empty() && text.bytes().all(is_safe)
    };
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return is_safe(inner).then_some(inner);
        }
    }
    let begins_as_text = value.starts_with(|c: char| c.is_ascii_alphanumeric());
    let is_text = begins_as_text && is_safe(value) && !means_something_else(value);
    is_text.then_some(value)
}

/// Whether some reader of YAML takes it for a truth value, a number or nothing.
fn means_something_else(value: &str) -> bool {
    let is_number = value.starts_with(|c: char| c.is_ascii_digit())
        && value
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b'-' | b'+' | b'x' | b'o'))
        && value.split('.').count() <= 2;
    is_number || value.parse::<f64>().is_ok() || WORDS.iter().any(|w| w.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(schema: &str, package: &str, name: &str) -> Head {
        Head { schema: schema.into(), package: package.into(), name: name.into() }
    }

    #[test]
    fn lines_without_a_blank_are_enough() {
        let bundle = b"---\nimage: x\nname: 'foo.v1'\npackage: foo # no\n";
        assert_eq!(Head::of_lines(bundle), None, "a comment");
        let bundle =
            b"# c\nimage: x\nname: \"foo.v1\"\npackage: 3scale\nproperties:\n- type: a\n  \
                       name: x\nschema: olm.bundle\r\n";
        assert_eq!(Head::of_lines(bundle), Some(head("olm.bundle", "3scale", "foo.v1")));
        let package = b"schema: olm.package\nname: foo\ndescription: |\n  name: bar\n";
        assert_eq!(Head::of_lines(package), Some(head("olm.package", "foo", "foo")));
        let channel = b"schema: olm.channel\npackage: foo\nname: 2022.4.0\nentries:\n- name: a\n";
        assert_eq!(Head::of_lines(channel), Some(head("olm.channel", "foo", "2022.4.0")));
    }

    #[test]
    fn what_may_mean_something_else_is_read_as_yaml() {
        for document in [
            "schema: olm.bundle\nname: a\n",
            "schema: olm.deprecations\npackage: a\nname: b\n",
            "schema: olm.bundle\npackage: a\nname: b\nname: c\n",
            "schema: olm.bundle\npackage: a\nname: b\nName: c\n",
            "schema: olm.bundle\npackage: a\nname: 4.8\n",
            "schema: olm.bundle\npackage: a\nname: 0x10\n",
            "schema: olm.bundle\npackage: a\nname: 1e3\n",
            "schema: olm.bundle\npackage: a\nname: yes\n",
            "schema: olm.bundle\npackage: a\nname: ~\n",
            "schema: olm.bundle\npackage: a\nname: &x b\n",
            "schema: olm.bundle\npackage: a\nname: |\n  b\n",
            "schema: olm.bundle\npackage: a\nname:\n  b\n",
            "schema: olm.bundle\npackage: a\n\"name\": b\n",
            "schema: olm.bundle\npackage: a\nname: b\n  c\n",
            "schema: olm.bundle\npackage: a\n\n  c\nname: b\n",
            "schema: olm.bundle\npackage: a\r  c\nname: b\n",
            "schema: olm.bundle\npackage: a\nname: b\ntext: c\u{2028}name: d\n",
            "schema: olm.bundle\npackage: a\nname: b\ntext: c\u{85}name: d\n",
            "{schema: olm.bundle}\n",
            "text\n",
            "\tschema: a\n",
        ] {
            assert_eq!(Head::of_lines(document.as_bytes()), None, "{document}");
        }
    }

    #[test]
    fn objects() {
        let read = |text: &str| Head::of(&Members::of(text.as_bytes()).unwrap());
        let lifecycle = r#"{"schema": "io.x", "package": null}"#;
        assert_eq!(read(lifecycle).unwrap(), head("io.x", "", ""));
        assert!(matches!(read("{}"), Err(ObjectFault::NoSchema)));
        let twice = r#"{"schema": "a", "Schema": "a"}"#;
        assert!(matches!(read(twice), Err(ObjectFault::Twice { key: "schema" })));
        let number = r#"{"schema": "a", "name": 1}"#;
        assert!(matches!(read(number), Err(ObjectFault::NoText { key: "name", .. })));
    }
}
