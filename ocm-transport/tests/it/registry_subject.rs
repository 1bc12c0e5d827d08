//! Lists of what refers to what, kept for registries that keep none.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use ocm_oci::{Digest, MediaType, RepoName, Tag, TagOrDigest};
use ocm_transport::{Destination, Manifest, Stored, Transport as _};

use crate::{
    fake::{Fake, Seen, reply, with},
    support::{open, plain},
};

fn repository(fake: &Fake) -> Arc<dyn Destination> {
    let name: RepoName = "a/b".parse().unwrap();
    open(&fake.host(), plain()).destination(&name).unwrap()
}

async fn push(to: &dyn Destination, manifest: &Manifest, tag: Option<&Tag>) {
    assert_eq!(to.push_manifest(manifest, tag).await.unwrap(), Stored::New);
}

fn digest() -> Digest {
    Digest::of(b"an image")
}

/// A registry without the API of referrers: it keeps manifests under whatever they are put as.
async fn without_referrers() -> Fake {
    let kept = Arc::new(Mutex::new(BTreeMap::<String, (String, Bytes)>::new()));
    Fake::serve(move |seen: &Seen| {
        let mut kept = kept.lock().unwrap();
        let (method, path) = seen.line.split_once(' ').unwrap();
        match (method, kept.get(path)) {
            _ if path.contains("/referrers/") => reply(404, ""),
            ("PUT", _) => {
                let media_type = seen.header("content-type").to_owned();
                kept.insert(path.to_owned(), (media_type, seen.body.clone()));
                reply(201, "")
            }
            (_, Some((media_type, body))) => {
                with(200, &[("content-type", media_type)], body.clone())
            }
            _ => reply(404, ""),
        }
    })
    .await
}

#[tokio::test]
async fn where_no_list_is_kept_it_is_kept_for_the_registry() {
    let fake = without_referrers().await;
    let to = repository(&fake);
    let about = |kind: &str| {
        let subject = digest();
        let text = format!(
            r#"{{"schemaVersion":2,"artifactType":"{kind}","config":{{"mediaType":"x/y","digest":"{subject}","size":1}},"layers":[],"subject":{{"mediaType":"x/y","digest":"{subject}","size":1}},"annotations":{{"is":"{kind}"}}}}"#
        );
        Manifest::new(MediaType::OciManifest, text.into())
    };
    let (one, other) = (about("sig"), about("sbom"));
    // Both at once, and one of them twice.
    let pushed = tokio::join!(
        to.push_manifest(&one, None),
        to.push_manifest(&other, None),
        to.push_manifest(&one, None)
    );
    assert!(pushed.0.is_ok() && pushed.1.is_ok() && pushed.2.is_ok(), "{pushed:?}");
    let found = to.referrers(&digest(), None).await.unwrap();
    let kinds: BTreeMap<_, _> =
        found.into_iter().map(|one| (one.descriptor.digest, one.artifact_type)).collect();
    let expected = [&one, &other].map(|one| one.descriptor().digest.clone());
    assert_eq!(kinds.keys().collect::<BTreeSet<_>>(), expected.iter().collect());
    assert_eq!(kinds[&expected[0]].as_deref(), Some("sig"));
    let tag = digest().to_string().replace(':', "-");
    let list =
        fake.log().iter().filter(|line| **line == format!("PUT /v2/a/b/manifests/{tag}")).count();
    assert_eq!(list, 2);
    // An image that somebody called so stays what it is.
    let fake = without_referrers().await;
    let to = repository(&fake);
    let image = Manifest::new(MediaType::OciManifest, "{}".into());
    push(&*to, &image, Some(&tag.parse().unwrap())).await;
    push(&*to, &one, None).await;
    let there = to.manifest(&TagOrDigest::Tag(tag.parse().unwrap()), 99).await.unwrap();
    assert_eq!(there, image);
}

#[tokio::test]
async fn who_takes_note_of_subjects_is_left_alone() {
    let subject = digest().to_string();
    let noted = subject.clone();
    let fake =
        Fake::serve(move |_: &Seen| with(201, &[("oci-subject", &noted)], String::new())).await;
    let text = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"x/y","digest":"{subject}","size":1}},"layers":[],"subject":{{"mediaType":"x/y","digest":"{subject}","size":1}}}}"#
    );
    let manifest = Manifest::new(MediaType::OciManifest, text.into());
    push(&*repository(&fake), &manifest, None).await;
    assert_eq!(fake.log().len(), 1, "{:?}", fake.log());
}
