//! Blobs, written: asked for, mounted, or sent in one piece.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::{
    HeaderValue, Method, StatusCode,
    header::{CONTENT_RANGE, LOCATION, RANGE},
};
use ocm_oci::Digest;

use super::{
    answer::Answer,
    call::{Call, Deadline},
    failure::{Failure, RequestLine},
    repository::{NOTHING_LIMIT, Repository},
    scope::Scope,
    transmit::{Broken, Load},
    url::{Location, with_digest},
};
use crate::{
    BlobStream, Interrupted, Kind, Operation, Retry, Stored, TransportError, Upload, Verb,
};

/// Parts are collected until there are so many bytes: one request each for less is slow, and some
/// registries want at least 5 MiB.
const PART: usize = 8 << 20;
/// How long a registry may take to forget a session: whoever gives up has no time to wait.
const GIVING_UP: Duration = Duration::from_secs(5);

/// A session at the registry, which forgets it some time after it was last used.
#[derive(Debug)]
pub(crate) struct Session {
    repository: Repository,
    scope: Scope,
    operation: Operation,
    location: Location,
    /// Bytes the registry has.
    kept: u64,
    /// Bytes that were appended and not sent.
    pending: BytesMut,
}

/// Whether the session is gone, or is not where we think.
fn is_about_the_session(failure: &Failure) -> bool {
    let gone = [StatusCode::NOT_FOUND, StatusCode::RANGE_NOT_SATISFIABLE];
    failure.status().is_some_and(|status| gone.contains(&status))
}

impl Session {
    pub(crate) fn new(repository: &Repository, digest: &Digest, location: Location) -> Self {
        Self {
            repository: repository.clone(),
            scope: Scope::push(&repository.name),
            operation: repository.on_blob(Verb::Push, digest),
            location,
            kept: 0,
            pending: BytesMut::new(),
        }
    }

    fn fail(&self, failure: Failure) -> TransportError {
        failure.during(&self.operation)
    }

    fn call(&self, method: Method) -> Call {
        Call::at(method, &self.location, self.scope.clone())
    }

    /// Makes the request that completes `digest` with `length` more bytes.
    fn completion(&self, digest: &Digest, length: u64) -> Call {
        let url = with_digest(&self.location.url, digest);
        let location = Location { url, is_home: self.location.is_home };
        let call = Call::at(Method::PUT, &location, self.scope.clone());
        if self.kept == 0 || length == 0 { call } else { ranged(call, self.kept, length) }
    }

    /// Sends `load`, which completes `digest`.
    async fn complete(&self, digest: &Digest, load: Load) -> Result<Stored, Broken> {
        let call = self.completion(digest, load.length);
        let answer = self.repository.endpoint.transmit(&call, load).await?;
        if !answer.status.is_success() {
            return Err(answer.failure().into());
        }
        match answer.digest() {
            Some(stored) if stored.algorithm() == digest.algorithm() && stored != *digest => {
                let what = format!("says it stored {stored}");
                Err(Failure::corrupt(&answer.request, what).into())
            }
            _ => Ok(Stored::New),
        }
    }

    /// Sends what was collected.
    async fn flush(&mut self) -> Result<(), Failure> {
        let part = self.pending.split().freeze();
        if part.is_empty() {
            return Ok(());
        }
        let length = part.len() as u64;
        let call = ranged(self.call(Method::PATCH), self.kept, length);
        let load = Load { bytes: stream::iter([Ok(part.clone())]).boxed(), length };
        let sent = match self.repository.endpoint.transmit(&call, load).await {
            Ok(answer) => answer.checked(),
            Err(Broken::Writing(failure)) => Err(failure),
            Err(Broken::Reading(error)) => Err(Failure::new(Kind::Reset, Retry::Again, error)),
        };
        let answer = match sent {
            Ok(answer) => answer,
            Err(failure) => {
                self.pending = BytesMut::from(&*part);
                return Err(failure);
            }
        };
        self.location = self.repository.location(&answer).await?;
        self.kept = self.kept.saturating_add(length);
        if kept(&answer).is_some_and(|kept| kept != self.kept) {
            return Err(Failure::corrupt(&answer.request, "counts other bytes than were sent"));
        }
        Ok(())
    }

    /// Asks what the registry kept of what it was sent; `None` where the session is gone, or is
    /// of no more use. One that has nothing is left for another: what broke off may still be on
    /// its way there, and would come before what is sent next.
    async fn revive(&mut self, limit: u64) -> Option<()> {
        let answer = self.repository.endpoint.ask(&self.call(Method::GET), NOTHING_LIMIT).await;
        let answer = answer.ok()?.checked().ok()?;
        self.kept = kept(&answer).unwrap_or(0);
        if answer.header(&LOCATION).is_some() {
            self.location = self.repository.location(&answer).await.ok()?;
        }
        if self.kept == 0 {
            drop(self.discard().await);
            self.location = self.repository.open_session().await?;
        }
        self.pending.clear();
        (self.kept <= limit).then_some(())
    }

    /// Frees what the registry kept; that it cannot does not matter to anyone.
    async fn discard(&self) -> Result<(), Failure> {
        let (call, endpoint) = (self.call(Method::DELETE), &self.repository.endpoint);
        let request = RequestLine::new(&call.method, &self.location.url);
        let patience = GIVING_UP.min(endpoint.patience());
        let asked = Box::pin(endpoint.ask(&call, NOTHING_LIMIT));
        let asked = Deadline::after(patience).bound(&request, asked);
        match asked.await?.checked() {
            Err(failure) if failure.retry() != Retry::Never => Err(failure),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Decides whether an upload that broke can go on.
    async fn interrupted(mut self: Box<Self>, broken: Broken, size: u64) -> Interrupted {
        let (cause, is_alive) = match broken {
            Broken::Reading(cause) => {
                let is_alive = cause.kind() != Kind::Corrupt;
                (cause, is_alive)
            }
            Broken::Writing(failure) if is_about_the_session(&failure) => {
                let lost = failure.of_kind(Kind::Reset).with_retry(Retry::Again);
                (self.fail(lost), false)
            }
            Broken::Writing(failure) => {
                let is_alive = failure.retry() != Retry::Never && failure.kind() != Kind::Corrupt;
                (self.fail(failure), is_alive)
            }
        };
        if is_alive && self.revive(size).await.is_some() {
            return Interrupted { upload: Some(self), cause };
        }
        // Nobody else knows where it is. Best effort: the registry forgets it in the end.
        drop(self.discard().await);
        Interrupted { upload: None, cause }
    }
}

#[async_trait]
impl Upload for Session {
    fn offset(&self) -> u64 {
        self.kept.saturating_add(self.pending.len() as u64)
    }

    async fn append(&mut self, part: Bytes) -> Result<(), TransportError> {
        let before = self.offset();
        for piece in pieces(part) {
            self.pending.extend_from_slice(&piece);
            if self.pending.len() >= PART
                && let Err(failure) = self.flush().await
            {
                // What failed was not added: the caller may try it again.
                let earlier = usize::try_from(before.saturating_sub(self.kept));
                self.pending.truncate(earlier.unwrap_or(0));
                return Err(self.fail(failure));
            }
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>, mut rest: BlobStream) -> Result<Stored, Interrupted> {
        let (digest, size) = (rest.descriptor().digest.clone(), rest.descriptor().size);
        if rest.offset() != self.offset() {
            let cause = TransportError::new(self.operation.clone(), Kind::Refused, Retry::Never);
            return Err(Interrupted { upload: Some(self), cause });
        }
        if let Err(failure) = self.flush().await {
            return Err(self.interrupted(failure.into(), size).await);
        }
        let length = size.saturating_sub(self.kept);
        if length == 0 {
            // Nobody would poll the body, so nobody would hear its verdict.
            loop {
                match rest.try_next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => return Err(self.interrupted(Broken::Reading(error), size).await),
                }
            }
        }
        let load = Load { bytes: rest.boxed(), length };
        match self.complete(&digest, load).await {
            Ok(stored) => Ok(stored),
            Err(broken) => Err(self.interrupted(broken, size).await),
        }
    }

    async fn commit(mut self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError> {
        let part = self.pending.split().freeze();
        let length = part.len() as u64;
        let load = Load { bytes: stream::iter([Ok(part)]).boxed(), length };
        let broken = match self.complete(digest, load).await {
            Ok(stored) => return Ok(stored),
            Err(Broken::Reading(cause)) => cause,
            Err(Broken::Writing(failure)) => self.fail(failure),
        };
        // Nobody can go on with it, nor give it up, from here on.
        drop(self.discard().await);
        Err(broken)
    }

    async fn abort(self: Box<Self>) -> Result<(), TransportError> {
        self.discard().await.map_err(|failure| self.fail(failure))
    }
}

/// Cuts what is larger than a part.
fn pieces(mut part: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || (!part.is_empty()).then(|| part.split_to(part.len().min(PART))))
}

/// Says which bytes of the blob a request carries.
fn ranged(call: Call, start: u64, length: u64) -> Call {
    let text = format!("{start}-{}", start.saturating_add(length).saturating_sub(1));
    match HeaderValue::try_from(text) {
        Ok(value) => call.with_header(CONTENT_RANGE, value),
        Err(_never) => call,
    }
}

/// Reads how many bytes the registry has: `Range: 0-29` is 30. `0-0` is what registries say of
/// none, so that a single byte counts for nothing.
fn kept(answer: &Answer) -> Option<u64> {
    let text = answer.header(&RANGE)?.trim();
    let text = text.strip_prefix("bytes=").unwrap_or(text);
    let last: u64 = text.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last.saturating_add(1) })
}
