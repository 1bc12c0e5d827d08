//! Signatures of images, seen from outside.

use ocm_oci::{MediaType, Platform, TagOrDigest};
use ocm_testkit::{
    Blob, Content, Format, Published, Upstream,
    faults::{Fault, Rule},
};
use ocm_transport::Transport as _;

use crate::world::{INSECURE, World};

const COSIGN: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Two images, of which one is signed; and the tag of the signature.
async fn world() -> (World, String) {
    let amd64 = Platform::new("linux", "amd64");
    let image =
        |name: &str, seed| Content::image(Format::Oci, &amd64, name, vec![Blob::layer(seed, 3000)]);
    let (signed, plain) = (image("signed", 1), image("plain", 2));
    let tag = format!("sha256-{}.sig", signed.digest().hex());
    let payload = Blob::of(MediaType::from(COSIGN.to_owned()), "{}");
    let published = vec![
        Published::tagged("team/signed", "v1", signed),
        Published::tagged("team/plain", "v1", plain),
        Published::tagged("team/signed", &tag, Content::artifact(COSIGN, None, payload)),
    ];
    let world = World::of(Upstream::new(published)).await;
    let host = world.far.host();
    world.write_config(&format!(
        "  additionalImages:\n  - name: {host}/team/signed:v1\n  - name: {host}/team/plain:v1\n"
    ));
    (world, tag)
}

async fn is_there(world: &World, tag: &str) -> bool {
    let repository = "ns/team/signed".parse().unwrap();
    let name = TagOrDigest::Tag(tag.parse().unwrap());
    world.memory.source(&repository).head(&name).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_come_along_and_are_counted_apart() {
    let (world, tag) = world().await;
    let said = world.mirror("");
    said.assert_code(0);
    said.assert_says("2 images, with 1 attachment, ");
    said.assert_says(" ✓  2 / 2 additional images mirrored successfully");
    said.assert_says(" ✓  1 / 1 signatures and other attachments of images mirrored");
    assert!(is_there(&world, &tag).await);
    let resources = world.read("w/working-dir/cluster-resources/itms-oc-mirror.yaml");
    assert!(!resources.contains("sha256-"), "{resources}");
    assert!(!world.read("w/working-dir/mapping.txt").contains("sha256-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn through_an_archive_as_well() {
    let (world, tag) = world().await;
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    world.far.faults().take_log();
    let said = world.run(&format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/ns"));
    said.assert_code(0);
    said.assert_says(" ✓  1 / 1 signatures and other attachments of images mirrored");
    assert!(is_there(&world, &tag).await);
    assert!(world.far.faults().log().is_empty(), "the far registry was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn they_can_be_left_behind_or_insisted_on() {
    let (world, tag) = world().await;
    let said = world.mirror("--remove-signatures");
    said.assert_code(0);
    assert!(!is_there(&world, &tag).await);
    assert!(!said.out.contains("without effect"), "{}", said.out);
    assert!(!said.out.contains("attachments"), "{}", said.out);
    world.mirror("--refresh-signatures").assert_code(0);
    assert!(is_there(&world, &tag).await);

    let (world, tag) = self::world().await;
    let said = world.mirror("--signatures require");
    said.assert_code(8);
    assert!(is_there(&world, &tag).await && is_there(&world, "v1").await);
    said.assert_says("there is no signature beside it");
    said.assert_says("help: ask whoever publishes the image to sign it");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_copied_is_told_and_its_image_is_there() {
    let (world, tag) = world().await;
    let gone = Rule::new(Fault::status(http::StatusCode::NOT_FOUND)).path(&blob_of_signature());
    world.far.faults().add(gone);
    let said = world.mirror("");
    said.assert_code(8);
    assert!(is_there(&world, "v1").await && !is_there(&world, &tag).await);
    said.assert_says(" ✓  2 / 2 additional images mirrored successfully");
    said.assert_says(" ✗  0 / 1 signatures and other attachments of images mirrored");
    let errors = world.only("w/working-dir/logs", "mirroring_errors_").unwrap();
    let errors = world.read(&errors);
    let line = format!("error mirroring image FAR/team/signed:{tag} error: could not fetch ");
    assert!(errors.starts_with(&line), "{errors}");
}

fn blob_of_signature() -> String {
    format!("/blobs/{}", ocm_oci::Digest::of(b"{}"))
}
