use std::borrow::Cow;

use console::Style;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{LogFormat, LogLevel},
    clock::Clock,
};

/// Weight of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// Something failed.
    Error,
    /// Something deserves a look.
    Warn,
    /// Something was done.
    Info,
    /// Why it was done.
    Debug,
    /// Everything else.
    Trace,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// They are.
    Always,
    /// They are not.
    Never,
}

impl Level {
    /// Returns whether a line of this weight is said when `threshold` was asked for.
    pub(crate) fn passes(self, threshold: LogLevel) -> bool {
        match self {
            Self::Error => true,
            Self::Warn | Self::Info => threshold != LogLevel::Error,
            Self::Debug => matches!(threshold, LogLevel::Debug | LogLevel::Trace),
            Self::Trace => threshold == LogLevel::Trace,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Error => "[ERROR]",
            Self::Warn => "[WARN]",
            Self::Info => "[INFO]",
            Self::Debug => "[DEBUG]",
            Self::Trace => "[TRACE]",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Error => Style::new().red(),
            Self::Warn => Style::new().yellow(),
            Self::Info => Style::new().green(),
            Self::Debug => Style::new().blue(),
            Self::Trace => Style::new().magenta(),
        }
    }
}

impl Colour {
    /// Returns `text` in `style`, or as it is.
    pub(crate) fn paint(self, style: &Style, text: &str) -> String {
        match self {
            _ if text.is_empty() => String::new(),
            Self::Always => style.clone().force_styling(true).apply_to(text).to_string(),
            Self::Never => text.to_owned(),
        }
    }
}

/// One thing said.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) level: Level,
    pub(super) message: &'a str,
    pub(super) details: Option<Value>,
}

/// One thing said, for machines.
#[derive(Serialize)]
struct Object<'a> {
    time: Timestamp,
    level: Level,
    message: &'a str,
    #[serde(flatten)]
    details: Option<&'a Value>,
}

impl Line<'_> {
    /// Returns the line, its end included.
    pub(super) fn print(&self, format: LogFormat, clock: &Clock, colour: Colour) -> String {
        match format {
            LogFormat::Text => self.text(clock, colour),
            LogFormat::Json => self.json(clock) + "\n",
        }
    }

    /// Returns what oc-mirror would print, in its columns.
    fn text(&self, clock: &Clock, colour: Colour) -> String {
        let time = clock.local().strftime("%Y/%m/%d %H:%M:%S");
        let level = colour.paint(&self.level.style(), &format!(" {:<9}", self.level.name()));
        format!("{time} {level}: {}\n", printable(self.message))
    }

    /// Returns one JSON object.
    pub(super) fn json(&self, clock: &Clock) -> String {
        let Self { level, message, details } = self;
        let object =
            Object { time: clock.now(), level: *level, message, details: details.as_ref() };
        serde_json::to_string(&object).unwrap_or_default()
    }
}

/// Makes control characters visible. Much of what is said was sent by someone else, who must not
/// be able to move the cursor or to forge a line.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}
