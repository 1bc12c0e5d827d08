use ocm_oci::Digest;

use crate::running::Running;

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

    let mount = format!("/v2/mount/blobs/uploads/?mount={digest}&from=put");
    registry.ask("POST", &mount).await.is(201);

    for name in ["post", "put", "patch", "mount"] {
        let path = format!("/v2/{name}/blobs/{digest}");
        assert_eq!(registry.ask("GET", &path).await.is(200).body, b"content", "{name}");
    }
}
