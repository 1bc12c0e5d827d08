use std::collections::{BTreeMap, BTreeSet};

use ocm_oci::Digest;
use serde::Serialize;

use crate::{Event, Failure, Group, ImageId, Kind, Lost, Outcome, Present, Transfer};

/// What a run amounted to: a fold of its events, and of nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Which plan was executed; `None` until a run has begun.
    pub plan: Option<Digest>,
    /// How the images of each group went, counted by name.
    pub groups: BTreeMap<Group, Tally>,
    /// How the signatures and other statements about them went.
    pub attachments: BTreeMap<Group, Tally>,
    /// Images that were there before the run, in the plan's order.
    pub present: Vec<Present>,
    /// Images that cannot be had, in the plan's order; and what is selected that no catalog has,
    /// which is counted among no images.
    pub lost: Vec<Lost>,
    /// Images that were brought to the destination whole.
    pub done: BTreeSet<ImageId>,
    /// Images that failed, and why.
    pub failed: BTreeMap<ImageId, Failure>,
    /// Images left out, and the image each was waiting for.
    pub skipped: BTreeMap<ImageId, ImageId>,
    /// What happened to blobs.
    pub blobs: BlobTally,
    /// How often something was tried again.
    pub retries: usize,
}

/// How many images, counted by the names they were asked for by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    /// Asked for.
    pub expected: usize,
    /// At the destination, from before or since.
    pub done: usize,
    /// Not there, for a reason that was told.
    pub failed: usize,
}

/// How many blobs, counted by what they cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct BlobTally {
    /// Blobs whose bytes were moved.
    pub copied: usize,
    /// Blobs that were mounted.
    pub mounted: usize,
    /// Blobs that were there before.
    pub present: usize,
    /// Bytes moved.
    pub bytes: u64,
}

impl Report {
    /// Whether everything that was asked for is at the destination. The absence of failures does
    /// not say so: a run can be cut short.
    pub fn is_complete(&self) -> bool {
        self.plan.is_some() && self.incomplete_groups().next().is_none()
    }

    /// Returns the groups of which not all images are at the destination, with all that is known
    /// to be said about them, or not all that is selected; and so the bits of the exit code.
    pub fn incomplete_groups(&self) -> impl Iterator<Item = Group> {
        let groups = self.groups.iter().chain(&self.attachments);
        let groups = groups.filter(|(_, tally)| tally.done < tally.expected);
        let selected = self.lost.iter().filter(|lost| lost.kind == Kind::Selection);
        let selected = selected.map(|lost| lost.kind.group());
        groups.map(|(group, _)| *group).chain(selected).collect::<BTreeSet<_>>().into_iter()
    }

    /// Counts what moved in an earlier run, after which this one was the rest.
    #[must_use]
    pub fn after(mut self, earlier: &Self) -> Self {
        let BlobTally { copied, mounted, present, bytes } = earlier.blobs;
        self.blobs.copied += copied;
        self.blobs.mounted += mounted;
        self.blobs.present += present;
        self.blobs.bytes = self.blobs.bytes.saturating_add(bytes);
        self.retries += earlier.retries;
        self
    }

    fn record(&mut self, event: &Event) {
        match event {
            Event::Began { plan, expected, attachments, .. } => {
                self.plan = Some(plan.clone());
                for (group, number) in attachments {
                    self.attachments.entry(*group).or_default().expected = *number;
                }
                for (group, names) in expected {
                    self.groups.entry(*group).or_default().expected = *names;
                }
            }
            Event::Present(present) => {
                self.groups.entry(present.kind.group()).or_default().done += 1;
                self.present.push(present.clone());
            }
            Event::Lost(lost) => {
                if lost.kind != Kind::Selection {
                    self.tally(lost.kind, usize::from(lost.kind.is_counted())).failed += 1;
                }
                self.lost.push(lost.clone());
            }
            Event::Progress { .. } => {}
            Event::Retried { .. } => self.retries += 1,
            Event::Blob { how, .. } => self.blobs.record(*how),
            Event::Image { image, kind, names, outcome } => {
                self.record_image((*image, *kind), *names, outcome);
            }
        }
    }

    /// Returns where an image of so many names is counted.
    fn tally(&mut self, kind: Kind, names: usize) -> &mut Tally {
        let tallies = if names == 0 { &mut self.attachments } else { &mut self.groups };
        tallies.entry(kind.group()).or_default()
    }

    fn record_image(&mut self, (image, kind): (ImageId, Kind), names: usize, outcome: &Outcome) {
        let tally = self.tally(kind, names);
        // An attachment has no names, and is counted once.
        let number = names.max(1);
        if *outcome == Outcome::Done {
            tally.done += number;
        } else {
            tally.failed += number;
        }
        match outcome {
            Outcome::Done => drop(self.done.insert(image)),
            Outcome::Failed(why) => drop(self.failed.insert(image, why.clone())),
            Outcome::Skipped { because } => drop(self.skipped.insert(image, *because)),
        }
    }
}

impl BlobTally {
    fn record(&mut self, how: Transfer) {
        match how {
            Transfer::Copied { bytes } => {
                self.copied += 1;
                self.bytes = self.bytes.saturating_add(bytes);
            }
            Transfer::Mounted => self.mounted += 1,
            Transfer::Present => self.present += 1,
        }
    }
}

impl<'a> Extend<&'a Event> for Report {
    fn extend<I: IntoIterator<Item = &'a Event>>(&mut self, events: I) {
        for event in events {
            self.record(event);
        }
    }
}
