//! Payloads that are unlike others: for some platforms, or two of one version.

use super::*;

/// Puts a release beside those of `world`, with its signature as `tag`.
async fn with_release(world: ReleaseWorld, release: Release, tag: &str) -> ReleaseWorld {
    for image in release.published() {
        put(&image, &world.place).await;
    }
    let (signer, mut site) = (ReleaseSigner::trusted(), Website::default());
    let name = |tag: &str| format!("quay.io/openshift-release-dev/ocp-release:{tag}");
    for one in &world.releases {
        let tag = one.payload().tag.as_ref().unwrap().to_string();
        site =
            site.with_signature("/store/", one.digest(), 1, signer.sign(one.digest(), &name(&tag)));
    }
    let signature = signer.sign(release.digest(), &name(tag));
    let site = site.with_signature("/store/", release.digest(), 1, signature);
    let mut releases = world.releases.clone();
    releases.push(release);
    ReleaseWorld { releases, signatures: site.serve().await.unwrap(), ..world }
}

/// What an index names beside the platforms that are wanted is not in the archive.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_for_one_platform_comes_over_a_disk() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    let made = Releases::new(7, &world.world.far.host()).for_architectures(&["amd64", "arm64"]);
    let world = with_release(world, made.release("4.18.4", &[]), "4.18.4-multi").await;
    world.publish_for("multi", "stable-4.18", &[5], &[]);
    world.world.write_config(
        "  platform:\n    platforms: [{os: linux, architecture: arm64}]\n    channels:\n    - name: \
         stable-4.18\n",
    );
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    // The registry in memory refuses an index that is not whole: that it came so far is enough.
    let said = world.run(&format!("-c isc.yaml {INSECURE} --from disk --dry-run docker://NEAR/ns"));
    said.assert_code(0);
    said.assert_says("9 images");
}

/// Of two payloads of one version, one cannot stand for the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_payload_of_a_version_is_refused() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    let other = Releases::new(8, &world.world.far.host()).release("4.18.4", &[]);
    let world = with_release(world, other, "4.18.4-x86_64").await;
    world.publish("fast-4.18", &[5], &[]);
    // That of the channel that is named first is mirrored, whatever their digests are.
    for (channels, nth) in [(["stable-4.18", "fast-4.18"], 4), (["fast-4.18", "stable-4.18"], 5)] {
        let [first, second] = channels;
        world.world.write_config(&format!(
            "  platform:\n    channels:\n    - name: {first}\n    - name: {second}\n"
        ));
        let to = format!("docker://NEAR/{first}");
        let said = world.run(&format!("-c isc.yaml --workspace file://{first} {INSECURE} {to}"));
        said.assert_code(2);
        said.assert_says("4.18.4 (amd64): two payloads have the tag `4.18.4-x86_64`");
        for nth in [4, 5] {
            said.assert_says(&world.releases[nth].digest().to_string());
        }
        let repository = format!("{first}/openshift/release-images").parse().unwrap();
        let tag = TagOrDigest::Tag("4.18.4-x86_64".parse().unwrap());
        let found = world.world.memory.source(&repository).head(&tag).await.unwrap();
        assert_eq!(found.unwrap().digest, *world.releases[nth].digest());
    }
}

/// What decides on the far side what is mirrored has to be said there once more.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_to_be_said_on_the_far_side_too() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(TWO_CHANNELS);
    let flags = "--refuse-risk Slow --require-path --allow-unsigned-release --allow-missing \
                 --include-prereleases --include-dependencies --push-incomplete-catalog";
    let said = world.run(&format!("-c isc.yaml {INSECURE} {flags} file://disk"));
    said.assert_code(0);
    said.assert_says(&format!("--from file://disk {flags} docker://"));
    said.assert_says("no upgrade in the graphs that were read has the risk `Slow`");
    let said = world.run(&format!("-c isc.yaml {INSECURE} --refuse-risk= file://disk"));
    said.assert_code(1);
    said.assert_says("--refuse-risk <NAME>");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_there_is_said_to_be_named_by_the_variable() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(TWO_CHANNELS);
    let words = format!("-c isc.yaml {INSECURE} file://disk");
    let said = world
        .world
        .run_with(&words, |command| command.env("OCP_SIGNATURE_VERIFICATION_PK", "/nonexistent"));
    said.assert_code(1);
    said.assert_says("`OCP_SIGNATURE_VERIFICATION_PK` names /nonexistent");
}
