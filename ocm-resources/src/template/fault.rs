use std::fmt;

/// Most characters of a template that a message repeats at a time.
const SHOWN_CHARS: usize = 80;

/// Why a file cannot be used as a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// What is wrong with it: the first thing that keeps it from being read, or all things that
    /// make it something else than a template. There is at least one.
    pub faults: Vec<TemplateFault>,
}

/// Something that is wrong with a template, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFault {
    /// The line, from 1.
    pub line: u32,
    /// The way to the value, `spec.sourceType`; empty for the whole document.
    pub field: String,
    /// What is wrong.
    pub problem: TemplateProblem,
}

/// What is wrong with a value of a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateProblem {
    /// The file is not text.
    #[error("this is not UTF-8")]
    Encoding,
    /// The text is not YAML.
    #[error("this is not YAML: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// There is too much of it.
    #[error("with all aliases written out this is more than {limit} KiB")]
    TooLarge {
        /// How much is read, in KiB.
        limit: usize,
    },
    /// Values are in values in values.
    #[error("this is nested more than {limit} deep")]
    TooDeep {
        /// How deep is read.
        limit: usize,
    },
    /// There is more than one document.
    #[error("another document begins here; expected only one")]
    SeveralDocuments,
    /// A key is there twice.
    #[error("this is already there, in line {first}")]
    Duplicate {
        /// The line of the first.
        first: u32,
    },
    /// A key is no text.
    #[error("this cannot be a key; expected text")]
    Key,
    /// A value has a tag.
    #[error("this tag means nothing here; expected a plain value")]
    Tag,
    /// An alias leads nowhere.
    #[error("nothing before this has that name")]
    Alias,
    /// Something is there that must not be, or another value must.
    #[error("expected {expected}, not {found}")]
    Unexpected {
        /// What is there.
        found: String,
        /// What should be.
        expected: &'static str,
    },
    /// Something that must be there is not.
    #[error("this is missing; expected {expected}")]
    Missing {
        /// What should be there.
        expected: &'static str,
    },
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<_> = self.faults.iter().map(ToString::to_string).collect();
        let (file, faults) = (&self.file, faults.join("; "));
        write!(f, "cannot use `{file}` as the template of a CatalogSource: {faults}")
    }
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, field, problem } = self;
        match field.as_str() {
            "" => write!(f, "line {line}: {problem}"),
            _ => write!(f, "line {line}, {field}: {problem}"),
        }
    }
}

/// Returns text of a template as a message repeats it: cut, and with nothing in it that a terminal
/// would obey.
pub(super) fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String =
        characters.by_ref().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}
