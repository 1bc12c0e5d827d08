use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, AUTHORIZATION},
};
use ocm_oci::Host;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    answer::Answer,
    authority::Authority,
    challenge::Challenge,
    failure::{Failure, RequestLine},
    flight::Flight,
    scope::Scope,
    token::{self, TOKEN_LIMIT, Token, TokenRequest},
    url::{Location, Scheme, base, host_of, is_same_place},
    wire::{Line, Wire},
};
use crate::{
    Kind, Login, Retry,
    credentials::bearer_header,
    limit::{Permit, Permits},
};

/// Most bytes of the answer to the first request; it says nothing.
const PING_LIMIT: usize = 64 << 10;

/// One registry: how it is reached, and what it wants to be shown.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: Host,
    pub(crate) wire: Arc<Wire>,
    pub(crate) permits: Permits,
    reached: Flight<Reached, Failure>,
    authority: Authority,
}

/// How a registry is reached, found out once.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) base: Url,
    line: Line,
}

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
    deadline: Deadline,
}

/// Until when something has to be done, and how long that was.
#[derive(Debug, Clone, Copy)]
struct Deadline {
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

    pub(crate) fn with_header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    pub(crate) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }
}

impl Endpoint {
    pub(crate) fn new(host: Host, wire: Arc<Wire>) -> Self {
        let permits = Permits::new(wire.options.limits);
        let (reached, authority) = (Flight::default(), Authority::default());
        Self { host, wire, permits, reached, authority }
    }

    /// Sends `call` and reads at most `limit` bytes of a successful answer.
    pub(crate) async fn ask(&self, call: &Call, limit: usize) -> Result<Answer, Failure> {
        let opened = self.open(call, Traffic::Metadata).await?;
        let Opened { request, response, permit: _held, deadline } = opened;
        let read = Answer::read(request.clone(), response, limit);
        deadline.bound(&request, read).await
    }

    /// Sends `call`; once more, where the registry says that something else has to be shown.
    pub(crate) async fn open(&self, call: &Call, traffic: Traffic) -> Result<Opened, Failure> {
        let reached = self.reach().await?;
        let shown = self.authorization(&reached, call).await?;
        let opened = self.send(&reached, call, shown.as_ref(), traffic).await?;
        if opened.response.status() != StatusCode::UNAUTHORIZED
            || !is_same_place(opened.response.url(), &reached.base)
            || !self.learn(opened.response.headers(), &reached, call, shown.as_ref())
        {
            return Ok(opened);
        }
        drop(opened);
        let other = self.authorization(&reached, call).await?;
        self.send(&reached, call, other.as_ref(), traffic).await
    }

    /// Finds out how the registry is reached: one request for everyone who waits.
    pub(crate) async fn reach(&self) -> Result<Reached, Failure> {
        self.reached.get(|_| true, self.connect()).await
    }

    /// Returns what to show for a request to the registry itself; nothing to anybody else.
    pub(crate) async fn authorization(
        &self,
        reached: &Reached,
        call: &Call,
    ) -> Result<Option<HeaderValue>, Failure> {
        if matches!(&call.target, Target::At(location) if !location.is_home) {
            return Ok(None);
        }
        let Some(challenge) = self.authority.challenge() else { return Ok(None) };
        let login = self.login(&call.scope).await?;
        let header = match (&challenge, &login) {
            (_, Some(Login::Registry { token })) => bearer_header(token),
            (Challenge::Basic, _) => login.as_ref().and_then(Login::basic_header),
            (Challenge::Bearer { realm, service, .. }, _) => {
                let slot = self.authority.slot(&call.scope);
                let scopes = slot.scopes(&call.scope);
                let request = TokenRequest::new(realm, service.as_deref(), &scopes, login.as_ref());
                let fetch = self.fetch_token(request, &scopes, login.is_some());
                return slot.token(fetch).await.map(|token| Some(token.header));
            }
        };
        if header.is_some() && reached.base.scheme() == "http" {
            self.wire.note_in_clear(&self.host);
        }
        Ok(header)
    }

    /// Builds the request itself.
    pub(crate) async fn request(
        &self,
        reached: &Reached,
        call: &Call,
        shown: Option<&HeaderValue>,
    ) -> Result<(RequestLine, Line, reqwest::RequestBuilder), Failure> {
        let (url, line) = match &call.target {
            Target::Path(path) => (reached.at(path), reached.line.clone()),
            Target::At(location) if location.is_home => {
                (location.url.clone(), reached.line.clone())
            }
            Target::At(location) => {
                let line = self.wire.line(host_of(&location.url).as_ref()).await?;
                (location.url.clone(), line)
            }
        };
        let request = RequestLine::new(&call.method, &url);
        let mut builder = line
            .http
            .request(call.method.clone(), url)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .headers(call.headers.clone());
        if let Some(shown) = shown {
            builder = builder.header(AUTHORIZATION, shown.clone());
        }
        Ok((request, line, builder))
    }

    /// Takes in a 401; says whether to try again.
    pub(crate) fn learn(
        &self,
        headers: &HeaderMap,
        reached: &Reached,
        call: &Call,
        shown: Option<&HeaderValue>,
    ) -> bool {
        self.authority.learn(headers, &reached.base, &call.scope, shown)
    }

    async fn send(
        &self,
        reached: &Reached,
        call: &Call,
        shown: Option<&HeaderValue>,
        traffic: Traffic,
    ) -> Result<Opened, Failure> {
        let (request, line, builder) = self.request(reached, call, shown).await?;
        let (permit, patience) = match traffic {
            Traffic::Metadata => (self.permits.metadata().await, self.patience()),
            Traffic::Read => (self.permits.read().await, self.wire.options.stall_timeout),
        };
        let deadline = Deadline::after(patience);
        let sent = async {
            let sent = builder.body(call.body.clone()).send().await;
            sent.map_err(|error| line.explain(Failure::of_request(&request, error)))
        };
        let response = deadline.bound(&request, sent).await?;
        Ok(Opened { request, response, permit, deadline })
    }

    async fn connect(&self) -> Result<Reached, Failure> {
        let line = self.wire.line(Some(&self.host)).await?;
        match self.ping(Scheme::Https, &line).await {
            Err(failure) if !self.wire.is_strict() && may_be_plain(&failure) => {
                // Without an answer, plain HTTP says less than HTTPS about why.
                let plain = self.ping(Scheme::Http, &line).await;
                plain.map_err(|plain| if plain.status().is_some() { plain } else { failure })
            }
            reached => reached,
        }
    }

    /// Asks for nothing, to see how the registry answers.
    async fn ping(&self, scheme: Scheme, line: &Line) -> Result<Reached, Failure> {
        let base = base(scheme, &self.host)
            .map_err(|error| Failure::new(Kind::Unreachable, Retry::Never, error))?;
        let reached = Reached { base, line: line.clone() };
        let call = Call::new(Method::GET, "v2/".to_owned(), Scope::presence(None));
        let opened = self.send(&reached, &call, None, Traffic::Metadata).await?;
        let Opened { request, response, permit: _held, deadline } = opened;
        let read = Answer::read(request.clone(), response, PING_LIMIT);
        let answer = deadline.bound(&request, read).await?;
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(answer.failure());
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.learn(&answer.headers, &reached, &call, None);
        }
        Ok(reached)
    }

    async fn fetch_token(
        &self,
        asked: TokenRequest,
        scopes: &[String],
        has_login: bool,
    ) -> Result<Token, Failure> {
        let request = RequestLine::new(&asked.method, &asked.url);
        let attempt = || match scopes.join(" ") {
            scopes if scopes.is_empty() => "could not get a token".to_owned(),
            scopes => format!("could not get a token for `{scopes}`"),
        };
        if asked.url.scheme() == "http" {
            if self.wire.is_strict() {
                let failure = Failure::odd(&request, "could be read by anyone: it is plain HTTP");
                return Err(failure.of_kind(Kind::Tls).within(attempt()));
            }
            if has_login {
                self.wire.note_in_clear(&self.host);
            }
        }
        let line = self.wire.line(host_of(&asked.url).as_ref()).await?;
        let _held = self.permits.metadata().await;
        let now = Instant::now();
        let sent = async {
            let builder = line.http.request(asked.method, asked.url).headers(asked.headers);
            let response = builder.body(asked.body).send().await;
            let response =
                response.map_err(|error| line.explain(Failure::of_request(&request, error)))?;
            token::read(Answer::read(request.clone(), response, TOKEN_LIMIT).await?, now)
        };
        let token = Deadline::after(self.patience()).bound(&request, sent).await;
        token.map_err(|failure| failure.within(attempt()))
    }

    async fn login(&self, scope: &Scope) -> Result<Option<Login>, Failure> {
        let login = self.wire.options.credentials.lookup(&self.host, scope.repository()).await;
        login.map_err(|error| Failure::new(Kind::Auth, Retry::Never, error))
    }

    fn patience(&self) -> Duration {
        self.wire.options.request_timeout
    }
}

impl Deadline {
    fn after(allowed: Duration) -> Self {
        Self { at: Instant::now() + allowed, allowed }
    }

    async fn bound<T>(
        self,
        request: &RequestLine,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let late = |_elapsed| Err(Failure::stall(request, self.allowed));
        timeout_at(self.at, work).await.unwrap_or_else(late)
    }
}

impl Reached {
    fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
        url.set_path(path);
        url.set_query(query);
        url
    }
}

/// Whether what failed as HTTPS may be plain HTTP.
fn may_be_plain(failure: &Failure) -> bool {
    matches!(failure.kind(), Kind::Tls | Kind::Unreachable | Kind::Reset)
}
