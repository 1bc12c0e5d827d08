use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Faults, Findings, Location, quoted},
    image_set::{DeleteSet, ImageSet},
    keys::{self, Keys},
    reader, yaml,
};

/// Most bytes of a document that are read; the largest configuration known has 60 KB.
const SIZE_LIMIT: usize = 16 << 20;

/// The kind of document that says what to mirror.
const KIND: &str = "ImageSetConfiguration";
/// The kind of document that says what to delete.
const DELETE_KIND: &str = "DeleteImageSetConfiguration";
/// The version whose keys these are.
const API_VERSION: &str = "mirror.openshift.io/v2alpha1";

/// A configuration that can be used, and what to know about it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What to mirror.
    pub image_set: ImageSet,
    /// What its author may not have meant, in the order of the lines.
    pub warnings: Vec<Fault>,
}

/// What to delete, and what to know about the configuration all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDelete {
    /// What to delete.
    pub delete_set: DeleteSet,
    /// What its author may not have meant, in the order of the lines.
    pub warnings: Vec<Fault>,
}

/// Reads an `ImageSetConfiguration`.
///
/// # Errors
///
/// [`Faults`] with everything that is wrong with the document. A wrong reference is not: it
/// stands as an error in the one [`AdditionalImage`](crate::AdditionalImage) that has it.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Faults> {
    let mut findings = Findings::default();
    let image_set = read(bytes, &MIRRORING, reader::image_set, &mut findings);
    let (image_set, warnings) = findings.settle(image_set)?;
    Ok(Parsed { image_set, warnings })
}

/// Reads a `DeleteImageSetConfiguration`.
///
/// # Errors
///
/// As of [`parse`].
pub fn parse_delete(bytes: &[u8]) -> Result<ParsedDelete, Faults> {
    let mut findings = Findings::default();
    let delete_set = read(bytes, &DELETION, reader::delete_set, &mut findings);
    let (delete_set, warnings) = findings.settle(delete_set)?;
    Ok(ParsedDelete { delete_set, warnings })
}

/// A kind of document.
struct Kind {
    /// Its name.
    name: &'static str,
    keys: Keys,
    /// The key that says what it is about.
    stanza: &'static str,
    /// What the other kind is for, and what to do with such a document.
    other: (&'static str, &'static str, &'static str),
}

const MIRRORING: Kind = Kind {
    name: KIND,
    keys: keys::ROOT,
    stanza: "mirror",
    other: (DELETE_KIND, "this says what to delete", "it cannot be used to mirror"),
};

const DELETION: Kind = Kind {
    name: DELETE_KIND,
    keys: keys::DELETE_ROOT,
    stanza: "delete",
    other: (KIND, "this says what to mirror", "it cannot be used to delete"),
};

fn read<T>(
    bytes: &[u8],
    kind: &Kind,
    read: impl FnOnce(&Fields<'_>, &mut Findings) -> T,
    findings: &mut Findings,
) -> Option<T> {
    let text = text(bytes, findings)?;
    let Some(root) = yaml::read(text, findings).filter(|root| !root.is_null()) else {
        // Unless what is wrong has been said already.
        let fault = Fault::error(Code::Empty, beginning(), "there is no configuration in it");
        findings.add_if_none(fault.with_help(format!("`kind: {}` is its first line", kind.name)));
        return None;
    };
    let fields = Cursor::root(&root).fields(kind.keys, findings)?;
    check_kind(&fields, kind, findings)?;
    check_version(&fields, findings);
    Some(read(&fields, findings))
}

/// Returns the bytes as text, if they are some.
fn text<'b>(bytes: &'b [u8], findings: &mut Findings) -> Option<&'b str> {
    if bytes.len() > SIZE_LIMIT {
        let message = format!("more than {} MiB; this is no configuration", SIZE_LIMIT >> 20);
        findings.error(Code::TooLarge, beginning(), message);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let fault = Fault::error(Code::Encoding, end_of(valid), "not UTF-8 text");
            findings.add(fault.with_help("save the file as UTF-8".to_owned()));
            return None;
        }
    };
    let Some(rest) = text.strip_prefix('\u{feff}') else { return Some(text) };
    let message = "the file begins with a byte order mark, which is left out";
    let fault = Fault::warning(Code::Encoding, beginning(), message);
    findings.add(fault.with_help("save the file as UTF-8 without it".to_owned()));
    Some(rest)
}

/// Says what is wrong with the kind, and returns whether it is worth reading on.
fn check_kind(fields: &Fields<'_>, kind: &Kind, findings: &mut Findings) -> Option<()> {
    let Some(written) = fields.require("kind", findings) else { return Some(()) };
    let text = written.text(findings)?;
    if text == kind.name {
        if !fields.has(kind.stanza) {
            let stanza = kind.stanza;
            let message = format!("`{stanza}` is missing");
            let fault = Fault::error(Code::MissingKey, beginning(), message);
            findings.add(fault.with_help(format!("what to {stanza} stands below `{stanza}:`")));
        }
        return Some(());
    }
    let (other, is, advice) = kind.other;
    let (message, help) = if text == other {
        (is.to_owned(), advice.to_owned())
    } else {
        let message = format!("expected `{}`, found {}", kind.name, quoted(text));
        (message, format!("write `kind: {}`", kind.name))
    };
    findings.add(Fault::error(Code::Kind, written.location(), message).with_help(help));
    text.eq_ignore_ascii_case(kind.name).then_some(())
}

/// Another version is only warned of: real configurations carry all sorts, and it is the keys
/// that decide what can be read.
fn check_version(fields: &Fields<'_>, findings: &mut Findings) {
    let (location, message) = match fields.get("apiVersion") {
        None => (beginning(), "`apiVersion` is missing".to_owned()),
        Some(version) => match version.text(findings) {
            Some(API_VERSION) | None => return,
            Some(text) => {
                (version.location(), format!("{} is read as `{API_VERSION}`", quoted(text)))
            }
        },
    };
    let fault = Fault::warning(Code::ApiVersion, location, message);
    findings.add(fault.with_help(format!("write `apiVersion: {API_VERSION}`")));
}

fn beginning() -> Location {
    Location { path: String::new(), line: 1, column: 1 }
}

/// Returns where text ends that is known to be UTF-8.
fn end_of(text: &[u8]) -> Location {
    let text = String::from_utf8_lossy(text);
    let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Location {
        path: String::new(),
        line: number(text.matches('\n').count()),
        column: number(last_line.chars().count()),
    }
}
