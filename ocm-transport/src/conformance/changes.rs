use std::sync::Arc;

use ocm_oci::{Tag, TagOrDigest};

use super::{
    CONTENT,
    fixture::{CONFIG, PROMISED, docker_image, image},
    push, repository, tags_of,
};
use crate::{Destination, Kind, Stored, Transport, TransportError};

/// Opens a repository that holds an image under two tags.
async fn filled(place: &dyn Transport) -> (Arc<dyn Destination>, [Tag; 2]) {
    let to = place.destination(&repository("a/b")).unwrap();
    let tags = ["v1", "v2"].map(|tag| tag.parse().unwrap());
    push(&*to, CONFIG).await;
    push(&*to, CONTENT).await;
    for tag in &tags {
        to.push_manifest(&image(), Some(tag)).await.map(drop).unwrap();
    }
    (to, tags)
}

/// Whether the place does that at all.
fn is_supported(place: &dyn Transport, result: Result<(), TransportError>) -> bool {
    match result {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Unsupported, "{place}: {error:?}");
            false
        }
    }
}

/// A tag points at what was pushed last under it; what it pointed at stays.
pub async fn moves_tags(place: &dyn Transport) {
    let (to, [tag, other]) = filled(place).await;
    let (old, new) = (image(), docker_image());
    assert_eq!(to.push_manifest(&new, Some(&tag)).await.unwrap(), Stored::New, "{place}");
    assert_eq!(to.manifest(&(&tag).into(), 4 << 20).await.unwrap(), new, "{place}");
    assert_eq!(to.manifest(&(&other).into(), 4 << 20).await.unwrap(), old, "{place}");
    let by_digest = TagOrDigest::from(&old.descriptor().digest);
    assert_eq!(to.manifest(&by_digest, 4 << 20).await.unwrap(), old, "{place}");
    to.push_manifest(&new, Some(&other)).await.map(drop).unwrap();
    assert_eq!(to.manifest(&by_digest, 4 << 20).await.unwrap(), old, "{place} forgot it");
}

/// A tag is removed, and nothing else.
pub async fn deletes_tags(place: &dyn Transport) {
    let (to, [tag, other]) = filled(place).await;
    if !is_supported(place, to.delete_tag(&tag).await) {
        return;
    }
    assert_eq!(to.head(&(&tag).into()).await.unwrap(), None, "{place}");
    assert!(to.head(&(&other).into()).await.unwrap().is_some(), "{place}");
    assert_eq!(tags_of(&*to).await, [other.as_str()], "{place}");
    to.delete_tag(&other).await.unwrap();
    let by_digest = TagOrDigest::from(&image().descriptor().digest);
    assert_eq!(to.manifest(&by_digest, 4 << 20).await.unwrap(), image(), "{place}");
    let error = to.delete_tag(&tag).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{place}");
}

/// A manifest goes with all its tags; what it names stays.
pub async fn deletes_manifests(place: &dyn Transport) {
    let (to, tags) = filled(place).await;
    let digest = image().descriptor().digest.clone();
    if !is_supported(place, to.delete_manifest(&digest).await) {
        return;
    }
    for reference in [(&tags[0]).into(), (&tags[1]).into(), TagOrDigest::from(&digest)] {
        assert_eq!(to.head(&reference).await.unwrap(), None, "{place}: {reference}");
    }
    assert!(tags_of(&*to).await.is_empty(), "{place}");
    let blob = push(&*to, CONTENT).await;
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), Some(blob.size), "{place}");
    let error = to.delete_manifest(&digest).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{place}");
    let stored = to.push_manifest(&image(), Some(&tags[0])).await.unwrap();
    assert_eq!(stored, Stored::New, "{place}");
}

/// A blob that no manifest names can be removed.
pub async fn deletes_blobs(place: &dyn Transport) {
    let to = place.destination(&repository("a/b")).unwrap();
    let blob = push(&*to, PROMISED).await;
    if !is_supported(place, to.delete_blob(&blob.digest).await) {
        return;
    }
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None, "{place}");
    let error = to.delete_blob(&blob.digest).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound, "{place}");
    push(&*to, PROMISED).await;
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), Some(blob.size), "{place}");
}
