use std::num::NonZeroUsize;

use bytes::Bytes;
use futures::TryStreamExt as _;
use ocm_oci::{Digest, Tag, TagOrDigest};

use super::{
    CONTENT, Fixture,
    fixture::{image, statement},
    repository, tags_of,
};
use crate::{Kind, Page, SourceExt as _, Transport};

/// A range is answered by that range, or by everything.
pub async fn reads_ranges(place: &dyn Transport) {
    let from = place.source(&repository("a/b"));
    let digest = Digest::of(CONTENT);
    for (start, end) in [(0, 1), (7, 30), (30, CONTENT.len()), (0, CONTENT.len())] {
        let range = Some(start as u64..end as u64);
        let body = from.blob(&digest, range).await.unwrap();
        let expected =
            if body.starts_at == 0 && start > 0 { CONTENT } else { &CONTENT[start..end] };
        let chunks: Vec<Bytes> = body.bytes.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), expected, "{place}: {start}..{end}");
    }
}

/// Manifests are found by tag and by digest, with what they name.
pub async fn reads_manifests(place: &dyn Transport) {
    let Fixture { blobs, manifests, names } = Fixture::readable();
    for (name, tag, digest) in names {
        let (from, tag) = (place.source(&name), TagOrDigest::Tag(tag));
        let expected = manifests.iter().find(|one| one.descriptor().digest == digest).unwrap();
        let head = from.head(&tag).await.unwrap();
        assert_eq!(head.as_ref(), Some(expected.descriptor()), "{place}");
        assert_eq!(&from.manifest(&tag, 4 << 20).await.unwrap(), expected, "{place}");
        let by_digest = from.manifest(&(&digest).into(), 4 << 20).await.unwrap();
        assert_eq!(&by_digest, expected, "{place}");
        let children = expected.children().unwrap();
        for child in children.manifests.iter().map(|child| &child.descriptor) {
            let found = from.head(&(&child.digest).into()).await.unwrap();
            assert_eq!(found.as_ref(), Some(child), "{place}");
        }
        for blob in &children.blobs {
            let (_, bytes) = blobs.iter().find(|(digest, _)| *digest == blob.digest).unwrap();
            assert_eq!(from.blob_size(&blob.digest).await.unwrap(), Some(blob.size), "{place}");
            assert_eq!(from.blob_bytes(blob).await.unwrap(), bytes[..], "{place}");
        }
    }
}

/// Tags come in order of name, each once, whatever the pages.
pub async fn lists_tags_in_pages(place: &dyn Transport) {
    let from = place.source(&repository("a/b"));
    let expected = ["statement", "v1", "v2", "v3"];
    assert_eq!(tags_of(&*from).await, expected, "{place}");
    let page = Page { after: Some("v1".to_owned()), limit: 10.try_into().unwrap() };
    let listing = from.tags(&page).await.unwrap();
    assert_eq!(listing.items.iter().map(Tag::as_str).collect::<Vec<_>>(), ["v2", "v3"], "{place}");
    assert_eq!(listing.next, None, "{place}");
}

/// Repositories come in order of name, each once, whatever the pages; a place may not list them.
pub async fn lists_repositories(place: &dyn Transport) {
    let (mut names, mut next) = (Vec::new(), Some(Page { after: None, limit: NonZeroUsize::MIN }));
    while let Some(page) = next.take() {
        match place.repositories(&page).await {
            Ok(listing) => {
                names.extend(listing.items);
                next = listing.next;
            }
            Err(error) => return assert_eq!(error.kind(), Kind::Unsupported, "{place}"),
        }
    }
    assert_eq!(names, ["a/b", "c/d", "e"].map(repository), "{place}");
}

/// What refers to a manifest is listed, of one type if asked; a place may keep no such list.
pub async fn says_what_refers(place: &dyn Transport) {
    let from = place.source(&repository("a/b"));
    let (subject, statement) = (image().descriptor().digest.clone(), statement("signature"));
    let all = from.referrers(&subject, None).await.unwrap();
    if let [one] = &all[..] {
        assert_eq!(&one.descriptor, statement.descriptor(), "{place}");
        assert_eq!(one.artifact_type.as_deref(), Some("application/vnd.example.signature"));
        assert_eq!(one.annotations["org.example.kind"], "signature", "{place}");
        let some = from.referrers(&subject, one.artifact_type.as_deref()).await.unwrap();
        assert_eq!(some, all, "{place}");
    } else {
        assert_eq!(all, [], "{place}");
    }
    let none = from.referrers(&subject, Some("application/vnd.example.other")).await.unwrap();
    assert_eq!(none, [], "{place}");
    let none = from.referrers(&statement.descriptor().digest, None).await.unwrap();
    assert_eq!(none, [], "{place}");
}

/// What is not there is absent, which is no error until it is fetched.
pub async fn says_what_is_absent(place: &dyn Transport) {
    let (absent, no_tag) = (Digest::of(b"absent"), TagOrDigest::Tag("absent".parse().unwrap()));
    for name in ["a/b", "not/there"] {
        let from = place.source(&repository(name));
        assert_eq!(from.blob_size(&absent).await.unwrap(), None, "{place}");
        assert_eq!(from.blob(&absent, None).await.unwrap_err().kind(), Kind::NotFound, "{place}");
        for reference in [&no_tag, &(&absent).into()] {
            assert_eq!(from.head(reference).await.unwrap(), None, "{place}");
            let error = from.manifest(reference, 4 << 20).await.unwrap_err();
            assert_eq!(error.kind(), Kind::NotFound, "{place}");
        }
    }
    let tag = TagOrDigest::Tag("v1".parse().unwrap());
    assert_eq!(place.source(&repository("c/d")).head(&tag).await.unwrap(), None, "{place}");
}
