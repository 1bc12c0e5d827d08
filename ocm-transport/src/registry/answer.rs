use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderName, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, RETRY_AFTER},
};
use oci_client::errors::{OciEnvelope, OciErrorCode};
use ocm_oci::{Digest, MediaType};
use reqwest::Response;
use tokio::time::timeout;
use url::Url;

use super::{
    date,
    failure::{Failure, RequestLine},
};
use crate::{Kind, Retry};

/// Most of an error's body that is read: enough for any envelope.
const ERROR_LIMIT: usize = 64 << 10;
/// Most characters of a registry's message that are passed on.
const MESSAGE_LIMIT: usize = 500;
/// How the details of an error of docker-registry end when its disk is full, and their number in
/// the form that some of its storage drivers use. There is no code for it.
const NO_SPACE: (&str, u64) = ("no space left on device", 28);

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) request: RequestLine,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Where the answer came from, after redirects.
    pub(crate) url: Url,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Reads at most `limit` bytes, whatever length was announced. The body of an error is cut
    /// there; that of a success fails.
    pub(crate) async fn read(
        request: RequestLine,
        response: Response,
        limit: usize,
    ) -> Result<Self, Failure> {
        Self::read_steadily(request, response, limit, Duration::MAX).await
    }

    /// Reads the same; fails where nothing comes for as long as `stall`.
    pub(crate) async fn read_steadily(
        request: RequestLine,
        mut response: Response,
        limit: usize,
        stall: Duration,
    ) -> Result<Self, Failure> {
        let (status, url) = (response.status(), response.url().clone());
        let headers = std::mem::take(response.headers_mut());
        let (mut body, is_error) = (BytesMut::new(), !status.is_success());
        let limit = if is_error { ERROR_LIMIT } else { limit };
        loop {
            let Ok(chunk) = timeout(stall, response.chunk()).await else {
                return Err(Failure::stall(&request, stall));
            };
            match chunk {
                Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= limit => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) if is_error => break,
                Ok(Some(_)) => {
                    return Err(Failure::odd(&request, format!("exceeds {limit} bytes")));
                }
                Ok(None) => break,
                // The status says enough.
                Err(_lost) if is_error => break,
                Err(error) => return Err(Failure::of_request(&request, error)),
            }
        }
        Ok(Self { request, status, headers, url, body: body.freeze() })
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        text(&self.headers, name)
    }

    /// Returns the digest the registry claims, where it does so readably.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.header(&DOCKER_CONTENT_DIGEST)?.trim().parse().ok()
    }

    /// Returns the media type without parameters.
    pub(crate) fn media_type(&self) -> Option<MediaType> {
        let text = self.header(&CONTENT_TYPE)?;
        let name = text.split_once(';').map_or(text, |(name, _parameters)| name).trim();
        (!name.is_empty()).then(|| MediaType::from(name.to_ascii_lowercase()))
    }

    /// Returns the length that was announced: for answers to HEAD, which have no body.
    pub(crate) fn length(&self) -> Option<u64> {
        self.header(&CONTENT_LENGTH)?.trim().parse().ok()
    }

    /// Passes success on; makes a failure of anything else.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        if self.status.is_success() { Ok(self) } else { Err(self.failure()) }
    }

    /// Says what a caller can do about it.
    pub(crate) fn failure(&self) -> Failure {
        let refusal = self.refusal();
        let (kind, retry) = self.consequence(&refusal);
        Failure::new(kind, retry, refusal).with_status(self.status)
    }

    /// Whether one of the registry's error codes is `code`.
    pub(crate) fn says(&self, code: &OciErrorCode) -> bool {
        self.envelope().is_some_and(|envelope| envelope.errors.iter().any(|e| e.code == *code))
    }

    fn envelope(&self) -> Option<OciEnvelope> {
        serde_json::from_slice(&self.body).ok()
    }

    fn consequence(&self, refusal: &Refusal) -> (Kind, Retry) {
        let wait = self.retry_after();
        match self.status.as_u16() {
            _ if refusal.is_full => (Kind::Full, Retry::Never),
            429 => (Kind::Refused, Retry::Throttled(wait)),
            _ if self.says(&OciErrorCode::Toomanyrequests) => {
                (Kind::Refused, Retry::Throttled(wait))
            }
            401 | 403 => (Kind::Auth, Retry::Never),
            404 => (Kind::NotFound, Retry::Never),
            405 | 501 => (Kind::Unsupported, Retry::Never),
            _ if self.says(&OciErrorCode::Unsupported) => (Kind::Unsupported, Retry::Never),
            408 => (Kind::Stall, Retry::Again),
            503 => (Kind::Refused, wait.map_or(Retry::Again, Retry::After)),
            500 | 502 | 504 | 520..=529 => (Kind::Refused, Retry::Again),
            _ if self.says(&OciErrorCode::DigestInvalid) => (Kind::Corrupt, Retry::Again),
            _ if self.says(&OciErrorCode::BlobUploadInvalid) => (Kind::Reset, Retry::Again),
            507 => (Kind::Full, Retry::Never),
            _ => (Kind::Refused, Retry::Never),
        }
    }

    /// Reads seconds, or a date that the answer's own `Date` gives a meaning to.
    fn retry_after(&self) -> Option<Duration> {
        let text = self.header(&RETRY_AFTER)?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let wait = date::http(text)?.saturating_sub(date::http(self.header(&DATE)?)?);
        Some(Duration::from_secs(wait.try_into().unwrap_or(0)))
    }

    fn refusal(&self) -> Refusal {
        let (mut said, mut is_full) = (Vec::new(), false);
        if let Some(envelope) = self.envelope() {
            for error in envelope.errors {
                is_full |= has_no_space(&error.detail);
                let code = serde_json::to_value(&error.code).unwrap_or_default();
                let code = code.as_str().unwrap_or("UNKNOWN").to_owned();
                let detail = error.detail.as_str().unwrap_or_default();
                let parts = [code.as_str(), &error.message, detail];
                let parts = parts.into_iter().filter(|part| !part.is_empty());
                said.push(parts.collect::<Vec<_>>().join(": "));
            }
        } else if let Some(message) = self.message() {
            said.push(message);
        }
        let said = printable(&said.join("; "));
        Refusal { request: self.request.clone(), status: self.status, said, is_full }
    }

    /// Finds what was meant for people in an answer that is no envelope: token servers and
    /// proxies have their own forms. Pages of HTML are left out.
    fn message(&self) -> Option<String> {
        let json: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        if let Some(json) = json {
            let names = ["error_description", "details", "detail", "message", "error"];
            return names.iter().find_map(|name| json.get(name)?.as_str().map(str::to_owned));
        }
        let is_text = self.header(&CONTENT_TYPE).is_none_or(|it| it.starts_with("text/plain"));
        let body = str::from_utf8(&self.body).ok().filter(|_| is_text)?;
        body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
    }
}

/// Header with the digest of what was asked for or stored.
pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName =
    HeaderName::from_static("docker-content-digest");

/// Returns a header's text, where it has some.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A status that is no success, and what the registry said with it.
#[derive(Debug, thiserror::Error)]
#[error("{request} was answered with {status}{}{said}", if said.is_empty() { "" } else { ": " })]
struct Refusal {
    request: RequestLine,
    status: StatusCode,
    said: String,
    is_full: bool,
}

/// What comes from outside is shown on terminals: it must not control them, nor fill them.
fn printable(text: &str) -> String {
    let is_control = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
    let clean = text.chars().map(|c| if is_control(c) { ' ' } else { c });
    clean.take(MESSAGE_LIMIT).collect::<String>().trim().to_owned()
}

/// Whether the registry's own disk is full.
fn has_no_space(detail: &serde_json::Value) -> bool {
    let (text, code) = NO_SPACE;
    let number = |value: &serde_json::Value| value.get("Err").and_then(serde_json::Value::as_u64);
    let inner = detail.get("Enclosed").or_else(|| detail.get("Detail")).unwrap_or(detail);
    number(detail).or_else(|| number(inner)) == Some(code)
        || detail.as_str().is_some_and(|detail| detail.ends_with(text))
}
