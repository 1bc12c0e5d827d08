//! Which image of an index is read.

use ocm_mirror::{ImageFiles, LayersError};
use ocm_oci::{Digest, MediaType, Platform, PlatformFilter, TagOrDigest};
use ocm_transport::{Kind as Cause, Transport as _};
use serde_json::{Value, json};

use super::sheet::{Gallery, Pack, Sheet};
use crate::world::quick;

async fn image(gallery: &Gallery, text: &str) -> Digest {
    gallery.image(&[Sheet::default().file("a", text)], Pack::Plain).await
}

fn entry(digest: &Digest, media_type: &MediaType, platform: Option<(&str, &str)>) -> Value {
    let mut entry = json!({ "digest": digest, "mediaType": media_type, "size": 7 });
    if let Some((os, architecture)) = platform {
        entry["platform"] = json!({ "os": os, "architecture": architecture });
    }
    entry
}

async fn open(gallery: &Gallery, digest: &Digest) -> Result<Digest, LayersError> {
    let opened = ImageFiles::open(gallery.source(), &TagOrDigest::from(digest), quick()).await?;
    Ok(opened.manifest().descriptor().digest.clone())
}

#[tokio::test]
async fn amd64_is_preferred_and_else_the_first_image() {
    let gallery = Gallery::default();
    let [a, b, c] = ["a", "b", "c"];
    let [a, b, c] = [image(&gallery, a).await, image(&gallery, b).await, image(&gallery, c).await];
    let manifest = MediaType::OciManifest;
    let statement = entry(&c, &manifest, Some(("unknown", "unknown")));
    let amd64 = entry(&b, &manifest, Some(("linux", "amd64")));
    for (entries, expected) in [
        (vec![entry(&a, &manifest, Some(("linux", "arm64"))), amd64.clone()], &b),
        (vec![statement.clone(), entry(&a, &manifest, Some(("linux", "s390x")))], &a),
        (vec![entry(&a, &manifest, None), entry(&b, &manifest, None)], &a),
        (vec![statement, amd64], &b),
        (vec![entry(&a, &manifest, Some(("linux", "ppc64le")))], &a),
    ] {
        for media_type in [MediaType::OciIndex, MediaType::DockerList] {
            let index = json!({ "schemaVersion": 2, "manifests": entries });
            let index = gallery.manifest(media_type, &index).await;
            assert_eq!(open(&gallery, &index).await.unwrap(), *expected, "{entries:?}");
        }
    }
}

/// What was mirrored for some platforms has an index that names others.
#[tokio::test]
async fn one_that_is_wanted_is_read_and_else_one_that_is_there() {
    let gallery = Gallery::default();
    let [b, c] = [image(&gallery, "b").await, image(&gallery, "c").await];
    let gone = image(&gallery, "gone").await;
    let on = |digest: &Digest, arch| entry(digest, &MediaType::OciManifest, Some(("linux", arch)));
    let index = json!({ "schemaVersion": 2, "manifests": [
        on(&gone, "amd64"), on(&b, "s390x"), on(&c, "arm64"),
    ] });
    let index = gallery.manifest(MediaType::OciIndex, &index).await;
    let alone = json!({ "schemaVersion": 2, "manifests": [on(&gone, "amd64")] });
    let alone = gallery.manifest(MediaType::OciIndex, &alone).await;
    let at = gallery.place.destination(&crate::world::repository("team/app")).unwrap();
    at.delete_manifest(&gone).await.unwrap();
    assert_eq!(open(&gallery, &index).await.unwrap(), b);
    let among = async |arch: &str| {
        let only = PlatformFilter::Only([Platform::new("linux", arch)].into());
        let (source, reference) = (gallery.source(), TagOrDigest::from(&index));
        let opened = ImageFiles::open_among(source, &reference, &only, quick()).await.unwrap();
        opened.manifest().descriptor().digest.clone()
    };
    assert_eq!((among("arm64").await, among("ppc64le").await), (c, b));
    let error = open(&gallery, &alone).await.unwrap_err();
    assert!(matches!(error, LayersError::Transport(error) if error.kind() == Cause::NotFound));
}

#[tokio::test]
async fn indexes_may_nest_and_not_for_ever() {
    let gallery = Gallery::default();
    let bottom = image(&gallery, "x").await;
    let other = image(&gallery, "other").await;
    let (mut top, mut kind) = (bottom.clone(), MediaType::OciManifest);
    for depth in 1..=6 {
        let index = json!({ "manifests": [entry(&top, &kind, None)] });
        top = gallery.manifest(MediaType::OciIndex, &index).await;
        kind = MediaType::OciIndex;
        match open(&gallery, &top).await {
            Ok(found) => assert!(found == bottom && depth <= 5, "{depth}"),
            Err(error) => {
                assert!(matches!(error, LayersError::TooDeep { .. }) && depth > 5, "{error}");
            }
        }
    }
    // An image beside an index is the nearer one.
    let index = json!({ "manifests": [
        entry(&top, &MediaType::OciIndex, None), entry(&other, &MediaType::OciManifest, None),
    ] });
    let index = gallery.manifest(MediaType::OciIndex, &index).await;
    assert_eq!(open(&gallery, &index).await.unwrap(), other);
}

#[tokio::test]
async fn an_empty_index_has_no_image() {
    let gallery = Gallery::default();
    let empty = gallery.manifest(MediaType::DockerList, &json!({ "manifests": [] })).await;
    let error = open(&gallery, &empty).await.unwrap_err();
    assert!(matches!(error, LayersError::NoImage(digest) if digest == empty));
    let old = gallery.manifest(MediaType::OciManifest, &json!({})).await;
    assert_eq!(open(&gallery, &old).await.unwrap(), old, "an image without layers has no files");
}
