use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Method, StatusCode, header};
use ocm_oci::{Children, Digest, MediaType, RepoName, Tag, TagOrDigest};
use ocm_transport::{Destination, Kind, Manifest, Stored, TransportError};
use serde::Deserialize;

use crate::{
    ask::Ask,
    body,
    problem::{Code, Problem},
    reply::{OCI_SUBJECT, OCI_TAG, Reply},
    router::refuse_verb,
};

/// How many of the missing children an answer names.
const NAMED_MAX: usize = 20;

/// Answers what is asked of a manifest.
pub(crate) async fn answer(
    ask: &Ask,
    name: &RepoName,
    reference: &TagOrDigest,
    body: Body,
) -> Result<Reply, Problem> {
    match *ask.method() {
        Method::GET | Method::HEAD => read(ask, name, reference).await,
        Method::PUT => push(ask, name, reference, body).await,
        Method::DELETE => delete(ask, name, reference).await,
        _ => Err(refuse_verb(ask, "GET, HEAD, PUT, DELETE")),
    }
}

fn failed(error: &TransportError) -> Problem {
    Problem::of(error, Code::ManifestUnknown)
}

/// The stored bytes under the stored type, whatever the client says it accepts: any other bytes
/// would have another digest.
async fn read(ask: &Ask, name: &RepoName, reference: &TagOrDigest) -> Result<Reply, Problem> {
    let (source, limit) = (ask.source(name), ask.registry.options.manifest_limit);
    let (content, body) = if ask.is_head() {
        let content = source.head(reference).await.map_err(|error| failed(&error))?;
        let unknown = || Problem::unknown(Code::ManifestUnknown, reference);
        (content.ok_or_else(unknown)?, Body::empty())
    } else {
        let found = source.manifest(reference, limit).await.map_err(|error| failed(&error))?;
        (found.descriptor().clone(), Body::from(found.bytes().clone()))
    };
    if ask.has_already(&content.digest) {
        return Ok(Reply::new(StatusCode::NOT_MODIFIED).content(&content.digest));
    }
    let reply = Reply::new(StatusCode::OK)
        .content(&content.digest)
        .header(header::CONTENT_TYPE, &content.media_type)
        .header(header::CONTENT_LENGTH, content.size);
    Ok(reply.body(body))
}

async fn push(
    ask: &Ask,
    name: &RepoName,
    reference: &TagOrDigest,
    body: Body,
) -> Result<Reply, Problem> {
    let to = ask.destination(name)?;
    let bytes = receive(ask, name, body).await?;
    let media_type = media_type(ask.header(&header::CONTENT_TYPE), &bytes)?;
    let (manifest, tags) = match reference {
        TagOrDigest::Tag(tag) => (Manifest::new(media_type, bytes), vec![tag.clone()]),
        TagOrDigest::Digest(digest) => (verify(media_type, bytes, digest)?, more_tags(ask)?),
    };
    let children = manifest.children().map_err(|error| invalid(&error))?;
    match store(&*to, &manifest, &tags).await {
        Ok(_) => {}
        Err(error) if error.kind() == Kind::Incomplete => {
            return Err(failed(&error).with_detail(absent(&*to, &children).await.into()));
        }
        Err(error) => return Err(refused(&error)),
    }
    let digest = &manifest.descriptor().digest;
    let mut reply = Reply::new(StatusCode::CREATED)
        .content(digest)
        .header(header::LOCATION, format_args!("/v2/{name}/manifests/{digest}"));
    if matches!(reference, TagOrDigest::Digest(_)) {
        reply = tags.iter().fold(reply, |reply, tag| reply.header(OCI_TAG, tag));
    }
    Ok(match children.subject {
        Some(subject) => reply.header(OCI_SUBJECT, subject.digest),
        None => reply,
    })
}

async fn receive(ask: &Ask, name: &RepoName, body: Body) -> Result<Bytes, Problem> {
    let (limit, stall) = (ask.registry.options.manifest_limit, ask.registry.options.stall_timeout);
    let received = body::collect(body, body::receiving(name, None), (limit, stall)).await;
    received.map_err(|error| failed(&error))?.ok_or_else(|| {
        let message = format_args!("a manifest is at most {limit} bytes long");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message)
    })
}

/// Decides what the manifest is: what the client says, or what the manifest says of itself.
///
/// If both do they must agree, or two readers could see two things in it.
fn media_type(header: Option<&str>, bytes: &[u8]) -> Result<MediaType, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        media_type: Option<MediaType>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let typed: Typed = serde_json::from_slice(bytes).map_err(|error| invalid(&error))?;
    let header = header.map(|text| text.split(';').next().unwrap_or(text).trim().to_owned());
    let said = header.filter(|text| !text.is_empty()).map(MediaType::from);
    match (said, typed.media_type) {
        (Some(said), Some(within)) if said != within => {
            Err(invalid(&format_args!("sent as `{said}`, but calls itself `{within}`")))
        }
        (Some(said), _) => Ok(said),
        (None, Some(within)) => Ok(within),
        (None, None) if typed.manifests.is_some() => Ok(MediaType::OciIndex),
        (None, None) => Ok(MediaType::OciManifest),
    }
}

fn invalid(message: &dyn std::fmt::Display) -> Problem {
    Problem::bad(Code::ManifestInvalid, message)
}

fn verify(media_type: MediaType, bytes: Bytes, digest: &Digest) -> Result<Manifest, Problem> {
    Manifest::verify(media_type, bytes, digest)
        .map_err(|mismatch| Problem::bad(Code::DigestInvalid, &mismatch))
}

/// Reads the tags that a push by digest asks for besides.
fn more_tags(ask: &Ask) -> Result<Vec<Tag>, Problem> {
    ask.all("tag").map(|text| text.parse().map_err(|error| invalid(&error))).collect()
}

/// Stores a manifest under each of `tags`, or under its digest alone.
async fn store(
    to: &dyn Destination,
    manifest: &Manifest,
    tags: &[Tag],
) -> Result<Stored, TransportError> {
    let (first, more) = tags.split_first().unzip();
    let stored = to.push_manifest(manifest, first).await?;
    for tag in more.unwrap_or_default() {
        to.push_manifest(manifest, Some(tag)).await.map(drop)?;
    }
    Ok(stored)
}

fn refused(error: &TransportError) -> Problem {
    let problem = failed(error);
    match error.kind() {
        Kind::Refused | Kind::Corrupt => {
            problem.with_status(StatusCode::BAD_REQUEST, Code::ManifestInvalid)
        }
        _ => problem,
    }
}

/// Names what is not here of what a manifest names.
async fn absent(source: &dyn Destination, children: &Children) -> Vec<String> {
    let manifests = children.manifests.iter().map(|entry| (&entry.descriptor.digest, true));
    let blobs = children.blobs.iter().map(|blob| (&blob.digest, false));
    let named = stream::iter(manifests.chain(blobs).collect::<Vec<_>>());
    let missing = named.filter_map(|(digest, is_manifest)| async move {
        let is_here = if is_manifest {
            source.head(&digest.into()).await.is_ok_and(|found| found.is_some())
        } else {
            source.blob_size(digest).await.is_ok_and(|found| found.is_some())
        };
        (!is_here).then(|| digest.to_string())
    });
    missing.take(NAMED_MAX).collect().await
}

async fn delete(ask: &Ask, name: &RepoName, reference: &TagOrDigest) -> Result<Reply, Problem> {
    let to = ask.destination(name)?;
    let deleted = match reference {
        TagOrDigest::Tag(tag) => to.delete_tag(tag).await,
        TagOrDigest::Digest(digest) => to.delete_manifest(digest).await,
    };
    deleted.map_err(|error| failed(&error))?;
    Ok(Reply::new(StatusCode::ACCEPTED))
}
