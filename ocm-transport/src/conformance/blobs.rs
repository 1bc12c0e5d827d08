use futures::TryStreamExt as _;
use ocm_oci::{Descriptor, MediaType};

use super::{
    CONTENT, body, describe,
    fixture::{PROMISED, by_sha512},
    open, push, push_as, repository,
};
use crate::{Begun, BlobStream, Kind, SourceExt as _, Stored, Transport};

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

/// A blob that is named by SHA-512 is kept under that name.
pub async fn takes_sha512(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    let (media_type, digest) = (MediaType::OctetStream, by_sha512(CONTENT));
    let blob = Descriptor { media_type, digest, size: CONTENT.len() as u64 };
    let wrong = BlobStream::new(blob.clone(), body(&[&CONTENT[1..], b"x"], None));
    let interrupted = open(&*to, &blob).await.finish(wrong).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Corrupt, "{place}");
    push_as(&*to, &blob, CONTENT).await;
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), Some(blob.size), "{place}");
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
}

/// A blob can be begun before its size is known.
pub async fn takes_what_has_no_size_yet(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(CONTENT));
    let Begun::Open(upload) = to.begin(&blob.digest, None, None).await.unwrap() else {
        panic!("{place} was not empty");
    };
    let stream = BlobStream::new(blob.clone(), body(&[CONTENT], None));
    assert_eq!(upload.finish(stream).await.unwrap(), Stored::New, "{place}");
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
    let again = to.begin(&blob.digest, None, None).await.unwrap();
    assert!(matches!(again, Begun::Present), "{place}: {again:?}");
}

/// Wrong, short and long content is refused and leaves nothing behind, nor does a dropped upload.
pub async fn refuses_corruption(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(PROMISED));
    let wrong: [&[&[u8]]; 4] =
        [&[b"prOmised"], &[b"pro"], &[b"promised", b"!"], &[b"pro", b"mised!"]];
    for sent in wrong {
        let stream = BlobStream::new(blob.clone(), body(sent, None));
        let interrupted = open(&*to, &blob).await.finish(stream).await.unwrap_err();
        assert_eq!(interrupted.cause.kind(), Kind::Corrupt, "{place}: {sent:?}");
        assert!(interrupted.upload.is_none(), "{place} would continue {sent:?}");
        assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place} kept {sent:?}");
    }
    push(&*to, PROMISED).await;
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), PROMISED, "{place} kept what was wrong");
}

/// A destination that stops polling at `size` never completes a corrupt blob.
///
/// That is what an HTTP client does with a body of known length: it has sent `Content-Length`
/// bytes, so it does not ask the stream for its end, and the server answers 201.
pub async fn stopping_at_size_never_completes_corruption(place: &dyn Transport) {
    let (to, blob) = (place.destination(&repository("a/b")).unwrap(), describe(PROMISED));
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

/// A blob is mounted from where it is, or found, if repositories share blobs; a mount that is
/// declined opens an upload that works.
pub async fn mounts_or_opens_in_one_question(place: &dyn Transport) {
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
        Begun::Mounted | Begun::Present => {}
        Begun::Open(upload) => {
            let stream = BlobStream::new(blob.clone(), body(&[CONTENT], None));
            upload.finish(stream).await.map(drop).unwrap();
        }
    }
    assert_eq!(other.blob_bytes(&blob).await.unwrap(), CONTENT, "{place}");
}
