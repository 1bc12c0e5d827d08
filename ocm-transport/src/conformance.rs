//! The contract of [`Transport`] as callable tests.
//!
//! A backend's own tests call [`all`] with a way to make an empty, writable place. Functions
//! panic on a breach, as tests do.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "these are tests, by design: a breach is a panic"
)]

use std::num::NonZeroUsize;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName};

use crate::{
    Begun, BlobStream, Body, Destination, Kind, Manifest, Operation, Page, Retry, SourceExt as _,
    Stored, Transport, TransportError, Upload, Verb,
};

/// Content of the blob that most checks push; longer than one chunk of any backend made for tests.
pub const CONTENT: &[u8] = b"content that is long enough to come in several chunks";

/// Runs every check, each on a place of its own.
pub async fn all(fresh: impl Fn() -> Box<dyn Transport>) {
    round_trip(&*fresh()).await;
    refuses_corruption(&*fresh()).await;
    stopping_at_size_never_completes_corruption(&*fresh()).await;
    resumes_an_interrupted_upload(&*fresh()).await;
    continues_in_the_session_of_a_declined_mount(&*fresh()).await;
    reads_ranges(&*fresh()).await;
    commits_what_was_appended(&*fresh()).await;
    keeps_manifests_in_order(&*fresh()).await;
}

/// Describes `content` truthfully.
pub fn describe(content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: MediaType::OctetStream,
        digest: Digest::of(content),
        size: content.len() as u64,
    }
}

/// A body that sends `chunks` and then, if asked, breaks.
pub fn body(chunks: &[&[u8]], breaks: Option<Kind>) -> Body {
    let (place, reference) = ("a test".to_owned(), "content".to_owned());
    let operation = Operation { place, verb: Verb::Fetch, reference };
    let error = breaks.map(|kind| TransportError::new(operation.clone(), kind, Retry::Again));
    let chunks = chunks.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let bytes = stream::iter(chunks.chain(error.map(Err)).collect::<Vec<_>>()).boxed();
    Body { operation, starts_at: 0, bytes }
}

/// Stores `content` in `to`, whole.
pub async fn push(to: &dyn Destination, content: &[u8]) -> Descriptor {
    let blob = describe(content);
    if let Begun::Open(upload) = to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        let stored = upload.finish(BlobStream::new(blob.clone(), body(&[content], None))).await;
        assert_eq!(stored.unwrap(), Stored::New);
    }
    blob
}

fn repository(name: &str) -> RepoName {
    name.parse().unwrap()
}

async fn open(to: &dyn Destination, blob: &Descriptor) -> Box<dyn Upload> {
    match to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        Begun::Open(upload) => upload,
        begun => panic!("the place was not empty: {begun:?}"),
    }
}

/// What is pushed can be read back; beginning it again finds it.
pub async fn round_trip(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    for content in [CONTENT, b""] {
        let blob = push(&*to, content).await;
        assert_eq!(to.blob_size(&blob.digest).await.unwrap(), Some(blob.size));
        assert_eq!(to.blob_bytes(&blob).await.unwrap(), content);
        let again = to.begin(&blob.digest, Some(blob.size), None).await.unwrap();
        assert!(matches!(again, Begun::Present), "{place}: {again:?}");
    }
}

/// Wrong, short and long content is refused and leaves nothing behind, nor does a dropped upload.
pub async fn refuses_corruption(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(b"promised"));
    let wrong: [&[&[u8]]; 4] =
        [&[b"prOmised"], &[b"pro"], &[b"promised", b"!"], &[b"pro", b"mised!"]];
    for sent in wrong {
        let stream = BlobStream::new(blob.clone(), body(sent, None));
        let interrupted = open(&*to, &blob).await.finish(stream).await.unwrap_err();
        assert_eq!(interrupted.cause.kind(), Kind::Corrupt, "{place}: {sent:?}");
        assert!(interrupted.upload.is_none(), "{place} would continue {sent:?}");
        assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} kept {sent:?}");
    }
    let mut upload = open(&*to, &blob).await;
    upload.append(Bytes::from_static(b"promised")).await.unwrap();
    drop(upload);
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} kept what was dropped");
}

/// A destination that stops polling at `size` never completes a corrupt blob.
///
/// That is what an HTTP client does with a body of known length: it has sent `Content-Length`
/// bytes, so it does not ask the stream for its end, and the server answers 201.
pub async fn stopping_at_size_never_completes_corruption(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(b"promised"));
    let empty: &[u8] = b"";
    let wrong: [&[&[u8]]; 4] =
        [&[b"prOmised"], &[b"prO", b"mised", empty], &[b"promise", b"D"], &[b"promised!"]];
    for sent in wrong {
        let mut upload = open(&*to, &blob).await;
        let mut stream = BlobStream::new(blob.clone(), body(sent, None));
        while upload.offset() < blob.size {
            match stream.try_next().await {
                Ok(Some(part)) => upload.append(part).await.unwrap(),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(error.kind(), Kind::Corrupt);
                    break;
                }
            }
        }
        assert!(upload.offset() < blob.size, "{place} was given all of {sent:?}");
        upload.abort().await.unwrap();
    }
}

/// What was kept of an interrupted upload is not sent again.
///
/// Continues from the checkpoint if the place kept all that had passed; else everything is read
/// again, and only the rest is sent.
pub async fn resumes_an_interrupted_upload(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(CONTENT));
    let (head, tail) = CONTENT.split_at(CONTENT.len() / 2);
    let stream = BlobStream::new(blob.clone(), body(&[head], Some(Kind::Reset)));
    let checkpoint = stream.checkpoint();
    let interrupted = open(&*to, &blob).await.finish(stream).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Reset, "{place}");
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} shows a part");
    let upload = interrupted.upload.expect("a reset does not end a session");
    let (kept, passed) = (upload.offset(), checkpoint.offset());
    assert!(kept <= passed, "{place} kept what it was not sent");
    let stream = if kept == passed {
        let rest = Body { starts_at: kept, ..body(&[tail], None) };
        BlobStream::resume(blob.clone(), checkpoint.hasher(), rest)
    } else {
        BlobStream::new(blob.clone(), body(&[CONTENT], None)).starting_at(kept)
    };
    assert_eq!(upload.finish(stream).await.unwrap(), Stored::New);
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
}

/// A blob is mounted from where it is; a mount that is declined opens an upload that works.
pub async fn continues_in_the_session_of_a_declined_mount(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    let blob = describe(CONTENT);
    let absent = repository("not/there");
    match to.begin(&blob.digest, Some(blob.size), Some(&absent)).await.unwrap() {
        Begun::Open(upload) => {
            let stream = BlobStream::new(blob.clone(), body(&[CONTENT], None));
            assert_eq!(upload.finish(stream).await.unwrap(), Stored::New);
        }
        begun => panic!("{place} mounted what is not there: {begun:?}"),
    }
    let other = place.destination(&repository("c/d")).unwrap();
    match other.begin(&blob.digest, Some(blob.size), Some(&repository("a/b"))).await.unwrap() {
        Begun::Mounted => assert_eq!(other.blob_bytes(&blob).await.unwrap(), CONTENT),
        Begun::Open(upload) => upload.abort().await.unwrap(),
        Begun::Present => panic!("{place} does not keep repositories apart"),
    }
}

/// A range is answered by that range, or by everything.
pub async fn reads_ranges(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    let blob = push(&*to, CONTENT).await;
    for (start, end) in [(0, 1), (7, 30), (30, CONTENT.len()), (0, CONTENT.len())] {
        let range = Some(start as u64..end as u64);
        let body = to.blob(&blob.digest, range).await.unwrap();
        let expected =
            if body.starts_at == 0 && start > 0 { CONTENT } else { &CONTENT[start..end] };
        let chunks: Vec<Bytes> = body.bytes.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), expected, "{place}: {start}..{end}");
    }
}

/// Parts make the blob they are said to be, or nothing.
pub async fn commits_what_was_appended(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(CONTENT));
    for (content, expected) in [(&b"other"[..], None), (CONTENT, Some(blob.size))] {
        let mut upload = open(&*to, &blob).await;
        for part in content.chunks(5) {
            upload.append(Bytes::copy_from_slice(part)).await.unwrap();
        }
        assert_eq!(upload.commit(&blob.digest).await.is_ok(), expected.is_some());
        assert_eq!(to.blob_size(&blob.digest).await.unwrap(), expected);
    }
}

/// A manifest comes after what it names, is found by tag and digest, and its tags are listed.
pub async fn keeps_manifests_in_order(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    let layer = |media_type: &str| {
        let (digest, size) = (Digest::of(CONTENT), CONTENT.len());
        format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
    };
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{},"layers":[{}]}}"#,
        MediaType::OciManifest,
        layer("application/vnd.oci.image.config.v1+json"),
        layer("application/vnd.oci.image.layer.v1.tar")
    );
    let manifest = Manifest::new(MediaType::OciManifest, text.into());
    let digest = &manifest.descriptor().digest;
    assert!(to.push_manifest(&manifest, None).await.is_err(), "{place} took a parent first");
    let blob = push(&*to, CONTENT).await;
    for (tag, stored) in [("v1", Stored::New), ("v2", Stored::Already), ("v3", Stored::Already)] {
        let tag = tag.parse().unwrap();
        let answered = to.push_manifest(&manifest, Some(&tag)).await.unwrap();
        // A registry's answer is the same whether it had the manifest or not.
        assert!(answered == stored || answered == Stored::New, "{place} did not have {tag}");
        assert_eq!(to.manifest(&(&tag).into(), 1000).await.unwrap(), manifest);
        assert!(to.manifest(&(&tag).into(), 10).await.is_err(), "{place} ignores the limit");
    }
    assert_eq!(to.head(&digest.into()).await.unwrap().as_ref(), Some(manifest.descriptor()));
    // docker-registry answers 500, having found something that it cannot read.
    let confused = to.head(&(&blob.digest).into()).await;
    assert!(!matches!(confused, Ok(Some(_))), "{place} takes a blob for a manifest");
    let (mut tags, limit) = (Vec::new(), NonZeroUsize::MIN);
    let mut next = Some(Page { after: None, limit });
    while let Some(page) = next.take() {
        let listing = to.tags(&page).await.unwrap();
        tags.extend(listing.items.iter().map(ToString::to_string));
        next = listing.next;
    }
    assert_eq!(tags, ["v1", "v2", "v3"], "{place}");
}
