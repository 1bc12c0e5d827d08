//! What registries refuse, and how: what a caller does about it, and what people are told.

use std::time::Duration;

use ocm_oci::{Digest, Host, RepoName};
use ocm_transport::{Kind, Registry, Retry, Transport as _, TransportError};

use crate::{
    fake::{Fake, Seen, reply, with},
    raw::{Act, Raw, WELCOME},
    support::{chain, open, plain},
};

async fn ask(registry: &Registry) -> TransportError {
    let name: RepoName = "a/b".parse().unwrap();
    let digest = Digest::of(b"");
    registry.source(&name).manifest(&(&digest).into(), 1000).await.unwrap_err()
}

async fn answered(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> TransportError {
    let headers = headers.to_vec();
    let fake = Fake::serve(move |seen: &Seen| match seen.line.as_str() {
        "GET /v2/" => reply(200, "{}"),
        _ => with(status, &headers, body),
    })
    .await;
    ask(&open(&fake.host(), plain())).await
}

/// Status, headers and body; what is made of them.
type Case<'a> = (u16, &'a [(&'static str, &'static str)], &'static str, Kind, Retry);

#[tokio::test]
async fn statuses_say_what_to_do() {
    use Kind::{Auth, Full, NotFound, Refused, Stall, Unsupported};
    use Retry::{After, Again, Never, Throttled};
    const SEVEN: Duration = Duration::from_secs(7);
    let (now, later) = ("Sun, 06 Nov 1994 08:49:30 GMT", "Sun, 06 Nov 1994 08:49:37 GMT");
    let too_many = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":""}]}"#;
    let full = r#"{"errors":[{"code":"UNKNOWN","message":"unknown error",
        "detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/x","Err":28}}}]}"#;
    let full_too = r#"{"errors":[{"code":"UNKNOWN","message":"unknown error",
        "detail":"write /x: no space left on device"}]}"#;
    let table: &[Case<'_>] = &[
        (400, &[], "", Refused, Never),
        (401, &[], "", Auth, Never),
        (403, &[], "", Auth, Never),
        (403, &[], too_many, Refused, Throttled(None)),
        (404, &[], "", NotFound, Never),
        (405, &[], "", Unsupported, Never),
        (408, &[], "", Stall, Again),
        (413, &[], "", Refused, Never),
        (429, &[], "", Refused, Throttled(None)),
        (429, &[("retry-after", "7")], "", Refused, Throttled(Some(SEVEN))),
        (429, &[("retry-after", later), ("date", now)], "", Refused, Throttled(Some(SEVEN))),
        (
            429,
            &[("retry-after", now), ("date", later)],
            "",
            Refused,
            Throttled(Some(Duration::ZERO)),
        ),
        (429, &[("retry-after", "soon")], "", Refused, Throttled(None)),
        (500, &[], "", Refused, Again),
        (500, &[], full, Full, Never),
        (500, &[], full_too, Full, Never),
        (501, &[], "", Unsupported, Never),
        (502, &[], "", Refused, Again),
        (503, &[], "", Refused, Again),
        (503, &[("retry-after", "7")], "", Refused, After(SEVEN)),
        (504, &[], "", Refused, Again),
        (505, &[], "", Refused, Never),
        (507, &[], "", Full, Never),
        (520, &[], "", Refused, Again),
        (529, &[], "", Refused, Again),
        (304, &[], "", Refused, Never),
    ];
    for (status, headers, body, kind, retry) in table {
        let error = answered(*status, headers, body).await;
        assert_eq!((error.kind(), error.retry()), (*kind, *retry), "{status} {headers:?}");
        assert!(chain(&error).contains(&format!("answered with {status}")), "{}", chain(&error));
    }
}

#[tokio::test]
async fn people_are_told_what_the_registry_said() {
    let error = answered(
        400,
        &[],
        r#"{"errors":[{"code":"NAME_INVALID","message":"bad\u001b[31m name"},{"code":"ODD"}]}"#,
    )
    .await;
    let said = chain(&error);
    assert!(said.starts_with("could not fetch `a/b@sha256:"), "{said}");
    assert!(said.contains("GET http://127.0.0.1:"), "{said}");
    assert!(said.ends_with("400 Bad Request: NAME_INVALID: bad [31m name; ODD"), "{said}");
    let plain_text = answered(400, &[("content-type", "text/plain")], "\n  no\nway").await;
    assert!(chain(&plain_text).ends_with("400 Bad Request: no"), "{}", chain(&plain_text));
    let page = answered(502, &[("content-type", "text/html")], "<html>bad gateway").await;
    assert!(chain(&page).ends_with("502 Bad Gateway"), "{}", chain(&page));
}

#[tokio::test]
async fn a_body_without_end_is_not_read() {
    for (status, retry) in [("200 OK", Retry::Never), ("500 No", Retry::Again)] {
        let raw = Raw::serve(move |line| {
            if line.starts_with("GET /v2/ ") {
                Act::Send(WELCOME.to_owned())
            } else {
                Act::SendAndHang(format!(
                    "HTTP/1.1 {status}\r\ncontent-length: 99999999999\r\n\r\n{}",
                    " ".repeat(200_000)
                ))
            }
        })
        .await;
        let error = ask(&open(&raw.host(), plain())).await;
        let expected = (Kind::Refused, retry);
        assert_eq!((error.kind(), error.retry()), expected, "{status}: {}", chain(&error));
    }
}

#[tokio::test]
async fn requests_have_a_deadline_in_all() {
    let hang = Act::SendAndHang("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n1".to_owned());
    let raw = Raw::serve(move |line| {
        if line.starts_with("GET /v2/ ") { Act::Send(WELCOME.to_owned()) } else { hang.clone() }
    })
    .await;
    let options = plain().with_request_timeout(Duration::from_millis(200));
    let error = ask(&open(&raw.host(), options)).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Stall, Retry::Again), "{}", chain(&error));
}

/// Waiting for one that is not there is done once, and everyone hears of it.
#[tokio::test]
async fn nobody_there_is_unreachable() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let host: Host = format!("127.0.0.1:{port}").parse().unwrap();
    let registry = open(&host, plain());
    let errors = futures::future::join_all((0..8).map(|_| ask(&registry))).await;
    for error in errors {
        assert_eq!((error.kind(), error.retry()), (Kind::Unreachable, Retry::Again));
        assert!(chain(&error).contains("refused"), "{}", chain(&error));
    }
}

#[tokio::test]
async fn a_registry_that_is_not_ready_is_asked_again() {
    let fake = Fake::serve(|_: &Seen| with(503, &[("retry-after", "3")], "starting")).await;
    let error = ask(&open(&fake.host(), plain())).await;
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(3)));
    assert!(chain(&error).contains("503 Service Unavailable: starting"), "{}", chain(&error));
    assert_eq!(fake.log(), Vec::<String>::new());
}
