//! Who we say we are, and how often we have to be asked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::response::Response;
use futures::future::join_all;
use ocm_oci::{Digest, MediaType, RepoName};
use ocm_transport::{
    ClientOptions, Credentials, Kind, Login, Manifest, Retry, Transport as _, TransportError,
};

use crate::{
    fake::{Fake, Seen, envelope, reply, with},
    support::{chain, open, plain},
};

fn name(text: &str) -> RepoName {
    text.parse().unwrap()
}

fn me() -> ClientOptions {
    plain().with_credentials(Credentials::fixed(Login::basic("me", "secret")))
}

/// `me:secret`, as Basic authentication writes it.
const ME: &str = "Basic bWU6c2VjcmV0";

/// Asks for tokens named `t1`, `t2`, …, and takes only the newest; the server is both.
struct Tokens {
    given: Arc<AtomicUsize>,
    life: u64,
}

impl Tokens {
    fn lasting(life: u64) -> Self {
        Self { given: Arc::default(), life }
    }

    async fn serve(&self) -> Fake {
        let (given, life) = (Arc::clone(&self.given), self.life);
        Fake::serve(move |seen: &Seen| {
            let newest = given.load(Ordering::SeqCst);
            if seen.line.contains(" /token") {
                let newest = given.fetch_add(1, Ordering::SeqCst) + 1;
                return reply(200, format!(r#"{{"token":"t{newest}","expires_in":{life}}}"#));
            }
            if newest > 0 && seen.header("authorization") == format!("Bearer t{newest}") {
                return with(200, &[("content-length", "7")], "content");
            }
            challenge(seen, "")
        })
        .await
    }

    /// Makes all tokens so far worthless.
    fn revoke(&self) {
        self.given.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends whoever comes to the token server at this very place.
fn challenge(seen: &Seen, more: &str) -> Response {
    let host = seen.header("host");
    let text = format!(r#"Bearer realm="http://{host}/token",service="fake"{more}"#);
    with(401, &[("www-authenticate", &text)], envelope("UNAUTHORIZED", "who are you"))
}

async fn ask(fake: &Fake, options: ClientOptions) -> Result<Option<u64>, TransportError> {
    open(&fake.host(), options).source(&name("a/b")).blob_size(&Digest::of(b"")).await
}

fn token_requests(fake: &Fake) -> Vec<String> {
    fake.log().into_iter().filter(|line| line.contains(" /token")).collect()
}

#[tokio::test]
async fn basic_is_learnt_once_and_then_shown_at_once() {
    let fake = Fake::serve(|seen: &Seen| match seen.header("authorization") {
        ME => with(200, &[("content-length", "7")], "content"),
        _ => with(401, &[("www-authenticate", "Basic realm=\"x\"")], ""),
    })
    .await;
    let registry = open(&fake.host(), me());
    for _ in 0..3 {
        let size = registry.source(&name("a/b")).blob_size(&Digest::of(b"")).await;
        assert_eq!(size.unwrap(), Some(7));
    }
    let shown: Vec<_> =
        fake.seen().iter().map(|seen| seen.header("authorization").to_owned()).collect();
    assert_eq!(shown, ["", ME, ME, ME]);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let refuse = |_: &Seen| with(401, &[("www-authenticate", "Basic realm=\"x\"")], "no such user");
    let fake = Fake::serve(refuse).await;
    let error = open(&fake.host(), me()).check().await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Auth, Retry::Never));
    assert!(chain(&error).contains("401 Unauthorized: no such user"), "{}", chain(&error));
    assert!(!format!("{error:?}").contains("secret"));
    assert_eq!(fake.seen().len(), 2, "one to learn, one to try");
}

#[tokio::test]
async fn one_token_serves_everyone_who_asks() {
    let fake = Tokens::lasting(300).serve().await;
    let registry = open(&fake.host(), me());
    let ask = async || registry.source(&name("a/b")).blob_size(&Digest::of(b"")).await.unwrap();
    let sizes = join_all((0..32).map(|_| ask())).await;
    assert_eq!(sizes, [Some(7); 32]);
    assert_eq!(token_requests(&fake), ["GET /token?service=fake&scope=repository%3Aa%2Fb%3Apull"]);
    assert_eq!(fake.count("GET /v2/"), 1);
    assert_eq!(fake.seen().len(), 34);
    let asked = fake.seen().into_iter().find(|seen| seen.line.contains("/token")).unwrap();
    assert_eq!(asked.header("authorization"), ME);
}

#[tokio::test]
async fn anyone_gets_a_token_too() {
    let fake = Tokens::lasting(300).serve().await;
    assert_eq!(ask(&fake, plain()).await.unwrap(), Some(7));
    assert!(fake.seen().iter().all(|seen| !seen.header("authorization").starts_with("Basic")));
}

#[tokio::test]
async fn each_scope_has_a_token_and_a_mount_needs_both_repositories() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.starts_with("GET /token") {
            reply(200, r#"{"access_token":"t"}"#)
        } else if seen.header("authorization").is_empty() {
            challenge(seen, "")
        } else {
            reply(201, "")
        }
    })
    .await;
    let registry = open(&fake.host(), me());
    let (to, digest) = (registry.destination(&name("to/x")).unwrap(), Digest::of(b""));
    drop(to.begin(&digest, None, Some(&name("from/y"))).await.unwrap());
    to.delete_blob(&digest).await.unwrap();
    to.delete_manifest(&digest).await.unwrap();
    let scope = |text: &str| format!("GET /token?service=fake&scope={text}");
    assert_eq!(
        token_requests(&fake),
        [
            scope("repository%3Ato%2Fx%3Apull%2Cpush&scope=repository%3Afrom%2Fy%3Apull"),
            scope("repository%3Ato%2Fx%3A*"),
        ]
    );
}

#[tokio::test]
async fn who_writes_needs_one_token_for_all_of_it() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.starts_with("GET /token") {
            reply(200, r#"{"token":"t"}"#)
        } else if seen.header("authorization").is_empty() {
            challenge(seen, "")
        } else if seen.line.starts_with("HEAD") {
            reply(404, "")
        } else {
            with(202, &[("location", "/up")], "")
        }
    })
    .await;
    let to = open(&fake.host(), me()).destination(&name("a/b")).unwrap();
    assert_eq!(to.head(&"v1".parse().unwrap()).await.unwrap(), None);
    drop(to.begin(&Digest::of(b""), None, None).await.unwrap());
    let manifest = Manifest::new(MediaType::OciIndex, "{}".into());
    let _stored = to.push_manifest(&manifest, None).await.unwrap();
    let scope = "scope=repository%3Aa%2Fb%3Apull%2Cpush";
    assert_eq!(token_requests(&fake), [format!("GET /token?service=fake&{scope}")]);
}

#[tokio::test]
async fn a_token_at_its_end_is_not_used() {
    let fake = Tokens::lasting(0).serve().await;
    let registry = open(&fake.host(), me());
    for _ in 0..3 {
        registry.source(&name("a/b")).blob_size(&Digest::of(b"")).await.unwrap();
    }
    assert_eq!(token_requests(&fake).len(), 3);
}

#[tokio::test]
async fn a_token_that_is_refused_on_the_way_is_replaced_once() {
    let tokens = Tokens::lasting(300);
    let fake = tokens.serve().await;
    let registry = open(&fake.host(), me());
    let ask = async || registry.source(&name("a/b")).blob_size(&Digest::of(b"")).await;
    ask().await.unwrap();
    tokens.revoke();
    let sizes = join_all((0..8).map(|_| ask())).await;
    assert!(sizes.into_iter().all(|size| size.unwrap() == Some(7)));
    assert_eq!(token_requests(&fake).len(), 2);
}

#[tokio::test]
async fn a_token_that_is_always_refused_is_an_error() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.starts_with("GET /token") {
            return reply(200, r#"{"token":"t"}"#);
        }
        challenge(seen, "")
    })
    .await;
    let error = ask(&fake, me()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Auth, Retry::Never));
    assert_eq!(fake.log().len(), 4, "{:?}", fake.log());
}

#[tokio::test]
async fn what_a_registry_asks_for_is_asked_for() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.contains("delete") {
            reply(200, r#"{"token":"all"}"#)
        } else if seen.line.starts_with("GET /token") {
            reply(200, r#"{"token":"some"}"#)
        } else if seen.header("authorization") == "Bearer all" {
            reply(202, "")
        } else {
            challenge(seen, r#",scope="repository:a/b:delete",error="insufficient_scope""#)
        }
    })
    .await;
    let to = open(&fake.host(), me()).destination(&name("a/b")).unwrap();
    to.delete_tag(&"v1".parse().unwrap()).await.unwrap();
    to.delete_tag(&"v2".parse().unwrap()).await.unwrap();
    assert_eq!(token_requests(&fake).len(), 2, "{:?}", fake.log());
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let fake = Tokens::lasting(300).serve().await;
    let login = Login::basic("<token>", "identity&secret");
    let options = plain().with_credentials(Credentials::fixed(login));
    assert_eq!(ask(&fake, options).await.unwrap(), Some(7));
    let seen = fake.seen().into_iter().find(|seen| seen.line == "POST /token").unwrap();
    assert_eq!(
        seen.body,
        "grant_type=refresh_token&client_id=ocm&service=fake&scope=repository%3Aa%2Fb%3Apull\
         &refresh_token=identity%26secret"
    );
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(seen.header("authorization"), "");
}

#[tokio::test]
async fn a_registry_token_is_shown_as_it_is() {
    let tokens = Tokens::lasting(300);
    tokens.revoke();
    let fake = tokens.serve().await;
    let options = plain().with_credentials(Credentials::fixed(Login::registry_token("t1")));
    assert_eq!(ask(&fake, options).await.unwrap(), Some(7));
    assert!(token_requests(&fake).is_empty());
}

/// Status and body of a token server, what becomes of it, what is said.
#[tokio::test]
async fn a_token_server_that_fails_is_heard() {
    let denied = envelope("DENIED", "account is locked");
    let table = [
        (403, denied.as_str(), Kind::Auth, Retry::Never, "DENIED: account is locked"),
        (400, r#"{"details":"bad scope"}"#, Kind::Auth, Retry::Never, "400 Bad Request: bad scope"),
        (404, "", Kind::Auth, Retry::Never, "404 Not Found"),
        (503, "later", Kind::Refused, Retry::Again, "503 Service Unavailable: later"),
        (429, "", Kind::Refused, Retry::Throttled(None), "429 Too Many Requests"),
        (200, "<html>", Kind::Auth, Retry::Never, "is not that of a token server"),
        (200, "{}", Kind::Auth, Retry::Never, "holds no token"),
    ];
    for (status, body, kind, retry, said) in table {
        let body = body.to_owned();
        let fake = Fake::serve(move |seen: &Seen| {
            if seen.line.starts_with("GET /token") {
                reply(status, body.clone())
            } else {
                challenge(seen, "")
            }
        })
        .await;
        let registry = open(&fake.host(), me());
        let ask = async || registry.source(&name("a/b")).blob_size(&Digest::of(b"")).await;
        let errors = join_all((0..8).map(|_| ask())).await;
        for error in errors.into_iter().map(Result::unwrap_err) {
            assert_eq!((error.kind(), error.retry()), (kind, retry), "{status}");
            let said_all = chain(&error);
            assert!(said_all.contains(said), "{said_all}");
            assert!(said_all.contains("token for `repository:a/b:pull`"), "{said_all}");
        }
        assert_eq!(token_requests(&fake).len(), 1, "{status}");
    }
}

#[tokio::test]
async fn check_needs_somebody_the_registry_knows() {
    let fake = Tokens::lasting(300).serve().await;
    open(&fake.host(), me()).check().await.unwrap();
    assert_eq!(token_requests(&fake), ["GET /token?service=fake"]);
    assert_eq!(fake.count("GET /v2/"), 2);
}

#[tokio::test]
async fn credentials_in_clear_are_noted() {
    let fake = Tokens::lasting(300).serve().await;
    for (options, expected) in [(plain(), false), (me(), true)] {
        let client = ocm_transport::Client::new(options).unwrap();
        let registry = client.registry(&fake.host());
        assert!(!client.sends_credentials_in_clear(&fake.host()));
        registry.check().await.unwrap();
        assert_eq!(client.sends_credentials_in_clear(&fake.host()), expected);
    }
}
