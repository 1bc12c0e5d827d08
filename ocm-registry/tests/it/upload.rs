use std::{sync::Arc, time::Duration};

use ocm_oci::{Algorithm, Digest, Hasher};
use ocm_registry::ServerOptions;
use ocm_transport::Memory;
use reqwest::Body;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    places::Leftover,
    running::{Answer, Running},
};

async fn chunk(registry: &Running, session: &str, range: &str, body: &[u8]) -> Answer {
    let request = registry.request("PATCH", session).header("content-range", range);
    Answer::read(request.body(body.to_vec()).send().await.unwrap()).await
}

/// A body whose length is not announced.
fn unannounced(content: &'static [u8]) -> Body {
    Body::wrap_stream(futures::stream::iter(content.chunks(3).map(Ok::<_, std::io::Error>)))
}

#[tokio::test]
async fn the_ways_to_push_a_blob() {
    let registry = Running::memory().await;
    let digest = Digest::of(b"content");
    registry.blob("post", b"content").await;

    let session = registry.session("put").await;
    let put = registry.send("PUT", &format!("{session}?digest={digest}"), b"content").await;
    assert_eq!(put.is(201).header("location"), format!("/v2/put/blobs/{digest}"));

    let session = registry.session("patch").await;
    registry.send("PATCH", &session, b"con").await.is(202);
    registry.send("PATCH", &session, b"tent").await.is(202);
    registry.send("PUT", &format!("{session}?digest={digest}"), b"").await.is(201);

    let session = registry.session("both").await;
    registry.send("PATCH", &session, b"con").await.is(202);
    registry.send("PUT", &format!("{session}?digest={digest}"), b"tent").await.is(201);

    let session = registry.session("stream").await;
    let put = registry.request("PUT", &format!("{session}?digest={digest}"));
    Answer::read(put.body(unannounced(b"content")).send().await.unwrap()).await.is(201);

    let mount = format!("/v2/mount/blobs/uploads/?mount={digest}&from=put");
    registry.ask("POST", &mount).await.is(201);

    for name in ["post", "put", "patch", "both", "stream", "mount"] {
        let path = format!("/v2/{name}/blobs/{digest}");
        assert_eq!(registry.ask("GET", &path).await.is(200).body, b"content", "{name}");
    }
}

#[tokio::test]
async fn an_empty_blob_and_a_long_digest() {
    let registry = Running::memory().await;
    let digest = registry.blob("a", b"").await;
    let found = registry.ask("GET", &format!("/v2/a/blobs/{digest}")).await.is(200);
    assert_eq!((found.header("content-length"), found.body.len()), ("0", 0));
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"long");
    let digest = hasher.finish();
    for name in ["put", "patch"] {
        let session = registry.session(name).await;
        let last: &[u8] = if name == "patch" {
            registry.send("PATCH", &session, b"long").await.is(202);
            b""
        } else {
            b"long"
        };
        registry.send("PUT", &format!("{session}?digest={digest}"), last).await.is(201);
        registry.ask("HEAD", &format!("/v2/{name}/blobs/{digest}")).await.is(200);
    }
}

#[tokio::test]
async fn chunks_come_in_order() {
    let registry = Running::memory().await;
    let session = registry.session("a").await;
    let first = chunk(&registry, &session, "0-4", b"01234").await.is(202);
    assert_eq!((first.header("range"), first.header("location")), ("0-4", session.as_str()));
    for range in ["0-4", "6-7", "5-"] {
        let answer = chunk(&registry, &session, range, b"56").await;
        if range == "5-" {
            answer.refused(400, "BLOB_UPLOAD_INVALID");
            continue;
        }
        assert_eq!((answer.header("range"), answer.header("location")), ("0-4", &*session));
        answer.refused(416, "BLOB_UPLOAD_INVALID");
    }
    chunk(&registry, &session, "5-9", b"56").await.refused(400, "SIZE_INVALID");
    let status = registry.ask("GET", &session).await.is(204);
    assert_eq!((status.header("range"), status.header("location")), ("0-4", &*session));
    chunk(&registry, &session, "bytes 5-6/10", b"56").await.is(202);
    let digest = Digest::of(b"0123456789");
    let put = format!("{session}?digest={digest}");
    let out_of_order = registry.request("PUT", &put).header("content-range", "8-9").body("89");
    Answer::read(out_of_order.send().await.unwrap()).await.refused(416, "BLOB_UPLOAD_INVALID");
    let last = registry.request("PUT", &put).header("content-range", "7-9").body("789");
    Answer::read(last.send().await.unwrap()).await.is(201);
    registry.ask("GET", &session).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn what_is_not_as_promised_is_refused() {
    let registry = Running::memory().await;
    let digest = Digest::of(b"content");
    let wrong = format!("/v2/a/blobs/uploads/?digest={digest}");
    registry.send("POST", &wrong, b"c0ntent").await.refused(400, "DIGEST_INVALID");
    let session = registry.session("a").await;
    let put = format!("{session}?digest={digest}");
    for content in ["c0ntent", "short", "content!", ""] {
        registry.send("PUT", &put, content).await.refused(400, "DIGEST_INVALID");
    }
    registry.send("PATCH", &session, b"c0nt").await.is(202);
    registry.send("PUT", &put, b"ent").await.refused(400, "DIGEST_INVALID");
    registry.ask("HEAD", &format!("/v2/a/blobs/{digest}")).await.is(404);
    registry.ask("GET", &session).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    let session = registry.session("a").await;
    registry.send("PUT", &session, b"content").await.refused(400, "DIGEST_INVALID");
    let not_one = format!("{session}?digest=sha256:12");
    registry.send("PUT", &not_one, b"content").await.refused(400, "DIGEST_INVALID");
    registry.blob("a", b"content").await;
    let put = format!("{session}?digest={digest}");
    registry.send("PUT", &put, b"c0ntent").await.refused(400, "DIGEST_INVALID");
    registry.send("PUT", &put, b"content").await.is(201);
}

#[tokio::test]
async fn a_mount_that_is_declined_opens_an_upload() {
    let registry = Running::memory().await;
    let digest = Digest::of(b"content");
    for query in [format!("mount={digest}&from=not/there"), format!("mount={digest}")] {
        let path = format!("/v2/a/blobs/uploads/?{query}");
        let begun = registry.ask("POST", &path).await.is(202);
        assert_ne!(begun.header("location"), "");
    }
    let path = format!("/v2/a/blobs/uploads/?mount={digest}&from=not/there");
    let session = registry.ask("POST", &path).await.is(202).header("location").to_owned();
    let other = Digest::of(b"other");
    registry.send("PUT", &format!("{session}?digest={other}"), b"other").await.is(201);
    let session = registry.ask("POST", &path).await.is(202).header("location").to_owned();
    registry.send("PUT", &format!("{session}?digest={digest}"), b"content").await.is(201);
    registry.ask("POST", &path).await.is(201);
    let bad = format!("/v2/a/blobs/uploads/?mount={digest}&from=BAD");
    registry.ask("POST", &bad).await.refused(400, "NAME_INVALID");
}

#[tokio::test]
async fn sessions_are_cancelled_and_belong_to_a_repository() {
    let registry = Running::memory().await;
    let session = registry.session("a").await;
    registry.send("PATCH", &session, b"content").await.is(202);
    let elsewhere = session.replace("/v2/a/", "/v2/b/");
    registry.ask("GET", &elsewhere).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    registry.ask("DELETE", &session).await.is(204);
    registry.ask("GET", &session).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    registry.send("PATCH", &session, b"x").await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn there_are_so_many_sessions_at_most() {
    let options = ServerOptions::default().with_max_uploads(2);
    let memory = Memory::default();
    let registry = Running::over(Arc::new(memory.clone()), options.clone()).await;
    let first = registry.session("a").await;
    registry.session("a").await;
    let third = registry.ask("POST", "/v2/a/blobs/uploads/").await;
    assert_eq!(third.header("retry-after"), "5");
    third.refused(429, "TOOMANYREQUESTS");
    registry.ask("DELETE", &first).await.is(204);
    registry.session("a").await;

    let registry = Running::over(Arc::new(memory), options.with_upload_idle(Duration::ZERO)).await;
    let first = registry.session("a").await;
    registry.session("a").await;
    registry.ask("GET", &first).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn what_came_before_the_connection_broke_is_kept() {
    let registry = Running::memory().await;
    let (session, content) = (registry.session("a").await, vec![7; 300_000]);
    let digest = Digest::of(&content);
    let mut stream = TcpStream::connect(registry.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "PUT {session}?digest={digest} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&content[..200_000]).await.unwrap();
    drop(stream);
    // The server learns of it when it reads on; until then the session is taken.
    let status = loop {
        let status = registry.ask("GET", &session).await;
        match status.status.as_u16() {
            409 => tokio::task::yield_now().await,
            _ => break status.is(204),
        }
    };
    assert_eq!(status.header("range"), "0-199999");
    let put = format!("{session}?digest={digest}");
    registry.send("PUT", &put, &content[200_000..]).await.is(201);
}

#[tokio::test]
async fn what_an_earlier_process_left_is_gone_on_with() {
    let place = Leftover { memory: Memory::default(), kept: b"cont" };
    let registry = Running::over(Arc::new(place), ServerOptions::default()).await;
    let digest = Digest::of(b"content");
    let read = async |name: &str| {
        registry.ask("GET", &format!("/v2/{name}/blobs/{digest}")).await.is(200).body
    };
    registry.blob("post", b"content").await;
    assert_eq!(read("post").await, b"content");
    let post = registry.request("POST", &format!("/v2/stream/blobs/uploads/?digest={digest}"));
    Answer::read(post.body(unannounced(b"content")).send().await.unwrap()).await.is(201);
    assert_eq!(read("stream").await, b"content");
    let mount = format!("/v2/mount/blobs/uploads/?mount={digest}&from=not/there");
    let begun = registry.ask("POST", &mount).await.is(202);
    assert_eq!(begun.header("range"), "0-0", "the client begins at 0");
    let put = format!("{}?digest={digest}", begun.header("location"));
    registry.send("PUT", &put, b"content").await.is(201);
    assert_eq!(read("mount").await, b"content");
}
