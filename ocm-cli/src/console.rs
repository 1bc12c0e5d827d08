//! Everything that is said, to people and to machines. Nothing else in the workspace prints.
//!
//! ```text
//!               ┌ before the log file exists ─► stderr, kept for the file
//! say, tell ────┤
//!               └ afterwards ─────────────────► stdout and the file
//! complain ─────────────────────────────────► stderr, and as one line to the file
//! all of it as JSON ────────────────────────► stdout, and the file once there is one
//! show ─► status area at the bottom of the terminal, on stderr; lines go above it
//! ```

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use serde::Serialize;
use serde_json::Value;

use crate::{
    args::{LogFormat, LogLevel, OutputArgs},
    clock::Clock,
    report::Complaint,
};

mod line;
mod status;

use line::Line;
pub(crate) use line::{Colour, Level, printable};
pub(crate) use status::Status;

/// Columns to draw for where there is no terminal.
const WIDTH: usize = 100;

/// A way out for text.
pub(crate) struct Stream {
    /// Where it goes.
    pub(crate) writer: Box<dyn Write + Send>,
    /// Whether it understands colours.
    pub(crate) colour: Colour,
}

/// The one that speaks.
pub(crate) struct Console {
    level: LogLevel,
    format: LogFormat,
    clock: Clock,
    out: Stream,
    err: Stream,
    status: Status,
    log: Log,
}

/// What becomes of lines in the long run.
enum Log {
    /// There is no file yet; this is what it will begin with.
    Early(Vec<u8>),
    /// They go into this file.
    Open(File),
    /// There is none, or not any more.
    Gone,
}

impl Console {
    /// Makes one that speaks as `args` say.
    pub(crate) fn new(args: &OutputArgs, clock: Clock, (out, err): (Stream, Stream)) -> Self {
        let (level, format) = (args.log_level, args.log_format);
        let log = Log::Early(Vec::new());
        Self { level, format, clock, out, err, status: Status::hidden(), log }
    }

    /// Adds a status area, unless what is said is for machines.
    #[must_use]
    pub(crate) fn with_status(self, status: Status) -> Self {
        match self.format {
            LogFormat::Text => Self { status, ..self },
            LogFormat::Json => self,
        }
    }

    /// Begins the log file, with what was said before.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn open_log(&mut self, file: &Path) -> io::Result<()> {
        let mut opened = OpenOptions::new().create(true).append(true).open(file)?;
        if let Log::Early(early) = &self.log {
            opened.write_all(early)?;
        }
        self.log = Log::Open(opened);
        Ok(())
    }

    /// Returns the clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Says something.
    pub(crate) fn say(&mut self, level: Level, message: impl AsRef<str>) {
        self.put(&Line { level, message: message.as_ref(), details: None });
    }

    /// Says something that was done.
    pub(crate) fn info(&mut self, message: impl AsRef<str>) {
        self.say(Level::Info, message);
    }

    /// Says something that people should look at.
    pub(crate) fn warn(&mut self, message: impl AsRef<str>) {
        self.say(Level::Warn, message);
    }

    /// Says something that machines understand as well.
    pub(crate) fn tell(&mut self, level: Level, details: &impl Serialize, message: &str) {
        let details = match self.format {
            LogFormat::Text => None,
            LogFormat::Json => serde_json::to_value(details).ok(),
        };
        self.put(&Line { level, message, details });
    }

    /// Says what went wrong, at length.
    pub(crate) fn complain(&mut self, complaint: &Complaint) {
        let line = complaint.line();
        let details = serde_json::to_value(complaint).ok().and_then(|mut details| {
            details.as_object_mut()?.remove("message");
            Some(details)
        });
        let line = Line { level: Level::Error, message: &line, details };
        match self.format {
            LogFormat::Text => {
                let text = complaint.draw(self.err.colour, self.status.width(WIDTH));
                let text = format!("{}\n", text.trim_end());
                let (status, err) = (&self.status, &mut self.err);
                status.suspend(|| err.write(&text));
            }
            LogFormat::Json => self.out.write(&line.print(self.format, &self.clock, Colour::Never)),
        }
        self.keep(&line);
        if let Some(hint) = complaint.hint.as_deref().filter(|_| self.format == LogFormat::Text) {
            self.keep(&Line { level: Level::Error, message: hint, details: None });
        }
    }

    /// Prints a result, as it is.
    pub(crate) fn print(&mut self, text: &str) {
        let (status, out) = (&self.status, &mut self.out);
        status.suspend(|| out.write(text));
    }

    /// Prints a result of several lines.
    pub(crate) fn print_lines(&mut self, lines: &[String]) {
        self.print(&lines.iter().flat_map(|line| [line, "\n"]).collect::<String>());
    }

    /// Prints a result for programs.
    pub(crate) fn print_json(&mut self, object: &Value) {
        self.print(&format!("{object:#}\n"));
    }

    /// Prints a complaint that is the result which was asked for.
    pub(crate) fn draw(&mut self, complaint: &Complaint) {
        let text = complaint.draw(self.out.colour, self.status.width(WIDTH));
        self.print(&format!("{}\n", text.trim_end()));
    }

    /// Sets what comes apart from what was, for people.
    pub(crate) fn space(&mut self) {
        if self.format == LogFormat::Text {
            self.print("\n");
        }
    }

    /// Prints help that goes with a complaint, as it is.
    pub(crate) fn print_usage(&mut self, text: &str) {
        if self.format == LogFormat::Text {
            self.err.write(text);
        }
    }

    /// Returns whether there is a status area.
    pub(crate) fn has_status(&self) -> bool {
        self.status.is_shown()
    }

    /// Returns how wide the status area is, and whether it has colours.
    pub(crate) fn canvas(&self) -> (usize, Colour) {
        (self.status.width(WIDTH), self.err.colour)
    }

    /// Replaces what the status area shows.
    pub(crate) fn show(&mut self, lines: &[String]) {
        self.status.show(lines);
    }

    /// Empties the status area.
    pub(crate) fn clear(&mut self) {
        self.status.clear();
    }

    fn put(&mut self, line: &Line<'_>) {
        if !line.level.passes(self.level) {
            return;
        }
        let stream = match (self.format, &self.log) {
            (LogFormat::Text, Log::Early(_)) => &mut self.err,
            (LogFormat::Json, _) | (_, Log::Open(_) | Log::Gone) => &mut self.out,
        };
        let text = line.print(self.format, &self.clock, stream.colour);
        self.status.suspend(|| stream.write(&text));
        self.keep(line);
    }

    /// Writes to the file, in which there are no colours.
    fn keep(&mut self, line: &Line<'_>) {
        let text = line.print(self.format, &self.clock, Colour::Never);
        let kept = match &mut self.log {
            Log::Early(early) => early.write_all(text.as_bytes()),
            Log::Open(file) => file.write_all(text.as_bytes()),
            Log::Gone => Ok(()),
        };
        if let Err(error) = kept {
            self.log = Log::Gone;
            self.warn(format!("the log file ends here: {error}"));
        }
    }
}

impl Stream {
    /// Writes, and gives up for good where nobody listens: `ocm … | head` is no reason to stop.
    fn write(&mut self, text: &str) {
        let written = self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush());
        if written.is_err() {
            self.writer = Box::new(io::sink());
        }
    }
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console").field("level", &self.level).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
