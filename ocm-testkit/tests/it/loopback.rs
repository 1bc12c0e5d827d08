use std::sync::Arc;

use ocm_oci::{Digest, RepoName};
use ocm_testkit::{Loopback, ReleaseSigner, Shape, Upstream, Website};
use ocm_transport::Memory;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn get(loopback: &Loopback, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(loopback.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_upstream_is_served() {
    let upstream = Upstream::of(&Shape { images: 2, layers: 2, shared: 1, layer_bytes: 5000 }, 3);
    let image = upstream.published().first().unwrap().clone();
    let loopback = Loopback::serve(Arc::new(upstream)).await.unwrap();
    assert_eq!(loopback.url(), format!("http://{}", loopback.host()));
    let reference = image.reference(&loopback.host()).unwrap();
    assert_eq!(reference.repository(), &"bench/app-0000".parse::<RepoName>().unwrap());
    let answer = get(&loopback, "/v2/bench/app-0000/manifests/v1").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(answer.ends_with(image.content.manifest().bytes()));
}

#[tokio::test]
async fn dropping_it_closes_connections() {
    let loopback = Loopback::serve(Arc::new(Memory::default())).await.unwrap();
    let mut stream = TcpStream::connect(loopback.address()).await.unwrap();
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
    drop(loopback);
    let closed = stream.read(&mut [0; 1000]).await;
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
}

#[tokio::test]
async fn a_website_has_what_was_put_there() {
    let release = Digest::of(b"a release");
    let signature = ReleaseSigner::trusted().sign(&release, "quay.io/releases/release:1");
    let site = Website::default().with("/graph", "{}");
    let site = site.with_signature("/store/", &release, 2, signature.clone());
    let site = site.serve().await.unwrap();
    assert!(get(&site, "/graph?channel=stable-4.18").await.ends_with(b"\r\n\r\n{}"));
    let path = |nth: usize| format!("/store/sha256={}/signature-{nth}", release.hex());
    assert!(get(&site, &path(2)).await.ends_with(&signature));
    assert!(get(&site, &path(1)).await.starts_with(b"HTTP/1.1 404"));
}

/// The same statement is the same signature, whenever and by whomever it is made.
#[test]
fn signing_twice_gives_the_same_bytes() {
    let sign = || ReleaseSigner::trusted().sign(&Digest::of(b"a release"), "quay.io/a/b:1");
    assert_eq!(sign(), sign());
    let plain = Digest::of(&ReleaseSigner::trusted().sign_plainly(b"a text"));
    assert_eq!(
        plain.to_string(),
        "sha256:e8df6f55a5ae1b349a3bc3ab958869c3b7dacc705810a732347f78d4c7bac647"
    );
}
