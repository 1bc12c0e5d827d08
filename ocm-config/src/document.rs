use std::{borrow::Cow, rc::Rc};

use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Faults, Findings, quoted},
    image_set::{DeleteSet, ImageSet, Mirror},
    keys::{self, Dialect, Keys},
    node::{Node, Value},
    reader,
    source::{self, beginning},
    yaml,
};

/// The version whose keys these are.
pub(crate) const API_VERSION: &str = "mirror.openshift.io/v2alpha1";

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

/// A configuration of either kind, and what to know about it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDocument {
    /// What it says.
    pub document: Document,
    /// What its author may not have meant, in the order of the lines.
    pub warnings: Vec<Fault>,
}

/// A configuration of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// It says what to mirror.
    ImageSet(ImageSet),
    /// It says what to delete.
    DeleteSet(DeleteSet),
}

impl Document {
    /// Returns what it says: what is to be mirrored, or to be deleted.
    pub fn mirror(&self) -> &Mirror {
        match self {
            Self::ImageSet(image_set) => &image_set.mirror,
            Self::DeleteSet(delete_set) => &delete_set.delete,
        }
    }

    /// Returns its `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ImageSet(_) => Kind::ImageSet.name(),
            Self::DeleteSet(_) => Kind::DeleteSet.name(),
        }
    }
}

/// Reads an `ImageSetConfiguration`.
///
/// # Errors
///
/// [`Faults`] with everything that is wrong with the document. A wrong reference is not: it
/// stands as an error in the one [`AdditionalImage`](crate::AdditionalImage) or
/// [`Catalog`](crate::Catalog) that has it.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Faults> {
    let mut findings = Findings::default();
    let image_set = open(bytes, Some(Kind::ImageSet), &mut findings)
        .and_then(|opened| opened.read(reader::image_set, &mut findings));
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
    let delete_set = open(bytes, Some(Kind::DeleteSet), &mut findings)
        .and_then(|opened| opened.read(reader::delete_set, &mut findings));
    let (delete_set, warnings) = findings.settle(delete_set)?;
    Ok(ParsedDelete { delete_set, warnings })
}

/// Reads a configuration of the kind that it says it is of.
///
/// # Errors
///
/// As of [`parse`].
pub fn parse_document(bytes: &[u8]) -> Result<ParsedDocument, Faults> {
    let mut findings = Findings::default();
    let document =
        open(bytes, None, &mut findings).and_then(|opened| opened.read_document(&mut findings));
    let (document, warnings) = findings.settle(document)?;
    Ok(ParsedDocument { document, warnings })
}

/// A kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    ImageSet,
    DeleteSet,
}

impl Kind {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ImageSet => "ImageSetConfiguration",
            Self::DeleteSet => "DeleteImageSetConfiguration",
        }
    }

    pub(crate) fn keys(self) -> Keys {
        match self {
            Self::ImageSet => keys::ROOT,
            Self::DeleteSet => keys::DELETE_ROOT,
        }
    }

    /// Returns the key that says what it is about, which is also what it is for.
    fn stanza(self) -> &'static str {
        match self {
            Self::ImageSet => "mirror",
            Self::DeleteSet => "delete",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::ImageSet => Self::DeleteSet,
            Self::DeleteSet => Self::ImageSet,
        }
    }

    /// Returns what a document says it is, if it is one of ours.
    fn of(root: &Node) -> Option<Self> {
        let written = text_of(root, "kind")?;
        [Self::ImageSet, Self::DeleteSet].into_iter().find(|kind| kind.name() == written)
    }
}

/// A document whose text is YAML.
pub(crate) struct Opened<'b> {
    pub(crate) text: Cow<'b, str>,
    pub(crate) root: Rc<Node>,
    pub(crate) kind: Kind,
}

/// Opens a document as one of the wanted kind, or of the one that it says it is of.
pub(crate) fn open<'b>(
    bytes: &'b [u8],
    wanted: Option<Kind>,
    findings: &mut Findings,
) -> Option<Opened<'b>> {
    let text = source::text(bytes, findings)?;
    let Some(root) = yaml::read(&text, findings).filter(|root| !root.is_null()) else {
        // Unless what is wrong has been said already.
        let fault = Fault::error(Code::Empty, beginning(), "there is no configuration in it");
        let kind = wanted.unwrap_or(Kind::ImageSet).name();
        findings.add_if_none(fault.with_help(format!("`kind: {kind}` is its first line")));
        return None;
    };
    let kind = wanted.or_else(|| Kind::of(&root)).unwrap_or(Kind::ImageSet);
    if kind == Kind::ImageSet {
        findings.speak(dialect(&root));
    }
    Some(Opened { text, root, kind })
}

impl Opened<'_> {
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Fields<'_>, &mut Findings) -> T,
        findings: &mut Findings,
    ) -> Option<T> {
        let fields = Cursor::root(&self.root).fields(self.kind.keys(), findings)?;
        check_kind(&fields, self.kind, findings)?;
        check_version(&fields, findings);
        Some(read(&fields, findings))
    }

    pub(crate) fn read_document(&self, findings: &mut Findings) -> Option<Document> {
        match self.kind {
            Kind::ImageSet => self.read(reader::image_set, findings).map(Document::ImageSet),
            Kind::DeleteSet => self.read(reader::delete_set, findings).map(Document::DeleteSet),
        }
    }
}

/// Returns the text of a key of the root.
pub(crate) fn text_of<'n>(root: &'n Node, key: &str) -> Option<&'n str> {
    let Value::Map(entries) = &root.value else { return None };
    let entry = entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key))?;
    match &entry.value.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Returns the version whose keys and meaning a document has: the one that it says it is of, if
/// there is a key in it that only that one has. Otherwise both mean the same, or, where they do
/// not, oc-mirror's second version reads it as of the second, as is done here.
///
/// The group before the version had other names once.
fn dialect(root: &Node) -> Dialect {
    let version = text_of(root, "apiVersion").unwrap_or_default();
    let said = match version.rsplit('/').next().unwrap_or_default() {
        "v1alpha1" => Dialect::V1alpha1,
        "v1alpha2" => Dialect::V1alpha2,
        _ => return Dialect::V2alpha1,
    };
    if keys::ROOT.has_old(root, said) { said } else { Dialect::V2alpha1 }
}

/// Says what is wrong with the kind, and returns whether it is worth reading on.
fn check_kind(fields: &Fields<'_>, kind: Kind, findings: &mut Findings) -> Option<()> {
    let Some(written) = fields.require("kind", findings) else { return Some(()) };
    let text = written.text(findings)?;
    let (name, stanza) = (kind.name(), kind.stanza());
    if text == name {
        if !fields.has(stanza) {
            let message = format!("`{stanza}` is missing");
            let fault = match findings.dialect() {
                // Version 1 took a configuration of nothing for one.
                Dialect::V1alpha2 => Fault::warning(Code::MissingKey, beginning(), message),
                _ => Fault::error(Code::MissingKey, beginning(), message),
            };
            findings.add(fault.with_help(format!("what to {stanza} stands below `{stanza}:`")));
        }
        return Some(());
    }
    let (message, help) = if text == kind.other().name() {
        let other = kind.other().stanza();
        (format!("this says what to {other}"), format!("it cannot be used to {stanza}"))
    } else {
        let message = format!("expected `{name}`, found {}", quoted(text));
        (message, format!("write `kind: {name}`"))
    };
    findings.add(Fault::error(Code::Kind, written.location(), message).with_help(help));
    text.eq_ignore_ascii_case(name).then_some(())
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
    let help = match findings.dialect() {
        Dialect::V2alpha1 => format!("write `apiVersion: {API_VERSION}`"),
        _ => "`ocm config convert FILE` writes all of it anew".to_owned(),
    };
    findings.add(fault.with_help(help));
}
