use std::time::Duration;

use ocm_testkit::faults::{Conduct, TcpProxy};
use reqwest::StatusCode;
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{LEN, client, served};

#[tokio::test]
async fn the_first_connection_is_cut_and_the_next_is_not() {
    let (_memory, registry, digest) = served().await;
    let conduct = |nth| match nth {
        0 => Conduct::default().cut_down_after(50_000),
        1 => Conduct::default().cut_up_after(10),
        _ => Conduct::default().delayed_by(Duration::from_millis(1)),
    };
    let proxy = TcpProxy::to(registry.loopback().address(), conduct).await.unwrap();
    let url = format!("http://{}/v2/app/blobs/{digest}", proxy.host());
    // A client each, so that each has a connection of its own.
    let cut = client().get(&url).send().await.unwrap();
    assert_eq!(cut.status(), StatusCode::OK);
    assert!(cut.bytes().await.is_err());
    assert!(client().get(&url).send().await.is_err());
    let third = client();
    for _ in 0..2 {
        assert_eq!(third.get(&url).send().await.unwrap().bytes().await.unwrap().len(), LEN);
    }
    assert_eq!(proxy.connections(), 3);
    assert_eq!(proxy.open_connections(), 1);
}

#[tokio::test]
async fn nobody_behind_it() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = free.local_addr().unwrap();
    drop(free);
    let proxy = TcpProxy::to(target, |_| Conduct::default()).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));
}
