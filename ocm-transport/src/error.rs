use std::{error::Error as StdError, fmt, time::Duration};

use ocm_oci::Digest;
use serde::{Deserialize, Serialize};

/// Why a transport could not do what was asked.
///
/// `Display` says what was attempted on what, and never the cause: that is in `source()`, so that
/// a printed chain says each thing once. What a caller does next is in [`kind`](Self::kind) and
/// [`retry`](Self::retry); nobody reads the text.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation}")]
pub struct TransportError {
    operation: Operation,
    kind: Kind,
    retry: Retry,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What was being done: which side, what to, and the verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The place, as its `Display` names it; never carries credentials.
    pub place: String,
    /// The verb.
    pub verb: Verb,
    /// The tag, digest or repository.
    pub reference: String,
}

/// What can be done to content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// Ask whether it exists.
    LookUp,
    /// Read it.
    Fetch,
    /// Write it.
    Push,
    /// Remove it.
    Delete,
}

/// What went wrong, as far as a caller acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// It is not there.
    NotFound,
    /// Credentials are missing or insufficient.
    Auth,
    /// The place understood and said no.
    Refused,
    /// The connection broke.
    Reset,
    /// No byte came for too long.
    Stall,
    /// No trusted connection could be made.
    Tls,
    /// The bytes are not those promised.
    Corrupt,
    /// There is no room left.
    Full,
    /// No connection could be made: the name is unknown, or nobody listens.
    Unreachable,
    /// A manifest was refused because the place lacks something that it names.
    Incomplete,
    /// The place cannot be written, or does not do what is asked at all.
    Unsupported,
}

/// Whether to try again, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request will fail again.
    Never,
    /// At once, or at any time.
    Again,
    /// Not before this has passed.
    After(Duration),
    /// The place asks everybody to slow down; not before this has passed, where it says so.
    Throttled(Option<Duration>),
}

/// How received content differs from what was promised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("received {received} bytes hashing to {actual}, not {expected}")]
pub struct Mismatch {
    /// Digest promised.
    pub expected: Digest,
    /// Digest of what arrived.
    pub actual: Digest,
    /// Bytes that arrived.
    pub received: u64,
}

/// A file of ours no longer holds what was put there; reading it again helps nobody.
#[derive(Debug, thiserror::Error)]
#[error("{files} was altered or damaged: copy this file again from where it was written")]
pub(crate) struct Altered {
    /// The file, or those of which it is one.
    pub(crate) files: String,
    pub(crate) source: Mismatch,
}

impl TransportError {
    /// Makes an error without a cause beneath it.
    pub fn new(operation: Operation, kind: Kind, retry: Retry) -> Self {
        Self { operation, kind, retry, source: None }
    }

    /// Adds what caused it.
    #[must_use]
    pub fn caused_by(self, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { source: Some(Box::new(source)), ..self }
    }

    /// Returns what was being done.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns whether and when the same request may succeed.
    pub fn retry(&self) -> Retry {
        self.retry
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, preposition) = match self.verb {
            Verb::LookUp => ("look up", "in"),
            Verb::Fetch => ("fetch", "from"),
            Verb::Push => ("push", "to"),
            Verb::Delete => ("delete", "from"),
        };
        write!(f, "{verb} `{}` {preposition} {}", self.reference, self.place)
    }
}
