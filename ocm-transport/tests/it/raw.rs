//! A server below HTTP: for answers that no HTTP server would give.

use std::{net::SocketAddr, time::Duration};

use ocm_oci::Host;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

/// What to do once a request has been read.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Send this and go on with the next request.
    Send(String),
    /// Send this and close.
    SendAndClose(String),
    /// Send this and say nothing more, without closing.
    SendAndHang(String),
}

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Raw {
    address: SocketAddr,
    _server: JoinSet<()>,
}

impl Raw {
    /// Reads the head of each request, never its body, and does what `act` says of its first line.
    pub(crate) async fn serve(act: impl Fn(&str) -> Act + Clone + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(converse(stream, act.clone()));
            }
        });
        Self { address, _server: server }
    }

    pub(crate) fn host(&self) -> Host {
        self.address.to_string().parse().unwrap()
    }
}

async fn converse(mut stream: TcpStream, act: impl Fn(&str) -> Act) {
    while let Some(head) = head(&mut stream).await {
        let line = head.lines().next().unwrap_or_default();
        match act(line) {
            Act::Send(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Act::SendAndClose(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                return;
            }
            Act::SendAndHang(text) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                sleep(Duration::from_hours(1)).await;
            }
        }
    }
}

/// Reads up to the empty line; `None` when the connection ends, or is no HTTP.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            // The first byte of a TLS handshake.
            Ok(0x16) if head.is_empty() => return None,
            Ok(byte) => head.push(byte),
            Err(_) => return None,
        }
    }
    String::from_utf8(head).ok()
}

/// What every client is told first.
pub(crate) const WELCOME: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
