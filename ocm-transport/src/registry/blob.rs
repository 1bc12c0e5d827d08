//! Blobs, read: whole, or from where an earlier read stopped.

use std::{ops::Range, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, stream, stream::BoxStream};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use ocm_oci::Digest;
use reqwest::Response;
use tokio::time::timeout;

use super::{
    answer::{self, Answer},
    call::{Call, Opened, Traffic},
    failure::{Failure, RequestLine},
    repository::Repository,
};
use crate::{Body, Operation, TransportError, limit::Permit};

impl Repository {
    pub(crate) async fn head_blob(&self, digest: &Digest) -> Result<Option<u64>, Failure> {
        let call = self.blob_call(Method::HEAD, digest);
        let answer = self.endpoint.ask(&call, 0).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.checked()?;
        let size = answer.length();
        size.map(Some).ok_or_else(|| Failure::odd(&answer.request, "does not say a length"))
    }

    pub(crate) async fn get_blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
        operation: &Operation,
    ) -> Result<Body, Failure> {
        let (start, call) = match &range {
            // No header can ask for nothing, and nothing is what comes.
            Some(range) if range.is_empty() => {
                let (operation, bytes) = (operation.clone(), stream::empty().boxed());
                return Ok(Body { operation, starts_at: range.start, bytes, kept_in: None });
            }
            Some(Range { start, end }) => {
                // Closed, since there are registries that refuse an open one.
                let text = format!("bytes={start}-{}", end.saturating_sub(1));
                let value = HeaderValue::try_from(text);
                let value = value.map_err(|error| {
                    Failure::new(crate::Kind::Refused, crate::Retry::Never, error)
                })?;
                (*start, self.blob_call(Method::GET, digest).with_header(RANGE, value))
            }
            None => (0, self.blob_call(Method::GET, digest)),
        };
        let opened = self.endpoint.open(&call, Traffic::Read).await?;
        let status = opened.response.status();
        let starts_at = match status {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if range.is_some() => {
                begins_at(opened.response.headers(), start)
                    .map_err(|what| Failure::corrupt(&opened.request, what))?
            }
            _ => return Err(refusal(opened).await),
        };
        let stall = self.endpoint.wire.options.stall_timeout;
        Ok(Body {
            operation: operation.clone(),
            starts_at,
            bytes: bytes(opened, stall, operation),
            kept_in: None,
        })
    }

    fn blob_call(&self, method: Method, digest: &Digest) -> Call {
        Call::new(method, self.path(&format!("blobs/{digest}")), self.scope.clone())
    }
}

/// Reads what the registry says against a blob.
async fn refusal(opened: Opened) -> Failure {
    let (request, status) = (opened.request.clone(), opened.response.status());
    let (headers, url) = (opened.response.headers().clone(), opened.response.url().clone());
    let read = opened.read(0).await;
    if status.is_success() {
        return Failure::odd(&request, format!("is {status}, which was not asked for"));
    }
    // A body that does not come takes nothing from what the status says.
    let silent = |_late| Answer { request, status, headers, url, body: Bytes::new() };
    read.unwrap_or_else(silent).failure()
}

/// What is left of a body; the permit goes when this does.
struct Reading {
    response: Response,
    request: RequestLine,
    operation: Operation,
    stall: Duration,
    _held: Permit,
}

fn bytes(
    opened: Opened,
    stall: Duration,
    operation: &Operation,
) -> BoxStream<'static, Result<Bytes, TransportError>> {
    let Opened { request, response, permit, .. } = opened;
    let operation = operation.clone();
    let reading = Reading { response, request, operation, stall, _held: permit };
    stream::unfold(Some(reading), |reading| async {
        let mut reading = reading?;
        match reading.next().await {
            Ok(chunk) => chunk.map(|chunk| (Ok(chunk), Some(reading))),
            Err(failure) => Some((Err(failure.during(&reading.operation)), None)),
        }
    })
    .boxed()
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match timeout(self.stall, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Failure::of_request(&self.request, error)),
            Err(_late) => Err(Failure::stall(&self.request, self.stall)),
        }
    }
}

/// Checks that a part begins where it was asked to.
fn begins_at(headers: &HeaderMap, start: u64) -> Result<u64, String> {
    let text = answer::text(headers, &CONTENT_RANGE).unwrap_or_default();
    match first_of_range(text) {
        Some(first) if first == start => Ok(first),
        Some(first) => Err(format!("begins at byte {first} instead of {start}")),
        None => Err("does not say where it begins".to_owned()),
    }
}

/// Reads the first position of `bytes 7-29/52`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#section-14.4>.
fn first_of_range(text: &str) -> Option<u64> {
    let (unit, range) = text.trim().split_once(' ')?;
    let (range, length) = range.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let is_inside = length == "*" || number(length)? > last;
    (unit.eq_ignore_ascii_case("bytes") && first <= last && is_inside).then_some(first)
}

/// Reads digits only.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_content_ranges() {
        assert_eq!(first_of_range("bytes 7-29/52"), Some(7));
        assert_eq!(first_of_range("BYTES 0-0/*"), Some(0));
        for odd in [
            "",
            "bytes",
            "bytes 7",
            "bytes */52",
            "bytes 9-7/52",
            "bytes 7-52/52",
            "items 7-29/52",
            "bytes +7-29/52",
            "bytes 7-29",
            "bytes 99999999999999999999-1/2",
        ] {
            assert_eq!(first_of_range(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn ranges_are_read_back(first: u64, more in 0_u64..1_000_000, rest in 1_u64..1_000_000) {
            let last = first.saturating_add(more);
            prop_assume!(last < u64::MAX - rest);
            let text = format!("bytes {first}-{last}/{}", last + rest);
            prop_assert_eq!(first_of_range(&text), Some(first));
            let text = format!("bytes {first}-{last}/{last}");
            prop_assert_eq!(first_of_range(&text), None);
        }

        #[test]
        fn no_range_panics(text in "\\PC{0,40}") {
            prop_assert!(first_of_range(&text).is_none_or(|_| text.contains('-')));
        }
    }
}
