//! Catalogs of operators, the three ways.

use std::{fs, path::Path, sync::Arc};

use http::Method;
use ocm_oci::{Digest, RepoName, Tag, TagOrDigest};
use ocm_testkit::{Catalog, MadeCatalog, Published, faults::FaultRegistry};
use ocm_transport::{Memory, Transport as _, layout::OciLayout};
use serde_json::Value;

use crate::world::{INSECURE, Said, World, names, put};

mod dependencies;
mod directories;
mod files;
mod flows;
mod layouts;
mod names;

/// Two catalogs upstream, with all that they lead to.
pub(crate) struct CatalogWorld {
    pub(crate) world: World,
    pub(crate) place: Memory,
    pub(crate) red: MadeCatalog,
    pub(crate) blue: MadeCatalog,
}

impl CatalogWorld {
    pub(crate) async fn new() -> Self {
        Self::with(|catalog| {
            let red = catalog
                .clone()
                .with_package("alpha", &[("stable", &["1.0.0", "1.1.0", "1.2.0"])])
                .with_package("beta", &[("stable", &["2.0.0"]), ("fast", &["2.0.0", "2.1.0"])])
                .with_package("gamma", &[("stable", &["3.0.0"])])
                .for_architectures(&["amd64", "arm64"])
                .made("redhat/redhat-operator-index", "v4.18");
            let blue = catalog
                .with_package("alpha", &[("stable", &["1.1.0"])])
                .with_package("delta", &[("stable", &["4.9.0", "4.10.0"])])
                .made("community/index", "v1");
            (red, blue)
        })
        .await
    }

    /// Publishes what `make` makes of a catalog that has nothing yet.
    pub(crate) async fn with(make: impl FnOnce(Catalog) -> (MadeCatalog, MadeCatalog)) -> Self {
        let place = Memory::default();
        let far = FaultRegistry::serve(Arc::new(place.clone())).await.unwrap();
        let (red, blue) = make(Catalog::new(7, &far.host()));
        for image in red.published().iter().chain(&blue.published()) {
            put(image, &place).await;
        }
        let world = World::over(far).await;
        Self { world, place, red, blue }
    }

    pub(crate) fn mirror(&self, more: &str) -> Said {
        self.world.mirror(more)
    }

    pub(crate) async fn find(&self, repository: &str, tag: &str) -> Option<Digest> {
        let at = self.world.memory.source(&repository.parse::<RepoName>().unwrap());
        let tag = TagOrDigest::Tag(tag.parse().unwrap());
        at.head(&tag).await.unwrap().map(|found| found.digest)
    }

    /// Returns which of the images that a catalog leads to are at the destination.
    pub(crate) async fn there(&self, catalog: &MadeCatalog, below: &str) -> usize {
        let mut there = 0;
        for image in catalog.related() {
            let repository = format!("{below}/{}", image.repository);
            let tag = image.tag.clone().unwrap_or_else(|| Tag::of_digest(image.content.digest()));
            there += usize::from(self.find(&repository, tag.as_str()).await.is_some());
        }
        there
    }

    /// Deletes an image where it is published.
    async fn withdraw(&self, image: &Published) {
        let at = self.place.destination(&image.repository).unwrap();
        at.delete_manifest(image.content.digest()).await.unwrap();
    }
}

/// Puts the images of a catalog into a directory, one for each platform and no index, as other
/// programs do: none has a name.
pub(crate) async fn lay_out(catalog: &MadeCatalog, directory: &Path) {
    let layout = OciLayout::create(directory).await.unwrap();
    let at = layout.destination(&"index".parse::<RepoName>().unwrap()).unwrap();
    for image in catalog.image().content.children() {
        image.push(&*at, None).await.unwrap();
    }
    let file = directory.join("index.json");
    let mut index: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for entry in index["manifests"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("annotations");
    }
    fs::write(&file, index.to_string()).unwrap();
}

const TWO_CATALOGS: &str = "  operators:
  - catalog: FAR/redhat/redhat-operator-index:v4.18
    packages:
    - name: alpha
      minVersion: 1.1.0
    - name: beta
      channels:
      - name: stable
  - catalog: FAR/community/index:v1
    packages:
    - name: delta
";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_selected_of_two_catalogs_goes_from_registry_to_registry() {
    let world = CatalogWorld::new().await;
    world.world.write_config(TWO_CATALOGS);
    let said = world.mirror("");
    said.assert_code(0);
    // The proxy that all need; alpha 1.1.0 and 1.2.0, beta 2.0.0, with their operators.
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2 * 3);
    assert_eq!(world.there(&world.blue, "ns").await, 1 + 2 + 2, "delta 4.10.0, and alpha 1.1.0");
    let rebuilt = world.find("ns/redhat/redhat-operator-index", "v4.18").await.unwrap();
    assert_ne!(rebuilt, *world.red.image().content.digest(), "the catalog was not cut");
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    let expected = [
        "cc-index-v1.yaml",
        "cc-redhat-operator-index-v4-18.yaml",
        "cs-index-v1.yaml",
        "cs-redhat-operator-index-v4-18.yaml",
        "idms-oc-mirror.yaml",
    ];
    assert_eq!(resources, expected);
    let source = "w/working-dir/cluster-resources/cs-redhat-operator-index-v4-18.yaml";
    let source = world.world.read(source);
    assert!(source.contains("image: NEAR/ns/redhat/redhat-operator-index:v4.18"), "{source}");
    let sets = world.world.read("w/working-dir/cluster-resources/idms-oc-mirror.yaml");
    assert!(sets.contains("name: idms-operator-0") && !sets.contains("redhat-operator"), "{sets}");
    // Another day, another machine: the same catalog.
    world.mirror("").assert_says("already there");
    assert_eq!(world.find("ns/redhat/redhat-operator-index", "v4.18").await.unwrap(), rebuilt);
    let left = names(&world.world.path("w/working-dir"));
    assert!(!left.iter().any(|name| name.starts_with(".built")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogs_cross_the_gap() {
    let world = CatalogWorld::new().await;
    world.world.write_config(TWO_CATALOGS);
    world.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    fs::create_dir(world.world.path("usb")).unwrap();
    let volume = |directory: &str| world.world.path(directory).join("mirror_000001.tar");
    fs::rename(volume("disk"), volume("usb")).unwrap();
    world.world.far.faults().take_log();
    let said = world.world.run(&format!("-c isc.yaml {INSECURE} --from usb docker://NEAR/ns"));
    said.assert_code(0);
    assert!(world.world.far.faults().take_log().is_empty(), "the origin was asked");
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2 * 3);
    let carried = world.find("ns/redhat/redhat-operator-index", "v4.18").await.unwrap();
    // From registry to registry it is the same image.
    world.world.run(&format!("-c isc.yaml --workspace file://w {INSECURE} docker://NEAR/direct"));
    let direct = world.find("direct/redhat/redhat-operator-index", "v4.18").await.unwrap();
    assert_eq!(direct, carried);
    let resources = names(&world.world.path("usb/working-dir/cluster-resources"));
    assert_eq!(resources.len(), 5);
}

/// A whole catalog is copied as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_catalog_is_copied_untouched() {
    let world = CatalogWorld::new().await;
    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    full: true\n",
    );
    world.mirror("").assert_code(0);
    let found = world.find("ns/redhat/redhat-operator-index", "v4.18").await.unwrap();
    assert_eq!(found, *world.red.image().content.digest());
    assert_eq!(world.there(&world.red, "ns").await, world.red.related().len());
}

/// A bundle that cannot be had keeps the catalog that offers it from being published.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_is_not_offered_without_its_images() {
    let world = CatalogWorld::new().await;
    world.withdraw(&world.red.related()[1]).await;
    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    full: true\n  \
           - catalog: FAR/community/index:v1\n    packages:\n    - name: delta\n",
    );
    let said = world.mirror("");
    said.assert_code(4);
    assert_eq!(world.find("ns/redhat/redhat-operator-index", "v4.18").await, None);
    assert!(world.find("ns/community/index", "v1").await.is_some(), "the other is there");
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    assert!(!resources.iter().any(|name| name.contains("redhat")), "{resources:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_catalog_does_not_have_is_said_and_the_rest_is_mirrored() {
    let world = CatalogWorld::new().await;
    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    packages:\n    \
           - name: alpha\n    - name: betta\n  - catalog: FAR/not/there:v1\n",
    );
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("there is no package `betta`");
    said.assert_says("did you mean `beta`?");
    // The catalog was not what failed.
    let catalog = format!("{}/redhat/redhat-operator-index:v4.18", world.world.far.host());
    said.assert_says(&format!("Not found in operatorCatalog {catalog}: there is no package"));
    assert!(!said.err.contains(&format!("Failed to copy operatorCatalog {catalog}")));
    assert!(world.find("ns/redhat/redhat-operator-index", "v4.18").await.is_some());
    world.world.write_config(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    packages:\n    \
           - name: alpha\n    - name: betta\n",
    );
    let said = world.mirror("--allow-missing");
    said.assert_code(0);
    said.assert_says("there is no package `betta`");
}

impl CatalogWorld {
    /// Returns how often the origin sent each blob of a catalog's image, if at all.
    fn sent(&self, catalog: &MadeCatalog) -> Vec<usize> {
        let log = self.world.far.faults().take_log();
        let times = |digest: &Digest| {
            let path = format!("/blobs/{digest}");
            log.iter().filter(|one| one.method == Method::GET && one.path.contains(&path)).count()
        };
        catalog.image().content.all_blobs().into_keys().map(times).collect()
    }
}

/// What is read of a catalog to find out what it leads to is not fetched once more to be copied.
#[tokio::test(flavor = "multi_thread")]
async fn catalogs_cross_the_network_once() {
    let world = CatalogWorld::new().await;
    for more in ["full: true", "packages: [{name: alpha}]"] {
        world.select("FAR/redhat/redhat-operator-index:v4.18", more);
        world.world.far.faults().take_log();
        world.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
        let sent = world.sent(&world.red);
        assert!(
            sent.len() > 4 && sent.iter().all(|times| *times == 1),
            "to disk, {more}: {sent:?}"
        );
        let words = format!("-c isc.yaml --workspace file://w {INSECURE} docker://NEAR/once");
        world.world.run(&words).assert_code(0);
        let sent = world.sent(&world.red);
        assert!(sent.iter().all(|times| *times <= 1), "to a registry, {more}: {sent:?}");
    }
}
