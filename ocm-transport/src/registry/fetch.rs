//! Files of the web that decide what is mirrored: update graphs, signatures.

use bytes::Bytes;
use http::{
    HeaderValue, Method,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use tokio::time::timeout;
use url::Url;

use super::{
    Client,
    answer::Answer,
    call::Deadline,
    failure::{Failure, RequestLine},
    url::{host_of, redacted},
};
use crate::{Kind, Operation, Retry, TransportError, Verb};

/// How many times as long as a request to a registry such a file may take in all, as long as it
/// moves: it can have some MB.
const PATIENCE_FACTOR: u32 = 5;

/// Why an address leads nowhere.
#[derive(Debug, Clone, thiserror::Error)]
enum AddressError {
    #[error("it is no address")]
    Unreadable(#[from] url::ParseError),
    #[error("it does not begin with `https://` or `http://`")]
    Scheme,
}

impl Client {
    /// Reads a file of at most `limit` bytes from the web, through the proxies and with the trust
    /// of this client, and without credentials. `None` where the server has none (404, 410).
    ///
    /// `media_type` is what the server is asked for. It is not held to it: what came is for the
    /// caller to check.
    ///
    /// # Errors
    ///
    /// [`TransportError`], when no whole answer came, it has more than `limit` bytes, or its
    /// status is neither success nor one of those two.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn get(
        &self,
        url: &str,
        media_type: &str,
        limit: usize,
    ) -> Result<Option<Bytes>, TransportError> {
        let parsed = address(url);
        let operation = || {
            let (place, reference) = match &parsed {
                Ok(url) => (url.host_str().unwrap_or_default().to_owned(), redacted(url)),
                Err(_) => ("the web".to_owned(), url.to_owned()),
            };
            Operation { place, verb: Verb::Fetch, reference }
        };
        let address = match &parsed {
            Ok(address) => address.clone(),
            Err(error) => {
                let refused = TransportError::new(operation(), Kind::Refused, Retry::Never);
                return Err(refused.caused_by(error.clone()));
            }
        };
        let got = self.fetch(address, media_type, limit).await;
        got.map_err(|failure| failure.during(&operation()))
    }

    async fn fetch(
        &self,
        url: Url,
        media_type: &str,
        limit: usize,
    ) -> Result<Option<Bytes>, Failure> {
        let request = RequestLine::new(&Method::GET, &url);
        let wire = self.wire();
        let line = wire.line(host_of(&url).as_ref()).await?;
        let mut builder = line
            .http
            .request(Method::GET, url)
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Ok(accepted) = HeaderValue::from_str(media_type) {
            builder = builder.header(ACCEPT, accepted);
        }
        let stall = wire.options.request_timeout;
        let send = async { builder.send().await.map_err(|error| line.failure(&request, error)) };
        let work = async {
            let response = Deadline::after(stall).bound(&request, send).await?;
            Answer::read_steadily(request.clone(), response, limit, stall).await
        };
        let patience = stall.saturating_mul(PATIENCE_FACTOR);
        let late = |_elapsed| Err(Failure::slow(&request, patience));
        let answer = timeout(patience, work).await.unwrap_or_else(late)?;
        match answer.status.as_u16() {
            404 | 410 => Ok(None),
            _ => Ok(Some(answer.checked()?.body)),
        }
    }
}

fn address(text: &str) -> Result<Url, AddressError> {
    let url: Url = text.parse()?;
    if matches!(url.scheme(), "https" | "http") && url.has_host() {
        Ok(url)
    } else {
        Err(AddressError::Scheme)
    }
}
