//! Manifests, read and written, and what says something about them.

use std::sync::Arc;

use ocm_oci::{Digest, MediaType, RepoName, TagOrDigest};
use ocm_transport::{Destination, Kind, Manifest, Retry, Stored, Transport as _};

use crate::{
    fake::{Fake, Seen, envelope, reply, with},
    support::{chain, open, plain},
};

const TEXT: &str = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

fn repository(fake: &Fake) -> Arc<dyn Destination> {
    let name: RepoName = "a/b".parse().unwrap();
    open(&fake.host(), plain()).destination(&name).unwrap()
}

fn tag() -> TagOrDigest {
    "v1".parse().unwrap()
}

fn digest() -> Digest {
    Digest::of(TEXT.as_bytes())
}

fn lines(fake: &Fake) -> Vec<String> {
    fake.log().iter().map(|line| line.replace("/v2/a/b/manifests/", "")).collect()
}

#[tokio::test]
async fn one_head_tells_what_a_tag_is() {
    let claimed = digest().to_string();
    let fake = Fake::serve(move |_: &Seen| {
        let headers =
            [("content-type", OCI), ("docker-content-digest", &claimed), ("content-length", "44")];
        with(200, &headers, "")
    })
    .await;
    let found = repository(&fake).head(&tag()).await.unwrap().unwrap();
    assert_eq!((found.digest, found.size), (digest(), 44));
    assert_eq!(found.media_type, MediaType::OciManifest);
    assert_eq!(lines(&fake), ["HEAD v1"]);
    let accepted: Vec<_> = fake.seen()[1]
        .headers
        .get_all("accept")
        .iter()
        .map(|it| it.to_str().unwrap().to_owned())
        .collect();
    assert_eq!(accepted, MediaType::MANIFESTS.map(|it| it.to_string()));
}

/// What a HEAD answers, what was asked, how many requests it takes, what is found.
type Case<'a> = (u16, Vec<(&'static str, &'a str)>, TagOrDigest, usize, Result<bool, Kind>);

#[tokio::test]
async fn a_head_that_says_too_little_is_followed_by_a_get() {
    let claimed = digest().to_string();
    let other = Digest::of(b"other").to_string();
    let table: Vec<Case<'_>> = vec![
        (200, vec![("content-type", OCI), ("content-length", "44")], tag(), 2, Ok(true)),
        (
            200,
            vec![("docker-content-digest", &claimed), ("content-length", "44")],
            tag(),
            2,
            Ok(true),
        ),
        (
            200,
            vec![("content-type", OCI), ("docker-content-digest", "x"), ("content-length", "44")],
            tag(),
            2,
            Ok(true),
        ),
        (405, vec![], tag(), 2, Ok(true)),
        // What the refusal says of its own body is about no manifest.
        (
            405,
            vec![("content-type", "text/html"), ("content-length", "157")],
            (&Digest::of(b"other")).into(),
            2,
            Err(Kind::Corrupt),
        ),
        (
            200,
            vec![("content-type", OCI), ("content-length", "44")],
            (&digest()).into(),
            1,
            Ok(true),
        ),
        (
            200,
            vec![("docker-content-digest", &other), ("content-length", "44")],
            (&digest()).into(),
            1,
            Err(Kind::Corrupt),
        ),
        (404, vec![], tag(), 1, Ok(false)),
        (403, vec![], tag(), 1, Err(Kind::Auth)),
    ];
    for (status, headers, asked, requests, expected) in table {
        let owned: Vec<_> = headers.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
        let fake = Fake::serve(move |seen: &Seen| {
            let headers: Vec<_> = owned.iter().map(|(n, v)| (*n, v.as_str())).collect();
            match seen.line.split(' ').next().unwrap() {
                "HEAD" => with(status, &headers, ""),
                _ => with(200, &[("content-type", OCI)], TEXT),
            }
        })
        .await;
        let found = repository(&fake).head(&asked).await;
        let found = found.map(|found| found.is_some_and(|found| found.digest == digest()));
        assert_eq!(found.map_err(|error| error.kind()), expected, "{status} {headers:?}");
        assert_eq!(fake.log().len(), requests, "{status} {headers:?}");
    }
}

#[tokio::test]
async fn what_comes_is_checked() {
    let (right, wrong) = (digest().to_string(), Digest::of(b"other").to_string());
    let (by_digest, other) = ((&digest()).into(), (&Digest::of(b"other")).into());
    let table = [
        (tag(), None, 1000, Ok(())),
        (tag(), Some(&right), TEXT.len(), Ok(())),
        (tag(), Some(&wrong), 1000, Err((Kind::Corrupt, Retry::Again))),
        (tag(), None, TEXT.len() - 1, Err((Kind::Refused, Retry::Never))),
        (by_digest, None, 1000, Ok(())),
        (other, Some(&wrong), 1000, Err((Kind::Corrupt, Retry::Again))),
    ];
    for (asked, claimed, limit, expected) in table {
        let claimed = claimed.cloned();
        let fake = Fake::serve(move |_: &Seen| match &claimed {
            Some(claimed) => {
                let headers = [("content-type", OCI), ("docker-content-digest", claimed.as_str())];
                with(200, &headers, TEXT)
            }
            None => with(200, &[("content-type", OCI)], TEXT),
        })
        .await;
        let found = repository(&fake).manifest(&asked, limit).await;
        let outcome = found.as_ref().map(drop).map_err(|error| (error.kind(), error.retry()));
        assert_eq!(outcome, expected, "{asked} {limit}");
        if let Ok(found) = found {
            assert_eq!(
                (found.bytes().as_ref(), &found.descriptor().digest),
                (TEXT.as_bytes(), &digest())
            );
        }
    }
}

#[tokio::test]
async fn the_type_is_the_headers_or_else_the_contents() {
    let table = [
        ("application/vnd.oci.image.index.v1+json; charset=utf-8", TEXT, MediaType::OciIndex),
        ("application/vnd.x", TEXT, MediaType::Other("application/vnd.x".to_owned())),
        ("application/json", TEXT, MediaType::OciManifest),
        ("", r#"{"manifests":[]}"#, MediaType::OciIndex),
        (
            "application/octet-stream",
            r#"{"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json"}"#,
            MediaType::DockerList,
        ),
        ("", "not JSON", MediaType::OctetStream),
    ];
    for (header, text, expected) in table {
        let fake = Fake::serve(move |_: &Seen| match header {
            "" => reply(200, text),
            _ => with(200, &[("content-type", header)], text),
        })
        .await;
        let found = repository(&fake).manifest(&tag(), 1000).await.unwrap();
        assert_eq!(found.descriptor().media_type, expected, "{header} {text}");
    }
}

#[tokio::test]
async fn manifests_are_put_as_they_are() {
    let fake = Fake::serve(|_: &Seen| reply(201, "")).await;
    let to = repository(&fake);
    let manifest = Manifest::new(MediaType::DockerList, TEXT.into());
    assert_eq!(to.push_manifest(&manifest, None).await.unwrap(), Stored::New);
    assert_eq!(
        to.push_manifest(&manifest, Some(&"v1".parse().unwrap())).await.unwrap(),
        Stored::New
    );
    assert_eq!(lines(&fake), [format!("PUT {}", digest()), "PUT v1".to_owned()]);
    let put = fake.seen().pop().unwrap();
    assert_eq!(put.body, TEXT);
    assert_eq!(put.header("content-type"), MediaType::DockerList.to_string());
    // Only under its own name would a registry find this digest again.
    let sha512 = {
        let mut hasher = ocm_oci::Hasher::new(ocm_oci::Algorithm::Sha512);
        hasher.update(TEXT.as_bytes());
        hasher.finish()
    };
    let manifest = Manifest::verify(MediaType::OciIndex, TEXT.into(), &sha512).unwrap();
    let _stored = to.push_manifest(&manifest, Some(&"v1".parse().unwrap())).await.unwrap();
    assert_eq!(lines(&fake)[2..], [format!("PUT {sha512}"), "PUT v1".to_owned()]);
}

#[tokio::test]
async fn refusals_of_manifests_are_told_apart() {
    let wrong = Digest::of(b"other").to_string();
    let table = [
        (400, "MANIFEST_BLOB_UNKNOWN", Kind::Incomplete, Retry::Never),
        (404, "BLOB_UNKNOWN", Kind::Incomplete, Retry::Never),
        (400, "MANIFEST_UNKNOWN", Kind::Incomplete, Retry::Never),
        (400, "MANIFEST_INVALID", Kind::Refused, Retry::Never),
        (404, "NAME_UNKNOWN", Kind::NotFound, Retry::Never),
        (403, "DENIED", Kind::Auth, Retry::Never),
        (405, "UNSUPPORTED", Kind::Unsupported, Retry::Never),
        (201, "", Kind::Corrupt, Retry::Again),
    ];
    for (status, code, kind, retry) in table {
        let wrong = wrong.clone();
        let fake = Fake::serve(move |seen: &Seen| match status {
            _ if seen.line == "GET /v2/" => reply(200, ""),
            201 => with(201, &[("docker-content-digest", &wrong)], ""),
            _ => reply(status, envelope(code, "no")),
        })
        .await;
        let manifest = Manifest::new(MediaType::OciIndex, TEXT.into());
        let refused =
            repository(&fake).push_manifest(&manifest, Some(&"v1".parse().unwrap())).await;
        let error = refused.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, retry), "{code}");
        assert!(chain(&error).contains(code), "{}", chain(&error));
        assert!(error.to_string().starts_with("could not push `a/b:v1` to 127.0.0.1:"), "{error}");
    }
}

#[tokio::test]
async fn deletions_name_what_they_delete() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.contains("absent") {
            reply(404, envelope("MANIFEST_UNKNOWN", "no"))
        } else {
            reply(202, "")
        }
    })
    .await;
    let to = repository(&fake);
    to.delete_tag(&"v1".parse().unwrap()).await.unwrap();
    to.delete_manifest(&digest()).await.unwrap();
    to.delete_blob(&digest()).await.unwrap();
    let error = to.delete_tag(&"absent".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let (manifests, blobs) = ("DELETE /v2/a/b/manifests", "DELETE /v2/a/b/blobs");
    assert_eq!(
        fake.log(),
        [
            format!("{manifests}/v1"),
            format!("{manifests}/{}", digest()),
            format!("{blobs}/{}", digest()),
            format!("{manifests}/absent"),
        ]
    );
}

/// Entries as registries list them: two signatures and one other.
fn list(digests: &[(&str, &str)]) -> String {
    let entry = |(content, artifact_type): &(&str, &str)| {
        let digest = Digest::of(content.as_bytes());
        format!(
            r#"{{"mediaType":"{OCI}","digest":"{digest}","size":1,"artifactType":"{artifact_type}",
            "annotations":{{"is":"{content}"}}}}"#
        )
    };
    let entries: Vec<_> = digests.iter().map(entry).collect();
    format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","))
}

#[tokio::test]
async fn referrers_come_from_the_api() {
    let fake = Fake::serve(|seen: &Seen| {
        if seen.line.contains("page=2") {
            reply(200, list(&[("c", "sig"), ("a", "sig")]))
        } else {
            let next = format!("<{}&page=2>; rel=\"next\"", seen.line.split(' ').nth(1).unwrap());
            with(200, &[("link", &next)], list(&[("a", "sig"), ("b", "sbom")]))
        }
    })
    .await;
    let found = repository(&fake).referrers(&digest(), Some("sig")).await.unwrap();
    let mut expected = [Digest::of(b"a"), Digest::of(b"c")];
    expected.sort();
    let digests: Vec<_> = found.iter().map(|one| one.descriptor.digest.clone()).collect();
    assert_eq!(digests, expected);
    assert!(found.iter().all(|one| one.annotations.contains_key("is")));
    let first = format!("GET /v2/a/b/referrers/{}?artifactType=sig", digest());
    assert_eq!(fake.log(), [first.clone(), format!("{first}&page=2")]);
}

#[tokio::test]
async fn referrers_come_from_a_tag_where_there_is_no_api() {
    for (status, body) in [(404, ""), (405, ""), (400, ""), (200, "<html>")] {
        let fake = Fake::serve(move |seen: &Seen| match seen.line.contains("/referrers/") {
            _ if seen.line == "GET /v2/" => reply(200, ""),
            true => reply(status, body),
            false => reply(200, list(&[("a", "sig"), ("b", "sbom")])),
        })
        .await;
        let found = repository(&fake).referrers(&digest(), None).await.unwrap();
        assert_eq!(found.len(), 2, "{status}");
        let tag = digest().to_string().replace(':', "-");
        assert_eq!(fake.log()[1], format!("GET /v2/a/b/manifests/{tag}"));
    }
    let fake = Fake::serve(|_: &Seen| reply(404, "")).await;
    assert_eq!(repository(&fake).referrers(&digest(), None).await.unwrap(), []);
    let fake = Fake::serve(|_: &Seen| reply(503, "")).await;
    assert!(repository(&fake).referrers(&digest(), None).await.is_err());
}

#[tokio::test]
async fn who_has_no_referrers_is_not_asked_for_them_again() {
    let unknown = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"x","detail":""}]}"#;
    let unsupported = r#"{"errors":[{"code":"UNSUPPORTED","message":"x","detail":""}]}"#;
    let answers = [(404, "", 1), (404, unsupported, 1), (405, "", 1), (200, "<html>", 1)];
    for (status, body, times) in answers.into_iter().chain([(400, "", 2), (404, unknown, 2)]) {
        let fake = Fake::serve(move |seen: &Seen| {
            let is_list = seen.line.contains("/referrers/");
            if is_list { reply(status, body) } else { reply(404, unknown) }
        })
        .await;
        let registry = open(&fake.host(), plain());
        for name in ["a/b", "c/d"] {
            let source = registry.source(&name.parse().unwrap());
            assert_eq!(source.referrers(&digest(), None).await.unwrap(), []);
        }
        let asked = fake.log().iter().filter(|line| line.contains("/referrers/")).count();
        assert_eq!(asked, times, "{status} {body}");
    }
}
