//! Patterns of `blockedImages`: regular expressions as Go reads them, since that is what the
//! configurations that exist were written for.

mod class;
mod translate;

use std::{fmt, str::FromStr};

use regex::{Regex, RegexBuilder};

/// Memory that compiled patterns may take, in bytes: as little as is enough for each. What
/// needs more than the last is refused; the name of an image needs the first.
const COMPILED_LIMITS: [usize; 4] = [16 << 10, 128 << 10, 1 << 20, 4 << 20];

/// Memory that all compiled patterns of a document may take, in bytes.
const DOCUMENT_LIMIT: usize = 64 << 20;

/// A pattern of `blockedImages`, compiled.
///
/// It is written in Go's syntax (RE2). What that has and Rust's has not is translated; what
/// means something else there never reaches it.
///
/// Source: <https://github.com/google/re2/wiki/Syntax>.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    regex: Regex,
}

/// Why some text is not a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern, at its character {position}")]
pub struct PatternError {
    /// What was given.
    pub pattern: String,
    /// Where in it the fault is: characters, from 1.
    pub position: usize,
    /// What is wrong with it.
    #[source]
    pub fault: PatternFault,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternFault {
    /// A repetition stands at the beginning, after `(` or after `|`.
    #[error("there is nothing before `{operator}` that it could repeat")]
    NothingToRepeat {
        /// The repetition.
        operator: String,
    },
    /// A repetition follows another.
    #[error("`{operator}` follows another repetition")]
    RepeatedRepetition {
        /// The second of the two.
        operator: String,
    },
    /// A repetition has a count that is too large, or its bounds are the wrong way round.
    #[error("`{operator}` is no repetition: at most 1000 times, the smaller number first")]
    Count {
        /// The repetition.
        operator: String,
    },
    /// A group is never closed.
    #[error("a `(` is not closed")]
    UnclosedGroup,
    /// A group is closed that was never opened.
    #[error("there is no `(` to this `)`")]
    UnopenedGroup,
    /// What follows `(?` is neither a flag nor a name.
    #[error("`(?` is not followed by flags out of `imsU` or by a name")]
    GroupKind,
    /// A character class is never closed.
    #[error("a `[` is not closed")]
    UnclosedClass,
    /// A range in a character class ends before it begins.
    #[error("`{from}-{to}` is an empty range")]
    Range {
        /// Its first character.
        from: char,
        /// Its last character.
        to: char,
    },
    /// A class between `[:` and `:]`, or after `\p`, that there is not.
    #[error("there is no class `{name}`")]
    ClassName {
        /// Its name.
        name: String,
    },
    /// A backslash before something that has no meaning there.
    #[error("`\\{escape}` has no meaning")]
    Escape {
        /// What follows the backslash.
        escape: String,
    },
    /// It is a pattern, and too large or too deep to be used.
    #[error("it cannot be used: {reason}")]
    Limit {
        /// What is too much.
        reason: String,
    },
}

impl Pattern {
    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether it matches anywhere in `text`: it is anchored only where it says so.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The memory that is left for the patterns of a document.
#[derive(Debug)]
pub(crate) struct Allowance(usize);

impl Default for Allowance {
    fn default() -> Self {
        Self(DOCUMENT_LIMIT)
    }
}

impl Allowance {
    /// Compiles a pattern and takes what it needs from what is left.
    pub(crate) fn compile(&mut self, written: &str) -> Result<Pattern, PatternError> {
        let translated = translate::translate(written)?;
        let refuse = |reason: &str| PatternError {
            pattern: written.to_owned(),
            position: 1,
            fault: PatternFault::Limit { reason: reason.to_owned() },
        };
        for limit in COMPILED_LIMITS {
            if limit > self.0 {
                return Err(refuse("all patterns together need too much memory"));
            }
            match RegexBuilder::new(&translated).size_limit(limit).build() {
                Ok(regex) => {
                    self.0 -= limit;
                    return Ok(Pattern { written: written.to_owned(), regex });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(error) => {
                    // The library draws a picture first; its last line is the reason.
                    let text = error.to_string();
                    let reason = text.lines().last().unwrap_or_default();
                    return Err(refuse(reason.trim_start_matches("error: ")));
                }
            }
        }
        Err(refuse("it needs too much memory"))
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(written: &str) -> Result<Self, PatternError> {
        Allowance::default().compile(written)
    }
}

impl PatternError {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            PatternFault::NothingToRepeat { operator } if operator == "*" => {
                Some("this is a regular expression: write `.*` for any text".to_owned())
            }
            PatternFault::GroupKind => {
                Some("there is no looking ahead or behind in these patterns".to_owned())
            }
            PatternFault::UnclosedGroup | PatternFault::UnclosedClass => {
                Some("write `\\` before a bracket that is meant as such".to_owned())
            }
            _ => None,
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.written).finish()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests;
