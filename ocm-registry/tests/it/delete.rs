use std::sync::Arc;

use ocm_oci::Digest;
use ocm_registry::{Access, ServerOptions};
use ocm_transport::Memory;

use crate::{
    places::ReadOnly,
    running::{OCI_INDEX, Running},
};

#[tokio::test]
async fn tags_manifests_and_blobs_are_deleted() {
    let registry = Running::memory().await;
    let text = registry.image("a", "v1", b"layer").await;
    registry.image("a", "v2", b"layer").await;
    registry.image("a", "v3", b"layer").await;
    let (manifest, layer) = (Digest::of(text.as_bytes()), Digest::of(b"layer"));
    registry.ask("DELETE", "/v2/a/manifests/v1").await.is(202);
    registry.ask("GET", "/v2/a/manifests/v1").await.refused(404, "MANIFEST_UNKNOWN");
    registry.ask("DELETE", "/v2/a/manifests/v1").await.refused(404, "MANIFEST_UNKNOWN");
    registry.ask("GET", "/v2/a/manifests/v2").await.is(200);

    let path = format!("/v2/a/manifests/{manifest}");
    registry.ask("DELETE", &path).await.is(202);
    for reference in [path.as_str(), "/v2/a/manifests/v2", "/v2/a/manifests/v3"] {
        registry.ask("GET", reference).await.refused(404, "MANIFEST_UNKNOWN");
    }
    registry.ask("DELETE", &path).await.refused(404, "MANIFEST_UNKNOWN");

    let path = format!("/v2/a/blobs/{layer}");
    registry.ask("DELETE", &path).await.is(202);
    registry.ask("GET", &path).await.refused(404, "BLOB_UNKNOWN");
    registry.ask("DELETE", &path).await.refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_read_only_registry_changes_nothing() {
    let memory = Memory::default();
    let open = Running::over(Arc::new(memory.clone()), ServerOptions::default()).await;
    let text = open.image("a", "v1", b"layer").await;
    let (manifest, layer) = (Digest::of(text.as_bytes()), Digest::of(b"layer"));
    let place = Arc::new(ReadOnly(memory.clone()));
    let by_place = Running::over(place, ServerOptions::default()).await;
    let options = ServerOptions::default().with_access(Access::ReadOnly);
    let by_options = Running::over(Arc::new(memory.clone()), options).await;
    let stored = memory.tally().stored;
    for registry in [by_place, by_options] {
        registry.ask("GET", "/v2/a/manifests/v1").await.is(200);
        for (method, path) in [
            ("POST", "/v2/a/blobs/uploads/".to_owned()),
            ("POST", format!("/v2/a/blobs/uploads/?digest={layer}")),
            ("POST", format!("/v2/b/blobs/uploads/?mount={layer}&from=a")),
            ("PATCH", "/v2/a/blobs/uploads/x".to_owned()),
            ("DELETE", "/v2/a/manifests/v1".to_owned()),
            ("DELETE", format!("/v2/a/manifests/{manifest}")),
            ("DELETE", format!("/v2/a/blobs/{layer}")),
        ] {
            registry.ask(method, &path).await.refused(405, "UNSUPPORTED");
        }
        let put = registry.manifest("/v2/a/manifests/v2", OCI_INDEX, "{}").await;
        put.refused(405, "UNSUPPORTED");
    }
    assert_eq!(memory.tally().stored, stored);
    open.ask("GET", "/v2/a/manifests/v1").await.is(200);
}
