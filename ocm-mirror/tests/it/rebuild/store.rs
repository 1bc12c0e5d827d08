//! What was read to find out what is meant crosses no network twice.

use ocm_mirror::{Below, rebuild_catalog};
use ocm_testkit::{Catalog, Upstream};

use super::*;

/// A registry with a catalog, and its digest.
async fn registry() -> (Memory, Digest) {
    let made = Catalog::new(1, &"quay.io".parse().unwrap())
        .with_package("etcd", &[("stable", &["0.9.0"])])
        .made("operators/catalog", "v4.18");
    let registry = Memory::default();
    Upstream::new(vec![made.image().clone()]).fill(&registry).await.unwrap();
    (registry, made.image().content.digest().clone())
}

async fn open(registry: &Memory, digest: &Digest) -> ImageFiles {
    let source = registry.source(&repository("operators/catalog"));
    ImageFiles::open(source, &TagOrDigest::from(digest), quick()).await.unwrap()
}

#[tokio::test]
async fn each_blob_is_fetched_once() {
    let (registry, digest) = registry().await;
    let workshop = Workshop::new().await;
    let files = open(&registry, &digest).await.kept_in(&workshop.store);
    for _ in 0..3 {
        catalog_files(files.clone()).await;
    }
    // Three layers and the configuration.
    assert_eq!(registry.tally().read, 4);
    let catalog = CatalogImage::open(files).await.unwrap();
    let selection = BTreeMap::from([("a.json".to_owned(), Bytes::from("{}"))]);
    let built = rebuild_catalog(&catalog, &selection, &workshop.store).await.unwrap();
    let overlay = workshop.place(&built, &catalog.base().source);
    let copy = mirror(&overlay, &built).await;
    assert_eq!(registry.tally().read, 4, "copying read the original again");
    assert_eq!(catalog_files(reopen(&copy).await).await, selection);
}

#[tokio::test]
async fn many_who_want_one_blob_fetch_it_once() {
    let (registry, digest) = registry().await;
    let workshop = Workshop::new().await;
    let files = open(&registry, &digest).await.kept_in(&workshop.store);
    let reads = (0..8).map(|_| catalog_files(files.clone()));
    futures::future::join_all(reads).await;
    assert_eq!(registry.tally().read, 4);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_read_all_the_same() {
    let (registry, digest) = registry().await;
    let workshop = Workshop::with_room(0).await;
    let files = open(&registry, &digest).await.kept_in(&workshop.store);
    let all = catalog_files(files.clone()).await;
    assert_eq!(all.len(), 1);
    assert_eq!(registry.tally().read, 4);
    let before = files.read(&Below::new("configs"), Collected::all(1 << 20)).await.unwrap();
    assert_eq!((before.visitor.into_files(), registry.tally().read), (all, 7));
}

#[tokio::test]
async fn what_could_not_be_fetched_takes_no_room() {
    let (registry, digest) = registry().await;
    let reference = TagOrDigest::from(&digest);
    let source = registry.source(&repository("operators/catalog"));
    let never = quick().with_retries(0);
    let manifest = source.manifest(&reference, 1 << 20).await.unwrap();
    let all: u64 = manifest.children().unwrap().blobs.iter().map(|blob| blob.size).sum();
    let workshop = Workshop::with_room(all).await;
    let files = ImageFiles::open(source, &reference, never).await.unwrap();
    let files = files.kept_in(&workshop.store);
    registry.cut_next_read(100);
    assert!(CatalogImage::open(files.clone()).await.is_err());
    for _ in 0..2 {
        catalog_files(files.clone()).await;
    }
    assert_eq!(registry.tally().read, 1 + 4);
}

#[tokio::test]
async fn what_breaks_off_is_gone_on_with() {
    let (registry, digest) = registry().await;
    let workshop = Workshop::new().await;
    let files = open(&registry, &digest).await.kept_in(&workshop.store);
    registry.cut_next_read(700);
    assert_eq!(catalog_files(files).await.len(), 1);
}

#[tokio::test]
async fn what_is_built_is_known_by_its_digest_alone() {
    let (registry, original) = registry().await;
    let workshop = Workshop::new().await;
    let catalog = CatalogImage::open(open(&registry, &original).await).await.unwrap();
    let selection = BTreeMap::from([("a.json".to_owned(), Bytes::from("{}"))]);
    let built = rebuild_catalog(&catalog, &selection, &workshop.store).await.unwrap();
    let overlay = workshop.place(&built, &catalog.base().source);
    assert!(overlay.destination(&repository("it")).is_none());
    let source = overlay.source(&repository("it"));
    let root = TagOrDigest::from(&digest(&built));
    assert_eq!(
        source.head(&root).await.unwrap().as_ref(),
        Some(built.root().unwrap().descriptor())
    );
    assert_eq!(source.manifest(&root, 1 << 20).await.unwrap(), *built.root().unwrap());
    assert!(source.manifest(&root, 10).await.is_err());
    assert_eq!(source.head(&TagOrDigest::Tag(tag("v4.18"))).await.unwrap(), None);
    assert_eq!(source.head(&TagOrDigest::from(&original)).await.unwrap(), None);
    assert_eq!(source.referrers(&digest(&built), None).await.unwrap(), []);
    for blob in built.new_blobs().chain(built.base_blobs()) {
        assert_eq!(source.blob_size(&blob.digest).await.unwrap(), Some(blob.size));
        assert_eq!(source.blob_bytes(blob).await.unwrap().len() as u64, blob.size);
        let part = source.blob(&blob.digest, Some(1..3)).await.unwrap();
        assert!(part.starts_at <= 1);
    }
    let nothing = Digest::of(b"nothing");
    assert_eq!(source.blob_size(&nothing).await.unwrap(), None);
    let error = source.blob(&nothing, None).await.unwrap_err();
    assert_eq!(error.kind(), ocm_transport::Kind::NotFound);
    let page = ocm_transport::Page { after: None, limit: 10.try_into().unwrap() };
    assert_eq!(overlay.repositories(&page).await.unwrap().items, [repository("it")]);
    let other = overlay.source(&repository("other"));
    assert_eq!(other.head(&root).await.unwrap(), None);
}
