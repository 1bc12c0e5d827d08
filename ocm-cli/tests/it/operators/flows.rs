//! Two catalogs with images in common, all ways: one for several platforms in a registry, one in a
//! directory.

use std::{
    fs,
    net::{Shutdown, TcpListener},
};

use ocm_oci::Digest;
use ocm_testkit::{Catalog, MadeCatalog, Naming, Published};

use super::{CatalogWorld, layouts::list};
use crate::world::{INSECURE, Said, names};

impl CatalogWorld {
    /// Returns what the catalogs' tags lead to.
    async fn tags(&self, below: &str) -> [Option<Digest>; 2] {
        let red = self.find(&format!("{below}/redhat/redhat-operator-index"), "v4.18").await;
        [red, self.find(&format!("{below}/blue"), "latest").await]
    }
}

/// Three packages each; alpha's version 1.1.0 is in both, and one image is of all bundles.
async fn world() -> CatalogWorld {
    let world = CatalogWorld::with(catalogs).await;
    list(&[world.blue.image().content.clone()], &world.world.path("blue")).await;
    world
}

fn catalogs(catalog: Catalog) -> (MadeCatalog, MadeCatalog) {
    let red = catalog
        .clone()
        .with_package("alpha", &[("stable", &["1.0.0", "1.1.0"])])
        .with_package("beta", &[("stable", &["2.0.0"]), ("fast", &["2.0.0", "2.1.0"])])
        .with_naming(Naming::Both)
        .with_package("gamma", &[("stable", &["3.0.0"])])
        .with_naming(Naming::Tag)
        .for_architectures(&["amd64", "arm64", "s390x"])
        .made("redhat/redhat-operator-index", "v4.18");
    let blue = catalog
        .with_package("alpha", &[("stable", &["1.1.0"])])
        .with_package("delta", &[("stable", &["4.9.0", "4.10.0"])])
        .with_package("epsilon", &[("stable", &["5.0.0"])])
        .made("community/index", "v1");
    (red, blue)
}

fn configure(world: &CatalogWorld, red: &str, blue: &str) {
    world.world.write_config(&format!(
        "  operators:\n  - catalog: FAR/redhat/redhat-operator-index:v4.18\n    packages: {red}\n  \
         - catalog: oci://blue\n    packages: {blue}\n"
    ));
}

const ALL_RED: &str = "[{name: alpha}, {name: beta}, {name: gamma}]";
const ALL_BLUE: &str = "[{name: alpha}, {name: delta}, {name: epsilon}]";

/// The operator of beta 2.1.0: a bundle is its package's next to last image.
fn broken(world: &CatalogWorld) -> &Published {
    let is_it = |image: &&Published| {
        image.repository.as_str() == "operators/beta"
            && image.tag.as_ref().is_some_and(|tag| tag.as_str() == "v2.1.0")
    };
    world.red.related().iter().find(is_it).unwrap()
}

/// The proxy, and of each head its bundle and its operator.
async fn assert_all_there(world: &CatalogWorld, below: &str) {
    assert_eq!(world.there(&world.red, below).await, 1 + 2 * 4);
    assert_eq!(world.there(&world.blue, below).await, 1 + 2 * 3);
}

/// Returns the resources, without when and by which version they were written.
fn resources(world: &CatalogWorld, workspace: &str) -> String {
    let directory = format!("{workspace}/working-dir/cluster-resources");
    let text = |name: String| {
        let text = world.world.read(&format!("{directory}/{name}"));
        let is_of_today = |line: &&str| line.contains("createdAt") || line.contains("_version");
        let lines = text.lines().filter(|line| !is_of_today(line));
        format!("# {name}\n{}\n", lines.collect::<Vec<_>>().join("\n"))
    };
    names(&world.world.path(&directory)).into_iter().map(text).collect()
}

/// Listens where nobody should call.
struct Nobody(TcpListener);

impl Nobody {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn calls(&self) -> usize {
        let calls = std::iter::from_fn(|| self.0.accept().ok());
        calls.inspect(|(call, _)| call.shutdown(Shutdown::Both).unwrap()).count()
    }
}

/// Pushes what is on the disk, where no other address than that of the target answers: those on
/// loopback are asked for directly, all others through a proxy that counts.
fn push(world: &CatalogWorld, namespace: &str) -> Said {
    let nobody = Nobody::new();
    let proxy = format!("http://{}", nobody.0.local_addr().unwrap());
    world.world.far.faults().take_log();
    fs::rename(world.world.path("blue"), world.world.path("elsewhere")).unwrap();
    let words = format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/{namespace}");
    let said = world
        .world
        .run_with(&words, |command| command.env("HTTP_PROXY", &proxy).env("HTTPS_PROXY", &proxy));
    fs::rename(world.world.path("elsewhere"), world.world.path("blue")).unwrap();
    assert_eq!(nobody.calls(), 0, "somebody else was asked");
    assert!(world.world.far.faults().take_log().is_empty(), "the origin was asked");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn catalogs_and_resources_are_the_same_both_ways() {
    let world = world().await;
    configure(&world, ALL_RED, ALL_BLUE);
    world.mirror("").assert_code(0);
    assert_all_there(&world, "ns").await;
    let direct = world.tags("ns").await;
    assert!(direct.iter().all(Option::is_some), "{direct:?}");
    insta::assert_snapshot!("resources-of-two-catalogs", resources(&world, "w"));

    world.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    push(&world, "carried").assert_code(0);
    assert_all_there(&world, "carried").await;
    assert_eq!(world.tags("carried").await, direct);
    let carried = resources(&world, "disk").replace("NEAR/carried", "NEAR/ns");
    assert_eq!(carried, resources(&world, "w"));
}

/// The bundle's catalog stays as it was, the other is there, and so is every image that is sound.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_image_holds_back_its_catalog_alone() {
    let world = world().await;
    configure(&world, "[{name: alpha}, {name: gamma}]", "[{name: delta}]");
    world.mirror("").assert_code(0);
    let [old_red, old_blue] = world.tags("ns").await;

    world.withdraw(broken(&world)).await;
    configure(&world, ALL_RED, ALL_BLUE);
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("operators/beta:v2.1.0@sha256:");
    let [red, blue] = world.tags("ns").await;
    assert_eq!(red, old_red, "the tag was moved");
    assert!(blue.is_some() && blue != old_blue, "the other catalog is the old one");
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2 * 3, "all but the bundle and its image");
    assert_eq!(world.there(&world.blue, "ns").await, 1 + 2 * 3);
    // The cluster goes on with what is there.
    said.assert_says("redhat-operator-index:v4.18 stays as an earlier run has left it");
    let resources = resources(&world, "w");
    for part in ["# cs-blue", "# cc-blue", "# idms", "# itms", "# cs-redhat", "# cc-redhat"] {
        assert!(resources.contains(part), "{part}: {resources}");
    }
    // Nor does a cluster lose a catalog that cannot be read any more.
    world.withdraw(world.red.image()).await;
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("redhat-operator-index:v4.18 stays as an earlier run has left it");
    let names = names(&world.world.path("w/working-dir/cluster-resources"));
    for name in ["cs-redhat-operator-index-v4-18.yaml", "cc-redhat-operator-index-v4-18.yaml"] {
        assert!(names.iter().any(|one| one == name), "{names:?}");
    }
}

/// The archive is partial; so is what is made of it, in the same way.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_image_is_missed_on_the_far_side_of_an_archive() {
    let world = world().await;
    world.withdraw(broken(&world)).await;
    configure(&world, ALL_RED, ALL_BLUE);
    let said = world.world.run(&format!("-c isc.yaml {INSECURE} file://disk"));
    said.assert_code(4);
    said.assert_says("the archive is PARTIAL");
    let said = push(&world, "carried");
    said.assert_code(4);
    said.assert_says("operators/beta:v2.1.0@sha256:");
    let [red, blue] = world.tags("carried").await;
    assert_eq!(red, None, "the catalog offers a bundle that is not there");
    assert!(blue.is_some());
    assert_eq!(world.there(&world.blue, "carried").await, 1 + 2 * 3);
    assert_eq!(world.there(&world.red, "carried").await, 1 + 2 * 3, "as from registry to registry");
    let names = names(&world.world.path("disk/working-dir/cluster-resources"));
    assert!(!names.iter().any(|name| name.contains("redhat")), "{names:?}");
}
