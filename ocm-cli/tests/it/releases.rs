//! Releases, the three ways.

use std::{fs, sync::Arc};

use http::Method;
use ocm_oci::{RepoName, TagOrDigest};
use ocm_testkit::{
    Loopback, Published, Release, ReleaseSigner, Releases, UpdateServer, Website,
    faults::FaultRegistry,
};
use ocm_transport::{Memory, Transport as _};
use serde_json::json;

use crate::world::{INSECURE, Said, World, names, put};

mod graph_image;
mod payloads;

/// Releases upstream, with all that publishes them.
struct ReleaseWorld {
    world: World,
    place: Memory,
    releases: Vec<Release>,
    updates: UpdateServer,
    update_server: Loopback,
    signatures: Loopback,
}

/// Five releases of forty components in two channels.
const VERSIONS: [&str; 5] = ["4.17.5", "4.17.9", "4.18.1", "4.18.2", "4.18.4"];

impl ReleaseWorld {
    async fn new(signer: &ReleaseSigner) -> Self {
        let place = Memory::default();
        let far = FaultRegistry::serve(Arc::new(place.clone())).await.unwrap();
        let releases = Releases::new(7, &far.host()).with_components(40);
        let releases = VERSIONS.map(|version| releases.release(version, &[])).to_vec();
        let mut site = Website::default();
        for release in &releases {
            for image in release.published() {
                put(&image, &place).await;
            }
            let identity =
                format!("quay.io/openshift-release-dev/ocp-release:{}-x86_64", release.version());
            let signature = signer.sign(release.digest(), &identity);
            site = site.with_signature("/store/", release.digest(), 1, signature);
        }
        let updates = UpdateServer::default();
        let world = World::over(far).await;
        fs::write(world.path("key.asc"), ReleaseSigner::trusted().public_key()).unwrap();
        let (update_server, signatures) =
            (updates.serve().await.unwrap(), site.serve().await.unwrap());
        let this = Self { world, place, releases, updates, update_server, signatures };
        this.publish("stable-4.17", &[0, 1], &[(0, 1)]);
        this.publish("stable-4.18", &[1, 2, 3, 4], &[(0, 1), (1, 2), (2, 3)]);
        this
    }

    /// Puts releases, by their number, into a channel.
    fn publish(&self, channel: &str, releases: &[usize], edges: &[(usize, usize)]) {
        self.publish_for("amd64", channel, releases, edges);
    }

    /// Puts releases into the channel of an architecture.
    fn publish_for(
        &self,
        architecture: &str,
        channel: &str,
        releases: &[usize],
        edges: &[(usize, usize)],
    ) {
        let node = |nth: &usize| {
            let release = &self.releases[*nth];
            let host = self.world.far.host();
            let payload = format!("{host}/openshift-release-dev/ocp-release@{}", release.digest());
            json!({"version": release.version(), "payload": payload, "metadata": {}})
        };
        let nodes: Vec<_> = releases.iter().map(node).collect();
        let graph = json!({"version": 1, "nodes": nodes, "edges": edges});
        self.updates.set(channel, architecture, graph.to_string());
    }

    fn run(&self, words: &str) -> Said {
        let updates = format!("{}/graph", self.update_server.url());
        let store = format!("{}/store/", self.signatures.url());
        self.world.run_with(words, |command| {
            command
                .env("UPDATE_URL_OVERRIDE", updates)
                .env("OCP_SIGNATURE_URL", store)
                .env("OCP_SIGNATURE_VERIFICATION_PK", "key.asc")
        })
    }

    fn mirror(&self, more: &str) -> Said {
        let words = format!("-c isc.yaml --workspace file://w {INSECURE} {more} docker://NEAR/ns");
        self.run(&words)
    }

    /// Asserts that a release, and all it consists of, is where a cluster looks for it.
    async fn assert_there(&self, nth: usize) {
        let release = &self.releases[nth];
        let tag = release.payload().tag.as_ref().unwrap().to_string();
        let at = |path: &str| self.world.memory.source(&path.parse::<RepoName>().unwrap());
        let payloads = at("ns/openshift/release-images");
        let found = payloads.head(&TagOrDigest::Tag(tag.parse().unwrap())).await.unwrap();
        assert_eq!(found.unwrap().digest, *release.digest());
        let components = at("ns/openshift/release");
        for (name, image) in release.components() {
            let tag = format!("{tag}-{name}").parse().unwrap();
            let found = components.head(&TagOrDigest::Tag(tag)).await.unwrap();
            assert_eq!(found.unwrap().digest, *image.content.digest(), "{name}");
        }
    }
}

const TWO_CHANNELS: &str = "  platform:
    channels:
    - name: stable-4.17
      minVersion: 4.17.5
      maxVersion: 4.17.9
    - name: stable-4.18
      minVersion: 4.18.1
      maxVersion: 4.18.4
";

#[tokio::test(flavor = "multi_thread")]
async fn five_releases_go_from_registry_to_registry() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(TWO_CHANNELS);
    let said = world.mirror("");
    said.assert_code(0);
    for nth in 0..5 {
        world.assert_there(nth).await;
    }
    let resources = world.world.path("w/working-dir/cluster-resources");
    let expected = [
        "idms-oc-mirror.yaml",
        "itms-oc-mirror.yaml",
        "signature-configmap.json",
        "signature-configmap.yaml",
    ];
    assert_eq!(names(&resources), expected);
    let sets = world.world.read("w/working-dir/cluster-resources/idms-oc-mirror.yaml");
    for line in [
        "  name: idms-release-0\n",
        "    - NEAR/ns/openshift/release\n    source: FAR/openshift-release-dev/ocp-v4.0-art-dev\n",
        "    - NEAR/ns/openshift/release-images\n    source: FAR/openshift-release-dev/ocp-release\n",
    ] {
        assert!(sets.contains(line), "{line}\n{sets}");
    }
    let sets = world.world.read("w/working-dir/cluster-resources/itms-oc-mirror.yaml");
    assert!(sets.contains("source: FAR/openshift-release-dev/ocp-release\n"), "{sets}");
    let map = world.world.read("w/working-dir/cluster-resources/signature-configmap.json");
    let map: serde_json::Value = serde_json::from_str(&map).unwrap();
    assert_eq!(map["binaryData"].as_object().unwrap().len(), 5);
    assert_eq!(names(&world.world.path("w/working-dir/signatures")).len(), 5);
    let graphs = world.world.path("w/working-dir/hold-release/cincinnati-graph-data");
    assert_eq!(names(&graphs), ["amd64-stable-4.17.json", "amd64-stable-4.18.json"]);
    assert_eq!(world.updates.asked().len(), 2, "each channel is asked for once");
}

/// What is read of a payload is not fetched once more to be copied.
#[tokio::test(flavor = "multi_thread")]
async fn payloads_cross_the_network_once() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(TWO_CHANNELS);
    world.world.far.faults().take_log();
    world.mirror("").assert_code(0);
    for release in &world.releases {
        for digest in release.payload().content.all_blobs().into_keys() {
            let path = format!("/blobs/{digest}");
            let sent = world.world.far.faults().count(&Method::GET, &path);
            assert_eq!(sent, 1, "{digest} of {}", release.version());
        }
    }
}

/// Nothing but the archive crosses the gap, and nothing else is asked on the far side.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_the_disk_is_enough_on_the_far_side() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(TWO_CHANNELS);
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    fs::create_dir(world.world.path("usb")).unwrap();
    let volume = |directory: &str| world.world.path(directory).join("mirror_000001.tar");
    fs::rename(volume("disk"), volume("usb")).unwrap();
    let asked = world.updates.asked().len();
    world.world.far.faults().take_log();
    // Addresses that nobody listens at: whoever asks fails.
    let words = format!("-c isc.yaml {INSECURE} --from usb docker://NEAR/ns");
    let said = world.world.run_with(&words, |command| {
        command
            .env("UPDATE_URL_OVERRIDE", "http://127.0.0.1:1/graph")
            .env("OCP_SIGNATURE_URL", "http://127.0.0.1:1/store/")
            .env("OCP_SIGNATURE_VERIFICATION_PK", "key.asc")
    });
    said.assert_code(0);
    for nth in 0..5 {
        world.assert_there(nth).await;
    }
    assert_eq!(world.updates.asked().len(), asked);
    assert!(world.world.far.faults().take_log().is_empty(), "the origin was asked");
    let resources = world.world.path("usb/working-dir/cluster-resources");
    assert_eq!(names(&resources).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_nobody_trusted_has_signed_is_refused_alone() {
    let world = ReleaseWorld::new(&ReleaseSigner::stranger()).await;
    world
        .world
        .write_config(&format!("{TWO_CHANNELS}  additionalImages:\n  - name: FAR/team/app:v1\n"));
    put_app(&world).await;
    let said = world.mirror("");
    said.assert_code(2);
    said.assert_says("does not count");
    said.assert_says(" ✓  1 / 1 additional images mirrored successfully");
    let memory = &world.world.memory;
    let payloads = memory.source(&"ns/openshift/release-images".parse().unwrap());
    let tag = TagOrDigest::Tag("4.18.4-x86_64".parse().unwrap());
    assert!(payloads.head(&tag).await.unwrap().is_none(), "an unsigned release was mirrored");
}

async fn put_app(world: &ReleaseWorld) {
    let app = ocm_testkit::Upstream::of(&crate::world::SHAPE, 3);
    let content = app.published()[0].content.clone();
    put(&Published::tagged("team/app", "v1", content), &world.place).await;
}

/// A payload that is named is mirrored by what its signature calls it.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_can_be_named_by_its_digest() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    let payload = format!("FAR/openshift-release-dev/ocp-release@{}", world.releases[2].digest());
    world.world.write_config(&format!("  platform:\n    release: {payload}\n"));
    world.mirror("").assert_code(0);
    world.assert_there(2).await;
    assert!(world.updates.asked().is_empty(), "no channel is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_does_not_exist_is_said() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config("  platform:\n    channels:\n    - name: stable-99.99\n");
    let said = world.mirror("");
    said.assert_code(2);
    said.assert_says("stable-99.99");
}

/// A world with a release that needs no sigstore signature, and one that does.
async fn before_and_after_4_21() -> ReleaseWorld {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    let made = Releases::new(7, &world.world.far.host());
    let (older, newer) = (made.release("4.20.3", &[]), made.release("4.21.0", &["4.20.3"]));
    let mut site = Website::default();
    let signer = ReleaseSigner::trusted();
    for release in [&older, &newer] {
        for image in release.published() {
            put(&image, &world.place).await;
        }
        let name =
            format!("quay.io/openshift-release-dev/ocp-release:{}-x86_64", release.version());
        let signature = signer.sign(release.digest(), &name);
        site = site.with_signature("/store/", release.digest(), 1, signature);
    }
    let signatures = site.serve().await.unwrap();
    let world = ReleaseWorld { releases: vec![older, newer], signatures, ..world };
    world.publish("stable-4.21", &[0, 1], &[(0, 1)]);
    world.world.write_config(
        "  platform:\n    channels:\n    - {name: stable-4.21, minVersion: 4.20.3, maxVersion: \
         4.21.0}\n",
    );
    world
}

/// Signs the payload of the second release as cosign does; returns the tag.
async fn sign_payload(world: &ReleaseWorld) -> TagOrDigest {
    let signature = ocm_testkit::Content::cosign(world.releases[1].digest());
    let name = format!("sha256-{}.sig", world.releases[1].digest().hex());
    put(&Published::tagged("openshift-release-dev/ocp-release", &name, signature), &world.place)
        .await;
    TagOrDigest::Tag(name.parse().unwrap())
}

/// From 4.21 on a node refuses a payload without its sigstore signature, and never boots.
#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_nodes_would_refuse_is_not_mirrored() {
    let world = before_and_after_4_21().await;
    let said = world.mirror("--remove-signatures");
    said.assert_code(2);
    said.assert_says("ack-4.20-sigstore-in-4.21");
    said.assert_says("--allow-unsigned-release");
    world.assert_there(0).await;
    let payloads = world.world.memory.source(&"ns/openshift/release-images".parse().unwrap());
    let tag = TagOrDigest::Tag("4.21.0-x86_64".parse().unwrap());
    assert!(payloads.head(&tag).await.unwrap().is_none());
    // Signed, it goes, and its signature with it, whatever is wanted of others.
    let name = sign_payload(&world).await;
    world.mirror("--remove-signatures").assert_code(0);
    world.assert_there(1).await;
    assert!(payloads.head(&name).await.unwrap().is_some(), "its signature is not there");
}

/// That the payload is there already does not help its nodes.
#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_stands_there_needs_its_signature_as_well() {
    let world = before_and_after_4_21().await;
    let from_disk = format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/ns");
    let to_disk = format!("-c isc.yaml {INSECURE} --allow-unsigned-release file://disk");
    world.mirror("--allow-unsigned-release").assert_code(0);
    world.assert_there(1).await;
    world.run(&to_disk).assert_code(0);
    for said in [world.mirror(""), world.run(&from_disk)] {
        said.assert_code(2);
        said.assert_says("is not signed: there is no signature beside it");
        said.assert_says("--allow-unsigned-release");
        said.assert_says(" ✗  17 / 18 release images mirrored");
    }
    world.run(&format!("{from_disk} --allow-unsigned-release")).assert_code(0);

    // Signed since, it comes: over a disk as well.
    let name = sign_payload(&world).await;
    let payloads = |under: &str| {
        let repository = format!("{under}/openshift/release-images").parse().unwrap();
        world.world.memory.source(&repository)
    };
    world.mirror("").assert_code(0);
    assert!(payloads("ns").head(&name).await.unwrap().is_some(), "its signature is not there");
    let unsigned = format!("--workspace file://u {INSECURE} --remove-signatures");
    world.run(&format!("-c isc.yaml {unsigned} --allow-unsigned-release docker://NEAR/far"));
    assert!(payloads("far").head(&name).await.unwrap().is_none());
    world.run(&to_disk).assert_code(0);
    world.run(&from_disk.replace("NEAR/ns", "NEAR/far")).assert_code(0);
    assert!(payloads("far").head(&name).await.unwrap().is_some(), "it did not come over the disk");

    // What the destination has counts, whatever became of the one at the source.
    let source = "openshift-release-dev/ocp-release".parse().unwrap();
    let TagOrDigest::Tag(tag) = &name else { unreachable!("it is a tag") };
    world.place.destination(&source).unwrap().delete_tag(tag).await.unwrap();
    world.mirror("").assert_code(0);
}
