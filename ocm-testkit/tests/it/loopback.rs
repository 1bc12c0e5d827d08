use std::sync::Arc;

use ocm_oci::RepoName;
use ocm_testkit::{Loopback, Shape, Upstream};
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
