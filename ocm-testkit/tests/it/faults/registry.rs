use std::time::Duration;

use ocm_oci::Digest;
use ocm_testkit::faults::{Fault, Rule};
use ocm_transport::Transport as _;
use reqwest::{Method, StatusCode};
use tokio::time::timeout;

use super::{LEN, ask, served};

#[tokio::test]
async fn rules_befall_the_requests_they_are_for() {
    let (_memory, registry, digest) = served().await;
    let busy = Fault::throttle(Some("7"));
    registry.faults().add(Rule::new(busy).on(Method::GET).path("/blobs/").after(1).times(2));
    let statuses = async |method: Method, path: &str| {
        ask(&registry, method, path).send().await.unwrap().status().as_u16()
    };
    let blob = format!("/v2/app/blobs/{digest}");
    assert_eq!(statuses(Method::HEAD, &blob).await, 200);
    for expected in [200, 429, 429, 200] {
        assert_eq!(statuses(Method::GET, "/v2/app/manifests/v1").await, 200);
        assert_eq!(statuses(Method::GET, &blob).await, expected);
    }
    assert_eq!(registry.faults().count(&Method::GET, "/blobs/"), 4);
    let log = registry.faults().take_log();
    assert_eq!((log.len(), log[0].method.clone()), (9, Method::HEAD));
    assert_eq!((log[2].path.as_str(), log[2].sent), (blob.as_str(), LEN as u64));
    assert_eq!(log[4].status, Some(StatusCode::TOO_MANY_REQUESTS));
    registry.faults().clear();
    assert_eq!(registry.faults().log(), []);
}

#[tokio::test]
async fn answers_in_place_of_the_registrys() {
    let (memory, registry, digest) = served().await;
    registry.faults().add(Rule::new(Fault::throttle(Some("7"))).on(Method::PUT));
    registry.faults().add(Rule::new(Fault::redirect("/elsewhere")).on(Method::PATCH).times(1));
    registry.faults().add(
        Rule::new(Fault::Header { name: "docker-content-digest", value: "none".to_owned() })
            .on(Method::HEAD),
    );
    let put = ask(&registry, Method::PUT, "/v2/app/manifests/v2").body(vec![b' '; 1 << 20]);
    let put = put.send().await.unwrap();
    assert_eq!(
        (put.status().as_u16(), &put.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert!(put.text().await.unwrap().contains("TOOMANYREQUESTS"));
    let patch = ask(&registry, Method::PATCH, "/v2/app/blobs/uploads/x").send().await;
    assert!(patch.is_ok_and(|answer| answer.status() == 404), "it follows to a path that is not");
    let head = ask(&registry, Method::HEAD, &format!("/v2/app/blobs/{digest}")).send().await;
    assert_eq!(head.unwrap().headers()["docker-content-digest"], "none");
    assert_eq!(memory.tally().read, 0);
}

#[tokio::test]
async fn bodies_that_go_wrong() {
    let (_memory, registry, digest) = served().await;
    let faults = registry.faults();
    let get = || ask(&registry, Method::GET, &format!("/v2/app/blobs/{digest}"));

    faults.add(Rule::new(Fault::Truncate { after: 1000 }).times(1));
    let mut cut = get().send().await.unwrap();
    assert_eq!(cut.content_length(), Some(LEN as u64));
    let mut came = 0;
    let error = loop {
        match cut.chunk().await {
            Ok(Some(part)) => came += part.len(),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(error.is_some() && came <= 1000, "{came} bytes, {error:?}");
    assert_eq!(faults.log()[0].sent, 1000);

    faults.clear();
    faults.add(Rule::new(Fault::Corrupt).times(1));
    let wrong = get().send().await.unwrap().bytes().await.unwrap();
    assert_eq!(wrong.len(), LEN);
    assert_ne!(Digest::of(&wrong), digest);

    faults.clear();
    faults.add(Rule::new(Fault::IgnoreRange).times(1));
    let whole = get().header("range", "bytes=10-").send().await.unwrap();
    assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(LEN as u64)));
    let part = get().header("range", "bytes=10-").send().await.unwrap();
    assert_eq!((part.status().as_u16(), part.content_length()), (206, Some(LEN as u64 - 10)));
}

#[tokio::test]
async fn silence() {
    let (_memory, registry, digest) = served().await;
    let get = || ask(&registry, Method::GET, &format!("/v2/app/blobs/{digest}"));
    registry.faults().add(Rule::new(Fault::Stall { after: 1000 }).times(1));
    registry.faults().add(Rule::new(Fault::Hang).after(1));
    let mut stalled = get().send().await.unwrap();
    let mut came = 0;
    while came < 1000 {
        came += stalled.chunk().await.unwrap().unwrap().len();
    }
    // Nothing more can come, however long one waits: so a short wait is no matter of luck.
    let short = Duration::from_millis(20);
    assert!(timeout(short, stalled.chunk()).await.is_err());
    assert!(timeout(short, get().send()).await.is_err());
}

#[tokio::test]
async fn connections_that_break() {
    let (memory, registry, _digest) = served().await;
    registry.faults().add(Rule::new(Fault::Reset).on(Method::GET).path("/manifests/"));
    let error = ask(&registry, Method::GET, "/v2/app/manifests/v1").send().await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(registry.faults().log()[0].status, None);

    let content = vec![7; 200_000];
    let digest = Digest::of(&content);
    registry
        .faults()
        .add(Rule::new(Fault::ResetUpload { after: 100_000 }).on(Method::PUT).times(1));
    let session = ask(&registry, Method::POST, "/v2/app/blobs/uploads/").send().await.unwrap();
    let session = session.headers()["location"].to_str().unwrap().to_owned();
    let put = |from: usize| {
        let path = format!("{session}?digest={digest}");
        ask(&registry, Method::PUT, &path).body(content[from..].to_vec()).send()
    };
    put(0).await.unwrap_err();
    let status = ask(&registry, Method::GET, &session).send().await.unwrap();
    assert_eq!(status.headers()["range"], "0-99999", "what came is kept");
    assert_eq!(put(100_000).await.unwrap().status(), 201);
    let source = memory.source(&"app".parse().unwrap());
    assert_eq!(source.blob_size(&digest).await.unwrap(), Some(200_000));
}

#[tokio::test]
async fn registries_that_do_not_do_everything() {
    let (memory, registry, digest) = served().await;
    registry.faults().add(Rule::new(Fault::DeclineMount).on(Method::POST).times(1));
    registry.faults().add(Rule::new(Fault::RefuseSparseIndex).on(Method::PUT).times(1));
    let mount = format!("/v2/other/blobs/uploads/?mount={digest}&from=app");
    let declined = ask(&registry, Method::POST, &mount).send().await.unwrap();
    assert_eq!(declined.status(), 202);
    assert!(declined.headers().contains_key("location"));
    assert_eq!(ask(&registry, Method::POST, &mount).send().await.unwrap().status(), 201);
    assert_eq!(memory.tally().mounted, 1);
    let sparse = format!(r#"{{"manifests":[{{"mediaType":"a","digest":"{digest}","size":1}}]}}"#);
    for expected in [400, 404] {
        let put = ask(&registry, Method::PUT, "/v2/app/manifests/sparse").body(sparse.clone());
        let put = put.send().await.unwrap();
        assert_eq!(put.status(), expected);
        assert!(put.text().await.unwrap().contains("MANIFEST_BLOB_UNKNOWN"));
    }
}
