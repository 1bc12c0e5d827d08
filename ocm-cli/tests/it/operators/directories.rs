//! Catalogs that are directories with files, `dir://`.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    sync::Arc,
};

use ocm_mirror::{ImageConfiguration, ImageFiles, RetryPolicy};
use ocm_oci::{Digest, Platform, TagOrDigest};
use ocm_testkit::{Blob, Content, Format, Published, Settings};
use ocm_transport::Transport as _;

use super::{CatalogWorld, put};
use crate::world::{INSECURE, Said};

/// Where the directory lies, seen from the configuration.
const MINE: &str =
    "  operators:\n  - catalog: dir://mine/index\n    packages:\n    - name: alpha\n";
const SOURCE: &str = "w/working-dir/cluster-resources/cs-index-latest.yaml";

/// Both catalogs, one of which has its files on this machine too.
async fn world() -> CatalogWorld {
    let world = CatalogWorld::new().await;
    for (path, text) in world.red.files() {
        world.write(path, text);
    }
    world.world.write_config(MINE);
    world
}

impl CatalogWorld {
    fn write(&self, path: &str, text: &str) {
        let path = self.world.path("mine/index").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn index(&self, below: &str) -> Option<Digest> {
        self.find(&format!("{below}/index"), "latest").await
    }

    /// Returns what the images of a catalog say of themselves.
    async fn configurations(&self, below: &str) -> Vec<ImageConfiguration> {
        let at = self.world.memory.source(&format!("{below}/index").parse().unwrap());
        let tag = TagOrDigest::Tag("latest".parse().unwrap());
        let root = at.manifest(&tag, 1 << 20).await.unwrap();
        let mut configurations = Vec::new();
        for entry in root.children().unwrap().manifests {
            let (at, image) = (Arc::clone(&at), TagOrDigest::from(&entry.descriptor.digest));
            let image = ImageFiles::open(at, &image, RetryPolicy::default()).await.unwrap();
            let configuration = image.configuration().await.unwrap();
            assert_eq!(Some(&configuration.platform), entry.platform.as_ref());
            configurations.push(configuration);
        }
        configurations
    }

    fn listed(&self, words: &str) -> Said {
        self.world.run(&format!("list operators --src-tls-verify=false {words}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_becomes_an_image_for_every_architecture() {
    let world = world().await;
    let said = world.mirror("");
    said.assert_code(0);
    said.assert_says("dir://mine/index: its image has no program that serves it");
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2, "alpha 1.2.0, and the proxy");
    let configurations = world.configurations("ns").await;
    let runs_on = configurations.iter().map(|one| one.platform.to_string());
    let all = ["linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x"];
    assert_eq!(runs_on.collect::<Vec<_>>(), all);
    let label = "operators.operatorframework.io.index.configs.v1";
    assert_eq!(configurations[0].labels[label], "/configs");
    let source = world.world.read(SOURCE);
    assert!(source.contains("image: NEAR/ns/index:latest"), "{source}");
    assert!(source.contains("extractContent:\n      catalogDir: \"/configs\"\n"), "{source}");
    let listed = world.listed("--catalog NEAR/ns/index:latest --package alpha --channel stable");
    assert_eq!(listed.out, "VERSIONS\n1.2.0\n");
    // Whatever the files are called, and however they may be read.
    let before = world.index("ns").await.unwrap();
    let file = world.world.path("mine/index/alpha/catalog.json");
    let moved = world.world.path("mine/index/other.json");
    fs::rename(file, &moved).unwrap();
    fs::set_permissions(&moved, fs::Permissions::from_mode(0o600)).unwrap();
    world.mirror("").assert_code(0);
    assert_eq!(world.index("ns").await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_crosses_the_gap() {
    let world = world().await;
    world
        .world
        .write_config(&format!("{MINE}    targetCatalog: ours/catalog\n    targetTag: v2\n"));
    world.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    fs::remove_dir_all(world.world.path("mine")).unwrap();
    world.world.far.faults().take_log();
    let far = format!("-c isc.yaml {INSECURE} --from disk --workspace file://w docker://NEAR/ns");
    world.world.run(&far).assert_code(0);
    assert!(world.world.far.faults().take_log().is_empty(), "the origin was asked");
    assert!(world.find("ns/ours/catalog", "v2").await.is_some());
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2);
    let source = "w/working-dir/cluster-resources/cs-catalog-v2.yaml";
    assert!(world.world.read(source).contains("extractContent"));
}

/// A base image that has a program serves the catalog itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_built_upon_an_image() {
    let world = world().await;
    let image = |name: &str, entrypoint: Option<&str>| {
        let mut settings = Settings::named("opm");
        if let Some(program) = entrypoint {
            settings = settings.with_entrypoint(&[program]);
        }
        let platform = Platform::new("linux", "amd64");
        let layers = vec![Blob::layer(1, 4000)];
        let content = Content::configured(Format::Oci, &platform, &settings, layers);
        Published::tagged(name, "v1", Content::index(Format::Oci, vec![(Some(platform), content)]))
    };
    put(&image("tools/opm", Some("/bin/opm")), &world.place).await;
    put(&image("tools/none", None), &world.place).await;
    let said = world.mirror("--catalog-base-image UPPER");
    said.assert_code(1);
    said.assert_says("`UPPER` is not an image reference: ");
    let said = world.mirror("--catalog-base-image FAR/tools/none:v1");
    said.assert_code(4);
    said.assert_says("tools/none:v1` has no program that could serve a catalog");
    let said = world.mirror("--catalog-base-image FAR/tools/opm:v1");
    said.assert_code(0);
    let configurations = world.configurations("ns").await;
    assert_eq!(configurations.len(), 1);
    assert_eq!(configurations[0].entrypoint, ["/bin/opm"]);
    assert!(!world.world.read(SOURCE).contains("extractContent"));
    // The far side of an archive knows it of the image.
    let to_disk =
        format!("-c isc.yaml {INSECURE} --catalog-base-image FAR/tools/opm:v1 file://disk");
    world.world.run(&to_disk).assert_code(0);
    let far = format!("-c isc.yaml {INSECURE} --from disk --workspace file://w docker://NEAR/far");
    world.world.run(&far).assert_code(0);
    assert_eq!(world.index("far").await, world.index("ns").await);
    assert!(!world.world.read(SOURCE).contains("extractContent"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_directory_is_what_olm_accepts() {
    let world = world().await;
    let whole = "  operators:\n  - catalog: dir://mine/index\n    full: true\n    platforms:\n    \
                 - {os: linux, architecture: amd64}\n";
    world.world.write_config(whole);
    world.mirror("").assert_code(0);
    assert_eq!(world.there(&world.red, "ns").await, world.red.related().len());
    let listed = world.listed("--catalog NEAR/ns/index:latest --package beta");
    assert!(listed.out.contains("beta.v2.1.0"), "{}", listed.out);
    world.write("odd.json", r#"{"schema": "olm.package", "name": "odd", "defaultChannel": "x"}"#);
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("the files in `mine/index` are no catalog that OLM accepts");
    world.write("odd.json", "{");
    world.mirror("").assert_code(4);
    // As everywhere, what is hidden by `.indexignore` is not read.
    world.write(".indexignore", "/odd.json\n");
    world.mirror("").assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_out_of_a_directory_is_not_followed() {
    let world = world().await;
    fs::create_dir(world.world.path("outside")).unwrap();
    let odd = r#"{"schema": "olm.package", "name": "alpha"}"#;
    fs::write(world.world.path("outside/odd.json"), odd).unwrap();
    symlink("../../outside", world.world.path("mine/index/link")).unwrap();
    symlink("..", world.world.path("mine/index/up")).unwrap();
    world.mirror("").assert_code(0);
    let listed = world.listed("--catalog dir://mine/index --package gamma --channel stable");
    assert_eq!(listed.out, "VERSIONS\n3.0.0\n", "{}", listed.err);
    fs::remove_dir_all(world.world.path("mine/index")).unwrap();
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("could not read `mine/index`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_without_what_cannot_be_had() {
    let world = world().await;
    world.world.write_config(&MINE.replace("packages:\n    - name: alpha", "full: true"));
    let lost = &world.red.related()[4];
    let at = world.place.destination(&lost.repository).unwrap();
    at.delete_manifest(lost.content.digest()).await.unwrap();
    world.mirror("--retry-times 0").assert_code(4);
    assert_eq!(world.index("ns").await, None);
    world.mirror("--retry-times 0 --push-incomplete-catalog").assert_code(4);
    let listed = world.listed("--catalog NEAR/ns/index:latest --package alpha --channel stable");
    assert_eq!(listed.out, "VERSIONS\n1.2.0\n");
    assert!(world.world.read(SOURCE).contains("extractContent"));
}

/// Only catalogs are named so.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_no_directory_of_files() {
    let world = world().await;
    world.world.write_config("  additionalImages:\n  - name: dir://mine/index\n");
    world.mirror("").assert_code(8);
}
