//! Files of the web.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use ocm_transport::{Client, ClientOptions, Kind, Retry};

use crate::{
    fake::{Fake, Seen, reply},
    raw::{Act, Raw},
    support::chain,
};

fn client() -> Client {
    Client::new(ClientOptions::default()).unwrap()
}

async fn serve() -> Fake {
    Fake::serve(|seen: &Seen| match seen.line.as_str() {
        "GET /graph?arch=amd64" => reply(200, "{\"nodes\":[]}"),
        "GET /busy" => reply(503, "later"),
        "GET /secret" => reply(403, ""),
        _ => reply(404, "nothing here"),
    })
    .await
}

#[tokio::test]
async fn a_file_is_read_up_to_a_limit_and_without_credentials() {
    let fake = serve().await;
    let at = |path: &str| format!("http://{}{path}", fake.address);
    let graph = client().get(&at("/graph?arch=amd64"), "application/json", 12).await.unwrap();
    assert_eq!(graph.unwrap(), "{\"nodes\":[]}");
    assert_eq!(client().get(&at("/none"), "application/json", 12).await.unwrap(), None);
    let error = client().get(&at("/graph?arch=amd64"), "*/*", 11).await.unwrap_err();
    assert!(chain(&error).contains("exceeds 11 bytes"), "{}", chain(&error));
    let seen = fake.seen();
    assert_eq!(seen[0].header("accept"), "application/json");
    assert_eq!(seen[0].header("accept-encoding"), "identity");
    assert!(seen.iter().all(|seen| seen.header("authorization").is_empty()));
}

#[tokio::test]
async fn what_is_no_answer_says_whether_to_ask_again() {
    let fake = serve().await;
    let at = |path: &str| format!("http://user:pw@{}{path}", fake.address);
    let table = [("/busy", Kind::Refused, Retry::Again), ("/secret", Kind::Auth, Retry::Never)];
    for (path, kind, retry) in table {
        let error = client().get(&at(path), "*/*", 99).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{}", chain(&error));
        assert!(!chain(&error).contains("pw"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for text in ["", "graph", "file:///etc/passwd", "ftp://x/y"] {
        let error = client().get(text, "*/*", 99).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Refused, Retry::Never), "{text}");
    }
}

/// A server that says nothing, or stops in the middle, is not waited for as long as a large file
/// may take.
#[tokio::test]
async fn a_file_that_does_not_move_is_given_up_soon() {
    for begun in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n1"] {
        let raw = Raw::serve(move |_| Act::SendAndHang(begun.to_owned())).await;
        let options = ClientOptions::default().with_request_timeout(Duration::from_millis(200));
        let url = format!("http://{}/graph", raw.host());
        let error = Client::new(options).unwrap().get(&url, "*/*", 99).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Stall, Retry::Again), "{begun}");
        assert!(chain(&error).ends_with("made no progress for 200ms"), "{}", chain(&error));
    }
}

/// A file that comes byte by byte ends as well, and it is said truly why.
#[tokio::test]
async fn a_file_that_moves_too_slowly_is_given_up_in_the_end() {
    let trickle = || {
        stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"x")), ()))
        })
    };
    let fake = Fake::serve(move |_: &Seen| reply(200, Body::from_stream(trickle()))).await;
    let options = ClientOptions::default().with_request_timeout(Duration::from_millis(500));
    let url = format!("http://{}/graph", fake.address);
    let error = Client::new(options).unwrap().get(&url, "*/*", 1 << 20).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Stall, Retry::Never));
    assert!(chain(&error).ends_with("took longer than 2.5s"), "{}", chain(&error));
}
