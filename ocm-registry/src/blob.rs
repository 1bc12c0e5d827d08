use axum::body::Body;
use http::{Method, StatusCode, header};
use ocm_oci::{Digest, RepoName};

use crate::{
    ask::Ask,
    body,
    problem::{Code, Problem},
    range::{self, Wanted},
    reply::Reply,
    router::refuse_verb,
};

/// Answers what is asked of a blob.
pub(crate) async fn answer(ask: &Ask, name: &RepoName, digest: &Digest) -> Result<Reply, Problem> {
    match *ask.method() {
        Method::GET | Method::HEAD => read(ask, name, digest).await,
        Method::DELETE => delete(ask, name, digest).await,
        _ => Err(refuse_verb(ask, "GET, HEAD, DELETE")),
    }
}

fn failed(error: &ocm_transport::TransportError) -> Problem {
    Problem::of(error, Code::BlobUnknown)
}

async fn read(ask: &Ask, name: &RepoName, digest: &Digest) -> Result<Reply, Problem> {
    let source = ask.source(name);
    let size = source.blob_size(digest).await.map_err(|error| failed(&error))?;
    let size = size.ok_or_else(|| Problem::unknown(Code::BlobUnknown, digest))?;
    if ask.has_already(digest) {
        return Ok(Reply::new(StatusCode::NOT_MODIFIED).content(digest));
    }
    let (status, part) = match requested(ask, digest, size) {
        Wanted::Whole => (StatusCode::OK, None),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        Wanted::Outside => return Err(outside(size)),
    };
    let wanted = part.clone().unwrap_or(0..size);
    let mut reply = Reply::new(status)
        .content(digest)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, wanted.end - wanted.start);
    if part.is_some() {
        let last = wanted.end - 1;
        let told = format_args!("bytes {}-{last}/{size}", wanted.start);
        reply = reply.header(header::CONTENT_RANGE, told);
    }
    if ask.is_head() {
        return Ok(reply);
    }
    let sent = source.blob(digest, part).await.map_err(|error| failed(&error))?;
    if sent.starts_at > wanted.start {
        let message = "the place below began after what was asked for";
        return Err(Problem::new(StatusCode::BAD_GATEWAY, Code::Unknown, message));
    }
    Ok(reply.body(Body::from_stream(body::cut(sent, wanted))))
}

/// Reads what part is wanted. A range for content that changed meanwhile is none.
fn requested(ask: &Ask, digest: &Digest, size: u64) -> Wanted {
    let is_of_this = |tag: &str| tag.trim() == format!("\"{digest}\"");
    if ask.is_head() || ask.header(&header::IF_RANGE).is_some_and(|tag| !is_of_this(tag)) {
        return Wanted::Whole;
    }
    range::wanted(ask.header(&header::RANGE), size)
}

fn outside(size: u64) -> Problem {
    let message = format_args!("the range lies outside of {size} bytes");
    Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, Code::SizeInvalid, message)
        .with_header(header::CONTENT_RANGE, format_args!("bytes */{size}"))
}

async fn delete(ask: &Ask, name: &RepoName, digest: &Digest) -> Result<Reply, Problem> {
    ask.destination(name)?.delete_blob(digest).await.map_err(|error| failed(&error))?;
    Ok(Reply::new(StatusCode::ACCEPTED))
}
