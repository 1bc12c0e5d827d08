use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ocm_oci::Host;
use reqwest::redirect::{Action, Attempt, Policy};
use url::Url;

use super::{
    client::{ClientError, ClientOptions},
    failure::{Failure, InsecureRedirect, RequestLine, tls_error},
    tls::{Trust, Verify},
    url::redacted,
};
use crate::{Kind, Retry};

/// How long a connection may take, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an idle connection is kept: less than servers and balancers do, of which many have 60
/// seconds, since a blob that is sent into one that is just being closed has to be read again.
const IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// Most redirects that are followed for one request; a registry needs one or two.
const REDIRECT_LIMIT: usize = 10;

/// What all registries of a client share: settings, and pools of connections.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) options: ClientOptions,
    trust: Trust,
    proxy: Option<reqwest::Proxy>,
    /// By the directory of certificates that applies, as nothing else distinguishes them.
    lines: Mutex<BTreeMap<Option<PathBuf>, Line>>,
    /// Registries that were shown credentials over plain HTTP.
    in_clear: Mutex<BTreeSet<Host>>,
}

/// A pool of connections that are secured in the same way.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) http: reqwest::Client,
    /// Whether no certificate authority is known at all.
    is_blind: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("HTTP client could not be set up")]
struct Setup(#[source] reqwest::Error);

#[derive(Debug, thiserror::Error)]
#[error("setting up connections was cut short")]
struct CutShort(#[source] tokio::task::JoinError);

impl Wire {
    pub(crate) fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let trust = Trust::new(&options.tls)?;
        let proxy = options.proxies.compile()?;
        Ok(Self { options, trust, proxy, lines: Mutex::default(), in_clear: Mutex::default() })
    }

    /// Whether only proven HTTPS will do.
    pub(crate) fn is_strict(&self) -> bool {
        self.options.tls.verify == Verify::Always
    }

    /// Returns the connections to use for `host`.
    pub(crate) async fn line(self: &Arc<Self>, host: Option<&Host>) -> Result<Line, Failure> {
        let dir = host.and_then(|host| self.trust.directory_of(host));
        if let Some(line) = self.lines().get(&dir) {
            return Ok(line.clone());
        }
        let wire = Arc::clone(self);
        // Reads files, among them all authorities of the system.
        let built = tokio::task::spawn_blocking(move || {
            let line = wire.build(dir.as_deref())?;
            Ok(wire.lines().entry(dir).or_insert(line).clone())
        });
        let cut_short = |error| Failure::new(Kind::Tls, Retry::Again, CutShort(error));
        built.await.map_err(cut_short)?
    }

    pub(crate) fn note_in_clear(&self, host: &Host) {
        self.in_clear.lock().unwrap_or_else(PoisonError::into_inner).insert(host.clone());
    }

    pub(crate) fn was_in_clear(&self, host: &Host) -> bool {
        self.in_clear.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, BTreeMap<Option<PathBuf>, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, dir: Option<&Path>) -> Result<Line, Failure> {
        let unusable = |error| Failure::new(Kind::Tls, Retry::Never, error);
        let (tls, is_blind) = self.trust.config(dir).map_err(unusable)?;
        let is_strict = self.is_strict();
        // One connection of HTTP/2 has one window and moves 16 KiB at a time: several of HTTP/1.1
        // are twice as fast. No decompression is compiled in: a blob is what it hashes to.
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .no_proxy()
            .referer(false)
            .redirect(Policy::custom(move |attempt| follow(attempt, is_strict)))
            .user_agent(&self.options.user_agent)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(self.options.limits.connections());
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        }
        let failed = |error| Failure::new(Kind::Refused, Retry::Never, Setup(error));
        Ok(Line { http: builder.build().map_err(failed)?, is_blind })
    }
}

impl Line {
    /// Says why no answer came; in plain words, where that is about trust.
    pub(crate) fn failure(&self, request: &RequestLine, error: reqwest::Error) -> Failure {
        let explained = match tls_error(&error) {
            Some(rustls::Error::InvalidMessage(_)) => {
                Some("what answers there does not speak TLS, but plain HTTP perhaps")
            }
            Some(rustls::Error::InvalidCertificate(_)) if self.is_blind => {
                Some("no certificate authority is known on this machine")
            }
            _ => None,
        };
        let failure = Failure::of_request(request, error);
        match explained {
            Some(explained) => failure.within(explained),
            None => failure,
        }
    }
}

/// Credentials are not sent along to another host: reqwest sees to that.
fn follow(attempt: Attempt<'_>, is_strict: bool) -> Action {
    let is_secure = |url: &Url| url.scheme() == "https";
    if attempt.previous().len() > REDIRECT_LIMIT {
        return attempt.error("too many redirects");
    }
    if is_strict && !is_secure(attempt.url()) && attempt.previous().last().is_some_and(is_secure) {
        let to = redacted(attempt.url());
        return attempt.error(InsecureRedirect { to });
    }
    attempt.follow()
}
