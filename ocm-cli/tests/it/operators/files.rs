//! What catalogs have in them that is not as it should be.

use ocm_testkit::{Catalog, MadeCatalog, Naming};

use super::CatalogWorld;

const ALPHA: &str =
    "  operators:\n  - catalog: FAR/red/index:v1\n    packages:\n    - name: alpha\n";

async fn world(make: impl FnOnce(Catalog) -> Catalog) -> CatalogWorld {
    let stable: &[(&str, &[&str])] = &[("stable", &["1.0.0", "1.1.0"])];
    CatalogWorld::with(|catalog| {
        let red = make(catalog.clone().with_package("alpha", stable)).made("red/index", "v1");
        let blue: MadeCatalog = catalog.with_package("beta", stable).made("blue/index", "v1");
        (red, blue)
    })
    .await
}

/// Hidden files of images are read as those of directories are.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_a_catalogs_image_says_to_ignore_are_ignored() {
    let again = r#"{"schema": "olm.package", "name": "alpha", "defaultChannel": "stable"}"#;
    let draft = "alpha/drafts/old.json";
    let read = world(|catalog| catalog.with_file(draft, again)).await;
    read.world.write_config(ALPHA);
    read.mirror("").assert_code(4);
    let ignored = |catalog: Catalog| {
        catalog.with_file(draft, again).with_file("alpha/.indexignore", "drafts/\n")
    };
    let ignored = world(ignored).await;
    ignored.world.write_config(ALPHA);
    ignored.mirror("").assert_code(0);
    assert!(ignored.find("ns/red/index", "v1").await.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn names_without_an_image_are_told() {
    let world = world(|catalog| catalog.with_naming(Naming::Nothing)).await;
    world.world.write_config(&ALPHA.replace("packages:\n    - name: alpha", "full: true"));
    let said = world.mirror("");
    said.assert_code(0);
    said.assert_says(
        "red/index:v1: there are names without an image, which are passed over: bundle \
         `alpha.v1.0.0` of package `alpha` lists no image for `operator`; and 1 more",
    );
}
