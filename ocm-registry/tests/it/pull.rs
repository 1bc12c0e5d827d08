use std::sync::Arc;

use ocm_oci::Digest;
use ocm_registry::ServerOptions;
use ocm_transport::Memory;

use crate::running::{Answer, OCI_MANIFEST, Running};

#[tokio::test]
async fn an_image_comes_back_as_it_was_pushed() {
    let registry = Running::memory().await;
    for base in ["/v2/", "/v2"] {
        assert_eq!(registry.ask("GET", base).await.is(200).body, b"{}");
    }
    let text = registry.image("deep/down/app", "v1", b"layer").await;
    let digest = Digest::of(text.as_bytes());
    for reference in ["v1".to_owned(), digest.to_string()] {
        let path = format!("/v2/deep/down/app/manifests/{reference}");
        for method in ["GET", "HEAD"] {
            let found = registry.ask(method, &path).await.is(200);
            assert_eq!(found.header("content-type"), OCI_MANIFEST);
            assert_eq!(found.header("docker-content-digest"), digest.to_string());
            assert_eq!(found.header("content-length"), text.len().to_string());
            assert_eq!(found.body, if method == "GET" { text.as_bytes() } else { b"" });
        }
    }
    let blob = format!("/v2/deep/down/app/blobs/{}", Digest::of(b"layer"));
    let found = registry.ask("HEAD", &blob).await.is(200);
    assert_eq!((found.header("content-length"), found.header("accept-ranges")), ("5", "bytes"));
    assert_eq!(registry.ask("GET", &blob).await.is(200).body, b"layer");
    let escaped = blob.replace("sha256:", "sha256%3A");
    assert_eq!(registry.ask("GET", &escaped).await.is(200).body, b"layer");
}

#[tokio::test]
async fn a_part_of_a_blob() {
    let registry = Running::memory().await;
    let digest = registry.blob("a", b"0123456789").await;
    let path = format!("/v2/a/blobs/{digest}");
    let get = async |range: &str, unless: &str| {
        let request = registry.request("GET", &path).header("range", range);
        let request = if unless.is_empty() { request } else { request.header("if-range", unless) };
        Answer::read(request.send().await.unwrap()).await
    };
    for (range, body, told) in
        [("bytes=2-4", "234", "2-4"), ("bytes=7-", "789", "7-9"), ("bytes=-2", "89", "8-9")]
    {
        let part = get(range, &format!("\"{digest}\"")).await.is(206);
        assert_eq!(part.body, body.as_bytes());
        assert_eq!(part.header("content-range"), format!("bytes {told}/10"));
        assert_eq!(part.header("content-length"), body.len().to_string());
    }
    let outside = get("bytes=10-", "").await;
    assert_eq!(outside.header("content-range"), "bytes */10");
    outside.refused(416, "SIZE_INVALID");
    assert_eq!(get("bytes=0-1,4-5", "").await.is(200).body, b"0123456789");
    assert_eq!(get("bytes=2-4", "\"another\"").await.is(200).body, b"0123456789");
    let head = registry.request("HEAD", &path).header("range", "bytes=2-4");
    assert_eq!(
        Answer::read(head.send().await.unwrap()).await.is(200).header("content-length"),
        "10"
    );
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let registry = Running::memory().await;
    let text = registry.image("a", "v1", b"layer").await;
    let (layer, manifest) = (Digest::of(b"layer"), Digest::of(text.as_bytes()));
    for (path, digest) in
        [(format!("/v2/a/blobs/{layer}"), layer), ("/v2/a/manifests/v1".to_owned(), manifest)]
    {
        let get = async |tags: &str| {
            let request = registry.request("GET", &path).header("if-none-match", tags);
            Answer::read(request.send().await.unwrap()).await
        };
        let etag = registry.ask("GET", &path).await.is(200).header("etag").to_owned();
        for tags in [etag.clone(), format!("\"x\", W/{etag}"), "*".to_owned(), digest.to_string()] {
            assert_eq!(get(&tags).await.is(304).body, b"");
        }
        get("\"another\"").await.is(200);
    }
}

#[tokio::test]
async fn what_is_not_here() {
    let registry = Running::memory().await;
    registry.image("a", "v1", b"layer").await;
    registry.image("b", "v1", b"other").await;
    let (here, there) = (Digest::of(b"layer"), Digest::of(b"nowhere"));
    for (path, code) in [
        (format!("/v2/a/blobs/{there}"), "BLOB_UNKNOWN"),
        (format!("/v2/b/blobs/{here}"), "BLOB_UNKNOWN"),
        (format!("/v2/c/blobs/{here}"), "BLOB_UNKNOWN"),
        (format!("/v2/a/manifests/{here}"), "MANIFEST_UNKNOWN"),
        ("/v2/a/manifests/v2".to_owned(), "MANIFEST_UNKNOWN"),
        ("/v2/c/tags/list".to_owned(), "NAME_UNKNOWN"),
        ("/v2/a/else".to_owned(), "UNSUPPORTED"),
    ] {
        registry.ask("GET", &path).await.is(404).refused(404, code);
        assert_eq!(registry.ask("HEAD", &path).await.is(404).body, b"");
    }
    registry.ask("GET", "/v2/A/tags/list").await.refused(400, "NAME_INVALID");
    registry.ask("GET", "/v2/a/blobs/sha256:12").await.refused(400, "DIGEST_INVALID");
    registry.ask("GET", "/v2/a/manifests/sha256:12").await.refused(400, "DIGEST_INVALID");
    assert_eq!(registry.ask("GET", "/elsewhere").await.status, 404);
}

#[tokio::test]
async fn verbs_that_are_not_for_a_path() {
    let registry = Running::memory().await;
    let digest = registry.blob("a", b"layer").await;
    let session = registry.session("a").await;
    for (method, path, allowed) in [
        ("POST", "/v2/".to_owned(), "GET, HEAD"),
        ("POST", "/v2/_catalog".to_owned(), "GET, HEAD"),
        ("PUT", "/v2/a/tags/list".to_owned(), "GET, HEAD"),
        ("DELETE", format!("/v2/a/referrers/{digest}"), "GET, HEAD"),
        ("PUT", format!("/v2/a/blobs/{digest}"), "GET, HEAD, DELETE"),
        ("PATCH", "/v2/a/manifests/v1".to_owned(), "GET, HEAD, PUT, DELETE"),
        ("GET", "/v2/a/blobs/uploads/".to_owned(), "POST"),
        ("POST", session, "GET, PATCH, PUT, DELETE"),
    ] {
        let answer = registry.ask(method, &path).await;
        assert_eq!(answer.header("allow"), allowed);
        answer.refused(405, "UNSUPPORTED");
    }
}

#[tokio::test]
async fn a_blob_that_breaks_off_below_breaks_off_here() {
    let memory = Memory::default();
    let registry = Running::over(Arc::new(memory.clone()), ServerOptions::default()).await;
    let content = vec![7; 500_000];
    let digest = registry.blob("a", &content).await;
    memory.cut_next_read(200_000);
    let answer = registry.request("GET", &format!("/v2/a/blobs/{digest}")).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(500_000));
    assert!(answer.bytes().await.is_err());
}
