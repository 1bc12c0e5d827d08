use super::{
    CONTENT,
    fixture::{CONFIG, docker_image, docker_list, image, index, nested, unheard},
    push, repository, tags_of,
};
use crate::{Kind, Manifest, Stored, Transport};

/// A manifest comes after what it names, is found by tag and digest, and its tags are listed.
pub async fn keeps_manifests_in_order(place: &dyn Transport) {
    let to = place.destination(&repository("order/of")).unwrap();
    let (manifest, digest) = (image(), image().descriptor().digest.clone());
    let refused = to.push_manifest(&manifest, None).await.unwrap_err();
    assert!(
        matches!(refused.kind(), Kind::Incomplete | Kind::Refused),
        "{place} took a parent first: {refused:?}"
    );
    push(&*to, CONFIG).await;
    assert!(to.push_manifest(&manifest, None).await.is_err(), "{place} took half of an image");
    let blob = push(&*to, CONTENT).await;
    assert!(to.push_manifest(&index(), None).await.is_err(), "{place} took an index first");
    for (tag, stored) in [("v1", Stored::New), ("v2", Stored::Already), ("v3", Stored::Already)] {
        let tag = tag.parse().unwrap();
        let answered = to.push_manifest(&manifest, Some(&tag)).await.unwrap();
        // A registry's answer is the same whether it had the manifest or not.
        assert!(answered == stored || answered == Stored::New, "{place} did not have {tag}");
        assert_eq!(to.manifest(&(&tag).into(), 1000).await.unwrap(), manifest);
        assert!(to.manifest(&(&tag).into(), 10).await.is_err(), "{place} ignores the limit");
    }
    assert_eq!(to.head(&(&digest).into()).await.unwrap().as_ref(), Some(manifest.descriptor()));
    // docker-registry answers 500, having found something that it cannot read.
    let confused = to.head(&(&blob.digest).into()).await;
    assert!(!matches!(confused, Ok(Some(_))), "{place} takes a blob for a manifest");
    assert_eq!(tags_of(&*to).await, ["v1", "v2", "v3"], "{place}");
}

/// Docker's types keep their bytes, digest and type.
pub async fn keeps_docker_types(place: &dyn Transport) {
    keeps(place, "docker", &docker_image()).await;
    keeps(place, "list", &docker_list()).await;
}

/// Types that nobody has heard of keep their bytes, digest and type.
///
/// Some registries refuse them: who tests a client against one of these leaves this check out.
pub async fn keeps_unheard_types(place: &dyn Transport) {
    keeps(place, "unheard", &unheard()).await;
}

async fn keeps(place: &dyn Transport, tag: &str, manifest: &Manifest) {
    let (to, tag) = (place.destination(&repository("a/b")).unwrap(), tag.parse().unwrap());
    push(&*to, CONFIG).await;
    push(&*to, CONTENT).await;
    assert_eq!(to.push_manifest(manifest, Some(&tag)).await.unwrap(), Stored::New, "{place}");
    for reference in [(&tag).into(), (&manifest.descriptor().digest).into()] {
        let head = to.head(&reference).await.unwrap();
        assert_eq!(head.as_ref(), Some(manifest.descriptor()), "{place}");
        assert_eq!(&to.manifest(&reference, 4 << 20).await.unwrap(), manifest, "{place}");
    }
}

/// An index may name an index; what it names is found by digest.
pub async fn keeps_nested_indexes(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    push(&*to, CONFIG).await;
    push(&*to, CONTENT).await;
    for manifest in [image(), docker_image(), index()] {
        assert_eq!(to.push_manifest(&manifest, None).await.unwrap(), Stored::New, "{place}");
    }
    let tag = "nested".parse().unwrap();
    assert_eq!(to.push_manifest(&nested(), Some(&tag)).await.unwrap(), Stored::New, "{place}");
    for manifest in [nested(), index(), docker_image(), image()] {
        let digest = &manifest.descriptor().digest;
        assert_eq!(to.manifest(&digest.into(), 4 << 20).await.unwrap(), manifest, "{place}");
    }
}
