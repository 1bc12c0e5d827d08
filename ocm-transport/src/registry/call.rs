use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{
    answer::Answer,
    failure::{Failure, RequestLine},
    scope::Scope,
    url::Location,
};
use crate::limit::Permit;

/// A request to a registry.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) scope: Scope,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// Below the registry's address.
    Path(String),
    /// Where the registry said.
    At(Location),
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) request: RequestLine,
    pub(crate) response: Response,
    pub(crate) permit: Permit,
    pub(crate) deadline: Deadline,
}

/// Until when something has to be done, and how long that was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    allowed: Duration,
}

/// Which kind of request it is, for permits and patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    Metadata,
    Read,
}

impl Call {
    pub(crate) fn new(method: Method, path: String, scope: Scope) -> Self {
        let target = Target::Path(path);
        Self { method, target, scope, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn at(method: Method, location: &Location, scope: Scope) -> Self {
        let target = Target::At(location.clone());
        Self { method, target, scope, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }
}

impl Opened {
    /// Reads the rest, within what is left of the time.
    pub(crate) async fn read(self, limit: usize) -> Result<Answer, Failure> {
        let Self { request, response, permit: _held, deadline } = self;
        deadline.bound(&request, Answer::read(request.clone(), response, limit)).await
    }
}

impl Deadline {
    pub(crate) fn after(allowed: Duration) -> Self {
        Self { at: Instant::now() + allowed, allowed }
    }

    pub(crate) async fn bound<T>(
        self,
        request: &RequestLine,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = |_elapsed| Err(Failure::stall(request, self.allowed));
        timeout_at(self.at, work).await.unwrap_or_else(late)
    }
}
