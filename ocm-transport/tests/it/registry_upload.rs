//! Blobs, written.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, RepoName};
use ocm_transport::{
    Begun, BlobStream, Body, ClientOptions, Credentials, Destination, Kind, Limits, Login, Retry,
    Stored, Transport as _, Upload, conformance,
};

use crate::{
    fake::{Fake, Seen, envelope, reply, with},
    raw::{Act, Raw, WELCOME},
    support::{chain, open, plain},
};

const CONTENT: &[u8] = b"0123456789";

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn blob() -> Descriptor {
    conformance::describe(CONTENT)
}

fn content() -> BlobStream {
    BlobStream::new(blob(), conformance::body(&[b"01234", b"567", b"89"], None))
}

fn to(fake: &Fake, options: ClientOptions) -> Arc<dyn Destination> {
    open(&fake.host(), options).destination(&name("a/b")).unwrap()
}

async fn begin(to: &dyn Destination) -> Box<dyn Upload> {
    match to.begin(&blob().digest, Some(blob().size), None).await.unwrap() {
        Begun::Open(upload) => upload,
        begun => panic!("{begun:?}"),
    }
}

/// A registry that lacks every blob, and takes what `put` takes.
fn registry(
    location: &'static str,
    put: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static,
) -> impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static {
    move |seen: &Seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404, ""),
        "POST" => with(202, &[("location", location)], ""),
        _ if seen.line == "GET /v2/" => reply(200, "{}"),
        _ => put(seen),
    }
}

#[tokio::test]
async fn one_post_and_one_put_store_a_blob() {
    let fake = Fake::serve(registry("/up/1?_state=x%2Fy", |_| reply(201, ""))).await;
    let upload = begin(&*to(&fake, plain())).await;
    assert_eq!(upload.offset(), 0);
    assert_eq!(upload.finish(content()).await.unwrap(), Stored::New);
    let digest = blob().digest;
    assert_eq!(
        fake.log(),
        [
            format!("HEAD /v2/a/b/blobs/{digest}"),
            "POST /v2/a/b/blobs/uploads/".to_owned(),
            format!("PUT /up/1?_state=x%2Fy&digest={}", digest.to_string().replace(':', "%3A")),
        ]
    );
    let put = fake.seen().pop().unwrap();
    assert_eq!(put.body, CONTENT);
    assert_eq!(put.header("content-length"), "10");
    assert_eq!(put.header("content-type"), "application/octet-stream");
    assert_eq!(put.header("content-range"), "");
    assert_eq!(put.header("transfer-encoding"), "");
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let fake = Fake::serve(registry("/up", |_| reply(201, ""))).await;
    let empty = || conformance::describe(b"");
    let to = to(&fake, plain());
    for (sent, expected) in [(&[][..], None), (&[&b"x"[..]][..], Some(Kind::Corrupt))] {
        let begun = to.begin(&empty().digest, Some(0), None).await.unwrap();
        let Begun::Open(upload) = begun else { panic!("{begun:?}") };
        let stream = BlobStream::new(empty(), conformance::body(sent, None));
        let stored = upload.finish(stream).await;
        assert_eq!(stored.err().map(|interrupted| interrupted.cause.kind()), expected);
    }
    let puts: Vec<_> = fake.seen().into_iter().filter(|it| it.line.starts_with("PUT")).collect();
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].header("content-length"), "0");
}

#[tokio::test]
async fn what_is_there_is_not_sent() {
    let fake = Fake::serve(|seen: &Seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => with(200, &[("content-length", "10")], ""),
        "POST" => with(202, &[("location", "/up")], ""),
        _ => reply(200, ""),
    })
    .await;
    let (to, digest) = (to(&fake, plain()), blob().digest);
    let begun = to.begin(&digest, Some(10), None).await.unwrap();
    assert!(matches!(begun, Begun::Present), "{begun:?}");
    let begun = to.begin(&digest, None, None).await.unwrap();
    assert!(matches!(begun, Begun::Present), "{begun:?}");
    // One of another size is not that blob, whatever the registry says.
    let begun = to.begin(&digest, Some(11), None).await.unwrap();
    assert!(matches!(begun, Begun::Open(_)), "{begun:?}");
}

#[tokio::test]
async fn a_mount_is_one_question_and_declined_one_more() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.contains("from=has") {
            with(201, &[("location", "/v2/a/b/blobs/x")], "")
        } else {
            registry("/up", |_| reply(201, ""))(seen)
        }
    })
    .await;
    let (to, digest) = (to(&fake, plain()), blob().digest);
    let begun = to.begin(&digest, Some(10), Some(&name("has/it"))).await.unwrap();
    assert!(matches!(begun, Begun::Mounted), "{begun:?}");
    let begun = to.begin(&digest, Some(10), Some(&name("lacks/it"))).await.unwrap();
    let Begun::Open(upload) = begun else { panic!("{begun:?}") };
    assert_eq!(upload.finish(content()).await.unwrap(), Stored::New);
    let head = format!("HEAD /v2/a/b/blobs/{digest}");
    let digest = digest.to_string().replace(':', "%3A");
    let mount = |from: &str| format!("POST /v2/a/b/blobs/uploads/?mount={digest}&from={from}");
    assert_eq!(
        fake.log(),
        [mount("has%2Fit"), mount("lacks%2Fit"), head, format!("PUT /up?digest={digest}")]
    );
}

#[tokio::test]
async fn what_is_there_is_found_where_mounting_is_declined() {
    for (status, log) in [(202, vec!["POST", "HEAD", "DELETE"]), (405, vec!["POST", "HEAD"])] {
        let fake = Fake::serve(move |seen: &Seen| match seen.line.split(' ').next().unwrap() {
            "HEAD" => with(200, &[("content-length", "10")], ""),
            "POST" => with(status, &[("location", "/up")], ""),
            _ => reply(200, ""),
        })
        .await;
        let digest = blob().digest;
        let begun = to(&fake, plain()).begin(&digest, Some(10), Some(&name("x/y"))).await.unwrap();
        assert!(matches!(begun, Begun::Present), "{status}: {begun:?}");
        let verbs: Vec<_> =
            fake.log().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(verbs, log, "{status}");
    }
}

#[tokio::test]
async fn a_mount_that_is_forbidden_is_an_upload() {
    for status in [400, 401, 403, 404, 405] {
        let fake = Fake::serve(move |seen: &Seen| {
            if seen.line.contains("mount=") {
                reply(status, envelope("DENIED", "not yours"))
            } else {
                registry("/up", |_| reply(201, ""))(seen)
            }
        })
        .await;
        let digest = blob().digest;
        let begun = to(&fake, plain()).begin(&digest, Some(10), Some(&name("x/y"))).await.unwrap();
        assert!(matches!(begun, Begun::Open(_)), "{status}: {begun:?}");
        assert_eq!(fake.log().len(), 3, "{status}");
    }
    let fake =
        Fake::serve(
            |seen: &Seen| {
                if seen.line.contains("mount=") { reply(503, "") } else { reply(200, "") }
            },
        )
        .await;
    let begun = to(&fake, plain()).begin(&blob().digest, Some(10), Some(&name("x/y"))).await;
    assert_eq!(begun.unwrap_err().retry(), Retry::Again);
    assert_eq!(fake.log().len(), 1);
}

/// Storage elsewhere takes the bytes and sees no credentials.
#[tokio::test]
async fn credentials_stay_with_the_registry() {
    let storage = Fake::serve(|_: &Seen| reply(201, "")).await;
    let elsewhere = format!("http://{}/up?ticket=1", storage.address);
    let (here, is_absolute) = (Arc::new(elsewhere), Arc::new(AtomicBool::new(false)));
    let (other, absolute) = (Arc::clone(&here), Arc::clone(&is_absolute));
    let fake = Fake::serve(move |seen: &Seen| {
        let home = format!("http://{}/up", seen.header("host"));
        let location = if absolute.load(Ordering::SeqCst) { &home } else { &*other };
        match seen.line.split(' ').next().unwrap() {
            _ if seen.header("authorization").is_empty() => {
                with(401, &[("www-authenticate", "Basic realm=x")], "")
            }
            "POST" => with(202, &[("location", location.as_str())], ""),
            "HEAD" => reply(404, ""),
            _ => reply(201, ""),
        }
    })
    .await;
    let credentials = Credentials::fixed(Login::basic("me", "secret"));
    let to = to(&fake, plain().with_credentials(credentials));
    let _stored = begin(&*to).await.finish(content()).await.unwrap();
    let put = storage.seen().pop().unwrap();
    assert!(put.line.starts_with("PUT /up?ticket=1&digest="), "{}", put.line);
    assert_eq!((put.header("authorization"), &put.body[..]), ("", CONTENT));
    is_absolute.store(true, Ordering::SeqCst);
    let _stored = begin(&*to).await.finish(content()).await.unwrap();
    let put = fake.seen().pop().unwrap();
    assert!(put.line.starts_with("PUT /up?digest="), "{}", put.line);
    assert!(put.header("authorization").starts_with("Basic "));
}

#[tokio::test]
async fn parts_are_collected_and_counted() {
    let fake = Fake::serve(registry("/up/0", |seen: &Seen| {
        let range = seen.header("content-range");
        let end = range.split('-').nth(1).unwrap_or("0");
        match seen.line.split(' ').next().unwrap() {
            "PATCH" => with(202, &[("location", "/up/1"), ("range", &format!("0-{end}"))], ""),
            _ => reply(201, ""),
        }
    }))
    .await;
    let mut upload = begin(&*to(&fake, plain())).await;
    let part = Bytes::from(vec![7; 5 << 20]);
    for count in 1..=3 {
        upload.append(part.clone()).await.unwrap();
        assert_eq!(upload.offset(), count * (5 << 20));
    }
    let _stored = upload.commit(&blob().digest).await.unwrap();
    let sent: Vec<_> = fake.seen().into_iter().skip(3).collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0].line, "PATCH /up/0");
    assert_eq!(sent[0].header("content-range"), format!("0-{}", (10 << 20) - 1));
    assert_eq!(sent[0].body.len(), 10 << 20);
    assert!(sent[1].line.starts_with("PUT /up/1?digest="));
    assert_eq!(sent[1].header("content-range"), format!("{}-{}", 10 << 20, (15 << 20) - 1));
    assert_eq!(sent[1].body.len(), 5 << 20);
}

/// What the registry says to a PUT, and to a question after it; what becomes of it.
#[tokio::test]
async fn an_upload_goes_on_only_where_its_session_lives() {
    type Case = (u16, &'static str, u16, Kind, Retry, Option<u64>);
    let table: [Case; 8] = [
        (500, "UNKNOWN", 204, Kind::Refused, Retry::Again, Some(5)),
        (503, "UNKNOWN", 404, Kind::Refused, Retry::Again, None),
        (404, "BLOB_UPLOAD_UNKNOWN", 204, Kind::Reset, Retry::Again, None),
        (416, "", 204, Kind::Reset, Retry::Again, None),
        (400, "DIGEST_INVALID", 204, Kind::Corrupt, Retry::Again, None),
        (400, "NAME_INVALID", 204, Kind::Refused, Retry::Never, None),
        (413, "", 204, Kind::Refused, Retry::Never, None),
        (507, "", 204, Kind::Full, Retry::Never, None),
    ];
    for (status, code, asked, kind, retry, kept) in table {
        let fake = Fake::serve(registry("/up", move |seen: &Seen| {
            match seen.line.split(' ').next().unwrap() {
                "PUT" => reply(status, envelope(code, "no")),
                "GET" => with(asked, &[("range", "0-4"), ("location", "/up/2")], ""),
                _ => reply(204, ""),
            }
        }))
        .await;
        let interrupted = begin(&*to(&fake, plain())).await.finish(content()).await.unwrap_err();
        let cause = &interrupted.cause;
        assert_eq!((cause.kind(), cause.retry()), (kind, retry), "{status} {code}");
        assert!(chain(cause).contains(code), "{}", chain(cause));
        let offset = interrupted.upload.as_ref().map(|upload| upload.offset());
        assert_eq!(offset, kept, "{status} {code}");
        if let Some(upload) = interrupted.upload {
            let stream = content().starting_at(5);
            assert_eq!(upload.finish(stream).await.unwrap_err().cause.kind(), kind);
            let put = fake.seen().into_iter().rfind(|it| it.line.starts_with("PUT")).unwrap();
            assert!(put.line.starts_with("PUT /up/2?digest="), "{}", put.line);
            assert_eq!(put.header("content-range"), "5-9");
            assert_eq!(put.body, CONTENT[5..]);
        }
    }
}

/// The request that broke off may still be on its way: its bytes would come before those that are
/// sent next, so that none are sent to the same session.
#[tokio::test]
async fn an_upload_of_which_nothing_was_kept_goes_on_in_another_session() {
    let sessions = Arc::new(AtomicUsize::new(0));
    let fake = Fake::serve(move |seen: &Seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404, ""),
        "POST" => {
            let location = format!("/up/{}", sessions.fetch_add(1, Ordering::Relaxed));
            with(202, &[("location", &location)], "")
        }
        _ if seen.line == "GET /v2/" => reply(200, "{}"),
        "GET" => with(204, &[("range", "0-0"), ("location", "/up/0")], ""),
        "PUT" if seen.line.starts_with("PUT /up/0") => reply(500, ""),
        "PUT" => reply(201, ""),
        _ => reply(204, ""),
    })
    .await;
    let interrupted = begin(&*to(&fake, plain())).await.finish(content()).await.unwrap_err();
    let upload = interrupted.upload.unwrap();
    assert_eq!(upload.offset(), 0);
    assert_eq!(upload.finish(content()).await.unwrap(), Stored::New);
    assert!(fake.log().contains(&"DELETE /up/0".to_owned()), "{:?}", fake.log());
    let put = fake.seen().pop().unwrap();
    assert!(put.line.starts_with("PUT /up/1?digest="), "{}", put.line);
    assert_eq!((put.header("content-range"), &*put.body), ("", CONTENT));
}

#[tokio::test]
async fn corruption_frees_the_session() {
    let fake = Fake::serve(registry("/up", |_| reply(204, ""))).await;
    let upload = begin(&*to(&fake, plain())).await;
    let wrong = BlobStream::new(blob(), conformance::body(&[b"01234", b"5678X"], None));
    let interrupted = upload.finish(wrong).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Corrupt);
    assert!(interrupted.upload.is_none());
    assert_eq!(fake.log().pop().unwrap(), "DELETE /up");
}

#[tokio::test]
async fn a_registry_that_stores_something_else_is_not_believed() {
    let other = Digest::of(b"other").to_string();
    let fake = Fake::serve(registry("/up", move |seen: &Seen| {
        if seen.line.starts_with("PUT") {
            with(201, &[("docker-content-digest", other.as_str())], "")
        } else {
            reply(204, "")
        }
    }))
    .await;
    let interrupted = begin(&*to(&fake, plain())).await.finish(content()).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Corrupt);
    assert!(interrupted.upload.is_none());
}

#[tokio::test]
async fn beginnings_that_lead_nowhere_are_refused() {
    let begin = async |status: u16, location: &'static str| {
        let fake = Fake::serve(move |seen: &Seen| match seen.line.split(' ').next().unwrap() {
            "HEAD" => reply(404, ""),
            "POST" if location.is_empty() => reply(status, ""),
            "POST" => with(status, &[("location", location)], ""),
            _ => reply(200, ""),
        })
        .await;
        to(&fake, plain()).begin(&blob().digest, None, None).await.unwrap_err()
    };
    assert!(chain(&begin(202, "").await).contains("names no location"));
    assert!(chain(&begin(202, "ftp://x/").await).contains("no address"));
    assert!(chain(&begin(200, "/up").await).contains("200 OK instead of an upload"));
    assert_eq!(begin(403, "/up").await.kind(), Kind::Auth);
}

#[tokio::test]
async fn giving_up_frees_the_session_or_does_not_matter() {
    for (status, expected) in [(204, None), (404, None), (405, None), (503, Some(Kind::Refused))] {
        let fake = Fake::serve(registry("/up", move |_| reply(status, ""))).await;
        let aborted = begin(&*to(&fake, plain())).await.abort().await;
        assert_eq!(aborted.err().map(|error| error.kind()), expected, "{status}");
        assert_eq!(fake.log().pop().unwrap(), "DELETE /up");
    }
}

/// What an interrupted upload left at the registry is given up where it last was.
#[tokio::test]
async fn giving_up_after_an_interruption_frees_the_session() {
    // What the registry says when it is asked for the session, and whether that lives.
    for (asked, is_alive) in [(204, true), (503, false), (405, false)] {
        let fake = Fake::serve(registry("/up", move |seen: &Seen| {
            match seen.line.split(' ').next().unwrap() {
                "PUT" => reply(500, ""),
                "GET" => with(asked, &[("range", "0-4"), ("location", "/up/2")], ""),
                _ => reply(204, ""),
            }
        }))
        .await;
        let to = to(&fake, plain());
        let interrupted = begin(&*to).await.finish(content()).await.unwrap_err();
        assert_eq!(interrupted.upload.is_some(), is_alive, "{asked}");
        if let Some(upload) = interrupted.upload {
            upload.abort().await.unwrap();
        }
        let expected = if is_alive { "DELETE /up/2" } else { "DELETE /up" };
        assert_eq!(fake.log().pop().unwrap(), expected, "{asked}");
        let mut upload = begin(&*to).await;
        upload.append(Bytes::from_static(CONTENT)).await.unwrap();
        assert_eq!(upload.commit(&blob().digest).await.unwrap_err().retry(), Retry::Again);
        assert_eq!(fake.log().pop().unwrap(), "DELETE /up");
    }
}

/// Dropped is dropped: the connection ends, nothing is completed.
#[tokio::test]
async fn a_dropped_upload_sends_nothing() {
    let fake = Fake::serve(registry("/up", |_| reply(201, ""))).await;
    let mut upload = begin(&*to(&fake, plain())).await;
    upload.append(Bytes::from_static(CONTENT)).await.unwrap();
    drop(upload);
    assert_eq!(fake.log().len(), 2);
}

/// A source that says nothing for `silence`, and then its content.
fn slow(silence: Duration) -> BlobStream {
    let Body { operation, starts_at, bytes, .. } = conformance::body(&[CONTENT], None);
    let late = stream::once(tokio::time::sleep(silence)).flat_map(|()| stream::empty());
    BlobStream::new(
        blob(),
        Body { operation, starts_at, bytes: late.chain(bytes).boxed(), kept_in: None },
    )
}

/// A token that was fetched before the wait for others would have ended after it.
#[tokio::test]
async fn a_token_is_fetched_when_it_is_ones_turn() {
    let fake = Fake::serve(|seen: &Seen| {
        let realm = format!(r#"Bearer realm="http://{}/token""#, seen.header("host"));
        match seen.line.split(' ').next().unwrap() {
            // One that ends at once, so that each request needs its own.
            _ if seen.line.starts_with("GET /token") => {
                reply(200, r#"{"token":"t","expires_in":0}"#)
            }
            _ if seen.header("authorization").is_empty() => {
                with(401, &[("www-authenticate", &realm)], "")
            }
            _ => registry("/up", |_| reply(201, ""))(seen),
        }
    })
    .await;
    let limits = Limits { writes: NonZeroUsize::MIN, ..Limits::default() };
    let to = to(&fake, plain().with_limits(limits));
    let (one, other) = (begin(&*to).await, begin(&*to).await);
    let before = fake.log().len();
    let first = one.finish(slow(Duration::from_millis(200)));
    let (first, second) = futures::future::join(first, other.finish(content())).await;
    assert_eq!((first.unwrap(), second.unwrap()), (Stored::New, Stored::New));
    let verbs: Vec<_> = fake
        .log()
        .iter()
        .skip(before)
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(verbs, ["GET", "PUT", "GET", "PUT"]);
}

#[tokio::test]
async fn a_registry_that_takes_nothing_is_a_stall() {
    let raw = Raw::serve(|line| match line.split(' ').next().unwrap_or_default() {
        "HEAD" => Act::Send("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned()),
        "POST" => Act::Send(
            "HTTP/1.1 202 Accepted\r\nlocation: /up\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ),
        "PUT" => Act::SendAndHang(String::new()),
        _ if line.starts_with("GET /v2/ ") => Act::Send(WELCOME.to_owned()),
        _ => Act::SendAndClose(String::new()),
    })
    .await;
    let options = plain().with_stall_timeout(Duration::from_millis(50));
    let to = open(&raw.host(), options).destination(&name("a/b")).unwrap();
    // More than the buffers between two sockets hold, so that sending stops.
    let large = Bytes::from(vec![7; 32 << 20]);
    let chunks: Vec<_> =
        (0..large.len()).step_by(1 << 20).map(|at| Ok(large.slice(at..at + (1 << 20)))).collect();
    let operation = conformance::body(&[], None).operation;
    let body = Body { operation, starts_at: 0, bytes: stream::iter(chunks).boxed(), kept_in: None };
    let stream = BlobStream::new(conformance::describe(&large), body);
    let interrupted = begin(&*to).await.finish(stream).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Stall, "{}", chain(&interrupted.cause));
    // It takes everything, and never answers.
    let interrupted = begin(&*to).await.finish(content()).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Stall, "{}", chain(&interrupted.cause));
    // The source says nothing at all.
    let interrupted = begin(&*to).await.finish(slow(Duration::from_hours(1))).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Stall, "{}", chain(&interrupted.cause));
}
