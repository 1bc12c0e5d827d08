//! What a person most probably did where a parser says only that it cannot go on.

use serde_saphyr::granit_parser::ErrorKind;

use crate::{fault::quoted, keys};

/// What is wrong, in words of somebody who wrote it.
#[derive(Debug)]
pub(super) struct Diagnosis {
    /// Another line than the one at which the parser stopped.
    pub(super) line: Option<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// A line that says something.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    number: usize,
    /// Blanks before it.
    indent: usize,
    /// Characters before its key: blanks and dashes.
    key_indent: usize,
    /// What follows the blanks.
    content: &'t str,
}

/// Looks at the lines up to the one, counted from 1, in which reading `text` ended.
pub(super) fn diagnose(kind: &ErrorKind, text: &str, at: usize) -> Option<Diagnosis> {
    let lines: Vec<_> =
        (1..=at).zip(text.lines()).filter_map(|(number, line)| Line::read(number, line)).collect();
    let (last, before) = lines.split_last()?;
    match kind {
        ErrorKind::MappingValueNotAllowed => continued(*last, before),
        ErrorKind::SimpleKeyExpected => Some(without_colon(*last)),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::ExpectedDocumentStart => misplaced(*last, before),
        ErrorKind::UnexpectedCharacter { character } => Some(unexpected(*character)),
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::UnclosedQuotedScalar => unclosed(&lines),
        ErrorKind::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            let message = format!("the bracket `{open}` is not closed");
            Some(Diagnosis { line: None, message, help: format!("close it with `{close}`") })
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation => Some(Diagnosis {
            line: None,
            message: "there is a tab in the indentation".to_owned(),
            help: "indent with blanks: YAML takes no tabs there".to_owned(),
        }),
        _ => None,
    }
}

impl<'t> Line<'t> {
    fn read(number: usize, line: &'t str) -> Option<Self> {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let after_dashes = content.trim_start_matches(['-', ' ']);
        let has_dash = content.starts_with("- ") || content.trim_end() == "-";
        let key = if has_dash { after_dashes } else { content };
        let key_indent = line.len() - key.len();
        let says = !content.trim().is_empty() && !content.starts_with('#');
        says.then_some(Self { number, indent, key_indent, content })
    }

    fn has_dash(&self) -> bool {
        self.key_indent > self.indent
    }

    /// Returns the line without its dashes.
    fn rest(&self) -> &'t str {
        self.content.get(self.key_indent - self.indent..).unwrap_or_default()
    }

    /// Returns the key and what follows the colon.
    fn field(&self) -> Option<(&'t str, &'t str)> {
        let rest = self.rest();
        let (key, value) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
        Some((key.trim_matches(['"', '\'']), value.trim()))
    }

    fn key(&self) -> Option<&'t str> {
        Some(self.field()?.0)
    }

    /// Returns what a message calls the line.
    fn name(&self) -> String {
        match self.key() {
            Some(key) if self.has_dash() => quoted(&format!("- {key}")),
            Some(key) => quoted(key),
            None => quoted(self.content.trim_end()),
        }
    }
}

/// Something that looks like a key where the value of another goes on.
fn continued(last: Line<'_>, before: &[Line<'_>]) -> Option<Diagnosis> {
    let colons =
        last.rest().matches(": ").count() + usize::from(last.rest().trim_end().ends_with(':'));
    let previous = before.last();
    let is_inside = previous.is_some_and(|previous| last.key_indent > previous.key_indent);
    match previous {
        _ if colons > 1 => Some(Diagnosis {
            line: None,
            message: "there are two `: ` in this line".to_owned(),
            help: "quote the text after the first".to_owned(),
        }),
        Some(previous) if is_inside => match previous.field() {
            Some(_) => misplaced(last, before),
            None => Some(Diagnosis { line: Some(previous.number), ..without_colon(*previous) }),
        },
        Some(previous) if previous.field().is_none() => {
            Some(Diagnosis { line: Some(previous.number), ..without_colon(*previous) })
        }
        _ => None,
    }
}

fn without_colon(line: Line<'_>) -> Diagnosis {
    let rest = line.rest().trim_end();
    let message = format!("there is no `: ` in {}", quoted(rest));
    let help = match rest.split_once(':') {
        Some((key, value)) if !key.contains(' ') => {
            format!("write a blank after the colon: `{key}: {value}`")
        }
        _ if rest.contains(' ') || rest.ends_with('.') => {
            "remove the line, if it is no part of the document".to_owned()
        }
        _ => format!("write `{rest}:`"),
    };
    Diagnosis { line: None, message, help }
}

/// A line that begins where none above it does.
fn misplaced(last: Line<'_>, before: &[Line<'_>]) -> Option<Diagnosis> {
    let first = before.first()?;
    if last.indent < first.indent {
        let message = format!(
            "{} stands {} further in than {}, in line {}",
            first.name(),
            blanks(first.indent - last.indent),
            last.name(),
            last.number
        );
        let help = format!("begin both in column {}", last.indent + 1);
        return Some(Diagnosis { line: Some(first.number), message, help });
    }
    let levels = open_levels(before);
    if levels.iter().any(|level| level.column == last.indent && level.is_item == last.has_dash()) {
        return None;
    }
    let best = levels.iter().min_by_key(|level| {
        let is_sibling = last.key().zip(level.line.key()).is_some_and(|(a, b)| are_siblings(a, b));
        (level.is_item != last.has_dash(), !is_sibling, level.column.abs_diff(last.indent))
    })?;
    let message = format!(
        "{} stands where nothing above it does: after {}",
        last.name(),
        blanks(last.indent)
    );
    let place = match best.column {
        0 => "begin it in column 1".to_owned(),
        column => format!("indent it by {}", blanks(column)),
    };
    let help = format!("{place}, as {} in line {}", best.line.name(), best.line.number);
    Some(Diagnosis { line: None, message, help })
}

/// A column in which lines can go on, and the last line that begins there.
struct Level<'t> {
    column: usize,
    is_item: bool,
    line: Line<'t>,
}

/// Returns where a line can begin after those `before`, the innermost first.
fn open_levels<'t>(before: &[Line<'t>]) -> Vec<Level<'t>> {
    let mut levels: Vec<Level<'t>> = Vec::new();
    for line in before.iter().rev() {
        for (column, is_item) in [(line.key_indent, false), (line.indent, true)] {
            let is_outside = levels.iter().all(|level| {
                // Items may stand right below their key.
                column < level.column || (column == level.column && level.is_item && !is_item)
            });
            if is_outside && (!is_item || line.has_dash()) {
                levels.push(Level { column, is_item, line: *line });
            }
        }
    }
    levels
}

/// Whether both are keys of one and the same mapping.
fn are_siblings(left: &str, right: &str) -> bool {
    keys::ALL.iter().any(|keys| {
        let has = |name: &str| keys.names().any(|key| key.eq_ignore_ascii_case(name));
        has(left) && has(right)
    })
}

fn unexpected(character: char) -> Diagnosis {
    let message = format!("text cannot begin with {}", quoted(&character.to_string()));
    let help = match character {
        '`' => "remove the marks of the page that it was copied from, or quote the text",
        _ => "quote the text",
    };
    Diagnosis { line: None, message, help: help.to_owned() }
}

/// The first line with a quote that nothing in it closes.
fn unclosed(lines: &[Line<'_>]) -> Option<Diagnosis> {
    let is_open = |line: &&Line<'_>| {
        let (_, value) = line.field().unwrap_or(("", line.rest()));
        ['"', '\'']
            .iter()
            .any(|quote| value.starts_with(*quote) && value.matches(*quote).count() == 1)
    };
    let line = lines.iter().find(is_open)?;
    Some(Diagnosis {
        line: Some(line.number),
        message: format!("the quotes in {} are not closed", quoted(line.rest().trim_end())),
        help: "close them".to_owned(),
    })
}

/// `no blanks`, `1 blank`, `2 blanks`.
fn blanks(count: usize) -> String {
    match count {
        0 => "no blanks".to_owned(),
        1 => "1 blank".to_owned(),
        _ => format!("{count} blanks"),
    }
}
