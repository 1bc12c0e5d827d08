//! Sending a blob, or a part of it, without holding it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::BoxStream};
use http::{
    HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use reqwest::Body;
use tokio::{sync::watch, time::timeout};

use super::{
    answer::Answer, call::Call, endpoint::Endpoint, failure::Failure, repository::NOTHING_LIMIT,
};
use crate::TransportError;

/// How much longer than a stall a registry may take to answer once it has everything: some move
/// what they received, within an object store, before they do.
const COMMIT_FACTOR: u32 = 5;

/// Why a transmission ended without an answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// Where the bytes come from.
    Reading(TransportError),
    /// Where they go.
    Writing(Failure),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Writing(failure)
    }
}

/// What is sent, and how much of it.
pub(crate) struct Load {
    pub(crate) bytes: BoxStream<'static, Result<Bytes, TransportError>>,
    pub(crate) length: u64,
}

impl Endpoint {
    /// Sends `call` with `load` as its body; gives up when nothing moves.
    pub(crate) async fn transmit(&self, call: &Call, load: Load) -> Result<Answer, Broken> {
        // First of all, as others may take long: a token fetched before could have ended by then,
        // and the body is gone when the registry says so. Fetching one takes another kind.
        let _held = self.permits.write().await;
        let reached = self.reach().await?;
        let shown = self.authorization(&reached, call).await?;
        let (request, line, builder) = self.request(&reached, call, shown.as_ref()).await?;
        let (progress, seen) = watch::channel(Progress::Sending);
        let cause = Arc::new(Mutex::new(None));
        let (bytes, error) = (load.bytes, Arc::clone(&cause));
        let body = Watched { bytes, progress, error, left: load.length };
        let sent = async {
            let sent = builder
                .header(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))
                .header(CONTENT_LENGTH, HeaderValue::from(load.length))
                .body(Body::wrap_stream(body))
                .send()
                .await;
            let response = sent.map_err(|error| line.failure(&request, error))?;
            Answer::read(request.clone(), response, NOTHING_LIMIT).await
        };
        let stall = self.wire.options.stall_timeout;
        let answer = tokio::select! {
            biased;
            answer = sent => answer,
            allowed = stalled(seen, stall) => Err(Failure::stall(&request, allowed)),
        };
        let cause = cause.lock().unwrap_or_else(PoisonError::into_inner).take();
        let answer = match (answer, cause) {
            (_, Some(cause)) => return Err(Broken::Reading(cause)),
            (answer, None) => answer?,
        };
        if answer.status == http::StatusCode::UNAUTHORIZED {
            // The body is gone; what was learnt serves the next try.
            let learnt = self.learn(&answer.headers, &reached, call, shown.as_ref());
            let retry = if learnt { crate::Retry::Again } else { crate::Retry::Never };
            return Err(answer.failure().with_retry(retry).into());
        }
        Ok(answer)
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The connection has bytes to send.
    Sending,
    /// The connection waits for bytes; who brings them has a patience of its own.
    Reading,
    /// The registry has everything.
    Sent,
}

/// Waits until nothing has changed for too long; says how long that was.
async fn stalled(mut seen: watch::Receiver<Progress>, stall: Duration) -> Duration {
    loop {
        let allowed = match *seen.borrow_and_update() {
            Progress::Sending => stall,
            Progress::Reading => stall.saturating_mul(2),
            Progress::Sent => stall.saturating_mul(COMMIT_FACTOR),
        };
        match timeout(allowed, seen.changed()).await {
            Ok(Ok(())) => {}
            // The connection dropped the body, and so has to end on its own: it has an answer,
            // or waits for one.
            Ok(Err(_gone)) => {
                let allowed = stall.saturating_mul(COMMIT_FACTOR);
                tokio::time::sleep(allowed).await;
                return allowed;
            }
            Err(_late) => return allowed,
        }
    }
}

/// A body that tells how it is getting on, and keeps the error it ends with: what comes back from
/// the connection in that case says only that the body broke.
struct Watched {
    bytes: BoxStream<'static, Result<Bytes, TransportError>>,
    progress: watch::Sender<Progress>,
    error: Arc<Mutex<Option<TransportError>>>,
    left: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("what was to be sent could not be read")]
struct BodyBroke;

impl Stream for Watched {
    type Item = Result<Bytes, BodyBroke>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let (progress, item) = match this.bytes.poll_next_unpin(cx) {
            Poll::Pending => (Progress::Reading, Poll::Pending),
            Poll::Ready(Some(Ok(chunk))) => {
                this.left = this.left.saturating_sub(chunk.len() as u64);
                let progress = if this.left == 0 { Progress::Sent } else { Progress::Sending };
                (progress, Poll::Ready(Some(Ok(chunk))))
            }
            Poll::Ready(Some(Err(cause))) => {
                *this.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
                (Progress::Sent, Poll::Ready(Some(Err(BodyBroke))))
            }
            Poll::Ready(None) => (Progress::Sent, Poll::Ready(None)),
        };
        this.progress.send_replace(progress);
        item
    }
}
