use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Faults, Findings, Location, quoted},
    image_set::ImageSet,
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

/// Reads an `ImageSetConfiguration`.
///
/// # Errors
///
/// [`Faults`] with everything that is wrong with the document. A wrong reference is not: it
/// stands as an error in the one [`AdditionalImage`](crate::AdditionalImage) that has it.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Faults> {
    let mut findings = Findings::default();
    let image_set = read(bytes, &mut findings);
    let (image_set, warnings) = findings.settle(image_set)?;
    Ok(Parsed { image_set, warnings })
}

fn read(bytes: &[u8], findings: &mut Findings) -> Option<ImageSet> {
    let text = text(bytes, findings)?;
    let Some(root) = yaml::read(text, findings).filter(|root| !root.is_null()) else {
        // Unless what is wrong has been said already.
        let fault = Fault::error(Code::Empty, beginning(), "there is no configuration in it");
        findings.add_if_none(
            fault.with_help("`kind: ImageSetConfiguration` is its first line".to_owned()),
        );
        return None;
    };
    let fields = Cursor::root(&root).fields(reader::ROOT, findings)?;
    check_kind(&fields, findings)?;
    check_version(&fields, findings);
    Some(reader::image_set(&fields, findings))
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
fn check_kind(fields: &Fields<'_>, findings: &mut Findings) -> Option<()> {
    let Some(kind) = fields.require("kind", findings) else { return Some(()) };
    let text = kind.text(findings)?;
    if text == KIND {
        if !fields.has("mirror") {
            let fault = Fault::error(Code::MissingKey, beginning(), "`mirror` is missing");
            findings.add(fault.with_help("what to mirror stands below `mirror:`".to_owned()));
        }
        return Some(());
    }
    let (message, help) = if text == DELETE_KIND {
        ("this says what to delete".to_owned(), "it cannot be used to mirror")
    } else {
        (
            format!("expected `{KIND}`, found {}", quoted(text)),
            "write `kind: ImageSetConfiguration`",
        )
    };
    let fault = Fault::error(Code::Kind, kind.location(), message);
    findings.add(fault.with_help(help.to_owned()));
    text.eq_ignore_ascii_case(KIND).then_some(())
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
