use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use ocm_registry::{Server, ServerError, ServerOptions};
use ocm_transport::Memory;
use reqwest::Client;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

async fn bind(options: ServerOptions) -> Server {
    Server::bind("127.0.0.1:0", Arc::new(Memory::default()), options).await.unwrap()
}

/// Opens an upload, and sends less of it than announced.
async fn half_an_upload(server: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let head = "PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Asks on a connection that is open already.
async fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut [0; 1000]).await.unwrap() > 0);
}

#[tokio::test]
async fn shutting_down_waits_for_what_is_asked() {
    let server = bind(ServerOptions::default().with_grace(Duration::from_hours(1))).await;
    let address = server.local_addr().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    tasks.spawn(server.run(async { drop(stopped.await) }));
    let mut idle = TcpStream::connect(&address).await.unwrap();
    ask(&mut idle).await;
    let mut busy = half_an_upload(&address).await;
    // This one has been answered, so the one before it has been accepted.
    ask(&mut TcpStream::connect(&address).await.unwrap()).await;
    stop.send(()).unwrap();
    assert_eq!(idle.read(&mut [0; 10]).await.unwrap(), 0, "an idle connection is closed");
    busy.write_all(b"}").await.unwrap();
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    tasks.join_next().await.unwrap().unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn shutting_down_cuts_off_who_takes_too_long() {
    let server = bind(ServerOptions::default().with_grace(Duration::ZERO)).await;
    let address = server.local_addr().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut tasks = JoinSet::new();
    tasks.spawn(server.run(async { drop(stopped.await) }));
    let mut busy = half_an_upload(&address).await;
    ask(&mut TcpStream::connect(&address).await.unwrap()).await;
    stop.send(()).unwrap();
    tasks.join_next().await.unwrap().unwrap();
    assert!(matches!(busy.read(&mut [0; 10]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let server = bind(ServerOptions::default().with_stall_timeout(Duration::ZERO)).await;
    let address = server.local_addr().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(server.run(std::future::pending()));
    let mut busy = half_an_upload(&address).await;
    let mut answer = vec![0; 1000];
    let len = busy.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..len]);
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = bind(ServerOptions::default().with_max_connections(1)).await;
    let address = server.local_addr().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(server.run(std::future::pending()));
    let mut first = TcpStream::connect(&address).await.unwrap();
    ask(&mut first).await;
    let mut second = TcpStream::connect(&address).await.unwrap();
    second.write_all(b"GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    for _ in 0..3 {
        ask(&mut first).await;
        assert!(second.try_read(&mut [0; 10]).is_err(), "nobody answers the second yet");
    }
    drop(first);
    assert!(second.read(&mut [0; 1000]).await.unwrap() > 0);
}

#[tokio::test]
async fn others_answer_beside_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server::over(listener, Arc::new(Memory::default()), ServerOptions::default());
    let beside = |router: Router| router.route("/healthz", get(async || "well"));
    let server = server.unwrap().map_router(beside);
    let url = format!("http://{}/healthz", server.local_addr());
    let mut tasks = JoinSet::new();
    tasks.spawn(server.run(std::future::pending()));
    let client =
        Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    assert_eq!(client.get(url).send().await.unwrap().text().await.unwrap(), "well");
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = Server::bind(address, Arc::new(Memory::default()), ServerOptions::default()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, ServerError::Bind(_)));
    assert_eq!(error.to_string(), "could not listen for connections");
}
