use http::{Method, StatusCode};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is read and answered with this; the registry never sees it.
    Answer {
        /// The status.
        status: StatusCode,
        /// Headers beside those of any error.
        headers: Vec<(String, String)>,
    },
    /// The body of the answer breaks off after so many bytes, and the connection with it.
    Truncate {
        /// Bytes that are sent.
        after: u64,
    },
    /// The body of the answer has the right length and wrong bytes.
    Corrupt,
    /// A range is answered with the whole.
    IgnoreRange,
    /// A mount opens an upload, as where the other repository has no such blob.
    DeclineMount,
    /// A manifest that names what is not there is answered 400, as docker's registry does.
    RefuseSparseIndex,
    /// The body of the answer stops coming after so many bytes, and the connection stays.
    Stall {
        /// Bytes that are sent.
        after: u64,
    },
    /// No answer ever comes.
    Hang,
    /// The connection is closed in place of an answer.
    Reset,
    /// The connection is closed after so many bytes of the request's body; what came is kept.
    ResetUpload {
        /// Bytes that are taken.
        after: u64,
    },
    /// The answer carries this header, in place of its own of that name.
    Header {
        /// The header's name, in lower case.
        name: &'static str,
        /// Its value.
        value: String,
    },
}

impl Fault {
    /// The answer is `status`, with an error that says so.
    pub fn status(status: StatusCode) -> Self {
        Self::Answer { status, headers: Vec::new() }
    }

    /// The answer is 429, with a `Retry-After` if given: seconds, or a date.
    pub fn throttle(retry_after: Option<&str>) -> Self {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        Self::Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers: headers.into_iter().collect(),
        }
    }

    /// The answer sends the client to another place, as registries do that keep blobs elsewhere.
    pub fn redirect(location: &str) -> Self {
        let headers = vec![("location".to_owned(), location.to_owned())];
        Self::Answer { status: StatusCode::TEMPORARY_REDIRECT, headers }
    }
}

/// Which requests a fault befalls: all, unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub(super) fault: Fault,
    method: Option<Method>,
    path: String,
    after: usize,
    times: usize,
}

impl Rule {
    /// Makes `fault` befall every request.
    pub fn new(fault: Fault) -> Self {
        Self { fault, method: None, path: String::new(), after: 0, times: usize::MAX }
    }

    /// Only requests of this method.
    #[must_use]
    pub fn on(self, method: Method) -> Self {
        Self { method: Some(method), ..self }
    }

    /// Only requests whose path and query have `part` in them.
    #[must_use]
    pub fn path(self, part: &str) -> Self {
        Self { path: part.to_owned(), ..self }
    }

    /// Not the first `count` of these requests.
    #[must_use]
    pub fn after(self, count: usize) -> Self {
        Self { after: count, ..self }
    }

    /// Only `count` of these requests, and then no more.
    #[must_use]
    pub fn times(self, count: usize) -> Self {
        Self { times: count, ..self }
    }

    /// Whether this is a request of those.
    pub(super) fn is_for(&self, method: &Method, path: &str) -> bool {
        self.method.as_ref().is_none_or(|one| one == method) && path.contains(&self.path)
    }

    /// Whether it is the turn of the `nth` of those requests, the first being 0.
    pub(super) fn befalls(&self, nth: usize) -> bool {
        nth.checked_sub(self.after).is_some_and(|nth| nth < self.times)
    }
}
