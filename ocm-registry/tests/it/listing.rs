use ocm_oci::Digest;
use serde_json::{Value, json};

use crate::running::{Answer, OCI_INDEX, OCI_MANIFEST, Running};

/// The path in a `Link` header.
fn next(answer: &Answer) -> Option<String> {
    let (path, relation) = answer.header("link").strip_prefix('<')?.split_once('>')?;
    assert_eq!(relation, "; rel=\"next\"");
    Some(path.to_owned())
}

/// Follows a listing to its end.
async fn all(registry: &Running, path: &str, key: &str) -> Vec<Vec<String>> {
    let (mut pages, mut path) = (Vec::new(), Some(path.to_owned()));
    while let Some(page) = path.take() {
        let answer = registry.ask("GET", &page).await.is(200);
        pages.push(serde_json::from_value(answer.json()[key].clone()).unwrap());
        path = next(&answer);
    }
    pages
}

#[tokio::test]
async fn tags_come_in_order_and_in_pages() {
    let registry = Running::memory().await;
    for tag in ["v2", "v10", "latest", "V1", "v1"] {
        registry.image("a/b", tag, b"layer").await;
    }
    let sorted = ["V1", "latest", "v1", "v10", "v2"];
    assert_eq!(all(&registry, "/v2/a/b/tags/list", "tags").await, [sorted]);
    assert_eq!(registry.ask("GET", "/v2/a/b/tags/list").await.json()["name"], "a/b");
    let pages = all(&registry, "/v2/a/b/tags/list?n=2", "tags").await;
    assert_eq!(pages, [vec!["V1", "latest"], vec!["v1", "v10"], vec!["v2"]]);
    assert_eq!(all(&registry, "/v2/a/b/tags/list?n=5", "tags").await.len(), 1);
    assert_eq!(all(&registry, "/v2/a/b/tags/list?last=v1", "tags").await, [["v10", "v2"]]);
    let none: [&str; 0] = [];
    for query in ["n=0", "last=z"] {
        let answer = registry.ask("GET", &format!("/v2/a/b/tags/list?{query}")).await.is(200);
        assert_eq!(answer.json(), json!({ "name": "a/b", "tags": none }));
    }
    registry.ask("GET", "/v2/a/b/tags/list?n=x").await.refused(400, "UNSUPPORTED");
    registry.ask("GET", "/v2/a/b/tags/list?n=-1").await.refused(400, "UNSUPPORTED");
}

#[tokio::test]
async fn a_repository_without_tags_is_known() {
    let registry = Running::memory().await;
    for name in ["a", "a/b", "ab"] {
        registry.image(name, "v1", b"layer").await;
        registry.ask("DELETE", &format!("/v2/{name}/manifests/v1")).await.is(202);
        let answer = registry.ask("GET", &format!("/v2/{name}/tags/list")).await.is(200);
        assert_eq!(answer.json()["tags"], json!([]));
    }
    for name in ["a/a", "a0", "0", "b"] {
        let answer = registry.ask("GET", &format!("/v2/{name}/tags/list")).await;
        answer.refused(404, "NAME_UNKNOWN");
    }
}

#[tokio::test]
async fn the_catalog_lists_repositories() {
    let registry = Running::memory().await;
    assert_eq!(registry.ask("GET", "/v2/_catalog").await.json(), json!({ "repositories": [] }));
    for name in ["c", "a/b/c", "b"] {
        registry.image(name, "v1", b"layer").await;
    }
    assert_eq!(all(&registry, "/v2/_catalog", "repositories").await, [["a/b/c", "b", "c"]]);
    let pages = all(&registry, "/v2/_catalog?n=2", "repositories").await;
    assert_eq!(pages, [vec!["a/b/c", "b"], vec!["c"]]);
}

#[tokio::test]
async fn referrers_are_found_by_their_subject() {
    let registry = Running::memory().await;
    let image = registry.image("a", "v1", b"layer").await;
    let subject = json!({ "mediaType": OCI_MANIFEST, "digest": Digest::of(image.as_bytes()),
        "size": image.len() });
    let config = json!({ "mediaType": "application/config", "digest": Digest::of(b"{}"),
        "size": 2 });
    let push = async |text: &Value| {
        let (text, digest) = (text.to_string(), Digest::of(text.to_string().as_bytes()));
        let path = format!("/v2/a/manifests/{digest}");
        let pushed = registry.manifest(&path, OCI_MANIFEST, &text).await.is(201);
        assert_eq!(pushed.header("oci-subject"), subject["digest"]);
        json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": text.len() })
    };
    let mut signed = push(&json!({ "config": config, "layers": [], "subject": subject,
        "artifactType": "application/signature", "annotations": { "k": "v" } }))
    .await;
    signed["artifactType"] = json!("application/signature");
    signed["annotations"] = json!({ "k": "v" });
    let mut plain = push(&json!({ "config": config, "layers": [], "subject": subject })).await;
    plain["artifactType"] = json!("application/config");
    let mut both = [signed.clone(), plain];
    both.sort_by_key(|one| one["digest"].to_string());

    let path = format!("/v2/a/referrers/{}", Digest::of(image.as_bytes()));
    let found = registry.ask("GET", &path).await.is(200);
    assert_eq!(found.header("content-type"), OCI_INDEX);
    assert_eq!(found.header("oci-filters-applied"), "");
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": both });
    assert_eq!(found.json(), index);
    let filtered = format!("{path}?artifactType=application%2Fsignature");
    let found = registry.ask("GET", &filtered).await.is(200);
    assert_eq!(found.header("oci-filters-applied"), "artifactType");
    assert_eq!(found.json()["manifests"], json!([signed]));
    for path in [format!("/v2/a/referrers/{}", Digest::of(b"")), path.replace("/a/", "/b/")] {
        assert_eq!(registry.ask("GET", &path).await.is(200).json()["manifests"], json!([]));
    }
}

#[tokio::test]
async fn a_subject_may_come_later() {
    let registry = Running::memory().await;
    let absent = json!({ "mediaType": OCI_MANIFEST, "digest": Digest::of(b"later"), "size": 5 });
    let index = json!({ "manifests": [], "subject": absent }).to_string();
    let pushed = registry.manifest("/v2/a/manifests/v1", OCI_INDEX, &index).await.is(201);
    assert_eq!(pushed.header("oci-subject"), Digest::of(b"later").to_string());
    let path = format!("/v2/a/referrers/{}", Digest::of(b"later"));
    assert_eq!(registry.ask("GET", &path).await.json()["manifests"].as_array().unwrap().len(), 1);
}
