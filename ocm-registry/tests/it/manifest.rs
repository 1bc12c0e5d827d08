use ocm_oci::{Algorithm, Digest, Hasher};
use ocm_registry::ServerOptions;
use ocm_transport::Memory;
use serde_json::json;
use std::sync::Arc;

use crate::running::{Answer, OCI_INDEX, OCI_MANIFEST, Running};

const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

fn entry(media_type: &str, text: &str) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": Digest::of(text.as_bytes()), "size": text.len() })
}

#[tokio::test]
async fn an_index_comes_after_what_it_lists() {
    let registry = Running::memory().await;
    let image = registry.image("a", "v1", b"layer").await;
    let absent = "nowhere";
    let whole =
        json!({ "schemaVersion": 2, "manifests": [entry(OCI_MANIFEST, &image)] }).to_string();
    let nested = json!({ "manifests": [entry(DOCKER_LIST, &whole)] }).to_string();
    let sparse = json!({ "manifests": [entry(OCI_MANIFEST, &image), entry("x/y", absent)] });
    let refused = registry.manifest("/v2/a/manifests/s", OCI_INDEX, &sparse.to_string()).await;
    let missing = json!([Digest::of(absent.as_bytes())]);
    assert_eq!(refused.json()["errors"][0]["detail"], missing);
    refused.refused(404, "MANIFEST_BLOB_UNKNOWN");
    registry.manifest("/v2/b/manifests/w", DOCKER_LIST, &whole).await.is(404);
    registry.manifest("/v2/a/manifests/w", DOCKER_LIST, &whole).await.is(201);
    registry.manifest("/v2/a/manifests/n", OCI_INDEX, &nested).await.is(201);
    let found = registry.ask("GET", "/v2/a/manifests/n").await.is(200);
    assert_eq!((found.header("content-type"), &*found.body), (OCI_INDEX, nested.as_bytes()));
}

#[tokio::test]
async fn a_layer_that_is_not_here_is_named_unless_it_lives_elsewhere() {
    let registry = Running::memory().await;
    registry.blob("a", b"{}").await;
    let mut layer = entry("application/vnd.oci.image.layer.nondistributable.v1.tar", "far");
    let image = |layer: &serde_json::Value| {
        json!({ "schemaVersion": 2, "config": entry("c/d", "{}"), "layers": [layer] }).to_string()
    };
    let refused = registry.manifest("/v2/a/manifests/v1", OCI_MANIFEST, &image(&layer)).await;
    assert_eq!(refused.json()["errors"][0]["detail"], json!([Digest::of(b"far")]));
    refused.refused(404, "MANIFEST_BLOB_UNKNOWN");
    layer["urls"] = json!(["https://example.com/far"]);
    registry.manifest("/v2/a/manifests/v1", OCI_MANIFEST, &image(&layer)).await.is(201);
}

#[tokio::test]
async fn a_push_by_digest_is_verified_and_may_name_tags() {
    let registry = Running::memory().await;
    let text = json!({ "schemaVersion": 2, "manifests": [], "unknown": "kept" }).to_string();
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(text.as_bytes());
    for digest in [Digest::of(text.as_bytes()), hasher.finish()] {
        let path = format!("/v2/a/manifests/{digest}?tag=v1&tag=v2");
        let pushed = registry.manifest(&path, OCI_INDEX, &text).await.is(201);
        assert_eq!(pushed.header("location"), format!("/v2/a/manifests/{digest}"));
        assert_eq!(pushed.header("docker-content-digest"), digest.to_string());
        let tags: Vec<_> = pushed.headers.get_all("oci-tag").iter().collect();
        assert_eq!(tags, ["v1", "v2"]);
        for reference in ["v1", "v2", &digest.to_string()] {
            let found = registry.ask("GET", &format!("/v2/a/manifests/{reference}")).await.is(200);
            assert_eq!(found.header("docker-content-digest"), digest.to_string());
            assert_eq!(found.body, text.as_bytes());
        }
    }
    let other = format!("/v2/a/manifests/{}", Digest::of(b"other"));
    registry.manifest(&other, OCI_INDEX, &text).await.refused(400, "DIGEST_INVALID");
    let bad_tag = format!("/v2/a/manifests/{}?tag=.no", Digest::of(text.as_bytes()));
    registry.manifest(&bad_tag, OCI_INDEX, &text).await.refused(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn the_type_is_what_is_said_in_one_voice() {
    let registry = Running::memory().await;
    let (bare, typed) = (json!({ "manifests": [] }), json!({ "mediaType": DOCKER_LIST }));
    let (image, strange) = (json!({ "layers": [] }), "application/vnd.example.unheard+json");
    for (said, text, expected) in [
        ("", &bare, OCI_INDEX),
        ("", &image, OCI_MANIFEST),
        ("", &typed, DOCKER_LIST),
        ("application/vnd.oci.image.index.v1+json; charset=utf-8", &bare, OCI_INDEX),
        (strange, &bare, strange),
    ] {
        let request = registry.request("PUT", "/v2/a/manifests/v1").body(text.to_string());
        let request = if said.is_empty() { request } else { request.header("content-type", said) };
        Answer::read(request.send().await.unwrap()).await.is(201);
        let found = registry.ask("HEAD", "/v2/a/manifests/v1").await.is(200);
        assert_eq!(found.header("content-type"), expected);
    }
    let two = registry.manifest("/v2/a/manifests/v1", OCI_INDEX, &typed.to_string()).await;
    two.refused(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let registry = Running::memory().await;
    let both = json!({ "manifests": [entry("a/b", "a")], "layers": [entry("c/d", "c")] });
    for text in ["", "{", "[]", "\"text\"", r#"{"schemaVersion":1}"#, &both.to_string()] {
        let refused = registry.manifest("/v2/a/manifests/v1", OCI_MANIFEST, text).await;
        refused.refused(400, "MANIFEST_INVALID");
    }
    let options = ServerOptions::default().with_manifest_limit(1000);
    let registry = Running::over(Arc::new(Memory::default()), options).await;
    for (spaces, status) in [(900, 201), (1000, 413)] {
        let text = format!("{{{}}}", " ".repeat(spaces));
        let pushed = registry.manifest("/v2/a/manifests/v1", OCI_INDEX, &text).await;
        assert_eq!(pushed.status, status);
        if status == 413 {
            pushed.refused(413, "SIZE_INVALID");
        }
    }
    let parts = futures::stream::iter((0..300).map(|_| Ok::<_, std::io::Error>("    ")));
    let request = registry.request("PUT", "/v2/a/manifests/v1");
    let sent = request.body(reqwest::Body::wrap_stream(parts)).send().await.unwrap();
    Answer::read(sent).await.refused(413, "SIZE_INVALID");
}

#[tokio::test]
async fn four_mebibytes_are_accepted() {
    let registry = Running::memory().await;
    let most = 4 << 20;
    for (len, status) in [(most, 201), (most + 1, 413)] {
        let text = format!("{{{}}}", " ".repeat(len - 2));
        let pushed = registry.manifest("/v2/a/manifests/v1", OCI_INDEX, &text).await;
        assert_eq!(pushed.status, status);
    }
    assert_eq!(registry.ask("GET", "/v2/a/manifests/v1").await.is(200).body.len(), most);
}
