//! From Go's syntax of regular expressions to Rust's.
//!
//! | written | Go | Rust, untranslated |
//! |---|---|---|
//! | `a{`, `{name}`, `a{,3}` | literally | error |
//! | `\Q.\E`, `\<`, `\12` | `.`, `<`, a newline | error, a word's edge, error |
//! | `\d`, `\w`, `\s`, `\b` | ASCII | Unicode |
//! | `[[a]`, `[a&&b]`, `[+--a]` | literally | set operations |
//! | `x**`, `(?x)` | error | accepted |

use std::str::Chars;

use super::{PatternError, PatternFault, class};

/// Most repetitions that one operator may ask for.
const COUNT_LIMIT: u32 = 1000;

/// Returns the pattern as Rust's library takes it.
pub(super) fn translate(written: &str) -> Result<String, PatternError> {
    let mut translation = Translation {
        rest: written.chars(),
        rust: String::with_capacity(written.len() * 2),
        depth: 0,
        before: Before::Nothing,
    };
    translation.run().map_err(|fault| {
        let consumed = written.len() - translation.rest.as_str().len();
        let characters = written.get(..consumed).unwrap_or_default().chars().count();
        PatternError { pattern: written.to_owned(), position: characters.max(1), fault }
    })?;
    Ok(translation.rust)
}

/// A pattern that is being translated.
pub(super) struct Translation<'p> {
    /// What is still to be read.
    pub(super) rest: Chars<'p>,
    /// What has been written.
    pub(super) rust: String,
    /// How many groups are open.
    depth: usize,
    before: Before,
}

/// What a repetition would repeat.
enum Before {
    Nothing,
    Something,
    Repetition,
}

impl<'p> Translation<'p> {
    fn run(&mut self) -> Result<(), PatternFault> {
        while let Some(next) = self.rest.next() {
            match next {
                '*' | '+' | '?' => self.repeat(&next.to_string())?,
                '{' => self.braces()?,
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '[' => {
                    class::translate(self)?;
                    self.before = Before::Something;
                }
                '\\' => self.escape()?,
                '|' => {
                    self.rust.push('|');
                    self.before = Before::Nothing;
                }
                '.' | '^' | '$' => {
                    self.rust.push(next);
                    self.before = Before::Something;
                }
                literal => self.literal(literal),
            }
        }
        if self.depth == 0 { Ok(()) } else { Err(PatternFault::UnclosedGroup) }
    }

    fn literal(&mut self, character: char) {
        push_literal(&mut self.rust, character);
        self.before = Before::Something;
    }

    /// Consumes `prefix` if it comes next.
    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        match self.rest.as_str().strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest.chars();
                true
            }
            None => false,
        }
    }

    /// Consumes what stands before `end`, and `end`.
    pub(super) fn eat_until(&mut self, end: &str) -> Option<&'p str> {
        let (text, rest) = self.rest.as_str().split_once(end)?;
        self.rest = rest.chars();
        Some(text)
    }

    fn repeat(&mut self, operator: &str) -> Result<(), PatternFault> {
        let operator = operator.to_owned();
        match self.before {
            Before::Nothing => return Err(PatternFault::NothingToRepeat { operator }),
            Before::Repetition => return Err(PatternFault::RepeatedRepetition { operator }),
            Before::Something => self.rust.push_str(&operator),
        }
        if self.eat("?") {
            self.rust.push('?');
        }
        self.before = Before::Repetition;
        Ok(())
    }

    /// A brace begins a repetition only where what follows is one: `{2}`, `{2,}`, `{2,3}`.
    fn braces(&mut self) -> Result<(), PatternFault> {
        let bounds = self.rest.as_str().split_once('}').and_then(|(bounds, rest)| {
            let (min, max) = match bounds.split_once(',') {
                None => (count(bounds)?, None),
                Some((min, "")) => (count(min)?, None),
                Some((min, max)) => (count(min)?, Some(count(max)?)),
            };
            Some((bounds, rest, min, max))
        });
        let Some((bounds, rest, min, max)) = bounds else {
            self.literal('{');
            return Ok(());
        };
        self.rest = rest.chars();
        let operator = format!("{{{bounds}}}");
        let is_ordered = max.is_none_or(|max| min <= max && max <= COUNT_LIMIT);
        if min > COUNT_LIMIT || !is_ordered {
            return Err(PatternFault::Count { operator });
        }
        self.repeat(&operator)
    }

    fn open_group(&mut self) -> Result<(), PatternFault> {
        self.before = Before::Nothing;
        if !self.eat("?") {
            // What a group captured is never asked for.
            self.rust.push_str("(?:");
            self.depth += 1;
            return Ok(());
        }
        if self.eat("P<") || self.eat("<") {
            let name = self.eat_until(">").unwrap_or_default();
            let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if name.is_empty() || !is_name(name) {
                return Err(PatternFault::GroupKind);
            }
            self.rust.push_str("(?:");
            self.depth += 1;
            return Ok(());
        }
        self.flags()
    }

    /// Reads `i-s:` or `i-s)`.
    fn flags(&mut self) -> Result<(), PatternFault> {
        let (mut on, mut off) = (String::new(), String::new());
        let mut negative = false;
        for next in self.rest.by_ref() {
            match next {
                'i' | 'm' | 's' | 'U' => {
                    let (to, from) =
                        if negative { (&mut off, &mut on) } else { (&mut on, &mut off) };
                    from.retain(|flag| flag != next);
                    if !to.contains(next) {
                        to.push(next);
                    }
                }
                '-' if !negative => negative = true,
                ':' | ')' if negative && off.is_empty() => break,
                ':' | ')' => {
                    let minus = if negative { "-" } else { "" };
                    if next == ':' {
                        self.depth += 1;
                        self.rust.extend(["(?", &on, minus, &off, ":"]);
                    } else if !(on.is_empty() && off.is_empty()) {
                        self.rust.extend(["(?", &on, minus, &off, ")"]);
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(PatternFault::GroupKind)
    }

    fn close_group(&mut self) -> Result<(), PatternFault> {
        self.depth = self.depth.checked_sub(1).ok_or(PatternFault::UnopenedGroup)?;
        self.rust.push(')');
        self.before = Before::Something;
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternFault> {
        if self.eat("Q") {
            let text = self.rest.as_str();
            let (quoted, rest) = text.split_once("\\E").unwrap_or((text, ""));
            quoted.chars().for_each(|character| self.literal(character));
            self.rest = rest.chars();
            return Ok(());
        }
        let assertions = [("A", "\\A"), ("z", "\\z"), ("b", "(?-u:\\b)"), ("B", "(?-u:\\B)")];
        for (name, rust) in assertions {
            if self.eat(name) {
                self.rust.push_str(rust);
                self.before = Before::Something;
                return Ok(());
            }
        }
        if !class::named(self)? {
            let character = class::escaped(self)?;
            push_literal(&mut self.rust, character);
        }
        self.before = Before::Something;
        Ok(())
    }
}

/// Reads a count as Go does: without leading zeros. One that is too long is too large as well.
fn count(digits: &str) -> Option<u32> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_plain = digits.len() == 1 || !digits.starts_with('0');
    (are_digits && is_plain).then(|| digits.parse().unwrap_or(u32::MAX))
}

/// Writes a character so that it means itself, in a class and outside one.
pub(super) fn push_literal(rust: &mut String, character: char) {
    if character.is_ascii_alphanumeric() || !character.is_ascii() {
        rust.push(character);
    } else {
        rust.extend(character.escape_unicode());
    }
}
