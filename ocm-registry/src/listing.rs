use std::{collections::BTreeMap, num::NonZeroUsize};

use axum::body::Body;
use http::{StatusCode, header};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName};
use ocm_transport::{Page, Referrer, TransportError};
use serde::Serialize;

use crate::{
    ask::Ask,
    problem::{Code, Problem},
    reply::{OCI_FILTERS, Reply},
    router::only_read,
};

/// Names in one answer, unless fewer are asked for. Some clients do not follow a link, so that it
/// is far above what a repository has.
const PAGE_MAX: usize = 10_000;

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a RepoName,
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Repositories {
    repositories: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    media_type: MediaType,
    manifests: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// Lists the tags of a repository.
pub(crate) async fn tags(ask: &Ask, name: &RepoName) -> Result<Reply, Problem> {
    only_read(ask)?;
    let source = ask.source(name);
    let (tags, next) = match page(ask)? {
        None => (Vec::new(), None),
        Some(page) => {
            let listing = source.tags(&page).await.map_err(|error| unlisted(&error))?;
            (listing.items, listing.next)
        }
    };
    if tags.is_empty() && !is_known(ask, name).await? {
        return Err(Problem::unknown(Code::NameUnknown, name));
    }
    let tags = tags.iter().map(ToString::to_string).collect();
    let reply = json(&Tags { name, tags }, "application/json")?;
    Ok(link(reply, &format!("/v2/{name}/tags/list"), next.as_ref()))
}

/// Lists the repositories: not of the specification, but asked for by many.
pub(crate) async fn catalog(ask: &Ask) -> Result<Reply, Problem> {
    only_read(ask)?;
    let place = &ask.registry.place;
    let (names, next) = match page(ask)? {
        None => (Vec::new(), None),
        Some(page) => {
            let listing = place.repositories(&page).await.map_err(|error| unlisted(&error))?;
            (listing.items, listing.next)
        }
    };
    let repositories = names.iter().map(ToString::to_string).collect();
    let reply = json(&Repositories { repositories }, "application/json")?;
    Ok(link(reply, "/v2/_catalog", next.as_ref()))
}

/// Lists what says something about `subject`; nothing is an answer too.
pub(crate) async fn referrers(
    ask: &Ask,
    name: &RepoName,
    subject: &Digest,
) -> Result<Reply, Problem> {
    only_read(ask)?;
    let filter = ask.first("artifactType");
    let found = ask.source(name).referrers(subject, filter).await;
    let found = found.map_err(|error| unlisted(&error))?;
    let entry = |Referrer { descriptor, artifact_type, annotations }| Entry {
        descriptor,
        artifact_type,
        annotations,
    };
    let manifests = found.into_iter().map(entry).collect();
    let media_type = MediaType::OciIndex;
    let content_type = media_type.to_string();
    let reply = json(&Index { schema_version: 2, media_type, manifests }, &content_type)?;
    Ok(match filter {
        Some(_) => reply.header(OCI_FILTERS, "artifactType"),
        None => reply,
    })
}

fn unlisted(error: &TransportError) -> Problem {
    Problem::of(error, Code::NameUnknown)
}

/// Whether a repository without tags is there at all.
async fn is_known(ask: &Ask, name: &RepoName) -> Result<bool, Problem> {
    let page = Page { after: just_before(name), limit: NonZeroUsize::MIN };
    match ask.registry.place.repositories(&page).await {
        Ok(listing) => Ok(listing.items.first() == Some(name)),
        // A place that lists no repositories answers for its tags alone.
        Err(_cannot_say) => Ok(true),
    }
}

/// Returns text that sorts before `name`, with no other name between.
fn just_before(name: &RepoName) -> Option<String> {
    let mut text = name.to_string();
    let last = char::from_u32(u32::from(text.pop()?).checked_sub(1)?)?;
    // No name holds a tilde, and everything that one may hold sorts before it.
    text.extend([last, '~']);
    Some(text)
}

/// Reads which part of a listing is wanted; `None` is a page without any name.
fn page(ask: &Ask) -> Result<Option<Page>, Problem> {
    let after = ask.first("last").filter(|last| !last.is_empty()).map(str::to_owned);
    let count = match ask.first("n").map(str::parse::<u64>) {
        None => PAGE_MAX,
        Some(Ok(count)) => usize::try_from(count).unwrap_or(PAGE_MAX).min(PAGE_MAX),
        Some(Err(error)) => {
            let message = format_args!("`n` is not a number of names: {error}");
            return Err(Problem::bad(Code::Unsupported, &message));
        }
    };
    Ok(NonZeroUsize::new(count).map(|limit| Page { after, limit }))
}

fn json(value: &impl Serialize, content_type: &str) -> Result<Reply, Problem> {
    let failed = |error| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, format_args!("{error}"))
    };
    let bytes = serde_json::to_vec(value).map_err(failed)?;
    let reply = Reply::new(StatusCode::OK)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CONTENT_LENGTH, bytes.len());
    Ok(reply.body(Body::from(bytes)))
}

/// Says where the listing goes on. No name needs escaping in a query.
fn link(reply: Reply, path: &str, next: Option<&Page>) -> Reply {
    match next {
        Some(Page { after: Some(after), limit }) => reply
            .header(header::LINK, format_args!("<{path}?n={limit}&last={after}>; rel=\"next\"")),
        Some(Page { after: None, .. }) | None => reply,
    }
}
