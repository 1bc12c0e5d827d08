//! Files of the web.

use ocm_transport::{Client, ClientOptions, Kind, Retry};

use crate::{
    fake::{Fake, Seen, reply},
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
