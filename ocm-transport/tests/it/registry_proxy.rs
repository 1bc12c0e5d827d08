//! Requests that go through somebody.

use ocm_oci::Host;
use ocm_transport::{Kind, Proxies};

use crate::{
    fake::{Fake, Seen, reply},
    support::{chain, open, plain},
};

/// A proxy that answers for everyone in plain HTTP and opens no tunnels.
async fn proxy() -> Fake {
    Fake::serve(|seen: &Seen| {
        if seen.line.starts_with("CONNECT") { reply(502, "no tunnels") } else { reply(200, "{}") }
    })
    .await
}

fn through(proxy: &Fake, no_proxy: &str) -> Proxies {
    let address = format!("http://user:pw@{}", proxy.address);
    Proxies {
        http: Some(address.clone()),
        https: Some(address),
        no_proxy: Some(no_proxy.to_owned()),
    }
}

#[tokio::test]
async fn requests_go_through_the_proxy() {
    let proxy = proxy().await;
    let host: Host = "registry.test:5000".parse().unwrap();
    open(&host, plain().with_proxies(through(&proxy, ""))).check().await.unwrap();
    let lines: Vec<_> = proxy.seen().into_iter().map(|seen| seen.line).collect();
    let direct = "GET http://registry.test:5000/v2/";
    assert_eq!(lines, ["CONNECT registry.test:5000", direct, direct]);
    for seen in proxy.seen() {
        assert_eq!(seen.header("proxy-authorization"), "Basic dXNlcjpwdw==", "{}", seen.line);
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_as_the_reason() {
    let proxy = Fake::serve(|_: &Seen| reply(407, "")).await;
    let host: Host = "registry.test:5000".parse().unwrap();
    let options = ocm_transport::ClientOptions::default().with_proxies(through(&proxy, ""));
    let error = open(&host, options).check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert!(chain(&error).contains("proxy"), "{}", chain(&error));
    assert!(!chain(&error).contains("pw"), "{}", chain(&error));
}

#[tokio::test]
async fn loopback_and_exceptions_go_directly() {
    let (proxy, fake) = (proxy().await, Fake::serve(|_: &Seen| reply(200, "{}")).await);
    open(&fake.host(), plain().with_proxies(through(&proxy, ""))).check().await.unwrap();
    let local: Host = format!("localhost:{}", fake.address.port()).parse().unwrap();
    open(&local, plain().with_proxies(through(&proxy, ""))).check().await.unwrap();
    assert!(proxy.seen().is_empty());
    assert_eq!(fake.seen().len(), 4);
}
