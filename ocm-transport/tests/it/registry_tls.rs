//! Whom we trust, and whom not. No authority of this machine is ever read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use axum::response::Response;
use ocm_oci::{Digest, Host, RepoName};
use ocm_testkit::{
    Loopback,
    faults::{Age, Authority, Identity},
};
use ocm_transport::{
    Client, ClientOptions, Credentials, Kind, Login, Retry, SystemRoots, TlsOptions,
    Transport as _, TransportError, Verify,
};
use tempfile::TempDir;

use crate::{
    fake::{Fake, Seen, reply, router, with},
    support::{chain, open},
};

/// An authority, a server of it, and a directory for certificates.
struct Scene {
    authority: Authority,
    server: Loopback,
    dir: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::answering(|_: &Seen| reply(200, "{}"))
    }

    fn answering(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Self {
        let authority = Authority::new("Test").unwrap();
        let identity = authority.server(&["127.0.0.1"]).unwrap();
        let server = Loopback::serve_tls(router(answer).0, &identity, None).unwrap();
        Self { authority, server, dir: tempfile::tempdir().unwrap() }
    }

    fn presenting(identity: impl Fn(&Authority) -> Identity) -> Self {
        let authority = Authority::new("Test").unwrap();
        let (router, _) = router(|_: &Seen| reply(200, "{}"));
        let server = Loopback::serve_tls(router, &identity(&authority), None).unwrap();
        Self { authority, server, dir: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Trusts this scene's authority.
    fn trusting(&self) -> TlsOptions {
        let ca = self.write("ca.pem", &self.authority.pem());
        TlsOptions { ca_files: vec![ca], ..nobody() }
    }

    async fn check(&self, tls: TlsOptions) -> Result<(), TransportError> {
        open(&self.server.host(), ClientOptions::default().with_tls(tls)).check().await
    }
}

/// Trusts nobody.
fn nobody() -> TlsOptions {
    TlsOptions { system_roots: SystemRoots::None, ..TlsOptions::default() }
}

fn anybody() -> TlsOptions {
    TlsOptions { verify: Verify::Never, ..nobody() }
}

fn refused(checked: Result<(), TransportError>, expected: &str) {
    let error = checked.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Tls, Retry::Never), "{}", chain(&error));
    assert!(chain(&error).contains(expected), "{}", chain(&error));
}

#[tokio::test]
async fn a_named_authority_is_trusted() {
    let scene = Scene::new();
    scene.check(scene.trusting()).await.unwrap();
    // An embedder chooses for its own process, and finds that nobody has.
    assert!(rustls::crypto::CryptoProvider::get_default().is_none());
    // As the system's, too.
    let file = Some(scene.write("system.pem", &scene.authority.pem()));
    let system_roots = SystemRoots::At { file, dir: None };
    scene.check(TlsOptions { system_roots, ..nobody() }).await.unwrap();
}

#[tokio::test]
async fn others_are_not_and_it_says_why() {
    let scene = Scene::new();
    refused(scene.check(nobody()).await, "no certificate authority is known on this machine");
    let other = Authority::new("Other").unwrap();
    let ca = scene.write("other.pem", &other.pem());
    let tls = TlsOptions { ca_files: vec![ca], ..nobody() };
    refused(scene.check(tls).await, "UnknownIssuer");
    let scene = Scene::presenting(|authority| authority.server(&["other.test"]).unwrap());
    refused(scene.check(scene.trusting()).await, "not valid for name");
    let scene = Scene::presenting(|authority| authority.expired_server(&["127.0.0.1"]).unwrap());
    refused(scene.check(scene.trusting()).await, "expired");
}

/// What `openssl req -x509` makes: an authority that is shown as a server's certificate.
#[tokio::test]
async fn a_named_certificate_of_the_registry_itself_is_trusted() {
    let own = |names: &[&str], age| {
        let identity = Identity::self_signed(names, age).unwrap();
        let pem = identity.certificate_pem();
        let (router, _) = router(|_: &Seen| reply(200, "{}"));
        let server = Loopback::serve_tls(router, &identity, None).unwrap();
        let authority = Authority::new("Unused").unwrap();
        (Scene { authority, server, dir: tempfile::tempdir().unwrap() }, pem)
    };
    let naming = |scene: &Scene, pem: &str| TlsOptions {
        ca_files: vec![scene.write("own.pem", pem)],
        ..nobody()
    };
    let (scene, pem) = own(&["127.0.0.1"], Age::Valid);
    scene.check(naming(&scene, &pem)).await.unwrap();
    scene.write(&format!("certs.d/{}/ca.crt", scene.server.host()), &pem);
    let certs_dirs = vec![scene.dir.path().join("certs.d")];
    scene.check(TlsOptions { certs_dirs, ..nobody() }).await.unwrap();
    scene.write("flag/ca.crt", &pem);
    let cert_dir = Some(scene.dir.path().join("flag"));
    scene.check(TlsOptions { cert_dir, ..nobody() }).await.unwrap();
    // Another of the same names is not that one; nor is the system's store a list of registries.
    let (other, _) = own(&["127.0.0.1"], Age::Valid);
    refused(other.check(naming(&scene, &pem)).await, "CaUsedAsEndEntity");
    let system_roots = SystemRoots::At { file: Some(scene.write("system.pem", &pem)), dir: None };
    refused(scene.check(TlsOptions { system_roots, ..nobody() }).await, "CaUsedAsEndEntity");
    let (scene, pem) = own(&["other.test"], Age::Valid);
    refused(scene.check(naming(&scene, &pem)).await, "not valid for name");
    let (scene, pem) = own(&["127.0.0.1"], Age::Expired);
    refused(scene.check(naming(&scene, &pem)).await, "expired");
    // One that an authority signed, which nobody named.
    let authority = Authority::new("Test").unwrap();
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let pem = identity.certificate_pem();
    let server = Loopback::serve_tls(router(|_: &Seen| reply(200, "{}")).0, &identity, None);
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene { authority, server: server.unwrap(), dir };
    scene.check(naming(&scene, &pem)).await.unwrap();
}

#[tokio::test]
async fn a_directory_of_certificates_is_for_one_registry() {
    let scene = Scene::new();
    let host = scene.server.host();
    scene.write(&format!("certs.d/{host}/ca.crt"), &scene.authority.pem());
    let dirs = |name: &str| vec![scene.dir.path().join("missing"), scene.dir.path().join(name)];
    let tls = TlsOptions { certs_dirs: dirs("certs.d"), ..nobody() };
    scene.check(tls).await.unwrap();
    scene.write("others.d/example.com/ca.crt", &scene.authority.pem());
    let tls = TlsOptions { certs_dirs: dirs("others.d"), ..nobody() };
    refused(scene.check(tls).await, "UnknownIssuer");
    scene.write(&format!("broken.d/{host}/ca.crt"), "no certificate");
    let tls = TlsOptions { certs_dirs: dirs("broken.d"), ..nobody() };
    refused(scene.check(tls).await, "ca.crt holds no certificate");
}

#[tokio::test]
async fn we_show_who_we_are() {
    let (authority, clients) = (Authority::new("Test").unwrap(), Authority::new("Us").unwrap());
    let identity = authority.server(&["127.0.0.1"]).unwrap();
    let (router, _) = router(|_: &Seen| reply(200, "{}"));
    let server = Loopback::serve_tls(router, &identity, Some(&clients)).unwrap();
    let scene = Scene { authority, server, dir: tempfile::tempdir().unwrap() };
    refused(scene.check(scene.trusting()).await, "CertificateRequired");
    let us = clients.client("us").unwrap();
    for dir in [format!("certs.d/{}", scene.server.host()), "flag".to_owned()] {
        scene.write(&format!("{dir}/ca.crt"), &scene.authority.pem());
        scene.write(&format!("{dir}/client.cert"), &us.certificate_pem());
        scene.write(&format!("{dir}/client.key"), &us.key_pem());
    }
    let certs_dirs = vec![scene.dir.path().join("certs.d")];
    scene.check(TlsOptions { certs_dirs, ..nobody() }).await.unwrap();
    let cert_dir = Some(scene.dir.path().join("flag"));
    scene.check(TlsOptions { cert_dir: cert_dir.clone(), ..nobody() }).await.unwrap();
    // Where the other side need not prove itself, it may still ask us.
    scene.check(TlsOptions { cert_dir, ..anybody() }).await.unwrap();
    fs::remove_file(scene.dir.path().join("flag/client.key")).unwrap();
    let tls = TlsOptions { cert_dir: Some(scene.dir.path().join("flag")), ..nobody() };
    refused(scene.check(tls).await, "client.cert has no counterpart");
}

#[tokio::test]
async fn without_verification_anybody_will_do() {
    let scene = Scene::presenting(|authority| authority.expired_server(&["other.test"]).unwrap());
    scene.check(anybody()).await.unwrap();
}

#[tokio::test]
async fn without_verification_plain_http_will_do_and_is_noted() {
    let fake = Fake::serve(|seen: &Seen| match seen.header("authorization") {
        "" => with(401, &[("www-authenticate", "Basic realm=x")], ""),
        _ => reply(200, ""),
    })
    .await;
    let credentials = Credentials::fixed(Login::basic("me", "secret"));
    let options = ClientOptions::default().with_tls(anybody()).with_credentials(credentials);
    let client = Client::new(options.clone()).unwrap();
    client.registry(&fake.host()).check().await.unwrap();
    assert!(client.sends_credentials_in_clear(&fake.host()));
    let scene = Scene::answering(|seen: &Seen| match seen.header("authorization") {
        "" => with(401, &[("www-authenticate", "Basic realm=x")], ""),
        _ => reply(200, ""),
    });
    let client = Client::new(options).unwrap();
    client.registry(&scene.server.host()).check().await.unwrap();
    assert!(!client.sends_credentials_in_clear(&scene.server.host()));
}

/// Loopback is no exception.
#[tokio::test]
async fn with_verification_nothing_goes_over_plain_http() {
    let fake = Fake::serve(|_: &Seen| reply(200, "")).await;
    let registry = open(&fake.host(), ClientOptions::default().with_tls(nobody()));
    refused(registry.check().await, "what answers there does not speak TLS");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn with_verification_no_redirect_leads_to_plain_http() {
    let plain = Fake::serve(|_: &Seen| reply(200, "content")).await;
    let to = format!("http://{}/blob?signature=sesame", plain.address);
    let scene = Scene::answering(move |seen: &Seen| match seen.line.as_str() {
        "GET /v2/" => reply(200, ""),
        _ => with(307, &[("location", &to)], ""),
    });
    let name: RepoName = "a/b".parse().unwrap();
    let ask = async |tls| {
        let registry = open(&scene.server.host(), ClientOptions::default().with_tls(tls));
        registry.source(&name).blob(&Digest::of(b""), None).await.map(drop)
    };
    let error = ask(scene.trusting()).await.unwrap_err();
    assert!(!chain(&error).contains("sesame"), "{}", chain(&error));
    refused(Err(error), "redirect from HTTPS to plain HTTP");
    assert!(plain.seen().is_empty());
    ask(anybody()).await.unwrap();
    assert_eq!(plain.seen().len(), 1);
}

#[tokio::test]
async fn with_verification_no_token_is_fetched_over_plain_http() {
    let plain = Fake::serve(|_: &Seen| reply(200, r#"{"token":"t"}"#)).await;
    let text = format!(r#"Bearer realm="http://{}/token""#, plain.address);
    let scene = Scene::answering(move |seen: &Seen| match seen.header("authorization") {
        "" => with(401, &[("www-authenticate", &text)], ""),
        _ => reply(200, ""),
    });
    refused(scene.check(scene.trusting()).await, "it is plain HTTP");
    assert!(plain.seen().is_empty());
    scene.check(anybody()).await.unwrap();
}

#[tokio::test]
async fn an_upload_is_not_led_to_plain_http() {
    let scene = Scene::answering(|seen: &Seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404, ""),
        "POST" => with(202, &[("location", "http://elsewhere.test/up")], ""),
        _ => reply(200, ""),
    });
    let name: RepoName = "a/b".parse().unwrap();
    let options = ClientOptions::default().with_tls(scene.trusting());
    let to = open(&scene.server.host(), options).destination(&name).unwrap();
    let error = to.begin(&Digest::of(b""), None, None).await.unwrap_err();
    assert!(chain(&error).contains("leads from HTTPS to plain HTTP"), "{}", chain(&error));
}

#[test]
fn what_was_named_must_be_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.pem");
    let make = |tls: TlsOptions| match Client::new(ClientOptions::default().with_tls(tls)) {
        Err(error) => chain(&error),
        Ok(_) => String::new(),
    };
    let file = |path: &Path| TlsOptions { ca_files: vec![path.to_owned()], ..nobody() };
    assert!(make(file(&path)).contains("could not read certificates from"));
    for (text, expected) in [
        ("", "ca.pem holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", "is not a valid PEM file"),
    ] {
        fs::write(&path, text).unwrap();
        assert!(make(file(&path)).contains(expected), "{text:?}: {}", make(file(&path)));
    }
    let missing = TlsOptions { cert_dir: Some(dir.path().join("no")), ..nobody() };
    assert!(make(missing).contains("could not read certificates from"));
    // A registry's own directory is looked for when it is needed.
    let certs_dirs = vec![dir.path().join("no")];
    assert_eq!(make(TlsOptions { certs_dirs, ..nobody() }), "");
}

/// A machine without any authority: what needs none works.
#[tokio::test]
async fn a_machine_without_authorities_speaks_to_itself() {
    let fake = Fake::serve(|_: &Seen| reply(200, "{}")).await;
    open(&fake.host(), ClientOptions::default().with_tls(anybody())).check().await.unwrap();
    let scene = Scene::new();
    scene.check(anybody()).await.unwrap();
    let host: Host = scene.server.host();
    let system_roots = SystemRoots::At { file: Some("/no/such/file".into()), dir: None };
    let tls = TlsOptions { system_roots, ..TlsOptions::default() };
    let checked = open(&host, ClientOptions::default().with_tls(tls)).check().await;
    refused(checked, "no certificate authority is known on this machine");
}
