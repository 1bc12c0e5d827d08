use bytes::Bytes;
use futures::{
    FutureExt as _, StreamExt as _,
    channel::oneshot,
    future::{join_all, pending, select},
    stream,
};

use super::{CONTENT, body, describe, fixture::PROMISED, open, push, repository};
use crate::{Begun, BlobStream, Body, Destination, Kind, SourceExt as _, Stored, Transport};

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

/// What was kept of an interrupted upload was never verified by itself: where it is wrong, a second
/// reading that is right all through does not make it part of a blob.
pub async fn never_joins_a_wrong_beginning(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(CONTENT));
    let wrong = CONTENT[..20].to_ascii_uppercase();
    let stream = BlobStream::new(blob.clone(), body(&[&wrong], Some(Kind::Reset)));
    let upload = open(&*to, &blob).await.finish(stream).await.unwrap_err().upload;
    let Some(upload) = upload.filter(|upload| upload.offset() > 0) else { return };
    let stream = BlobStream::new(blob.clone(), body(&[CONTENT], None));
    let stream = stream.starting_at(upload.offset());
    assert!(upload.finish(stream).await.is_err(), "{place} joined two different blobs");
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place}");
    push(&*to, CONTENT).await;
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
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
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
}

/// What is dropped, at whatever moment, was never there, and is in nobody's way.
pub async fn dropped_work_leaves_nothing(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(PROMISED));
    let mut upload = open(&*to, &blob).await;
    upload.append(Bytes::from_static(b"promised")).await.unwrap();
    drop(upload);
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} kept what was dropped");
    drop(open(&*to, &blob).await);
    let (reached, waiting) = oneshot::channel();
    let stalled = stalls_after(&PROMISED[..3], reached);
    let finish = open(&*to, &blob).await.finish(BlobStream::new(blob.clone(), stalled));
    // Either the place has asked for all there is, or it is waiting itself: then, too, it stops.
    drop(select(finish, waiting).await);
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} shows a part");
    push(&*to, PROMISED).await;
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), PROMISED, "{place}");
}

/// Returns a body that sends `part`, says so, and never goes on.
fn stalls_after(part: &'static [u8], reached: oneshot::Sender<()>) -> Body {
    let end = async move {
        drop(reached);
        pending().await
    };
    let bytes = stream::iter([Ok(Bytes::from_static(part))]).chain(end.into_stream()).boxed();
    Body { bytes, ..body(&[], None) }
}

/// Several uploads of one blob succeed all, whichever is first; a corrupt one harms none of them.
pub async fn takes_one_blob_many_times_at_once(place: &dyn Transport) {
    let blob = describe(CONTENT);
    let names = ["a/b", "a/b", "c/d", "a/b"].map(repository);
    let places = names.map(|name| place.destination(&name).unwrap());
    let corrupt = corrupt(&*places[0]);
    let pushed = join_all(places.iter().map(|to| push_in_chunks(&**to))).boxed();
    futures::future::join(corrupt, pushed).await;
    for to in &places {
        assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
    }
}

async fn push_in_chunks(to: &dyn Destination) {
    let blob = describe(CONTENT);
    if let Begun::Open(upload) = to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        let chunks: Vec<&[u8]> = CONTENT.chunks(7).collect();
        let stream = BlobStream::new(blob, body(&chunks, None));
        upload.finish(stream).await.map(drop).unwrap();
    }
}

async fn corrupt(to: &dyn Destination) {
    let blob = describe(CONTENT);
    if let Begun::Open(upload) = to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        let wrong = CONTENT.to_ascii_uppercase();
        let stream = BlobStream::new(blob, body(&[&wrong[..20], &wrong[20..]], None));
        // It may find that another one has stored the blob meanwhile, and be content.
        if let Err(interrupted) = upload.finish(stream).await {
            assert_eq!(interrupted.cause.kind(), Kind::Corrupt);
        }
    }
}
