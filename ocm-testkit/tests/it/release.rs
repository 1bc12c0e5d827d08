use std::collections::BTreeSet;

use ocm_oci::Digest;
use ocm_testkit::{Blob, Files, Published, Release, Releases, Upstream};
use ocm_transport::Memory;

fn releases() -> Releases {
    Releases::new(1, &"quay.io".parse().unwrap()).with_components(40).with_boot_images()
}

#[test]
fn five_releases_cost_kilobytes_and_share_what_releases_share() {
    let versions = ["4.15.8", "4.15.9", "4.16.0", "4.16.1", "4.16.2"];
    let all: Vec<_> = versions.iter().map(|one| releases().release(one, &[])).collect();
    let published: Vec<Published> = all.iter().flat_map(Release::published).collect();
    assert_eq!(published.len(), 5 * (40 + 2 + 1));
    let distinct: BTreeSet<_> = published.iter().map(|one| one.content.digest()).collect();
    assert!((120..180).contains(&distinct.len()), "{} images differ", distinct.len());
    let upstream = Upstream::new(published);
    assert!(upstream.distinct_bytes() < 800_000, "{} bytes", upstream.distinct_bytes());
    let payloads: BTreeSet<_> = all.iter().map(Release::digest).collect();
    assert_eq!(payloads.len(), 5);
}

#[tokio::test]
async fn a_release_is_the_same_on_every_machine_and_can_be_pushed() {
    let release = releases().release("4.16.1", &["4.16.0"]);
    assert_eq!(release, releases().release("4.16.1", &["4.16.0"]));
    // Whoever changes these changes what recorded outputs elsewhere are compared with.
    let hex = release.digest().hex();
    assert_eq!(hex.get(..16), Some("cf61bacdd89fbaaa"));
    let multi = releases().for_architectures(&["amd64", "s390x"]).release("4.16.1", &[]);
    assert_eq!(multi.payload().content.children().len(), 2);
    assert_eq!(multi.payload().tag.as_ref().unwrap().as_str(), "4.16.1-multi");
    for release in [release, multi] {
        Upstream::new(release.published()).fill(&Memory::default()).await.unwrap();
    }
}

#[test]
fn files_are_a_layer() {
    let files = Files::default().with("a/b/c", "text").with("top", vec![7; 70_000]).without("a/x");
    let layer = Blob::files(&files);
    let whole = layer.chunks().collect::<Vec<_>>().concat();
    let mut tar = Vec::new();
    let mut gzip = flate2::read::GzDecoder::new(&*whole);
    std::io::Read::read_to_end(&mut gzip, &mut tar).unwrap();
    assert_eq!(layer.diff_id(), Digest::of(&tar));
    let mut archive = tar::Archive::new(&*tar);
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, ["a/", "a/.wh.x", "a/b/", "a/b/c", "top"]);
}
