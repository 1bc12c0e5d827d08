//! Catalogs in directories, however their images are listed there.

use std::{fs, path::Path};

use ocm_oci::{Digest, RepoName, TagOrDigest};
use ocm_testkit::{Content, Format, MadeCatalog};
use ocm_transport::{Transport as _, layout::OciLayout};
use serde_json::Value;

use super::{CatalogWorld, lay_out};
use crate::world::INSECURE;

/// Lists images in a directory, in this order.
pub(super) async fn list(images: &[Content], directory: &Path) {
    let layout = OciLayout::create(directory).await.unwrap();
    let at = layout.destination(&"index".parse::<RepoName>().unwrap()).unwrap();
    for image in images {
        image.push(&*at, None).await.unwrap();
    }
    let entries: Vec<_> = images.iter().map(Content::descriptor).collect();
    let index = serde_json::json!({ "schemaVersion": 2, "manifests": entries });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
}

impl CatalogWorld {
    /// Returns the architectures of the image that a catalog's tag leads to, by name.
    async fn architectures(&self, repository: &str, tag: &str) -> Vec<String> {
        let at = self.world.memory.source(&repository.parse::<RepoName>().unwrap());
        let tag = TagOrDigest::Tag(tag.parse().unwrap());
        let index = at.manifest(&tag, 1 << 20).await.unwrap();
        let index: Value = serde_json::from_slice(index.bytes()).unwrap();
        let listed = index["manifests"].as_array().unwrap();
        let name = |entry: &Value| entry["platform"]["architecture"].as_str().unwrap().to_owned();
        let mut names: Vec<_> = listed.iter().map(name).collect();
        names.sort();
        names
    }

    pub(super) fn select(&self, catalog: &str, more: &str) {
        self.world.write_config(&format!("  operators:\n  - catalog: {catalog}\n    {more}\n"));
    }

    /// Mirrors from registry to registry and over an archive; returns the digest, if it is the
    /// same, of what has the tag in a repository.
    pub(super) async fn both_ways(&self, repository: &str, tag: &str) -> Digest {
        self.mirror("").assert_code(0);
        let direct = self.find(&format!("ns/{repository}"), tag).await.unwrap();
        self.world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
        let words = format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/carried");
        self.world.run(&words).assert_code(0);
        assert_eq!(self.find(&format!("carried/{repository}"), tag).await, Some(direct.clone()));
        direct
    }
}

/// One image for each platform and no index is one image; so is an index that stands beside them.
#[tokio::test(flavor = "multi_thread")]
async fn images_of_several_platforms_are_one_catalog() {
    let world = CatalogWorld::new().await;
    lay_out(&world.red, &world.world.path("parts")).await;
    world.select("oci://parts", "packages: [{name: gamma}]");
    let cut = world.both_ways("parts", "latest").await;
    assert_eq!(world.architectures("ns/parts", "latest").await, ["amd64", "arm64"]);
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2);

    world.select("oci://parts", "full: true");
    let whole = world.both_ways("parts", "latest").await;
    assert_ne!(whole, cut);
    assert_eq!(world.architectures("ns/parts", "latest").await, ["amd64", "arm64"]);
    assert_eq!(world.there(&world.red, "ns").await, world.red.related().len());

    let index = &world.red.image().content;
    let all: Vec<_> = index.children().iter().cloned().chain([index.clone()]).collect();
    list(&all, &world.world.path("beside")).await;
    world.select("oci://beside", "full: true");
    assert_eq!(world.both_ways("beside", "latest").await, *index.digest());
    world.select("oci://beside", "packages: [{name: gamma}]");
    world.both_ways("beside", "latest").await;
    assert_eq!(world.architectures("ns/beside", "latest").await, ["amd64", "arm64"]);
}

/// Two versions of a catalog are not two platforms of one.
#[tokio::test(flavor = "multi_thread")]
async fn images_of_one_platform_are_told_apart_by_their_digest() {
    let world = CatalogWorld::new().await;
    let older = older(&world.blue);
    list(&[older.clone(), world.blue.image().content.clone()], &world.world.path("two")).await;
    world.world.write_config(
        "  operators:\n  - catalog: oci://two\n    full: true\n  - catalog: \
         FAR/redhat/redhat-operator-index:v4.18\n    packages: [{name: gamma}]\n",
    );
    let said = world.mirror("");
    said.assert_code(4);
    said.assert_says("holds 2 images");
    said.assert_says(&format!("`@{}`", older.digest()));
    said.assert_says(&format!("`@{}`", world.blue.image().content.digest()));
    assert!(world.find("ns/redhat/redhat-operator-index", "v4.18").await.is_some());
    assert!(world.find("ns/two", "latest").await.is_none());

    let blue = world.blue.image().content.digest();
    world.select(&format!("oci://two@{blue}"), "full: true");
    assert_eq!(world.both_ways("two", "latest").await, *blue);
}

/// Makes another image for the same platform.
fn older(catalog: &MadeCatalog) -> Content {
    let settings = ocm_testkit::Settings::named("older");
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let layer = ocm_testkit::Blob::layer(catalog.related().len() as u64, 4000);
    Content::configured(Format::Oci, &platform, &settings, vec![layer])
}

/// A path is relative to where the configuration lies, wherever the program runs.
#[tokio::test(flavor = "multi_thread")]
async fn paths_are_relative_to_the_configuration() {
    let world = CatalogWorld::new().await;
    fs::create_dir_all(world.world.path("etc/mirror")).unwrap();
    let blue = world.world.path("etc/.hidden/blue");
    list(&[world.blue.image().content.clone()], &blue).await;
    world.select("oci://../.hidden/blue", "packages: [{name: delta}]");
    fs::rename(world.world.path("isc.yaml"), world.world.path("etc/mirror/isc.yaml")).unwrap();
    let words = format!("-c etc/mirror/isc.yaml {INSECURE} --workspace file://w docker://NEAR/ns");
    world.world.run(&words).assert_code(0);
    assert!(world.find("ns/blue", "latest").await.is_some());
    let words = format!("-c etc/mirror/isc.yaml {INSECURE} file://disk");
    world.world.run(&words).assert_code(0);
    // On the far side there is no such directory.
    fs::remove_dir_all(&blue).unwrap();
    let words = format!("-c etc/mirror/isc.yaml {INSECURE} --from disk docker://NEAR/carried");
    world.world.run(&words).assert_code(0);
    assert_eq!(world.find("carried/blue", "latest").await, world.find("ns/blue", "latest").await);
}
