use std::num::NonZeroUsize;

use futures::TryStreamExt as _;
use ocm_oci::{Digest, MediaType, Platform, TagOrDigest};
use ocm_testkit::{Blob, Content, Format, Published, Shape, Upstream};
use ocm_transport::{Memory, Page, SourceExt as _, Transport as _};

fn image(seed: u64) -> Content {
    let layers = vec![Blob::layer(seed, 5000), Blob::layer(seed + 1, 100_000)];
    Content::image(Format::Oci, &Platform::new("linux", "amd64"), "app", layers)
}

#[tokio::test]
async fn a_blob_is_what_it_says_and_can_be_read_in_part() {
    let blobs = [
        Blob::noise(MediaType::OctetStream, 7, 200_001),
        Blob::noise(MediaType::OctetStream, 7, 3),
        Blob::layer(7, 200_001),
        Blob::of(MediaType::OctetStream, "text"),
    ];
    let place = Upstream::new(
        blobs
            .iter()
            .map(|blob| Published::tagged("a", "t", Content::artifact("x/y", None, blob.clone())))
            .collect(),
    );
    let source = place.source(&"a".parse().unwrap());
    for blob in &blobs {
        let content = blob.descriptor();
        let whole = blob.chunks().collect::<Vec<_>>().concat();
        assert_eq!(
            (whole.len() as u64, Digest::of(&whole)),
            (content.size, content.digest.clone())
        );
        assert_eq!(source.blob_bytes(content).await.unwrap(), whole);
        for (start, end) in [(0, 1), (1, 3), (0, whole.len()), (whole.len() / 3, whole.len() - 1)] {
            let range = Some(start as u64..end as u64);
            let body = source.blob(&content.digest, range).await.unwrap();
            let part: Vec<_> = body.bytes.try_collect().await.unwrap();
            assert_eq!(part.concat(), whole[start..end]);
        }
    }
}

#[test]
fn digests_never_change() {
    // Whoever changes these changes what recorded outputs elsewhere are compared with.
    let seen = [
        Blob::noise(MediaType::OctetStream, 1, 100_000).descriptor().digest.hex(),
        Blob::layer(1, 100_000).descriptor().digest.hex(),
        image(1).digest().hex(),
    ];
    let short = seen.map(|hex| hex.chars().take(16).collect::<String>());
    assert_eq!(short, ["62d1385c0e1b5b76", "6d64ce290d94d6ac", "f7780e83b6daffb4"]);
}

#[tokio::test]
async fn content_of_every_kind_is_stored() {
    let memory = Memory::default();
    let to = memory.destination(&"a/b".parse().unwrap()).unwrap();
    let docker = Content::image(
        Format::Docker,
        &Platform { variant: Some("v8".to_owned()), ..Platform::new("linux", "arm64") },
        "say \"hello\"",
        vec![Blob::layer(9, 3000)],
    );
    let arm64 = Some(Platform::new("linux", "arm64"));
    let inner = Content::index(Format::Docker, vec![(arm64, docker.clone())]);
    let outer = Content::index(Format::Oci, vec![(None, inner.clone()), (None, image(1))]);
    let payload = Blob::of(MediaType::OctetStream, "signed");
    let signature = Content::artifact("application/x.sig", Some(outer.descriptor()), payload);
    for (tag, content) in [("docker", &docker), ("index", &outer), ("signature", &signature)] {
        let tag = tag.parse().unwrap();
        content.push(&*to, Some(&tag)).await.unwrap();
        assert_eq!(
            to.head(&TagOrDigest::Tag(tag)).await.unwrap().as_ref(),
            Some(content.descriptor())
        );
    }
    assert_eq!(inner.descriptor().media_type, MediaType::DockerList);
    assert_eq!(outer.manifests().len(), 4);
    assert_eq!(outer.all_blobs().len(), 5);
    let said = to.referrers(outer.digest(), Some("application/x.sig")).await.unwrap();
    assert_eq!(said.len(), 1);
    for blob in outer.all_blobs().into_values() {
        let json = blob.descriptor().media_type.to_string().contains("config");
        let bytes = to.blob_bytes(blob.descriptor()).await.unwrap();
        assert!(!json || serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
    }
}

#[tokio::test]
async fn the_benchmark_has_its_shape() {
    let small = Shape { layer_bytes: 3000, ..Shape::BENCHMARK };
    let upstream = Upstream::of(&small, 1);
    assert_eq!(upstream.published().len(), 60);
    assert_eq!(upstream.distinct_blobs().len(), 242);
    assert_eq!(small.distinct_blobs(), 242);
    let memory = Memory::default();
    upstream.fill(&memory).await.unwrap();
    let tally = memory.tally();
    assert_eq!((tally.stored, tally.mounted), (242, 59 * 2));
}

#[tokio::test]
async fn the_demos_images_are_about_100_megabytes() {
    let upstream = Upstream::demo();
    assert_eq!(upstream.published().len(), 13);
    let megabytes = upstream.distinct_bytes() / 1_000_000;
    assert!((90..=110).contains(&megabytes), "{megabytes} MB");
    let types: Vec<_> =
        upstream.published().iter().map(|one| &one.content.descriptor().media_type).collect();
    for expected in [MediaType::OciIndex, MediaType::OciManifest, MediaType::DockerManifest] {
        assert!(types.contains(&&expected), "{expected}");
    }
    let limit = NonZeroUsize::new(5).unwrap();
    let listing = upstream.repositories(&Page { after: None, limit }).await.unwrap();
    assert_eq!((listing.items.len(), listing.next.is_some()), (5, true));
}
