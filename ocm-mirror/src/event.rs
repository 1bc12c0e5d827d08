use std::{collections::BTreeMap, time::Duration};

use ocm_oci::{Digest, RepoName};
use serde::{Deserialize, Serialize};

use crate::{Failure, Group, ImageId, Kind, Lost, Present};

/// Something that happened during a run. Facts in the past tense; never text for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The run began; always first, so that a reader knows the format.
    Began {
        /// Version of this format.
        version: u32,
        /// Name of the plan.
        plan: Digest,
        /// How many names of images of each group the run is about, so that a run cut short does
        /// not look complete.
        expected: BTreeMap<Group, usize>,
        /// How many attachments of images of each group are to be copied as well.
        #[serde(default)]
        attachments: BTreeMap<Group, usize>,
        /// Bytes of the blobs to move, each once.
        bytes: u64,
    },
    /// An image was at the destination before the run.
    Present(Present),
    /// An image cannot be had; nothing more will happen to it.
    Lost(Lost),
    /// Bytes of a blob moved; at most every 100 ms a blob.
    Progress {
        /// Where to.
        repository: RepoName,
        /// Which blob.
        blob: Digest,
        /// How many of its bytes have passed, in all.
        bytes: u64,
        /// How many it has.
        size: u64,
    },
    /// Something failed in a way that may pass, and will be tried again.
    Retried {
        /// What failed.
        failure: Failure,
        /// Time before the next attempt.
        pause: Duration,
    },
    /// A blob is at the destination.
    Blob {
        /// Where.
        repository: RepoName,
        /// Which blob.
        blob: Digest,
        /// How it got there.
        how: Transfer,
    },
    /// Nothing more will happen to an image; the last event that names it.
    Image {
        /// Which image.
        image: ImageId,
        /// What it is part of.
        kind: Kind,
        /// How many names it has; an attachment has none.
        names: usize,
        /// How it went.
        outcome: Outcome,
    },
}

impl Event {
    /// Version of the format that this code writes.
    pub const VERSION: u32 = 1;
}

/// How a blob came to be at the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transfer {
    /// Its bytes were moved.
    Copied {
        /// How many.
        bytes: u64,
    },
    /// The destination linked it from another of its repositories.
    Mounted,
    /// It was there before.
    Present,
}

/// How an image went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is at the destination, tags included.
    Done,
    /// Something of it could not be copied.
    Failed(Failure),
    /// It was left without its tags, because an image it needs is not there.
    Skipped {
        /// The image it needs.
        because: ImageId,
    },
}

impl Outcome {
    /// Names the image that a failure is told for: a blob that many share failed for only one.
    pub(crate) fn of(self, origin: &str) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.of(origin)),
            Self::Done | Self::Skipped { .. } => self,
        }
    }
}
