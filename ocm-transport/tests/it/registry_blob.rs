//! Blobs, read.

use std::{num::NonZeroUsize, time::Duration};

use bytes::Bytes;
use futures::{FutureExt as _, TryStreamExt as _};
use ocm_oci::{Digest, RepoName};
use ocm_transport::{
    Body, ClientOptions, Credentials, Kind, Limits, Login, Retry, Source, SourceExt as _,
    Transport as _, TransportError, conformance,
};

use crate::{
    fake::{Fake, Seen, reply, with},
    raw::{Act, Raw, WELCOME},
    support::{chain, open, plain},
};

fn name() -> RepoName {
    "a/b".parse().unwrap()
}

const CONTENT: &str = "0123456789";

fn digest() -> Digest {
    Digest::of(CONTENT.as_bytes())
}

async fn read(body: Body) -> Result<Vec<u8>, TransportError> {
    let chunks: Vec<Bytes> = body.bytes.try_collect().await?;
    Ok(chunks.concat())
}

#[tokio::test]
async fn one_request_reads_a_blob() {
    let fake = Fake::serve(|_: &Seen| reply(200, CONTENT)).await;
    let from = open(&fake.host(), plain()).source(&name());
    let blob = conformance::describe(CONTENT.as_bytes());
    assert_eq!(from.blob_bytes(&blob).await.unwrap(), CONTENT.as_bytes());
    assert_eq!(fake.log(), [format!("GET /v2/a/b/blobs/{}", digest())]);
    let seen = fake.seen().pop().unwrap();
    assert_eq!(seen.header("accept-encoding"), "identity");
    assert_eq!(seen.header("range"), "");
    assert_eq!(seen.header("user-agent"), concat!("ocm/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn ranges_are_closed_and_checked() {
    // Answer, Content-Range, what becomes of it.
    let table = [
        (206, "bytes 3-6/10", Ok((3, "3456"))),
        (206, "bytes 3-6/*", Ok((3, "3456"))),
        (200, "", Ok((0, CONTENT))),
        (206, "bytes 2-5/10", Err((Kind::Corrupt, Retry::Again))),
        (206, "", Err((Kind::Corrupt, Retry::Again))),
        (206, "bytes 3-6/5", Err((Kind::Corrupt, Retry::Again))),
        (416, "bytes */10", Err((Kind::Refused, Retry::Never))),
        (204, "", Err((Kind::Refused, Retry::Never))),
    ];
    for (status, range, expected) in table {
        let body = if status == 206 { "3456" } else { CONTENT };
        let fake = Fake::serve(move |_: &Seen| match (status, range) {
            (204, _) => reply(204, ""),
            (_, "") => reply(status, body),
            _ => with(status, &[("content-range", range)], body),
        })
        .await;
        let from = open(&fake.host(), plain()).source(&name());
        let found = from.blob(&digest(), Some(3..7)).await;
        assert_eq!(fake.seen().pop().unwrap().header("range"), "bytes=3-6");
        match (found, expected) {
            (Ok(body), Ok((starts_at, content))) => {
                assert_eq!(body.starts_at, starts_at, "{status} {range}");
                assert_eq!(read(body).await.unwrap(), content.as_bytes());
            }
            (Err(error), Err(expected)) => {
                assert_eq!((error.kind(), error.retry()), expected, "{status} {range}");
            }
            (found, _) => panic!("{status} {range}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_asked_for_nothing() {
    let fake = Fake::serve(|_: &Seen| reply(500, "")).await;
    let from = open(&fake.host(), plain()).source(&name());
    let body = from.blob(&digest(), Some(10..10)).await.unwrap();
    assert_eq!((body.starts_at, read(body).await.unwrap().len()), (10, 0));
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_refused() {
    let fake =
        Fake::serve(|_: &Seen| with(206, &[("content-range", "bytes 0-3/10")], "0123")).await;
    let from = open(&fake.host(), plain()).source(&name());
    assert_eq!(from.blob(&digest(), None).await.unwrap_err().kind(), Kind::Refused);
}

/// As registries send clients to where their storage is: with a signed address, which is a secret,
/// and without our credentials, which are one too.
#[tokio::test]
async fn redirects_are_followed_without_credentials() {
    let storage = Fake::serve(|seen: &Seen| match seen.header("range") {
        "" => reply(200, CONTENT),
        _ => with(206, &[("content-range", "bytes 3-6/10")], "3456"),
    })
    .await;
    let to = format!("http://{}/blob?signature=sesame", storage.address);
    let fake = Fake::serve(move |seen: &Seen| match seen.header("authorization") {
        "" => with(401, &[("www-authenticate", "Basic realm=x")], ""),
        _ => with(307, &[("location", &to)], ""),
    })
    .await;
    let credentials = Credentials::fixed(Login::basic("me", "secret"));
    let from = open(&fake.host(), plain().with_credentials(credentials)).source(&name());
    for (range, content) in [(None, CONTENT), (Some(3..7), "3456")] {
        let body = from.blob(&digest(), range).await.unwrap();
        assert_eq!(read(body).await.unwrap(), content.as_bytes());
    }
    for seen in storage.seen() {
        assert_eq!(seen.line, "GET /blob?signature=sesame");
        assert_eq!(seen.header("authorization"), "");
    }
    assert!(fake.seen().iter().skip(1).all(|seen| !seen.header("authorization").is_empty()));
}

#[tokio::test]
async fn errors_after_a_redirect_tell_no_secret() {
    let storage = Fake::serve(|_: &Seen| reply(403, "expired")).await;
    let to = format!("http://u:pw@{}/blob?signature=sesame", storage.address);
    let fake = Fake::serve(move |_: &Seen| with(307, &[("location", &to)], "")).await;
    let from = open(&fake.host(), plain()).source(&name());
    let error = from.blob(&digest(), None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    let said = format!("{} {error:?}", chain(&error));
    assert!(said.contains("403 Forbidden: expired"), "{said}");
    assert!(!said.contains("sesame") && !said.contains("pw"), "{said}");
}

async fn raw(options: ClientOptions, act: Act) -> (Raw, std::sync::Arc<dyn Source>) {
    let raw = Raw::serve(move |line| {
        if line.starts_with("GET /v2/ ") { Act::Send(WELCOME.to_owned()) } else { act.clone() }
    })
    .await;
    let from = open(&raw.host(), options).source(&name());
    (raw, from)
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_reset() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234";
    let (_raw, from) = raw(plain(), Act::SendAndClose(head.to_owned())).await;
    let error = read(from.blob(&digest(), None).await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Reset, Retry::Again));
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n";
    let (_raw, from) = raw(plain(), Act::SendAndClose(head.to_owned())).await;
    let error = read(from.blob(&digest(), None).await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Reset, Retry::Again));
    let (_raw, from) = raw(plain(), Act::SendAndClose(String::new())).await;
    let error = from.blob(&digest(), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Reset, Retry::Again), "{}", chain(&error));
}

#[tokio::test]
async fn silence_is_a_stall() {
    let patient_for = |millis| plain().with_stall_timeout(Duration::from_millis(millis));
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234";
    let (_raw, from) = raw(patient_for(1000), Act::SendAndHang(head.to_owned())).await;
    let error = read(from.blob(&digest(), None).await.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Stall, Retry::Again));
    let (_raw, from) = raw(patient_for(50), Act::SendAndHang(String::new())).await;
    let error = from.blob(&digest(), None).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Stall, Retry::Again));
    assert!(chain(&error).contains("50ms"), "{}", chain(&error));
}

#[tokio::test]
async fn wrong_bytes_are_never_a_blob() {
    let fake = Fake::serve(|_: &Seen| reply(200, "012345678X")).await;
    let from = open(&fake.host(), plain()).source(&name());
    let blob = conformance::describe(CONTENT.as_bytes());
    assert_eq!(from.blob_bytes(&blob).await.unwrap_err().kind(), Kind::Corrupt);
}

/// A permit counts until the body is gone; one that is full does not keep metadata waiting.
#[tokio::test]
async fn a_body_holds_its_permit() {
    let fake = Fake::serve(|_: &Seen| reply(200, CONTENT)).await;
    let limits = Limits { reads: NonZeroUsize::MIN, ..Limits::default() };
    let from = open(&fake.host(), plain().with_limits(limits)).source(&name());
    let digest = digest();
    let first = from.blob(&digest, None).await.unwrap();
    let mut second = from.blob(&digest, None);
    assert!(second.as_mut().now_or_never().is_none());
    from.blob_size(&digest).await.unwrap();
    assert_eq!(fake.log().len(), 2);
    drop(first);
    let second = second.await.unwrap();
    assert_eq!(read(second).await.unwrap(), CONTENT.as_bytes());
    from.blob(&digest, None).await.unwrap();
}

#[tokio::test]
async fn sizes_are_looked_up() {
    let table = [
        (200, Some("10"), Ok(Some(10))),
        (404, Some("10"), Ok(None)),
        (403, None, Err(Kind::Auth)),
        (500, None, Err(Kind::Refused)),
    ];
    for (status, length, expected) in table {
        let fake = Fake::serve(move |seen: &Seen| match length {
            _ if seen.line == "GET /v2/" => reply(200, "{}"),
            Some(length) => with(status, &[("content-length", length)], CONTENT),
            None => reply(status, ""),
        })
        .await;
        let from = open(&fake.host(), plain()).source(&name());
        let found = from.blob_size(&digest()).await;
        assert_eq!(found.map_err(|error| error.kind()), expected, "{status}");
        assert_eq!(fake.log(), [format!("HEAD /v2/a/b/blobs/{}", digest())]);
    }
}

/// The status was heard; nobody waits for ever for the page that was to explain it.
#[tokio::test]
async fn a_refusal_whose_body_does_not_come_is_a_refusal() {
    let raw = Raw::serve(|line| {
        if line.starts_with("GET /v2/ ") {
            Act::Send(WELCOME.to_owned())
        } else {
            let head = "HTTP/1.1 404 Not Found\r\ncontent-length: 157\r\n\r\nno!";
            Act::SendAndHang(head.to_owned())
        }
    })
    .await;
    let limits = Limits { reads: NonZeroUsize::MIN, ..Limits::default() };
    let options = plain().with_stall_timeout(Duration::from_millis(50)).with_limits(limits);
    let from = open(&raw.host(), options).source(&name());
    // Twice, as the only permit has to come back.
    for _ in 0..2 {
        let error = from.blob(&digest(), None).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::NotFound, Retry::Never));
        assert!(chain(&error).contains("404 Not Found"), "{}", chain(&error));
    }
}
