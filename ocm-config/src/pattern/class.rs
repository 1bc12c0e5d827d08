//! Character classes, and what may stand after a backslash in and outside of them.

use super::{
    PatternFault,
    translate::{Translation, push_literal},
};

/// Names between `[:` and `:]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Translates a class whose `[` has been read.
pub(super) fn translate(t: &mut Translation<'_>) -> Result<(), PatternFault> {
    let opening = if t.eat("^") { "[^" } else { "[" };
    t.rust.push_str(opening);
    // A `]` that comes first is a member.
    let mut is_first = true;
    while is_first || !t.eat("]") {
        is_first = false;
        if posix(t)? {
            continue;
        }
        if t.eat("\\") {
            if named(t)? {
                continue;
            }
            let from = escaped(t)?;
            range(t, from)?;
        } else {
            let from = t.rest.next().ok_or(PatternFault::UnclosedClass)?;
            range(t, from)?;
        }
    }
    t.rust.push(']');
    Ok(())
}

/// Writes `from`, or the range that begins with it. A `-` before the closing bracket is a
/// member.
fn range(t: &mut Translation<'_>, from: char) -> Result<(), PatternFault> {
    push_literal(&mut t.rust, from);
    if t.rest.as_str().starts_with("-]") || !t.eat("-") {
        return Ok(());
    }
    let to =
        if t.eat("\\") { escaped(t)? } else { t.rest.next().ok_or(PatternFault::UnclosedClass)? };
    if to < from {
        return Err(PatternFault::Range { from, to });
    }
    t.rust.push('-');
    push_literal(&mut t.rust, to);
    Ok(())
}

/// Translates `[:alpha:]` and `[:^alpha:]`, if one comes next.
fn posix(t: &mut Translation<'_>) -> Result<bool, PatternFault> {
    let Some((name, _)) = t.rest.as_str().strip_prefix("[:").and_then(|s| s.split_once(":]"))
    else {
        return Ok(false);
    };
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(PatternFault::ClassName { name: name.to_owned() });
    }
    t.rust.extend(["[:", name, ":]"]);
    t.eat_until(":]");
    Ok(true)
}

/// Translates `d`, `pL`, `p{Greek}` and the like, if one comes next after a backslash.
pub(super) fn named(t: &mut Translation<'_>) -> Result<bool, PatternFault> {
    let ascii = [
        ("d", "[0-9]"),
        ("D", "[^0-9]"),
        ("s", "[\\t\\n\\f\\r ]"),
        ("S", "[^\\t\\n\\f\\r ]"),
        ("w", "[0-9A-Za-z_]"),
        ("W", "[^0-9A-Za-z_]"),
    ];
    for (name, rust) in ascii {
        if t.eat(name) {
            t.rust.push_str(rust);
            return Ok(true);
        }
    }
    let is_negative = match () {
        () if t.eat("p") => false,
        () if t.eat("P") => true,
        () => return Ok(false),
    };
    let name = if t.eat("{") {
        t.eat_until("}").unwrap_or_default().to_owned()
    } else {
        t.rest.next().map(String::from).unwrap_or_default()
    };
    let plain = name.strip_prefix('^').unwrap_or(&name);
    if plain.is_empty() || !plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(PatternFault::ClassName { name });
    }
    let escape = if is_negative == name.starts_with('^') { "\\p{" } else { "\\P{" };
    t.rust.extend([escape, plain, "}"]);
    Ok(true)
}

/// Reads the one character that stands after a backslash.
pub(super) fn escaped(t: &mut Translation<'_>) -> Result<char, PatternFault> {
    let unknown = |escape: String| PatternFault::Escape { escape };
    let Some(next) = t.rest.next() else { return Err(unknown(String::new())) };
    match next {
        'a' => Ok('\x07'),
        'f' => Ok('\x0c'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'v' => Ok('\x0b'),
        'x' => hexadecimal(t),
        '0'..='7' => octal(t, next),
        mark if mark.is_ascii() && !mark.is_ascii_alphanumeric() => Ok(mark),
        other => Err(unknown(other.to_string())),
    }
}

/// Reads `7F` or `{10FFFF}`.
fn hexadecimal(t: &mut Translation<'_>) -> Result<char, PatternFault> {
    let (digits, is_whole) = if t.eat("{") {
        let digits = t.eat_until("}").unwrap_or_default().to_owned();
        let is_whole = !digits.is_empty();
        (digits, is_whole)
    } else {
        let digits: String = t.rest.by_ref().take(2).collect();
        let is_whole = digits.len() == 2;
        (digits, is_whole)
    };
    let is_number = is_whole && digits.chars().all(|c| c.is_ascii_hexdigit());
    let number = u32::from_str_radix(&digits, 16).ok().filter(|_| is_number);
    number
        .and_then(char::from_u32)
        .ok_or_else(|| PatternFault::Escape { escape: format!("x{digits}") })
}

/// Reads up to three octal digits. One alone, but for zero, would be a back reference.
fn octal(t: &mut Translation<'_>, first: char) -> Result<char, PatternFault> {
    let is_octal = |c: &char| c.is_digit(8);
    let more: String = t.rest.clone().take(2).take_while(is_octal).collect();
    if more.is_empty() && first != '0' {
        return Err(PatternFault::Escape { escape: first.to_string() });
    }
    t.eat(&more);
    let number = u32::from_str_radix(&format!("{first}{more}"), 8).ok();
    number
        .and_then(char::from_u32)
        .ok_or_else(|| PatternFault::Escape { escape: format!("{first}{more}") })
}
