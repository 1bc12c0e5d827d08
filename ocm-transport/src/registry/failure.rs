use std::{error::Error as StdError, fmt, io, sync::Arc, time::Duration};

use http::{Method, StatusCode};
use url::Url;

use super::url::redacted;
use crate::{Kind, Operation, Retry, TransportError};

/// What becomes a [`TransportError`] once it is known what was being done: several operations may
/// wait for the one token or connection that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    kind: Kind,
    retry: Retry,
    status: Option<StatusCode>,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl Failure {
    pub(crate) fn new(
        kind: Kind,
        retry: Retry,
        cause: impl StdError + Send + Sync + 'static,
    ) -> Self {
        Self { kind, retry, status: None, cause: Arc::new(cause) }
    }

    /// The registry's answer breaks the protocol.
    pub(crate) fn odd(request: &RequestLine, what: impl Into<String>) -> Self {
        let cause = OddAnswer { request: request.clone(), what: what.into() };
        Self::new(Kind::Refused, Retry::Never, cause)
    }

    /// The registry's answer contradicts what it said it was.
    pub(crate) fn corrupt(request: &RequestLine, what: impl Into<String>) -> Self {
        let cause = OddAnswer { request: request.clone(), what: what.into() };
        Self::new(Kind::Corrupt, Retry::Again, cause)
    }

    /// Nothing moved for as long as was allowed.
    pub(crate) fn stall(request: &RequestLine, allowed: Duration) -> Self {
        let cause = Stalled { request: request.clone(), allowed };
        Self::new(Kind::Stall, Retry::Again, cause)
    }

    /// Something moved all the time, and was not done when it had to be. It would be no faster the
    /// next time.
    pub(crate) fn slow(request: &RequestLine, allowed: Duration) -> Self {
        let cause = Slow { request: request.clone(), allowed };
        Self::new(Kind::Stall, Retry::Never, cause)
    }

    /// No whole answer came.
    pub(crate) fn of_request(request: &RequestLine, error: reqwest::Error) -> Self {
        let (kind, retry) = classify(&error);
        let cause = NoAnswer { request: request.clone(), source: error.without_url() };
        Self::new(kind, retry, cause)
    }

    /// The registry's answer was no success.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.status
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn retry(&self) -> Retry {
        self.retry
    }

    /// Says the same of another kind.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    pub(crate) fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// Puts what was being attempted above the cause.
    pub(crate) fn within(self, attempt: impl Into<String>) -> Self {
        let cause = Within { attempt: attempt.into(), source: self.cause };
        Self { cause: Arc::new(cause), ..self }
    }

    pub(crate) fn during(self, operation: &Operation) -> TransportError {
        TransportError::new(operation.clone(), self.kind, self.retry).caused_by(self.cause)
    }
}

/// Method and address of a request, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestLine(Arc<str>);

impl RequestLine {
    pub(crate) fn new(method: &Method, url: &Url) -> Self {
        Self(format!("{method} {}", redacted(url)).into())
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("answer to {request} {what}")]
struct OddAnswer {
    request: RequestLine,
    what: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{request} made no progress for {allowed:?}")]
struct Stalled {
    request: RequestLine,
    allowed: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("{request} took longer than {allowed:?}")]
struct Slow {
    request: RequestLine,
    allowed: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("{attempt}")]
struct Within {
    attempt: String,
    source: Arc<dyn StdError + Send + Sync>,
}

/// Its source is the innermost error that tells more than that something failed: what reqwest and
/// hyper put around it says nothing that this does not.
#[derive(Debug)]
struct NoAnswer {
    request: RequestLine,
    source: reqwest::Error,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.request)
    }
}

impl StdError for NoAnswer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let root = causes(&self.source).last();
        Some(root.unwrap_or(&self.source))
    }
}

/// Walks from `error` to its innermost cause. An [`io::Error`] that only carries another error
/// hides it from `source()`, so it is opened.
pub(crate) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let carried = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        carried.map(|carried| carried as &(dyn StdError + 'static)).or_else(|| error.source())
    })
}

/// Finds what TLS says, if it is about that.
pub(crate) fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// Decides by the types in the chain, never by text.
pub(crate) fn classify(error: &reqwest::Error) -> (Kind, Retry) {
    if causes(error).any(<dyn StdError>::is::<InsecureRedirect>) {
        return (Kind::Tls, Retry::Never);
    }
    if let Some(tls) = tls_error(error) {
        return (Kind::Tls, retry_of_tls(tls));
    }
    if error.is_redirect() || error.is_builder() {
        (Kind::Refused, Retry::Never)
    } else if error.is_connect() {
        (Kind::Unreachable, Retry::Again)
    } else if error.is_timeout() {
        (Kind::Stall, Retry::Again)
    } else {
        (Kind::Reset, Retry::Again)
    }
}

/// A certificate stays what it is; a garbled record may have been an accident of the network.
fn retry_of_tls(error: &rustls::Error) -> Retry {
    match error {
        rustls::Error::DecryptError | rustls::Error::PeerSentOversizedRecord => Retry::Again,
        _ => Retry::Never,
    }
}

/// A redirect from HTTPS to plain HTTP, where that was not asked for.
#[derive(Debug, thiserror::Error)]
#[error("redirect from HTTPS to plain HTTP at {to}")]
pub(crate) struct InsecureRedirect {
    pub(crate) to: String,
}
