use std::fmt;

use serde::Serialize;

use crate::keys::Dialect;

/// Most errors, and most warnings, that are kept of one document; a hostile one could have
/// millions.
const KEPT_FAULTS: usize = 500;

/// Most characters of a document's own text that a message repeats.
const QUOTED_CHARS: usize = 80;

/// Most characters of a message or a help, into which more of the document may have come.
const MESSAGE_CHARS: usize = 400;

/// Something to know about a document, and where in it.
///
/// It is data: how it looks on a terminal is for the program to say that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fault {
    /// Whether the document can be used all the same.
    pub severity: Severity,
    /// What sort of fault it is; stays the same where messages change.
    pub code: Code,
    /// Where it is.
    #[serde(flatten)]
    pub location: Location,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to write instead, where that can be said.
    pub help: Option<String>,
}

/// How bad a [`Fault`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// What something means that its author need not know.
    Note,
    /// The document means something; perhaps not what its author thinks.
    Warning,
    /// The document cannot be used.
    Error,
}

/// What sort of fault a [`Fault`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// The document is larger, deeper or wider than what is read.
    TooLarge,
    /// The bytes are not UTF-8, or begin with a byte order mark.
    Encoding,
    /// The text is not YAML.
    Syntax,
    /// There is nothing in the document.
    Empty,
    /// There is more than one document.
    SeveralDocuments,
    /// It is a document of another kind.
    Kind,
    /// It says that it is of another version.
    ApiVersion,
    /// A key that must be there is not.
    MissingKey,
    /// A key that means nothing here.
    UnknownKey,
    /// A key of version 1 whose job is done otherwise now.
    OldKey,
    /// What means something else than it did in version 1.
    OldMeaning,
    /// Operators that others depend on, and that nobody asked for.
    Dependencies,
    /// A key that is written in another case.
    KeyCase,
    /// A key that is there twice.
    DuplicateKey,
    /// An item that is in a list twice.
    Duplicate,
    /// Two things that exclude each other.
    Conflict,
    /// A version that is none.
    Version,
    /// A range in which there can be nothing.
    EmptyRange,
    /// A value of another type.
    WrongType,
    /// A value of the right type that is not one of those allowed.
    InvalidValue,
    /// An architecture for which there is nothing.
    Architecture,
    /// A channel of releases that cannot be one.
    ChannelName,
    /// Versions of another minor than the channel's.
    OtherMinor,
    /// A channel of extended updates over more than one minor.
    ExtendedUpdate,
    /// What belongs to releases, of which there is none.
    NoReleases,
    /// An upper bound alone, which begins at the first version.
    FromFirst,
    /// A filter that leaves the head of every channel.
    HeadsOnly,
    /// A default channel that is left out.
    DefaultChannel,
    /// An image that is there twice.
    Repeated,
    /// A pattern that leaves nothing.
    BlocksAll,
    /// A repository deeper than a registry takes.
    NestedPath,
    /// Something that is read and means nothing.
    NoEffect,
    /// A pattern that cannot be used.
    Pattern,
    /// A section that is not implemented yet.
    NotImplemented,
}

impl Code {
    /// Returns what to do where nothing better can be said: something to run, to begin with.
    fn usual_help(self) -> &'static str {
        match self {
            Self::TooLarge => "look whether this is the file that you mean",
            Self::UnknownKey => "remove it: `ocm config schema` prints all keys that there are",
            Self::MissingKey => "add it: `ocm init` prints a configuration to compare with",
            _ => "`ocm init` prints a configuration to compare with",
        }
    }
}

/// A place in a document, as a person and as a program would name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Location {
    /// Keys and positions that lead there: `mirror.additionalImages[3].name`. Empty for the
    /// document itself.
    pub path: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, in characters, from 1.
    pub column: u32,
}

/// All faults of a document, in the order of their lines; at least one of them is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Faults {
    faults: Vec<Fault>,
    omitted: usize,
}

impl Fault {
    /// Makes one that a document cannot be used with.
    pub fn error(code: Code, location: Location, message: impl AsRef<str>) -> Self {
        let message = harmless(message.as_ref(), MESSAGE_CHARS);
        Self { severity: Severity::Error, code, location, message, help: None }
    }

    /// Makes one that a document can be used with.
    pub fn warning(code: Code, location: Location, message: impl AsRef<str>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, location, message) }
    }

    /// Makes one that says what something means.
    pub fn note(code: Code, location: Location, message: impl AsRef<str>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, location, message) }
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn with_help(self, help: impl Into<Option<String>>) -> Self {
        Self { help: help.into().map(|help| harmless(&help, MESSAGE_CHARS)), ..self }
    }
}

impl fmt::Display for Fault {
    /// Writes one line, without the help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, ", {}", self.path) }
    }
}

impl Faults {
    /// Returns the faults, in the order of their lines.
    pub fn as_slice(&self) -> &[Fault] {
        &self.faults
    }

    /// Returns the faults, in the order of their lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.faults.iter()
    }

    /// Returns how many more there were than are kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    fn errors(&self) -> impl Iterator<Item = &Fault> {
        self.iter().filter(|fault| fault.severity == Severity::Error)
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.errors().next(), self.errors().count() + self.omitted) {
            (Some(first), 1) => write!(f, "the configuration has an error: {first}"),
            (Some(first), n) => write!(f, "the configuration has {n} errors, the first: {first}"),
            (None, _) => write!(f, "the configuration has an error"),
        }
    }
}

impl std::error::Error for Faults {}

/// Faults while they are being found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
    notes: Vec<Fault>,
    omitted: usize,
    dialect: Dialect,
    changes: Vec<Change>,
}

/// Something of version 1 that is something else now.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// What is said of it.
    pub(crate) fault: Fault,
    /// The way to what it became, or to the mapping that it was taken out of.
    pub(crate) path: String,
    /// What does its job now, where no key does.
    pub(crate) advice: Option<String>,
}

impl Findings {
    /// Returns the version whose keys are taken.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Takes the keys of an older version, too.
    pub(crate) fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// Adds a warning of something that is read as something else, which is at `path`.
    pub(crate) fn change(&mut self, fault: Fault, path: String) {
        self.push_change(Change { fault: fault.clone(), path, advice: None });
        self.add(fault);
    }

    /// Adds a warning of something that was left out of what is at `path`, and whose job is done
    /// otherwise now.
    pub(crate) fn leave_out(&mut self, fault: Fault, path: String, advice: &str) {
        let fault = fault.with_help(format!("remove it: {advice}"));
        let advice = Some(advice.to_owned());
        self.push_change(Change { fault: fault.clone(), path, advice });
        self.add(fault);
    }

    fn push_change(&mut self, change: Change) {
        if self.changes.len() < KEPT_FAULTS {
            self.changes.push(change);
        }
    }

    /// Returns what was changed so far.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Adds a fault, unless there is one of its sort: what is said once is enough.
    pub(crate) fn add_once(&mut self, fault: Fault) {
        if !self.kept(fault.severity).iter().any(|other| other.code == fault.code) {
            self.add(fault);
        }
    }

    fn kept(&mut self, severity: Severity) -> &mut Vec<Fault> {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Note => &mut self.notes,
        }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        let help = fault.help.clone().unwrap_or_else(|| fault.code.usual_help().to_owned());
        let fault = Fault { help: Some(help), ..fault };
        let kept = self.kept(fault.severity);
        if kept.len() < KEPT_FAULTS {
            kept.push(fault);
        } else {
            self.omitted += 1;
        }
    }

    /// Adds a fault that only says that another was found, unless that one has been said.
    pub(crate) fn add_if_none(&mut self, fault: Fault) {
        if self.errors.is_empty() {
            self.add(fault);
        }
    }

    /// Adds an error, unless there is one in the same line.
    pub(crate) fn add_unless_said(&mut self, fault: Fault) {
        if !self.errors.iter().any(|error| error.location.line == fault.location.line) {
            self.add(fault);
        }
    }

    pub(crate) fn error(&mut self, code: Code, location: Location, message: impl AsRef<str>) {
        self.add(Fault::error(code, location, message));
    }

    /// Returns `value` and the warnings, or, if there was an error, everything found.
    pub(crate) fn settle<T>(self, value: Option<T>) -> Result<(T, Vec<Fault>), Faults> {
        let found_errors = !self.errors.is_empty();
        let mut faults = self.errors;
        faults.extend(self.warnings);
        if !found_errors {
            faults.extend(self.notes);
        }
        faults.sort_by_key(|fault| (fault.location.line, fault.location.column));
        match value {
            Some(value) if !found_errors => Ok((value, faults)),
            _ => Err(Faults { faults, omitted: self.omitted }),
        }
    }
}

/// Returns text of a document as a message may repeat it: in backticks and short.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", harmless(text, QUOTED_CHARS))
}

/// Returns text that is at most so many characters long, and in which there is nothing that a
/// terminal would obey.
fn harmless(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for (count, character) in text.chars().enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}
