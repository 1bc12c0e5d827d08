//! Catalogs without the bundles that cannot be had.

use std::{fmt::Write as _, fs};

use ocm_oci::{Digest, MediaType};
use ocm_testkit::{
    Blob, Content, Published,
    faults::{Fault, Rule},
};
use ocm_transport::Transport as _;
use serde_json::Value;

use crate::{
    operators::CatalogWorld,
    world::{INSECURE, Said, names},
};

const INDEX: &str = "redhat/redhat-operator-index";
const WHOLE: &str =
    "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    full: true\n";
const FLAG: &str = "--push-incomplete-catalog";
/// What is tried again takes time.
const ONCE: &str = "--retry-times 0";
const COSIGN: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Positions of images among those of the catalog: an operator for each version, after its bundle.
const ALPHA_1_1: usize = 4;
const ALPHA_1_2: usize = 6;
const GAMMA: usize = 12;

impl CatalogWorld {
    fn image(&self, nth: usize) -> &Published {
        &self.red.related()[nth]
    }

    /// Takes an image away where it is published.
    async fn lose(&self, nth: usize) {
        let image = self.image(nth);
        let at = self.place.destination(&image.repository).unwrap();
        at.delete_manifest(image.content.digest()).await.unwrap();
    }

    /// Breaks what only this image has.
    fn corrupt(&self, nth: usize) {
        let image = self.image(nth);
        let own = image.content.blobs().last().unwrap().descriptor().digest.clone();
        let path = format!("/{}/blobs/{own}", image.repository);
        self.world.far.faults().add(Rule::new(Fault::Corrupt).path(&path));
    }

    async fn tag(&self, below: &str) -> Option<Digest> {
        self.find(&format!("{below}/{INDEX}"), "v4.18").await
    }

    /// Returns what the catalog at the destination offers: packages, channels, versions.
    fn offered(&self, below: &str) -> String {
        let list = |more: &str| {
            let catalog = format!("--catalog NEAR/{below}/{INDEX}:v4.18 {more}");
            let said = self
                .world
                .run(&format!("list operators --src-tls-verify=false --format json {catalog}"));
            said.assert_code(0);
            serde_json::from_str::<Value>(&said.out).unwrap()
        };
        let mut offered = String::new();
        for package in list("")["packages"].as_array().unwrap() {
            let package = package["name"].as_str().unwrap();
            for channel in list(&format!("--package {package}"))["channels"].as_array().unwrap() {
                let channel = channel["name"].as_str().unwrap();
                let listed = list(&format!("--package {package} --channel {channel}"));
                let versions = listed["versions"].as_array().unwrap();
                let versions: Vec<_> =
                    versions.iter().map(|one| one["version"].as_str().unwrap()).collect();
                writeln!(offered, "{package} {channel}: {}", versions.join(" ")).unwrap();
            }
        }
        offered
    }

    fn to_disk(&self, more: &str) -> Said {
        self.world.run(&format!("-c isc.yaml {INSECURE} {ONCE} {more} file://disk"))
    }

    fn across(&self, below: &str, more: &str) -> Said {
        self.world.run(&format!(
            "-c isc.yaml {INSECURE} {ONCE} {more} --from disk --workspace file://far \
             docker://NEAR/{below}"
        ))
    }
}

const REST: &str = "beta fast: 2.0.0 2.1.0\nbeta stable: 2.0.0\ngamma stable: 3.0.0\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_left_out_of_the_catalog() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    world.mirror("").assert_code(0);
    let before = world.tag("ns").await.unwrap();
    // In the middle: what is older goes with it.
    world.lose(ALPHA_1_1).await;
    world.mirror(ONCE).assert_code(0);
    let again = |more: &str| {
        let to = format!("--workspace file://w {INSECURE} {ONCE} {more} docker://NEAR/ns2");
        world.world.run(&format!("-c isc.yaml {to}"))
    };
    let said = again("");
    said.assert_code(4);
    said.assert_says("help: `--push-incomplete-catalog` pushes catalogs without the bundles");
    assert_eq!(world.tag("ns2").await, None);
    let said = again(FLAG);
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.1.0` of package `alpha`: ");
    said.assert_says("`alpha` goes without `alpha.v1.0.0` too");
    assert_eq!(world.offered("ns2"), format!("alpha stable: 1.2.0\n{REST}"));
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    assert!(resources.contains(&"cs-redhat-operator-index-v4-18.yaml".to_owned()), "{resources:?}");
    // The same again is the same, and says so; the one that was whole is as it was.
    let tag = world.tag("ns2").await.unwrap();
    again(FLAG).assert_code(4);
    assert_eq!(world.tag("ns2").await.unwrap(), tag);
    assert_eq!(world.tag("ns").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_and_a_package_that_are_not_there() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    world.lose(ALPHA_1_2).await;
    world.lose(GAMMA).await;
    let said = world.mirror(&format!("{ONCE} {FLAG}"));
    said.assert_code(4);
    said.assert_says(
        "package `gamma` is left out: its default channel `stable` has no bundle left",
    );
    let rest = REST.replace("gamma stable: 3.0.0\n", "");
    assert_eq!(world.offered("ns"), format!("alpha stable: 1.0.0 1.1.0\n{rest}"));
    // A dry run says the same.
    let said = world.mirror(&format!("{ONCE} {FLAG} --dry-run"));
    said.assert_code(4);
    said.assert_says("package `gamma` is left out");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_remains_the_tag_stays() {
    let world = CatalogWorld::new().await;
    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    packages:\n    - name: gamma\n",
    );
    world.lose(GAMMA).await;
    let said = world.mirror(&format!("{ONCE} {FLAG}"));
    said.assert_code(4);
    said.assert_says("nothing of it can be offered without the bundles that cannot be had");
    assert_eq!(world.tag("ns").await, None);
    let said = world.to_disk(FLAG);
    said.assert_code(4);
    said.assert_says("nothing of it can be offered");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_while_it_is_copied_is_left_out_in_the_end() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    world.corrupt(ALPHA_1_2);
    let said = world.mirror(ONCE);
    said.assert_code(4);
    assert_eq!(world.tag("ns").await, None);
    world.world.far.faults().take_log();
    let to = format!("--workspace file://w {INSECURE} {ONCE} {FLAG} docker://NEAR/ns2");
    let said = world.world.run(&format!("-c isc.yaml {to}"));
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.2.0` of package `alpha`: ");
    assert_eq!(world.offered("ns2"), format!("alpha stable: 1.0.0 1.1.0\n{REST}"));
    let mapping = world.world.read("w/working-dir/mapping.txt");
    assert!(mapping.contains("redhat-operator-index:v4.18"), "{mapping}");
    assert_eq!(world.there(&world.red, "ns2").await, world.red.related().len() - 2);
    // No image of a bundle is fetched twice, that which failed among them.
    let log = world.world.far.faults().take_log();
    let is_blob = |path: &str| path.contains("/operators/") && path.contains("/blobs/");
    let mut blobs: Vec<_> = log.iter().filter(|one| is_blob(&one.path)).collect();
    assert!(blobs.len() > world.red.related().len(), "{}", blobs.len());
    blobs.sort_by(|left, right| left.path.cmp(&right.path));
    let twice = blobs.windows(2).find(|pair| pair[0].path == pair[1].path);
    assert!(twice.is_none(), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_carries_what_remains() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    world.lose(ALPHA_1_1).await;
    let said = world.to_disk(FLAG);
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.1.0`");
    let said = world.across("ns", "");
    said.assert_code(4);
    said.assert_says("the archive's catalog was left without bundle `alpha.v1.1.0`");
    assert_eq!(world.offered("ns"), format!("alpha stable: 1.2.0\n{REST}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_far_side_leaves_out_what_the_archive_lacks() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    world.corrupt(ALPHA_1_2);
    let said = world.to_disk(FLAG);
    said.assert_code(4);
    said.assert_says("--from file://disk --push-incomplete-catalog docker://");
    fs::remove_dir_all(world.world.path("disk/working-dir")).unwrap();
    let said = world.across("ns", "");
    said.assert_code(4);
    assert_eq!(world.tag("ns").await, None);
    let said = world.across("ns", FLAG);
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.2.0` of package `alpha`: ");
    assert_eq!(world.offered("ns"), format!("alpha stable: 1.0.0 1.1.0\n{REST}"));
}

/// One that is named by its digest alone is called by that of what is offered.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_without_a_tag_is_called_by_what_remains() {
    let world = CatalogWorld::new().await;
    let digest = world.red.image().content.digest();
    let whole = WHOLE.replace(":v4.18", &format!("@{digest}"));
    world.world.write_config(&whole);
    world.corrupt(ALPHA_1_2);
    let said = world.mirror(&format!("{ONCE} {FLAG}"));
    said.assert_code(4);
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    let source = resources.iter().find(|name| name.starts_with("cs-")).unwrap();
    let source = world.world.read(&format!("w/working-dir/cluster-resources/{source}"));
    let (_, tag) = source.split_once("redhat-operator-index:").unwrap();
    let tag = tag.split_whitespace().next().unwrap();
    let found = world.find(&format!("ns/{INDEX}"), tag).await.unwrap();
    assert_eq!(ocm_oci::Tag::of_digest(&found).as_str(), tag, "{source}");
    assert_ne!(found, *digest);
}

/// Signs all images of bundles; breaks the signature of one.
async fn with_signatures(world: &CatalogWorld, broken: usize) {
    for (nth, image) in world.red.related().iter().enumerate() {
        let payload = Blob::of(MediaType::from(COSIGN.to_owned()), format!("signature {nth}"));
        let digest = payload.descriptor().digest.clone();
        let signature = Content::artifact(COSIGN, None, payload);
        let tag = format!("sha256-{}.sig", image.content.digest().hex());
        let at = world.place.destination(&image.repository).unwrap();
        signature.push(&*at, Some(&tag.parse().unwrap())).await.unwrap();
        if nth == broken {
            let path = format!("/{}/blobs/{digest}", image.repository);
            world.world.far.faults().add(Rule::new(Fault::Corrupt).path(&path));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_without_the_signature_that_it_needs_is_left_out() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    with_signatures(&world, ALPHA_1_2).await;
    let said = world.mirror(&format!("{ONCE} {FLAG} --signatures require"));
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.2.0` of package `alpha`: ");
    assert_eq!(world.offered("ns"), format!("alpha stable: 1.0.0 1.1.0\n{REST}"));
    let said = world.mirror(&format!("{ONCE} {FLAG} --signatures require"));
    said.assert_code(4);
    assert_eq!(world.offered("ns"), format!("alpha stable: 1.0.0 1.1.0\n{REST}"));
}

/// What is not required keeps nothing from being offered, and is told all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_nothing_needs_is_told_beside_what_is_left_out() {
    let world = CatalogWorld::new().await;
    world.world.write_config(WHOLE);
    with_signatures(&world, GAMMA).await;
    let said = world.mirror(&format!("{ONCE} {FLAG}"));
    said.assert_code(4);
    said.assert_says(" ✗  12 / 13 signatures and other attachments of images mirrored");
    assert!(!said.out.contains("left out"), "{}", said.out);
    let all = format!("alpha stable: 1.0.0 1.1.0 1.2.0\n{REST}");
    assert_eq!(world.offered("ns"), all);
    world.corrupt(ALPHA_1_2);
    let to = format!("--workspace file://w {INSECURE} {ONCE} {FLAG} docker://NEAR/ns2");
    let said = world.world.run(&format!("-c isc.yaml {to}"));
    said.assert_code(4);
    said.assert_says("left out: bundle `alpha.v1.2.0`");
    let errors = said.out.lines().chain(said.err.lines());
    let about = format!("sha256-{}.sig", world.image(GAMMA).content.digest().hex());
    assert!(errors.filter(|line| line.contains("[ERROR]")).any(|line| line.contains(&about)));
    let files = names(&world.world.path("w/working-dir/logs"));
    let last = files.iter().rfind(|name| name.starts_with("mirroring_errors_")).unwrap();
    let missed = world.world.read(&format!("w/working-dir/logs/{last}"));
    assert!(missed.contains(&about), "{missed}");
}
