use std::{fmt, time::Duration};

use axum::body::Body;
use http::{HeaderName, StatusCode, header};
use ocm_transport::{Kind, Operation, Retry, TransportError, Verb};
use serde::Serialize;

use crate::reply::Reply;

/// The codes of the specification.
///
/// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    Unsupported,
    /// Not of the specification, which has none for a fault of the server's; docker's name.
    Unknown,
}

/// Why a request is not answered as asked, in the words of the specification.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    message: String,
    detail: Option<serde_json::Value>,
    headers: Vec<(HeaderName, String)>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    errors: [Entry<'a>; 1],
}

#[derive(Serialize)]
struct Entry<'a> {
    code: Code,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a serde_json::Value>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: Code, message: impl fmt::Display) -> Self {
        let (message, headers) = (message.to_string(), Vec::new());
        Self { status, code, message, detail: None, headers }
    }

    /// The request cannot be meant as it stands.
    pub(crate) fn bad(code: Code, message: &(impl fmt::Display + ?Sized)) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// What is asked for is not here.
    pub(crate) fn unknown(code: Code, what: impl fmt::Display) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, format_args!("`{what}` is not here"))
    }

    pub(crate) fn no_such_path(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::Unsupported, format_args!("no path `{path}`"))
    }

    /// A verb that is not for this path, or not in this place.
    pub(crate) fn unsupported(message: impl fmt::Display) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported, message)
    }

    /// Says in the place's name what went wrong there; `missing` is the code for what is not there.
    pub(crate) fn of(error: &TransportError, missing: Code) -> Self {
        let (status, code) = match error.kind() {
            Kind::NotFound => (StatusCode::NOT_FOUND, missing),
            Kind::Auth => (StatusCode::FORBIDDEN, Code::Denied),
            Kind::Incomplete => (StatusCode::NOT_FOUND, Code::ManifestBlobUnknown),
            Kind::Unsupported => (StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported),
            Kind::Full => (StatusCode::INSUFFICIENT_STORAGE, Code::Unknown),
            Kind::Stall => (StatusCode::GATEWAY_TIMEOUT, Code::Unknown),
            Kind::Reset | Kind::Tls | Kind::Unreachable => (StatusCode::BAD_GATEWAY, Code::Unknown),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown),
        };
        let problem = Self::new(status, code, summary(error));
        match error.retry() {
            Retry::Throttled(wait) => problem.throttled(wait),
            Retry::After(wait) => problem.retry_after(wait),
            Retry::Never | Retry::Again => problem,
        }
    }

    pub(crate) fn with_status(self, status: StatusCode, code: Code) -> Self {
        Self { status, code, ..self }
    }

    pub(crate) fn with_detail(self, detail: serde_json::Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl fmt::Display) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        // Rounded up: who comes a moment early is sent away again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, seconds)
    }

    fn throttled(self, wait: Option<Duration>) -> Self {
        let problem = self.with_status(StatusCode::TOO_MANY_REQUESTS, Code::TooManyRequests);
        match wait {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn into_reply(self) -> Reply {
        let Self { status, code, message, detail, headers } = self;
        let entry = Entry { code, message: &message, detail: detail.as_ref() };
        let json = serde_json::to_vec(&Envelope { errors: [entry] }).unwrap_or_default();
        let reply = headers
            .into_iter()
            .fold(Reply::new(status), |reply, (name, value)| reply.header(name, value));
        reply.header(header::CONTENT_TYPE, "application/json").body(Body::from(json))
    }
}

/// Says what failed, and of what kind that is: places and causes name files and hosts of this
/// side, which are nobody's business who asks over HTTP.
fn summary(error: &TransportError) -> String {
    let Operation { verb, reference, place: _ } = error.operation();
    let verb = match verb {
        Verb::LookUp => "look up",
        Verb::Fetch => "fetch",
        Verb::Push => "store",
        Verb::Delete => "delete",
        _ => "serve",
    };
    let why = match error.kind() {
        Kind::NotFound => "it is not here",
        Kind::Auth => "the place below does not allow it",
        Kind::Refused => "the place below refused it",
        Kind::Reset => "the connection to the place below broke",
        Kind::Stall => "the place below made no progress",
        Kind::Tls => "no trusted connection could be made to the place below",
        Kind::Corrupt => "the bytes are not those promised",
        Kind::Full => "there is no room left",
        Kind::Unreachable => "the place below cannot be reached",
        Kind::Incomplete => "something that it names is not here",
        Kind::Unsupported => "the place below does not do that",
        _ => "the place below failed",
    };
    format!("could not {verb} `{reference}`: {why}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn nobody_is_told_where_files_are() {
        let operation = Operation {
            place: "layout `/srv/secret`".to_owned(),
            verb: Verb::Fetch,
            reference: "a/b@sha256:1".to_owned(),
        };
        let error = TransportError::new(operation, Kind::Refused, Retry::Never)
            .caused_by(io::Error::other("`/srv/secret/index.json` is unreadable"));
        let Problem { message, .. } = Problem::of(&error, Code::BlobUnknown);
        assert_eq!(message, "could not fetch `a/b@sha256:1`: the place below refused it");
    }
}
