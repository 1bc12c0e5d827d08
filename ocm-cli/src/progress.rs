//! A run as it is watched: lines for what has happened, and a picture of what is happening.
//!
//! ```text
//!             ┌─► lines: the log, for people and machines
//! Event ──► Progress ─► frame: the status area of a terminal
//!             └─► summary: a line now and then, where there is no terminal
//! ```
//!
//! Everything is computed from events and from the time that has passed; nothing here draws.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use indicatif::HumanBytes;
use ocm_mirror::{Event, ImageId, Kind, Outcome, Place, Plan, Transfer};
use ocm_oci::{Digest, RepoName, Tag};
use serde::Serialize;

use crate::console::{Console, Level};

mod frame;
mod rate;
mod retries;
mod words;

use frame::clock_time;
pub(crate) use frame::stopwatch;
use rate::Rate;
use retries::Retries;
use words::{copy_failed, humane_pause, kind_word, transfer_word};
pub(crate) use words::{count, lost_line, selection_lost};

/// Time between summaries.
const SUMMARY_EVERY: Duration = Duration::from_secs(10);
/// Time between pictures.
const FRAME_EVERY: Duration = Duration::from_millis(100);
/// Characters of a digest that are enough to tell blobs apart.
const DIGEST_SHOWN: usize = 12;

/// What is known of a run so far.
#[derive(Debug)]
pub(crate) struct Progress {
    plan: Arc<Plan>,
    /// Where images go that go into no registry.
    archive: String,
    expected: usize,
    ended: usize,
    failed: usize,
    /// Bytes of the blobs to move, each once.
    bytes: u64,
    /// Bytes of those that are where they should be.
    settled: u64,
    seen: BTreeSet<Digest>,
    /// Bytes that crossed the network.
    moved: u64,
    active: Vec<Active>,
    rate: Rate,
    retries: Retries,
    last_summary: Duration,
    last_frame: Option<Duration>,
}

/// A blob on its way.
#[derive(Debug)]
struct Active {
    at: (RepoName, Digest),
    label: String,
    bytes: u64,
    size: u64,
}

/// How far a run is, for machines.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "summary")]
struct Summary {
    images: usize,
    images_ended: usize,
    images_failed: usize,
    bytes: u64,
    bytes_settled: u64,
    bytes_per_second: Option<u64>,
    seconds_left: Option<u64>,
}

/// How an image went, with what the event leaves to the plan.
#[derive(Debug, Serialize)]
struct ImageTold<'a> {
    #[serde(flatten)]
    event: &'a Event,
    origin: &'a str,
    repository: &'a RepoName,
    tag: &'a Tag,
}

impl Progress {
    /// Begins to watch `plan`; `archive` is what its archive is called, where it writes one.
    pub(crate) fn new(plan: Arc<Plan>, archive: String) -> Self {
        Self {
            plan,
            archive,
            expected: 0,
            ended: 0,
            failed: 0,
            bytes: 0,
            settled: 0,
            seen: BTreeSet::new(),
            moved: 0,
            active: Vec::new(),
            rate: Rate::default(),
            retries: Retries::default(),
            last_summary: Duration::ZERO,
            last_frame: None,
        }
    }

    /// Takes note of `event`, and says what there is to say.
    pub(crate) fn on(&mut self, event: &Event, elapsed: Duration, console: &mut Console) {
        self.count(event);
        self.rate.note(elapsed, self.moved_so_far());
        self.speak(event, elapsed, console);
        self.refresh(elapsed, console);
    }

    /// Shows how far things are, if it is time to.
    pub(crate) fn refresh(&mut self, elapsed: Duration, console: &mut Console) {
        for (held, last) in self.retries.due(elapsed) {
            let times = count(held, "more retry");
            console.warn(format!("{times} of that kind; the last: {last}"));
        }
        if console.has_status() {
            let is_due = |last| elapsed.saturating_sub(last) >= FRAME_EVERY;
            if self.last_frame.is_none_or(is_due) {
                self.last_frame = Some(elapsed);
                self.rate.note(elapsed, self.moved_so_far());
                console.show(&self.frame(elapsed, console.canvas()));
            }
        } else if elapsed.saturating_sub(self.last_summary) >= SUMMARY_EVERY {
            self.last_summary = elapsed;
            self.rate.note(elapsed, self.moved_so_far());
            console.tell(Level::Info, &self.summary(), &self.summary_line());
        }
    }

    fn count(&mut self, event: &Event) {
        match event {
            Event::Began { expected, bytes, .. } => {
                self.expected = expected.values().sum();
                self.bytes = *bytes;
            }
            Event::Present(_) => self.ended += 1,
            Event::Lost(lost) if !lost.kind.is_counted() => {}
            Event::Lost(_) => self.end(1, Level::Error),
            Event::Progress { repository, blob, bytes, size } => {
                self.advance((repository.clone(), blob.clone()), *bytes, *size);
            }
            Event::Blob { repository, blob, how } => self.settle(repository, blob, *how),
            Event::Image { names, outcome, .. } => {
                let level = if *outcome == Outcome::Done { Level::Info } else { Level::Error };
                self.end(*names, level);
            }
            _ => {}
        }
    }

    fn end(&mut self, names: usize, level: Level) {
        self.ended += names;
        if level == Level::Error {
            self.failed += names;
        }
    }

    fn advance(&mut self, at: (RepoName, Digest), bytes: u64, size: u64) {
        if let Some(active) = self.active.iter_mut().find(|active| active.at == at) {
            active.bytes = bytes;
            return;
        }
        let hex: String = at.1.hex().chars().take(DIGEST_SHOWN).collect();
        let label = format!("{} {hex}", at.0);
        self.active.push(Active { at, label, bytes, size });
    }

    fn settle(&mut self, repository: &RepoName, blob: &Digest, how: Transfer) {
        self.active.retain(|active| (&active.at.0, &active.at.1) != (repository, blob));
        if let Transfer::Copied { bytes } = how {
            self.moved = self.moved.saturating_add(bytes);
        }
        if self.seen.insert(blob.clone()) {
            let size = self.plan.blob(blob).map_or(0, |blob| blob.size);
            self.settled = self.settled.saturating_add(size);
        }
    }

    /// Bytes of blobs that are there, or on their way.
    fn settled_bytes(&self) -> u64 {
        let on_their_way: u64 = self.active.iter().map(|active| active.bytes).sum();
        self.settled.saturating_add(on_their_way).min(self.bytes)
    }

    /// Returns how many bytes crossed the network, those of unfinished blobs among them.
    pub(crate) fn moved_so_far(&self) -> u64 {
        self.active.iter().map(|active| active.bytes).fold(self.moved, u64::saturating_add)
    }

    fn speak(&mut self, event: &Event, elapsed: Duration, console: &mut Console) {
        let (level, message) = match event {
            Event::Began { .. } => (Level::Info, format!("📌 images to copy {}", self.expected)),
            Event::Present(present) => {
                (Level::Debug, format!("Already there {}", present.name.origin))
            }
            Event::Lost(lost) => (Level::Error, lost_line(lost)),
            Event::Retried { failure, pause } => {
                let pause = humane_pause(*pause);
                let is_said = self.retries.note(failure, elapsed);
                let level = if is_said { Level::Warn } else { Level::Debug };
                (level, format!("{}; trying again {pause}", failure.chain.join(": ")))
            }
            Event::Progress { repository, blob, bytes, size } => {
                let moved = format!("{} of {}", HumanBytes(*bytes), HumanBytes(*size));
                (Level::Trace, format!("{moved} of {repository} {blob}"))
            }
            Event::Blob { repository, blob, how } => {
                (Level::Debug, format!("{} {repository} {blob}", transfer_word(*how)))
            }
            Event::Image { image, kind, outcome, .. } => {
                return self.speak_of_image(event, (*image, *kind), outcome, console);
            }
            _ => return,
        };
        console.tell(level, event, &message);
    }

    fn speak_of_image(
        &self,
        event: &Event,
        (id, kind): (ImageId, Kind),
        outcome: &Outcome,
        console: &mut Console,
    ) {
        let Some(image) = self.plan.image(id) else { return };
        if image.is_attachment() {
            return speak_of_attachment(event, (image.origin(), kind), outcome, console);
        }
        for name in &image.names {
            let (origin, to) = (&name.origin, self.destination(&image.repository, &name.tag));
            let (level, message) = match outcome {
                Outcome::Done => (Level::Info, format!("Success copying {origin} ➡️ {to}")),
                Outcome::Failed(failure) => (Level::Error, copy_failed(kind, origin, failure)),
                Outcome::Skipped { because } => {
                    let needed = self.plan.image(*because).map_or("an image", |it| it.origin());
                    let reason = format!("it needs {needed}, which is not there");
                    (Level::Error, format!("Failed to copy {} {origin}: {reason}", kind_word(kind)))
                }
            };
            let told = ImageTold { event, origin, repository: &image.repository, tag: &name.tag };
            console.tell(level, &told, &message);
        }
    }

    /// Returns where an image goes.
    fn destination(&self, repository: &RepoName, tag: &Tag) -> String {
        match self.plan.destination() {
            Place::Registry(host) => format!("{host}/{repository}:{tag}"),
            _ => self.archive.clone(),
        }
    }

    fn summary(&self) -> Summary {
        let bytes_settled = self.settled_bytes();
        let left = self.rate.time_for(self.bytes.saturating_sub(bytes_settled));
        Summary {
            images: self.expected,
            images_ended: self.ended,
            images_failed: self.failed,
            bytes: self.bytes,
            bytes_settled,
            bytes_per_second: self.rate.per_second(),
            seconds_left: left.map(|left| left.as_secs()),
        }
    }

    fn summary_line(&self) -> String {
        let Summary { images, images_ended, bytes, bytes_settled, bytes_per_second, .. } =
            self.summary();
        let left = self.rate.time_for(bytes.saturating_sub(bytes_settled));
        [
            Some(format!("{images_ended} / {images} images")),
            Some(format!("{} of {}", HumanBytes(bytes_settled), HumanBytes(bytes))),
            bytes_per_second.map(|rate| format!("{}/s", HumanBytes(rate))),
            left.map(|left| format!("{} left", clock_time(left))),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
    }
}

/// Says how a signature or the like went, which few want to know unless it failed.
fn speak_of_attachment(
    event: &Event,
    (origin, kind): (&str, Kind),
    outcome: &Outcome,
    console: &mut Console,
) {
    let (level, message) = match outcome {
        Outcome::Done => (Level::Debug, format!("Success copying {origin}")),
        Outcome::Failed(failure) => (Level::Error, copy_failed(kind, origin, failure)),
        Outcome::Skipped { .. } => {
            (Level::Debug, format!("Left out {origin}: what it is about is not there"))
        }
    };
    console.tell(level, event, &message);
}

#[cfg(test)]
mod tests;
