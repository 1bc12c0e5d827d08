use ocm_oci::Digest;

use crate::running::{Answer, OCI_MANIFEST, Running};

#[tokio::test]
async fn an_image_comes_back_as_it_was_pushed() {
    let registry = Running::memory().await;
    registry.ask("GET", "/v2/").await.is(200);
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
    assert_eq!(found.header("content-length"), "5");
    assert_eq!(registry.ask("GET", &blob).await.is(200).body, b"layer");
    assert_eq!(
        registry.ask("GET", "/v2/deep/down/app/tags/list").await.is(200).json()["tags"][0],
        "v1"
    );
}

#[tokio::test]
async fn a_part_of_a_blob() {
    let registry = Running::memory().await;
    let digest = registry.blob("a", b"0123456789").await;
    let path = format!("/v2/a/blobs/{digest}");
    let get = async |range: &str| {
        let request = registry.request("GET", &path).header("range", range);
        Answer::read(request.send().await.unwrap()).await
    };
    for (range, body, told) in
        [("bytes=2-4", "234", "2-4"), ("bytes=7-", "789", "7-9"), ("bytes=-2", "89", "8-9")]
    {
        let part = get(range).await.is(206);
        assert_eq!(part.body, body.as_bytes());
        assert_eq!(part.header("content-range"), format!("bytes {told}/10"));
    }
    let outside = get("bytes=10-").await;
    assert_eq!(outside.header("content-range"), "bytes */10");
    outside.refused(416, "SIZE_INVALID");
    assert_eq!(get("bytes=0-1,4-5").await.is(200).body, b"0123456789");
}
