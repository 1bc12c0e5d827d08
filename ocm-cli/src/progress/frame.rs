use std::{iter, time::Duration};

use console::Style;
use indicatif::HumanBytes;

use super::Progress;
use crate::console::{Colour, printable};

/// Most blobs that are shown by themselves.
const MOST_BLOBS: usize = 4;
/// Columns of a bar.
const BAR: u16 = 24;
/// Columns that keep a line from wrapping where a terminal counts the cursor.
const MARGIN: usize = 1;

impl Progress {
    /// Returns what the status area shows: everything in one line, and a few blobs on their way.
    pub(crate) fn frame(&self, elapsed: Duration, (width, colour): (usize, Colour)) -> Vec<String> {
        let blobs = self.active.iter().take(MOST_BLOBS).map(|blob| {
            let moved = moved(colour, blob.bytes, blob.size);
            format!("  {moved} · {}", printable(&blob.label))
        });
        let mut lines: Vec<_> = iter::once(self.headline(elapsed, colour)).chain(blobs).collect();
        if let more @ 1.. = self.active.len().saturating_sub(MOST_BLOBS) {
            lines.push(format!("  and {more} more"));
        }
        let width = width.saturating_sub(MARGIN);
        lines.iter().map(|line| console::truncate_str(line, width, "…").into_owned()).collect()
    }

    fn headline(&self, elapsed: Duration, colour: Colour) -> String {
        let (done, all) = (self.settled_bytes(), self.bytes);
        let mut parts = vec![
            format!("  {}", moved(colour, done, all)),
            format!("{}/{} images", self.ended, self.expected),
        ];
        if self.failed > 0 {
            parts.push(colour.paint(&Style::new().red(), &format!("{} failed", self.failed)));
        }
        if let Some(rate) = self.rate.per_second() {
            parts.push(format!("{}/s", HumanBytes(rate)));
        }
        parts.push(match self.rate.time_for(all.saturating_sub(done)) {
            Some(left) if done < all => format!("{} left", clock_time(left)),
            _ => clock_time(elapsed),
        });
        parts.join(" · ")
    }
}

/// Returns a bar, and in numbers what it shows.
fn moved(colour: Colour, done: u64, all: u64) -> String {
    let full = match u128::from(all) {
        0 => BAR,
        all => u16::try_from(u128::from(done) * u128::from(BAR) / all).unwrap_or(BAR).min(BAR),
    };
    let (full, rest) = ("━".repeat(full.into()), "─".repeat((BAR - full).into()));
    let bar = colour.paint(&Style::new().cyan(), &full) + &colour.paint(&Style::new().dim(), &rest);
    let numbers = format!("{}/{}", HumanBytes(done), HumanBytes(all));
    format!("{bar} {numbers:>21}")
}

/// Returns a length of time as a stopwatch shows it.
pub(crate) fn clock_time(time: Duration) -> String {
    let (hours, minutes, seconds) =
        (time.as_secs() / 3600, time.as_secs() / 60 % 60, time.as_secs() % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
