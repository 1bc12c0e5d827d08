use std::{ops::Range, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use http::{Method, StatusCode, header};
use ocm_oci::{Descriptor, Digest, Hasher, MediaType, RepoName};
use ocm_transport::{Begun, BlobStream, Destination, Interrupted, Kind, TransportError};

use crate::{
    ask::Ask,
    body,
    problem::{Code, Problem},
    range, reply,
    reply::Reply,
    route,
    router::refuse_verb,
    session::{Held, Slot},
};

/// Where bytes go: the repository as it is called, and opened.
struct Target<'a> {
    ask: &'a Ask,
    name: &'a RepoName,
    to: Arc<dyn Destination>,
}

/// Answers `POST …/blobs/uploads/`: a mount, a blob in one request, or a new session.
pub(crate) async fn begin(ask: &Ask, name: &RepoName, body: Body) -> Result<Reply, Problem> {
    if *ask.method() != Method::POST {
        return Err(refuse_verb(ask, "POST"));
    }
    let target = Target { ask, name, to: ask.destination(name)? };
    if let Some(digest) = ask.digest("mount")? {
        return target.mount(&digest).await;
    }
    let Some(digest) = ask.digest("digest")? else { return target.open(None).await };
    target.whole(&mut None, &digest, body).await?;
    Ok(target.created(&digest))
}

/// Answers what is asked of a session.
pub(crate) async fn go_on(
    ask: &Ask,
    name: &RepoName,
    id: &str,
    body: Body,
) -> Result<Reply, Problem> {
    let target = Target { ask, name, to: ask.destination(name)? };
    let mut lease = ask.registry.sessions.lease(name, id)?;
    let slot = lease.slot();
    match *ask.method() {
        Method::GET => Ok(target.status(StatusCode::NO_CONTENT, id, slot)),
        Method::PATCH => target.patch(id, slot, body).await,
        Method::PUT => target.put(id, slot, body).await,
        Method::DELETE => target.cancel(id, slot).await,
        _ => Err(refuse_verb(ask, "GET, PATCH, PUT, DELETE")),
    }
}

fn failed(error: &TransportError) -> Problem {
    let problem = Problem::of(error, Code::BlobUnknown);
    let bad = |code| Problem::bad(code, error);
    match error.kind() {
        Kind::Corrupt => problem.with_status(StatusCode::BAD_REQUEST, Code::DigestInvalid),
        Kind::Refused => bad(Code::BlobUploadInvalid),
        _ => problem,
    }
}

/// Adds what comes to what is `held`; it stays there if this is dropped.
async fn append(
    held: Option<&mut Held>,
    mut bytes: BoxStream<'static, Result<Bytes, TransportError>>,
) -> Result<(), Problem> {
    let Some(Held { upload, .. }) = held else { return Ok(()) };
    while let Some(part) = bytes.try_next().await.map_err(|error| failed(&error))? {
        upload.append(part).await.map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Stores what is held. Whether the blob was here before, the client is not told.
async fn commit(held: Option<Held>, digest: &Digest) -> Result<(), Problem> {
    let Some(Held { upload, .. }) = held else { return Ok(()) };
    upload.commit(digest).await.map(drop).map_err(|error| failed(&error))
}

impl Target<'_> {
    /// Takes the blob from the repository that the client names, or opens an upload for it.
    async fn mount(&self, digest: &Digest) -> Result<Reply, Problem> {
        let from = self.ask.first("from").map(route::repository).transpose()?;
        let begun = self.to.begin(digest, None, from.as_ref()).await;
        match begun.map_err(|error| failed(&error))? {
            Begun::Present | Begun::Mounted => Ok(self.created(digest)),
            // What an earlier process left of this blob is found again when its bytes come; the
            // client, who knows nothing of it, begins at 0.
            Begun::Open(upload) if upload.offset() > 0 => self.open(None).await,
            Begun::Open(upload) => self.open(Some(Held { upload, begun: digest.clone() })).await,
        }
    }

    /// Opens a session.
    async fn open(&self, held: Option<Held>) -> Result<Reply, Problem> {
        let id = self.ask.registry.sessions.open(self.name, held).await?;
        Ok(self.progress(StatusCode::ACCEPTED, &id, 0))
    }

    /// Adds a chunk.
    async fn patch(&self, id: &str, slot: &mut Slot, body: Body) -> Result<Reply, Problem> {
        self.check_order(id, slot, &body)?;
        if slot.held.is_none() {
            // What it will be is not known yet, and no other upload must be met by its name.
            let begun = Digest::of(id.as_bytes());
            let upload = match self.to.begin(&begun, None, None).await {
                Ok(Begun::Open(upload)) => upload,
                Ok(Begun::Present | Begun::Mounted) => {
                    return Err(Problem::unknown(Code::BlobUploadUnknown, id));
                }
                Err(error) => return Err(failed(&error)),
            };
            slot.held = Some(Held { upload, begun });
        }
        append(slot.held.as_mut(), self.received(None, body).bytes).await?;
        Ok(self.status(StatusCode::ACCEPTED, id, slot))
    }

    /// Completes the blob, with the last bytes of it, with all, or with none.
    async fn put(&self, id: &str, slot: &mut Slot, body: Body) -> Result<Reply, Problem> {
        let digest = self.ask.digest("digest")?;
        let digest = digest.ok_or_else(|| {
            Problem::bad(Code::DigestInvalid, "`digest` does not say what the blob is")
        })?;
        self.check_order(id, slot, &body)?;
        if slot.offset() == 0 {
            self.whole(&mut slot.held, &digest, body).await?;
        } else {
            append(slot.held.as_mut(), self.received(Some(&digest), body).bytes).await?;
            // From here on there is nothing to go on with, whatever the digest turns out to be.
            self.ask.registry.sessions.close(id);
            commit(slot.held.take(), &digest).await?;
        }
        self.ask.registry.sessions.close(id);
        Ok(self.created(&digest))
    }

    async fn cancel(&self, id: &str, slot: &mut Slot) -> Result<Reply, Problem> {
        self.ask.registry.sessions.close(id);
        if let Some(held) = slot.held.take() {
            held.upload.abort().await.map_err(|error| failed(&error))?;
        }
        Ok(Reply::new(StatusCode::NO_CONTENT))
    }

    /// Stores a blob that comes in one piece. What is kept of one that breaks off stays in `held`.
    async fn whole(
        &self,
        held: &mut Option<Held>,
        digest: &Digest,
        body: Body,
    ) -> Result<(), Problem> {
        let size = body::length(&body);
        let begun = self.begin_anew(held, digest, size).await.map_err(|error| failed(&error))?;
        let Begun::Open(upload) = begun else {
            return check(self.received(Some(digest), body).bytes, digest).await;
        };
        // An upload may be older than this session, where the place below outlives us: what it
        // keeps is passed over.
        let Some(size) = size else {
            let bytes = body::cut(self.received(Some(digest), body), upload.offset()..u64::MAX);
            *held = Some(Held { upload, begun: digest.clone() });
            append(held.as_mut(), bytes.boxed()).await?;
            return commit(held.take(), digest).await;
        };
        let content =
            Descriptor { media_type: MediaType::OctetStream, digest: digest.clone(), size };
        let stream = BlobStream::new(content, self.received(Some(digest), body))
            .starting_at(upload.offset());
        let Err(Interrupted { upload, cause }) = upload.finish(stream).await else {
            return Ok(());
        };
        *held = upload.map(|upload| Held { upload, begun: digest.clone() });
        Err(failed(&cause))
    }

    /// Goes on with what was begun for `digest`, or begins.
    async fn begin_anew(
        &self,
        held: &mut Option<Held>,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Begun, TransportError> {
        match held.take() {
            Some(Held { upload, begun }) if begun == *digest => return Ok(Begun::Open(upload)),
            Some(other) => other.upload.abort().await?,
            None => {}
        }
        self.to.begin(digest, size, None).await
    }

    /// Returns what the client sends, of a blob if it said which.
    fn received(&self, digest: Option<&Digest>, body: Body) -> ocm_transport::Body {
        let operation = body::receiving(self.name, digest);
        let stall = self.ask.registry.options.stall_timeout;
        let bytes = body::received(body, operation.clone(), stall);
        ocm_transport::Body { operation, starts_at: 0, bytes, kept_in: None }
    }

    /// A chunk that says where it belongs must belong where the last one ended.
    fn check_order(&self, id: &str, slot: &Slot, body: &Body) -> Result<(), Problem> {
        let Some(text) = self.ask.header(&header::CONTENT_RANGE) else { return Ok(()) };
        let Some(Range { start, end }) = range::content_range(text) else {
            return Err(Problem::bad(Code::BlobUploadInvalid, "`Content-Range` is no range"));
        };
        if start != slot.offset() {
            let message = format_args!("{} bytes are here, not {start}", slot.offset());
            let status = StatusCode::RANGE_NOT_SATISFIABLE;
            return Err(Problem::new(status, Code::BlobUploadInvalid, message)
                .with_header(header::LOCATION, self.location(id))
                .with_header(header::RANGE, kept(slot.offset())));
        }
        match body::length(body) {
            Some(length) if length == end - start => Ok(()),
            Some(length) => {
                let message = format_args!("the range has {} bytes, not {length}", end - start);
                Err(Problem::bad(Code::SizeInvalid, &message))
            }
            None => Err(Problem::new(
                StatusCode::LENGTH_REQUIRED,
                Code::SizeInvalid,
                "a chunk with `Content-Range` needs `Content-Length`",
            )),
        }
    }

    fn location(&self, id: &str) -> String {
        format!("/v2/{}/blobs/uploads/{id}", self.name)
    }

    fn status(&self, status: StatusCode, id: &str, slot: &Slot) -> Reply {
        self.progress(status, id, slot.offset())
    }

    fn progress(&self, status: StatusCode, id: &str, offset: u64) -> Reply {
        Reply::new(status)
            .header(header::LOCATION, self.location(id))
            .header(header::RANGE, kept(offset))
            .header(reply::UPLOAD_UUID, id)
    }

    fn created(&self, digest: &Digest) -> Reply {
        Reply::new(StatusCode::CREATED)
            .header(header::LOCATION, format_args!("/v2/{}/blobs/{digest}", self.name))
            .header(reply::CONTENT_DIGEST, digest)
    }
}

/// Says how much is kept. There is no way to write a range of no bytes: `0-0` stands for it.
fn kept(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// Reads a blob that is here already: who sends something else has to be told.
async fn check(
    mut bytes: BoxStream<'static, Result<Bytes, TransportError>>,
    digest: &Digest,
) -> Result<(), Problem> {
    let mut hasher = Hasher::new(digest.algorithm());
    while let Some(part) = bytes.try_next().await.map_err(|error| failed(&error))? {
        hasher.update(&part);
    }
    let actual = hasher.finish();
    if actual == *digest {
        return Ok(());
    }
    let message = format_args!("received bytes hashing to {actual}, not {digest}");
    Err(Problem::bad(Code::DigestInvalid, &message))
}
