//! The adapter of an embedder's `oci-client`.

use std::{num::NonZeroUsize, panic::catch_unwind, sync::Arc};

use ::oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol},
    secrets::RegistryAuth,
};
use bytes::Bytes;
use futures::TryStreamExt as _;
use ocm_oci::{Digest, ImageRef, MediaType, RepoName};
use ocm_testkit::Loopback;
use ocm_transport::{
    Kind, Manifest, Memory, OciClient, Page, SourceExt as _, Transport, conformance,
    from_oci_reference, to_oci_reference,
};

/// A client for plain HTTP; `None`, and a line that says so, on a machine without certificate
/// authorities, where `oci-client` panics.
fn client() -> Option<Client> {
    let make = || {
        let protocol = ClientProtocol::Http;
        Client::new(ClientConfig { protocol, ..ClientConfig::default() })
    };
    let client = catch_unwind(make).ok();
    if client.is_none() {
        println!("skipped: oci-client: no certificate authority on this machine");
    }
    client
}

#[tokio::test]
async fn reads_what_others_pushed() {
    let Some(client) = client() else { return };
    let (memory, name): (_, RepoName) = (Memory::default(), "a/b".parse().unwrap());
    let to = memory.destination(&name).unwrap();
    let blob = conformance::push(&*to, conformance::CONTENT).await;
    let text = format!(r#"{{"schemaVersion":2,"manifests":[],"annotations":{{"x":"{name}"}}}}"#);
    let manifest = Manifest::new(MediaType::OciIndex, text.into());
    let (digest, tag) = (manifest.descriptor().digest.clone(), "v1".parse().unwrap());
    let _stored = to.push_manifest(&manifest, Some(&tag)).await.unwrap();
    let server = Loopback::serve(Arc::new(memory)).await.unwrap();
    let registry = OciClient::new(client, server.host(), RegistryAuth::Anonymous);
    assert_eq!(registry.to_string(), server.host().to_string());
    assert!(registry.destination(&name).is_none());
    let from = registry.source(&name);
    assert_eq!(from.manifest(&(&tag).into(), 1000).await.unwrap(), manifest);
    assert_eq!(from.manifest(&(&digest).into(), 1000).await.unwrap(), manifest);
    assert_eq!(from.manifest(&(&tag).into(), 10).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(from.head(&(&tag).into()).await.unwrap().as_ref(), Some(manifest.descriptor()));
    assert_eq!(from.head(&"v2".parse().unwrap()).await.unwrap(), None);
    assert_eq!(from.blob_bytes(&blob).await.unwrap(), conformance::CONTENT);
    assert_eq!(from.blob_size(&blob.digest).await.unwrap(), Some(blob.size));
    assert_eq!(from.blob_size(&Digest::of(b"absent")).await.unwrap(), None);
    let body = from.blob(&blob.digest, Some(7..30)).await.unwrap();
    let expected =
        if body.starts_at == 0 { conformance::CONTENT } else { &conformance::CONTENT[7..30] };
    let chunks: Vec<Bytes> = body.bytes.try_collect().await.unwrap();
    assert_eq!(chunks.concat(), expected);
    let absent = from.blob(&Digest::of(b"absent"), None).await.unwrap_err();
    assert_eq!(absent.kind(), Kind::NotFound);
    let page = Page { after: None, limit: NonZeroUsize::new(10).unwrap() };
    assert_eq!(from.tags(&page).await.unwrap().items, [tag]);
    assert_eq!(registry.repositories(&page).await.unwrap().items, [name]);
    assert_eq!(from.referrers(&digest, None).await.unwrap(), []);
}

#[test]
fn references_mean_the_same() {
    let digest = Digest::of(b"");
    for text in ["nginx:1", "quay.io/a/b:v1", "host:5000/x@DIGEST", "host:5000/x:t@DIGEST"] {
        let image: ImageRef = text.replace("DIGEST", &digest.to_string()).parse().unwrap();
        let theirs = to_oci_reference(&image);
        assert_eq!(theirs.registry(), image.host().as_str());
        assert_eq!(theirs.repository(), image.repository().as_str());
        let back = from_oci_reference(&theirs).unwrap();
        assert_eq!(back.to_string(), image.to_string());
        let parsed: Reference = image.to_string().parse().unwrap();
        assert_eq!(parsed.whole(), theirs.whole());
    }
    let ambiguous = Reference::with_tag("registry".to_owned(), "a".to_owned(), "v1".to_owned());
    assert!(from_oci_reference(&ambiguous).is_err());
}
