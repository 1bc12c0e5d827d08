use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
};

use indicatif::TermLike;

use super::*;
use crate::args::LogLevel;

/// A place that remembers what was written to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(crate) fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).unwrap()
    }

    pub(crate) fn stream(&self, colour: Colour) -> Stream {
        Stream { writer: Box::new(self.clone()), colour }
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal of 80 columns that is a list of lines, and a cursor.
#[derive(Debug, Clone, Default)]
pub(crate) struct Screen(Arc<Mutex<Grid>>);

#[derive(Debug, Default)]
struct Grid {
    lines: Vec<String>,
    row: usize,
}

impl Screen {
    fn grid(&self) -> std::sync::MutexGuard<'_, Grid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self) -> String {
        let grid = self.grid();
        let lines: Vec<_> = grid.lines.iter().map(|line| line.trim_end()).collect();
        lines.join("\n").trim_end().to_owned()
    }
}

impl Grid {
    /// Writes at the end of the line, going to the next where it is full.
    fn write(&mut self, text: &str) {
        for part in console::AnsiCodeIterator::new(text) {
            match part {
                (code, true) => self.line().push_str(code),
                (text, false) => text.chars().for_each(|c| self.put(c)),
            }
        }
    }

    fn put(&mut self, c: char) {
        if c == '\n' || console::measure_text_width(self.line()) == 80 {
            self.row += 1;
        }
        if c != '\n' {
            self.line().push(c);
        }
    }

    fn line(&mut self) -> &mut String {
        let row = self.row;
        if self.lines.len() <= row {
            self.lines.resize(row + 1, String::new());
        }
        &mut self.lines[row]
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }

    fn height(&self) -> u16 {
        24
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let mut grid = self.grid();
        grid.row = grid.row.saturating_sub(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.grid().row += n;
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        let mut grid = self.grid();
        grid.write(text);
        grid.row += 1;
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.grid().write(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.grid().line().clear();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// A console, and what is behind its ways out.
pub(crate) struct Desk {
    pub(crate) console: Console,
    pub(crate) out: Paper,
    pub(crate) err: Paper,
}

pub(crate) fn desk(log_level: LogLevel, log_format: LogFormat, colour: Colour) -> Desk {
    let (out, err) = (Paper::default(), Paper::default());
    let off = crate::args::Switch::Off;
    let args = OutputArgs { log_level, log_format, v1: off, v2: off };
    let streams = (out.stream(colour), err.stream(colour));
    Desk { console: Console::new(&args, Clock::stopped(), streams), out, err }
}

fn say_everything(console: &mut Console) {
    for (level, word) in [
        (Level::Error, "error"),
        (Level::Warn, "warning"),
        (Level::Info, "information"),
        (Level::Debug, "detail"),
        (Level::Trace, "trace"),
    ] {
        console.say(level, word);
    }
}

#[test]
fn lines_look_like_those_of_oc_mirror() {
    let Desk { mut console, err, .. } = desk(LogLevel::Trace, LogFormat::Text, Colour::Never);
    say_everything(&mut console);
    assert_eq!(
        err.text(),
        "2026/11/21 04:26:07  [ERROR]  : error\n\
         2026/11/21 04:26:07  [WARN]   : warning\n\
         2026/11/21 04:26:07  [INFO]   : information\n\
         2026/11/21 04:26:07  [DEBUG]  : detail\n\
         2026/11/21 04:26:07  [TRACE]  : trace\n"
    );
}

#[test]
fn the_level_says_what_is_heard() {
    let cases =
        [(LogLevel::Error, 1), (LogLevel::Info, 3), (LogLevel::Debug, 4), (LogLevel::Trace, 5)];
    for (level, lines) in cases {
        let Desk { mut console, err, .. } = desk(level, LogFormat::Text, Colour::Never);
        say_everything(&mut console);
        assert_eq!(err.text().lines().count(), lines, "{level:?}");
    }
}

#[test]
fn the_file_holds_everything_from_the_first_line_and_no_colours() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("oc-mirror.log");
    fs::write(&file, "from an earlier run\n").unwrap();
    let Desk { mut console, out, err } = desk(LogLevel::Info, LogFormat::Text, Colour::Always);
    console.info("before");
    console.open_log(&file).unwrap();
    console.info("after");
    console.complain(&Complaint::told(["it broke".to_owned()], Some("mend it".to_owned())));
    assert!(err.text().starts_with("2026/11/21 04:26:07 \u{1b}[32m [INFO]   \u{1b}[0m: before\n"));
    assert!(err.text().contains("it broke"), "complaints go to stderr");
    assert!(out.text().ends_with(": after\n"), "{}", out.text());
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "from an earlier run\n\
         2026/11/21 04:26:07  [INFO]   : before\n\
         2026/11/21 04:26:07  [INFO]   : after\n\
         2026/11/21 04:26:07  [ERROR]  : it broke\n\
         2026/11/21 04:26:07  [ERROR]  : mend it\n"
    );
}

#[test]
fn machines_get_one_object_a_line() {
    let Desk { mut console, out, .. } = desk(LogLevel::Info, LogFormat::Json, Colour::Always);
    console.tell(Level::Info, &serde_json::json!({ "event": "image", "image": 3 }), "copied");
    console.complain(&Complaint::told(["it broke".to_owned(), "no disk".to_owned()], None));
    assert_eq!(
        out.text(),
        "{\"time\":\"2026-11-21T04:26:07Z\",\"level\":\"info\",\"message\":\"copied\",\
         \"event\":\"image\",\"image\":3}\n\
         {\"time\":\"2026-11-21T04:26:07Z\",\"level\":\"error\",\"message\":\"it broke: no disk\",\
         \"causes\":[\"no disk\"]}\n"
    );
}

#[test]
fn nobody_forges_a_line() {
    let Desk { mut console, err, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    console.info("tag\r\n2026/11/21 04:26:07  [INFO]   : all is well\u{1b}[8m");
    assert_eq!(err.text().lines().count(), 1);
    assert!(
        err.text().ends_with("tag\\r\\n2026/11/21 04:26:07  [INFO]   : all is well\\u{1b}[8m\n")
    );
}

#[test]
fn a_listener_who_leaves_does_not_end_the_program() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let Desk { mut console, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    console.out = Stream { writer: Box::new(Closed), colour: Colour::Never };
    console.print("first\n");
    console.print("second\n");
}

#[test]
fn the_status_area_shows_is_replaced_and_goes_away() {
    let Desk { mut console, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
    let screen = Screen::default();
    console.status = Status::on(Box::new(screen.clone()), 80);
    console.show(&["one".to_owned(), "two".to_owned(), "three".to_owned()]);
    assert_eq!(screen.text(), "\none\ntwo\nthree");
    console.info("a line goes above");
    assert_eq!(screen.text(), "\none\ntwo\nthree");
    console.show(&["uno".to_owned()]);
    assert_eq!(screen.text(), "\nuno");
    console.clear();
    assert_eq!(screen.text(), "");
    console.show(&["again".to_owned()]);
    assert_eq!(screen.text(), "\nagain");
    drop(console);
    assert_eq!(screen.text(), "");
}

#[test]
fn machines_have_no_status_area() {
    let Desk { console, .. } = desk(LogLevel::Info, LogFormat::Json, Colour::Never);
    let screen = Screen::default();
    let mut console = console.with_status(Status::on(Box::new(screen.clone()), 80));
    console.show(&["one".to_owned()]);
    assert_eq!(screen.text(), "");
}
