//! Patterns of `blockedImages`: regular expressions as Go reads them, since that is what the
//! configurations that exist were written for.

mod class;
mod translate;

use std::{fmt, str::FromStr};

use regex::{Regex, RegexBuilder};

/// Most memory that one compiled pattern may take, in bytes. A list of a thousand names takes
/// a fifth of it.
const COMPILED_LIMIT: usize = 4 << 20;

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
    /// It is a pattern, and cannot be used all the same.
    #[error("it is too large or too deep: {reason}")]
    Limit {
        /// Which limit it is that it exceeds.
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

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(written: &str) -> Result<Self, PatternError> {
        let translated = translate::translate(written)?;
        match RegexBuilder::new(&translated).size_limit(COMPILED_LIMIT).build() {
            Ok(regex) => Ok(Self { written: written.to_owned(), regex }),
            Err(error) => {
                // The library draws a picture first; its last line is the reason.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ").to_owned();
                let fault = PatternFault::Limit { reason };
                Err(PatternError { pattern: written.to_owned(), position: 1, fault })
            }
        }
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
