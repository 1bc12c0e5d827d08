use std::collections::BTreeMap;

use ocm_config::ReleaseKind;
use ocm_oci::{Digest, ImageRef};

use super::*;
use crate::signature::{Policy, Verified};

fn selected(version: &str, architecture: &str) -> SelectedAs {
    let channel = "stable-4.18".to_owned();
    SelectedAs { version: version.parse().unwrap(), architecture: architecture.to_owned(), channel }
}

fn candidate(selected: Option<SelectedAs>, content: &[u8]) -> Candidate {
    let digest = Digest::of(content);
    let payload = format!("far.example/ocp/release@{digest}").parse().unwrap();
    Candidate { selected, payload, digest, kind: ReleaseKind::Ocp, policy: Policy::Required }
}

fn signed(one: &Candidate, identity: &str) -> Signed {
    let identity: ImageRef = identity.parse().unwrap();
    let (digest, signer) = (one.digest.clone(), String::new());
    let verified = Verified { digest, identity, signer, signed_at: None };
    Signed { verified, message: bytes::Bytes::new() }
}

fn payload(version: Option<&str>) -> Payload {
    let image = Digest::of(b"component");
    let references = format!(
        r#"{{"kind":"ImageStream","apiVersion":"image.openshift.io/v1","spec":{{"tags":[
            {{"name":"cli","from":{{"kind":"DockerImage","name":"far.example/cli@{image}"}}}}
        ]}}}}"#
    );
    let mut files = BTreeMap::from([("image-references".to_owned(), references.into())]);
    if let Some(version) = version {
        let text = format!(r#"{{"kind":"cincinnati-metadata-v0","version":"{version}"}}"#);
        files.insert("release-metadata".to_owned(), text.into());
    }
    Payload::of(Digest::of(b"payload"), files).unwrap()
}

#[test]
fn what_is_signed_is_the_version_and_the_architecture_that_was_asked_for() {
    for (version, architecture, tag, is_it) in [
        ("4.18.5", "amd64", "4.18.5-x86_64", true),
        ("4.18.5", "amd64", "4.18.5", true),
        ("4.18.5", "arm64", "4.18.5-aarch64", true),
        ("4.18.5", "multi", "4.18.5-multi", true),
        ("4.18.5+amd64", "amd64", "4.18.5-x86_64", true),
        ("4.2.10-s390x", "s390x", "4.2.10-s390x", true),
        ("4.18.0-rc.1", "ppc64le", "4.18.0-rc.1-ppc64le", true),
        ("4.18.5", "amd64", "4.18.5-rc.1-x86_64", false),
        ("4.18.5", "amd64", "4.18.5-s390x", false),
        ("4.18.5", "amd64", "4.18.5-amd64", false),
        ("4.18.5", "amd64", "4.18.51-x86_64", false),
        ("4.18.5", "amd64", "4.18.5-", false),
        ("4.18.5", "amd64", "4.18.5x86_64", false),
    ] {
        let answer = is_of(&tag.parse().unwrap(), &selected(version, architecture));
        assert_eq!(answer.is_ok(), is_it, "{version} {architecture} {tag}");
    }
}

#[test]
fn one_tag_has_one_payload() {
    let accept = |architecture: &str, content: &[u8], channel: &str| {
        let mut selected = selected("4.18.5", architecture);
        channel.clone_into(&mut selected.channel);
        candidate(Some(selected), content).accept(None).unwrap()
    };
    let first = accept("amd64", b"one", "stable-4.18");
    assert_eq!(first.is_new_among(&[]), Ok(true));
    let others = std::slice::from_ref(&first);
    assert_eq!(accept("amd64", b"one", "fast-4.18").is_new_among(others), Ok(false));
    let second = accept("amd64", b"two", "fast-4.18");
    let failure = second.is_new_among(others).unwrap_err();
    for part in [first.digest.to_string(), second.digest.to_string()] {
        assert!(failure.chain[0].contains(&part), "{failure:?}");
    }
    assert!(failure.chain[0].contains("`stable-4.18`") && failure.chain[0].contains("`fast-4.18`"));
    // What nobody has signed is told apart by what it runs on.
    let other = accept("arm64", b"three", "stable-4.18");
    assert_eq!((first.tag.as_str(), other.tag.as_str()), ("4.18.5", "4.18.5-aarch64"));
    assert_eq!(other.is_new_among(others), Ok(true));
}

#[test]
fn a_payload_says_of_itself_what_the_graph_says_of_it() {
    for (version, is_it) in [
        (Some("4.18.5"), true),
        (Some("4.18.5+build"), true),
        (None, true),
        (Some("4.18.6"), false),
        (Some("4.18.5-rc.1"), false),
        (Some("nonsense"), false),
    ] {
        let accepted = candidate(Some(selected("4.18.5", "amd64")), b"one").accept(None).unwrap();
        assert_eq!(accepted.agrees_with(&payload(version)).is_ok(), is_it, "{version:?}");
    }
    let accepted = candidate(None, b"one").accept(None).unwrap();
    assert!(accepted.agrees_with(&payload(Some("4.18.6"))).is_ok(), "nobody has selected it");
}

#[test]
fn the_newest_version_that_anybody_names_decides() {
    let line = |selected_as: Option<&str>, signed_as: Option<&str>, own: Option<&str>| {
        let one = candidate(selected_as.map(|version| selected(version, "amd64")), b"one");
        let signed = signed_as.map(|tag| signed(&one, &format!("quay.io/a/b:{tag}")));
        let (digest, kind, selected) = (one.digest.clone(), one.kind, one.selected.clone());
        let (origin, tag) = (one.payload, "x".parse().unwrap());
        let accepted = Accepted { origin, digest, tag, signed, kind, selected };
        accepted.line(&payload(own)).map(|minor| (minor.major, minor.minor))
    };
    assert_eq!(line(Some("4.20.1"), Some("4.21.0-x86_64"), Some("4.20.1")), Some((4, 21)));
    assert_eq!(line(Some("4.21.1"), None, Some("4.20.1")), Some((4, 21)));
    assert_eq!(line(None, None, Some("5.0.0-0.nightly-2026")), Some((5, 0)));
    assert_eq!(line(None, None, None), None);
}

/// A build of one's own is not covered by the policy, and one that Red Hat has signed is, wherever
/// it is read.
#[test]
fn the_policy_is_about_red_hats_payloads() {
    let one = candidate(None, b"one");
    assert!(!one.accept(None).unwrap().is_under_policy());
    let of_red_hat = signed(&one, &format!("{POLICY_SCOPE}:4.21.0-x86_64"));
    assert!(one.accept(Some(of_red_hat)).unwrap().is_under_policy());
    let payload = format!("{POLICY_SCOPE}@{}", one.digest).parse().unwrap();
    let named = Candidate { payload, ..one };
    assert!(named.accept(None).unwrap().is_under_policy());
    assert!(!Candidate { kind: ReleaseKind::Okd, ..named }.accept(None).unwrap().is_under_policy());
}

#[test]
fn a_refused_release_is_named_by_its_version() {
    let failure = Failure::without(Code::Signature, Side::Source, "it ends early".to_owned());
    let one = candidate(Some(selected("4.17.2", "amd64")), b"one");
    assert_eq!(one.named(failure).chain, ["4.17.2 (amd64): it ends early"]);
}
