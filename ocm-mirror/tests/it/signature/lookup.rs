//! Where signatures are found, and that one bad release refuses nothing but itself.

use std::{fs::Permissions, num::NonZeroUsize, os::unix::fs::PermissionsExt as _};

use bytes::Bytes;
use http::{Method, StatusCode};
use ocm_config::ReleaseKind;
use ocm_mirror::{
    Code, Failure,
    signature::{Asked, Filed, Lookup, Policy, Refusal, Signed, Store, Trust},
};
use ocm_testkit::{
    Loopback, Website,
    faults::{Fault, Faults, Rule},
};
use ocm_transport::{Client, ClientOptions};

use super::*;
use crate::world::quick;

/// A store with what `publish` puts there, and a log of who came.
async fn store(publish: impl FnOnce(Website) -> Website) -> (Loopback, Faults, Trust) {
    let faults = Faults::default();
    let router = faults.in_front_of(publish(Website::default()).router());
    let loopback = Loopback::serve_router(router).await.unwrap();
    let at = Store::at(&format!("{}/store", loopback.url())).unwrap();
    (loopback, faults, trust().with_store(at))
}

fn trust() -> Trust {
    Trust::of(ReleaseKind::Ocp).with_keyring(trusting(&ReleaseSigner::trusted()))
}

fn client() -> Client {
    Client::new(ClientOptions::default()).unwrap()
}

fn named(nth: u8) -> Digest {
    Digest::of(&[nth])
}

fn identity(nth: u8) -> String {
    format!("quay.io/openshift-release-dev/ocp-release:4.18.{nth}-x86_64")
}

fn good(nth: u8) -> Vec<u8> {
    ReleaseSigner::trusted().sign(&named(nth), &identity(nth))
}

fn lookup<'a>(filed: &'a Filed, web: Option<&'a Client>) -> Lookup<'a> {
    let at_once = NonZeroUsize::new(3).unwrap();
    Lookup { filed, web, retry: quick().with_retries(2), at_once, now: now() }
}

type Found = Result<Option<Signed>, Refusal>;

/// Looks for the signatures of the releases 0, 1, …
async fn find(releases: u8, lookup: Lookup<'_>, trust: &Trust) -> Vec<Found> {
    let digests: Vec<_> = (0..releases).map(named).collect();
    let policy = Policy::Required;
    let asked =
        digests.iter().map(|digest| Asked { digest, reference: "a release", trust, policy });
    lookup.check(&asked.collect::<Vec<_>>()).await
}

fn told(found: &Found) -> Vec<String> {
    Failure::from(found.as_ref().unwrap_err()).chain
}

#[tokio::test]
async fn one_bad_release_is_refused_and_nothing_else() {
    let (server, faults, trust) = store(|site| {
        site.with_signature("/store/", &named(0), 1, good(0))
            .with_signature("/store/", &named(1), 1, good(2))
            .with_signature(
                "/store/",
                &named(3),
                1,
                ReleaseSigner::stranger().sign(&named(3), "a/b:1"),
            )
            .with_signature("/store/", &named(3), 2, good(3))
            .with_signature("/store/", &named(4), 1, "<html>")
    })
    .await;
    let (client, filed) = (client(), Filed::default());
    let found = find(6, lookup(&filed, Some(&client)), &trust).await;
    let signed = |nth: u8| {
        let signed = found[usize::from(nth)].as_ref().unwrap().as_ref().unwrap();
        assert_eq!(signed.message, good(nth));
        assert_eq!(signed.verified.identity.as_written(), identity(nth));
        signed.file_name()
    };
    assert_eq!(signed(0), format!("4.18.0-x86_64-sha256-{}", named(0).hex()));
    assert_eq!(signed(3), format!("4.18.3-x86_64-sha256-{}", named(3).hex()));
    let base = format!("{}/store/", server.url());
    let first = format!(
        "signature of release `a release`, `{base}sha256={}/signature-1`, does not count",
        named(1).hex()
    );
    assert_eq!(told(&found[1])[0], first);
    assert!(told(&found[1])[1].starts_with("signature is of `sha256:"), "{:?}", told(&found[1]));
    assert_eq!(told(&found[4])[1], "signature is a web page");
    assert_eq!(
        told(&found[5]),
        [format!("there is no signature of release `a release` in {base}")]
    );
    let failure = Failure::from(found[5].as_ref().unwrap_err());
    assert_eq!((failure.code, failure.image.as_str()), (Code::Signature, "a release"));
    assert!(failure.hint.unwrap().contains("OCP_SIGNATURE_URL"));
    // Asked on until there is no more: 0 once; 1, 4 and 3 twice; 2 and 5 once.
    assert_eq!(faults.count(&Method::GET, "/signature-"), 9);
}

#[tokio::test]
async fn what_is_at_hand_comes_first_and_from_an_archive_nothing_is_asked() {
    let (_server, faults, trust) =
        store(|site| site.with_signature("/store/", &named(1), 1, good(1))).await;
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path(&format!("any-{}.sig", named(0).hex())), good(0)).unwrap();
    fs::write(path(&format!("4.18.1-x86_64-sha256-{}", named(1).hex())), "rotten").unwrap();
    fs::write(path("unreadable"), "").unwrap();
    fs::set_permissions(path("unreadable"), Permissions::from_mode(0o0)).unwrap();
    fs::create_dir(path(&named(2).hex())).unwrap();
    let digests: Vec<_> = (0..3).map(named).collect();
    let filed = Filed::read(directory.path(), &digests).await.unwrap();

    let found = find(3, lookup(&filed, None), &trust).await;
    assert_eq!(found[0].as_ref().unwrap().as_ref().unwrap().message, good(0));
    assert!(told(&found[1])[0].contains("file `4.18.1-x86_64-sha256-"), "{:?}", told(&found[1]));
    assert_eq!(told(&found[2]), ["there is no signature of release `a release` in the archive"]);
    assert!(faults.log().is_empty());

    // A rotten file is passed over for what the store has, and is replaced by it.
    let client = client();
    let found = find(3, lookup(&filed, Some(&client)), &trust).await;
    assert_eq!(faults.count(&Method::GET, &named(0).hex()), 0);
    let signed = found[1].as_ref().unwrap().as_ref().unwrap();
    let saved = signed.save(directory.path()).await.unwrap();
    assert_eq!(saved, path(&format!("4.18.1-x86_64-sha256-{}", named(1).hex())));
    assert_eq!(fs::read(&saved).unwrap(), good(1));
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let names = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 4, "nothing temporary is left");
    let elsewhere = path("deep/signatures");
    signed.save(&elsewhere).await.unwrap();
    signed.save(&elsewhere).await.unwrap();
    let read = Filed::read(&elsewhere, &[named(1)]).await.unwrap();
    assert!(find(2, lookup(&read, None), &trust).await[1].is_ok());
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_and_then_the_next() {
    let (_first, faults, first) =
        store(|site| site.with_signature("/store/", &named(0), 1, good(0))).await;
    let (second, others, _) =
        store(|site| site.with_signature("/store/", &named(0), 1, good(0))).await;
    let (client, filed) = (client(), Filed::default());
    let both = first.clone().and_store(Store::at(&format!("{}/store", second.url())).unwrap());

    faults.add(Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE)).times(1));
    assert!(find(1, lookup(&filed, Some(&client)), &both).await[0].is_ok());
    assert_eq!((faults.take_log().len(), others.take_log().len()), (2, 0));

    faults.add(Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE)));
    assert!(find(1, lookup(&filed, Some(&client)), &both).await[0].is_ok());
    assert_eq!((faults.take_log().len(), others.take_log().len()), (3, 1));

    let found = find(1, lookup(&filed, Some(&client)), &first).await;
    assert_eq!(told(&found[0])[0], "could not look for a signature of release `a release`");
    assert!(matches!(Failure::from(found[0].as_ref().unwrap_err()).code, Code::Transport(_)));

    // Who says no is taken to have none, as buckets do.
    faults.clear();
    faults.add(Rule::new(Fault::status(StatusCode::FORBIDDEN)));
    let found = find(1, lookup(&filed, Some(&client)), &first).await;
    assert!(matches!(found[0], Err(Refusal::NotFound { .. })), "{found:?}");
}

#[tokio::test]
async fn noise_without_end_is_not_read_to_the_end() {
    let noise = Bytes::from(vec![0xa3; 10 << 20]);
    let (_server, faults, trust) =
        store(|site| site.with_signature("/store/", &named(0), 1, noise)).await;
    let (client, filed) = (client(), Filed::default());
    let found = find(1, lookup(&filed, Some(&client)), &trust).await;
    assert_eq!(told(&found[0])[0], "could not look for a signature of release `a release`");
    assert_eq!(faults.log().len(), 1, "it is not asked for again");
}

#[tokio::test]
async fn who_needs_no_signature_is_not_asked_about() {
    let (_server, faults, trust) = store(|site| site).await;
    let (client, filed, digest) = (client(), Filed::default(), named(0));
    let asked =
        Asked { digest: &digest, reference: "a release", trust: &trust, policy: Policy::Ignored };
    let found = lookup(&filed, Some(&client)).check(&[asked]).await;
    assert!(matches!(found.as_slice(), [Ok(None)]), "{found:?}");
    assert!(faults.log().is_empty());
}

/// A store can be full of them; an upgrading cluster gives up after ten as well.
#[tokio::test]
async fn a_store_is_not_followed_for_ever() {
    let (_server, faults, trust) = store(|site| {
        (1..100).fold(site, |site, nth| site.with_signature("/store/", &named(0), nth, good(1)))
    })
    .await;
    let (client, filed) = (client(), Filed::default());
    let found = find(1, lookup(&filed, Some(&client)), &trust).await;
    assert!(matches!(found[0], Err(Refusal::NotGood { .. })), "{found:?}");
    assert_eq!(faults.log().len(), 10);
}
