use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use http::{
    HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, AUTHORIZATION},
};
use ocm_oci::Host;
use tokio::sync::Mutex;
use url::Url;

use super::{
    answer::Answer,
    authority::Authority,
    call::{Call, Deadline, Opened, Target, Traffic},
    failure::{Failure, RequestLine},
    flight::Flight,
    scope::Scope,
    url::{Scheme, base, host_of, is_same_place},
    wire::{Line, Wire},
};
use crate::{Kind, Retry, limit::Permits};

/// Most bytes of an answer that says nothing: to the first request, or to a 401.
const PING_LIMIT: usize = 64 << 10;

/// One registry: how it is reached, and what it wants to be shown.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: Host,
    pub(crate) wire: Arc<Wire>,
    pub(crate) permits: Permits,
    pub(crate) authority: Authority,
    /// Whether it has said that it does not know the API of referrers.
    pub(crate) has_no_referrers: AtomicBool,
    /// Held by whoever writes a list of referrers.
    pub(crate) noting: Mutex<()>,
    reached: Flight<Reached, Failure>,
}

/// How a registry is reached, found out once.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) base: Url,
    line: Line,
}

impl Endpoint {
    pub(crate) fn new(host: Host, wire: Arc<Wire>) -> Self {
        let permits = Permits::new(wire.options.limits);
        let (reached, authority) = (Flight::default(), Authority::default());
        let has_no_referrers = AtomicBool::new(false);
        let noting = Mutex::default();
        Self { host, wire, permits, authority, has_no_referrers, noting, reached }
    }

    /// Sends `call` and reads at most `limit` bytes of a successful answer.
    pub(crate) async fn ask(&self, call: &Call, limit: usize) -> Result<Answer, Failure> {
        self.open(call, Traffic::Metadata).await?.read(limit).await
    }

    /// Sends `call`; once more, where the registry says that something else has to be shown.
    ///
    /// The token is there before the permit is asked for: fetching one takes a permit too.
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
        // Read to its end, the connection can be used again; what it says is of no interest.
        drop(opened.read(PING_LIMIT).await);
        let other = self.authorization(&reached, call).await?;
        self.send(&reached, call, other.as_ref(), traffic).await
    }

    /// Finds out how the registry is reached: one request for everyone who waits.
    pub(crate) async fn reach(&self) -> Result<Reached, Failure> {
        self.reached.get(|_| true, self.connect()).await
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
            sent.map_err(|error| line.failure(&request, error))
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
        let unusable = |error| Failure::new(Kind::Unreachable, Retry::Never, error);
        let base = base(scheme, &self.host).map_err(unusable)?;
        let reached = Reached { base, line: line.clone() };
        let call = Call::new(Method::GET, "v2/".to_owned(), Scope::presence(None));
        let opened = self.send(&reached, &call, None, Traffic::Metadata).await?;
        let answer = opened.read(PING_LIMIT).await?;
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(answer.failure());
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            self.learn(&answer.headers, &reached, &call, None);
        }
        Ok(reached)
    }

    pub(crate) fn patience(&self) -> Duration {
        self.wire.options.request_timeout
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
