use std::{
    future::pending,
    io, mem,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use futures::StreamExt as _;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use ocm_oci::Host;
use ocm_registry::{ServerError, ServerOptions};
use ocm_transport::Transport;

use super::{
    Fault, Logged, Rule,
    log::Entry,
    tap::{Meddling, Tap},
};
use crate::Loopback;

/// Rules to misbehave by, and a log of what came. Clones share both.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// Each with the count of requests it was for.
    rules: Vec<(Rule, usize)>,
    log: Vec<Entry>,
}

/// A registry on loopback that misbehaves as its [`Faults`] say: at first, not at all.
#[derive(Debug)]
pub struct FaultRegistry {
    faults: Faults,
    loopback: Loopback,
}

impl FaultRegistry {
    /// Serves `place`. What a test wants to look at afterwards, it keeps a clone of.
    ///
    /// # Errors
    ///
    /// As [`Loopback::serve`].
    pub async fn serve(place: Arc<dyn Transport>) -> Result<Self, ServerError> {
        let (faults, options) = (Faults::default(), ServerOptions::default());
        let front = |router| faults.in_front_of(router);
        let loopback = Loopback::serve_with(place, options, front).await?;
        Ok(Self { faults, loopback })
    }

    /// Returns its rules and its log.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Returns where it listens.
    pub fn loopback(&self) -> &Loopback {
        &self.loopback
    }

    /// Returns the host that references to its images begin with.
    pub fn host(&self) -> Host {
        self.loopback.host()
    }
}

impl Faults {
    /// Adds a rule. Of several that are for one request, the first befalls it.
    pub fn add(&self, rule: Rule) {
        self.with(|shared| shared.rules.push((rule, 0)));
    }

    /// Forgets all rules.
    pub fn clear(&self) {
        self.with(|shared| shared.rules.clear());
    }

    /// Returns every request so far, in the order they came.
    pub fn log(&self) -> Vec<Logged> {
        self.with(|shared| shared.log.iter().map(Entry::so_far).collect())
    }

    /// Returns the log and begins a new one.
    pub fn take_log(&self) -> Vec<Logged> {
        self.with(|shared| mem::take(&mut shared.log)).iter().map(Entry::so_far).collect()
    }

    /// Returns how many requests of this method had `part` in path or query.
    pub fn count(&self, method: &Method, part: &str) -> usize {
        let is_one = |one: &&Entry| one.head().method == *method && one.head().path.contains(part);
        self.with(|shared| shared.log.iter().filter(is_one).count())
    }

    /// Puts the rules and the log in front of `router`.
    pub fn in_front_of(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(self.clone(), meddle))
    }

    /// Logs a request; returns the fault that befalls it.
    fn arrive(&self, request: &Request) -> (Entry, Option<Fault>) {
        let entry = Entry::of(request);
        let fault = self.with(|shared| {
            shared.log.push(entry.clone());
            let (method, path) = (&entry.head().method, &entry.head().path);
            // Every rule counts the requests it is for, whichever befalls them.
            let turns = shared.rules.iter_mut().filter(|(rule, _)| rule.is_for(method, path));
            let due: Vec<Fault> = turns
                .filter_map(|(rule, seen)| {
                    *seen += 1;
                    rule.befalls(*seen - 1).then(|| rule.fault.clone())
                })
                .collect();
            due.into_iter().next()
        });
        (entry, fault)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn meddle(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let (entry, fault) = faults.arrive(&request);
    let cut = match fault {
        Some(Fault::ResetUpload { after }) => Meddling::Cut(after),
        _ => Meddling::None,
    };
    let request = request.map(|body| Tap::on(body, &entry.received, cut));
    let response = answer(fault, request, next, &entry.sent).await;
    match response {
        Some(response) => {
            entry.answered(response.status());
            response
        }
        None => reset(),
    }
}

/// Answers a request as its fault has it; `None` where there is no answer.
async fn answer(
    fault: Option<Fault>,
    request: Request,
    next: Next,
    sent: &Arc<AtomicU64>,
) -> Option<Response> {
    let is_push = request.method() == Method::PUT;
    let mut response = match &fault {
        Some(Fault::Answer { status, headers }) => refuse(*status, headers, request).await,
        Some(Fault::Hang) => pending().await,
        Some(Fault::Reset) => return None,
        Some(Fault::ResetUpload { .. }) => {
            // The registry learns that the body broke off; the client must not learn more.
            drop(next.run(request).await);
            return None;
        }
        Some(Fault::IgnoreRange) => next.run(without(request, &header::RANGE)).await,
        Some(Fault::DeclineMount) => next.run(without_mount(request)).await,
        _ => next.run(request).await,
    };
    let is_sparse = is_push && response.status() == StatusCode::NOT_FOUND;
    let meddling = match fault {
        Some(Fault::Truncate { after }) => Meddling::Cut(after),
        Some(Fault::Stall { after }) => Meddling::Stall(after),
        Some(Fault::Corrupt) => Meddling::Corrupt,
        Some(Fault::RefuseSparseIndex) if is_sparse => {
            *response.status_mut() = StatusCode::BAD_REQUEST;
            Meddling::None
        }
        Some(Fault::Header { name, value }) => {
            set(&mut response, HeaderName::from_static(name), &value);
            Meddling::None
        }
        _ => Meddling::None,
    };
    Some(response.map(|body| Tap::on(body, sent, meddling)))
}

/// An answer that fails before its head has left: the server can only close the connection.
fn reset() -> Response {
    let error = || io::Error::new(io::ErrorKind::ConnectionReset, "reset on demand");
    Response::new(Body::from_stream(futures::stream::iter([Err::<&[u8], _>(error())])))
}

/// Answers with an error. The request is read first: a client that is still sending might
/// otherwise see its connection break, and not the answer.
async fn refuse(status: StatusCode, headers: &[(String, String)], request: Request) -> Response {
    let mut body = request.into_body().into_data_stream();
    while body.next().await.is_some_and(|part| part.is_ok()) {}
    let code = match status.as_u16() {
        401 => "UNAUTHORIZED",
        403 => "DENIED",
        404 => "NAME_UNKNOWN",
        405 => "UNSUPPORTED",
        429 => "TOOMANYREQUESTS",
        _ => "UNKNOWN",
    };
    let text = format!(r#"{{"errors":[{{"code":"{code}","message":"refused on demand"}}]}}"#);
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    set(&mut response, header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        if let Ok(name) = name.parse() {
            set(&mut response, name, value);
        }
    }
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn without(mut request: Request, name: &HeaderName) -> Request {
    request.headers_mut().remove(name);
    request
}

/// Leaves of a mount what asks for an upload.
fn without_mount(mut request: Request) -> Request {
    let is_mount = request.uri().query().is_some_and(|query| query.contains("mount="));
    let path: Option<Uri> = request.uri().path().parse().ok().filter(|_| is_mount);
    if let Some(path) = path {
        *request.uri_mut() = path;
    }
    request
}
