use std::{sync::Arc, time::Duration};

use ocm_registry::{ServerOptions, router};
use ocm_testkit::{Loopback, faults::Authority};
use ocm_transport::Memory;
use reqwest::{Certificate, Client, ClientBuilder, Identity};
use tokio::time::timeout;

fn trusting(authority: &Authority) -> ClientBuilder {
    let root = Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([root])
}

#[tokio::test]
async fn only_who_trusts_the_authority_connects() {
    let (ours, other) = (Authority::new("ours").unwrap(), Authority::new("other").unwrap());
    let identity = ours.server(&["localhost", "127.0.0.1"]).unwrap();
    let memory = Arc::new(Memory::default());
    let registry = router(memory, &ServerOptions::default());
    let loopback = Loopback::serve_tls(registry, &identity, None).unwrap();
    let url = format!("{}/v2/", loopback.url());
    assert!(url.starts_with("https://127.0.0.1:"));
    let answer = trusting(&ours).build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(trusting(&other).build().unwrap().get(&url).send().await.is_err());
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(trusting(&ours).build().unwrap().get(&by_name).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn clients_are_known_by_their_certificates() {
    let authority = Authority::new("ours").unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let memory = Arc::new(Memory::default());
    let registry = router(memory, &ServerOptions::default());
    let loopback = Loopback::serve_tls(registry, &identity, Some(&authority)).unwrap();
    let url = format!("{}/v2/", loopback.url());
    assert!(trusting(&authority).build().unwrap().get(&url).send().await.is_err());
    let client = authority.client("somebody").unwrap();
    let pem = format!("{}{}", client.certificate_pem(), client.key_pem());
    let client = trusting(&authority).identity(Identity::from_pem(pem.as_bytes()).unwrap());
    assert_eq!(client.build().unwrap().get(&url).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn dropping_it_closes_the_port() {
    let authority = Authority::new("ours").unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let registry = router(Arc::new(Memory::default()), &ServerOptions::default());
    let loopback = Loopback::serve_tls(registry, &identity, None).unwrap();
    let (url, client) = (format!("{}/v2/", loopback.url()), trusting(&authority).build().unwrap());
    assert!(client.get(&url).send().await.is_ok());
    drop(loopback);
    // The connection that is kept ends as soon as its task is run.
    let until_closed = async { while client.get(&url).send().await.is_ok() {} };
    assert!(timeout(Duration::from_secs(30), until_closed).await.is_ok(), "it goes on");
}

#[tokio::test]
async fn no_provider_is_installed_for_the_process() {
    let authority = Authority::new("ours").unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let registry = router(Arc::new(Memory::default()), &ServerOptions::default());
    drop(Loopback::serve_tls(registry, &identity, None).unwrap());
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
}
