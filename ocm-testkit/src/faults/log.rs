use std::sync::{
    Arc,
    atomic::{AtomicU16, AtomicU64, Ordering},
};

use axum::extract::Request;
use http::{HeaderName, Method, StatusCode, header};

/// A request that came, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The method.
    pub method: Method,
    /// Path and query, as sent.
    pub path: String,
    /// What part was asked for.
    pub range: Option<String>,
    /// How the client said who it is; tests look for what must not be here.
    pub authorization: Option<String>,
    /// The answer; `None` where there was none, or is none yet.
    pub status: Option<StatusCode>,
    /// Bytes of the request's body that came.
    pub received: u64,
    /// Bytes of the answer's body that were sent.
    pub sent: u64,
}

/// The same, while it happens.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    head: Logged,
    status: Arc<AtomicU16>,
    pub(super) received: Arc<AtomicU64>,
    pub(super) sent: Arc<AtomicU64>,
}

impl Entry {
    pub(super) fn of(request: &Request) -> Self {
        let text = |name: HeaderName| {
            request
                .headers()
                .get(name)
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
        };
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let head = Logged {
            method: request.method().clone(),
            path,
            range: text(header::RANGE),
            authorization: text(header::AUTHORIZATION),
            status: None,
            received: 0,
            sent: 0,
        };
        Self { head, status: Arc::default(), received: Arc::default(), sent: Arc::default() }
    }

    pub(super) fn head(&self) -> &Logged {
        &self.head
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Ordering::Relaxed);
    }

    pub(super) fn so_far(&self) -> Logged {
        Logged {
            status: StatusCode::from_u16(self.status.load(Ordering::Relaxed)).ok(),
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            ..self.head.clone()
        }
    }
}
