use std::{cmp::Ordering, str::FromStr};

use semver::Version;

use crate::version::BundleVersion;

/// A range of versions as catalogs state it: the `skipRange` of an entry, which can replace those
/// versions without naming them, and the `versionRange` of a package that a bundle requires.
///
/// OLM reads it as Go's blang/semver does, quirks included, which is another language than
/// [`VersionRange`](super::VersionRange): pre-releases are in it as any version is, `1.2.3` is
/// that version alone, alternatives stand between `||`, and `x` is allowed for what follows.
///
/// Source: <https://github.com/blang/semver/blob/v4.0.0/v4/range.go>.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlmRange(Vec<Vec<Term>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    comparison: Comparison,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
    Other,
}

/// Why some text is not a [`OlmRange`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a range of versions: {reason}")]
pub struct OlmRangeError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl OlmRange {
    /// Whether `version` is in it.
    pub fn contains(&self, version: &BundleVersion) -> bool {
        let version = version.as_semver();
        self.0.iter().any(|terms| terms.iter().all(|term| term.holds_for(version)))
    }
}

impl Term {
    fn holds_for(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.version);
        match self.comparison {
            Comparison::Less => order == Ordering::Less,
            Comparison::AtMost => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            Comparison::AtLeast => order != Ordering::Less,
            Comparison::Equal => order == Ordering::Equal,
            Comparison::Other => order != Ordering::Equal,
        }
    }
}

impl FromStr for OlmRange {
    type Err = OlmRangeError;

    fn from_str(text: &str) -> Result<Self, OlmRangeError> {
        let refuse = |reason| OlmRangeError { text: text.to_owned(), reason };
        let mut alternatives = vec![Vec::new()];
        for piece in pieces(text) {
            if piece == "||" {
                alternatives.push(Vec::new());
            } else if let Some(terms) = alternatives.last_mut() {
                terms.extend(terms_of(&piece).map_err(refuse)?);
            }
        }
        // Go's library panics when it evaluates an alternative of nothing.
        if alternatives.iter().any(Vec::is_empty) {
            return Err(refuse("there is nothing where a version should be".to_owned()));
        }
        Ok(Self(alternatives))
    }
}

/// Splits at spaces, but not after a comparison. What has one character is dropped, as there:
/// `1.0.0 - 2.0.0` is two versions, of which none can be both.
fn pieces(text: &str) -> Vec<String> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let (mut length, mut previous) = (0, ' ');
    for letter in text.chars() {
        if letter == ' ' && !matches!(previous, '<' | '>' | '=') {
            if length > 1 {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.clear();
            length = 0;
            continue;
        }
        length += letter.len_utf8();
        if letter != ' ' {
            piece.push(letter);
            previous = letter;
        }
    }
    if length > 1 {
        pieces.push(piece);
    }
    pieces
}

/// Reads a comparison and a version, which may end in `x`: that takes two comparisons.
fn terms_of(piece: &str) -> Result<Vec<Term>, String> {
    let at = piece.find(char::is_numeric).ok_or_else(|| format!("`{piece}` has no version"))?;
    let (operator, written) = piece.split_at(at);
    if !piece.contains('x') {
        let comparison =
            comparison(operator).ok_or_else(|| format!("`{operator}` compares nothing"))?;
        return Ok(vec![Term { comparison, version: parse(written)? }]);
    }
    let from = Term { comparison: Comparison::AtLeast, version: parse(&lowest(written))? };
    let below = |version| Term { comparison: Comparison::Less, version };
    Ok(match operator {
        ">=" => vec![from],
        "<" => vec![below(from.version)],
        ">" => vec![Term { version: following(written)?, ..from }],
        "<=" => vec![below(following(written)?)],
        "" | "=" | "==" => vec![from, below(following(written)?)],
        // Both of them at once, as there: it is never true.
        "!" | "!=" => {
            let after = Term { version: following(written)?, ..from.clone() };
            vec![below(from.version), after]
        }
        // What compares nothing is taken for an equals sign, as there.
        _ => vec![Term { comparison: Comparison::Equal, ..from }],
    })
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        ">" => Comparison::Greater,
        ">=" => Comparison::AtLeast,
        "" | "=" | "==" => Comparison::Equal,
        "!" | "!=" => Comparison::Other,
        _ => return None,
    })
}

fn parse(text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// Returns the lowest version of a pattern: `1.2.0` of `1.2.x`.
fn lowest(pattern: &str) -> String {
    let numbers = pattern.replacen(".x.x", ".x", 1).replacen(".x", ".0", 1);
    if numbers.split('.').count() == 2 { format!("{numbers}.0") } else { numbers }
}

/// Returns the lowest version above a pattern: `1.3.0` of `1.2.x`.
fn following(pattern: &str) -> Result<Version, String> {
    let refuse = || format!("`{pattern}` has an `x` in the wrong place");
    let written: Vec<_> = pattern.split('.').collect();
    let raised = match written.as_slice() {
        [_, _, "x"] => 1,
        [_, "x"] => 0,
        _ => return Err(refuse()),
    };
    let lowest = lowest(pattern);
    let mut numbers = Vec::new();
    for (nth, number) in lowest.split('.').enumerate() {
        numbers.push(if nth == raised {
            let number: u64 = number.parse().map_err(|error| format!("`{number}`: {error}"))?;
            number.saturating_add(1).to_string()
        } else {
            number.to_owned()
        });
    }
    parse(&numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &str, version: &str) -> bool {
        range.parse::<OlmRange>().unwrap().contains(&version.parse().unwrap())
    }

    /// Answers of the library that OLM uses.
    #[test]
    fn it_is_read_as_olm_reads_it() {
        for (range, version, expected) in [
            (">=4.1.0 <4.12.3", "4.10.0-202203141456", true),
            (">=4.1.0 <4.12.3", "4.12.3-rc.1", true),
            (">=4.1.0 <4.12.3", "4.12.3", false),
            ("4.1.0", "4.1.1", false),
            ("4.1.0", "4.1.0+build", true),
            ("!=4.1.0", "4.1.1", true),
            (">= 4.1.0 < 4.2.0", "4.1.5", true),
            ("<1.0.0 || >=2.0.0", "2.1.0", true),
            ("<1.0.0 || >=2.0.0", "1.1.0", false),
            ("1.0.0 - 2.0.0", "1.5.0", false),
            ("1.2.x", "1.2.7", true),
            ("1.2.x", "1.3.0", false),
            (">1.2.x", "1.3.0", true),
            ("<=1.x", "1.9.9", true),
            ("!=1.2.x", "2.0.0", false),
        ] {
            assert_eq!(contains(range, version), expected, "{version} in {range}");
        }
    }

    #[test]
    fn what_olm_refuses() {
        for range in [
            "",
            "   ",
            ">=4.1",
            "~4.1.0",
            "^4.1.0",
            "*",
            "||",
            "1.0.0 ||",
            "|| 1.0.0",
            "1.0.0||2.0.0",
            "1.0.0 || || 2.0.0",
            ">=",
            "1.x.3 2.x.x.x",
        ] {
            assert!(range.parse::<OlmRange>().is_err(), "{range}");
        }
        assert!("1.0.0, 2.0.0".parse::<OlmRange>().is_err());
    }
}
