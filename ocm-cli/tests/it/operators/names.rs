//! What catalogs are called, on either side.

use ocm_testkit::{Blob, Content, Format, Published, Settings};

use super::CatalogWorld;
use crate::world::{names, put};

const RED: &str = "redhat/redhat-operator-index";

/// By its digest alone, a catalog is called by the digest that it has at the destination.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_is_named_by_tag_digest_or_both() {
    let world = CatalogWorld::new().await;
    let digest = world.red.image().content.digest();
    let whole = ocm_oci::Tag::of_digest(digest);
    world.select(&format!("FAR/{RED}@{digest}"), "full: true");
    assert_eq!(world.both_ways(RED, whole.as_str()).await, *digest);

    world.select(&format!("FAR/{RED}@{digest}"), "packages: [{name: gamma}]");
    world.mirror("").assert_code(0);
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    let source = resources.iter().find(|name| name.starts_with("cs-")).unwrap();
    let source = world.world.read(&format!("w/working-dir/cluster-resources/{source}"));
    let (_, image) = source.split_once(&format!("image: NEAR/ns/{RED}:")).unwrap();
    let tag = image.split_whitespace().next().unwrap();
    let cut = world.both_ways(RED, tag).await;
    assert_ne!(cut, *digest);
    assert_eq!(ocm_oci::Tag::of_digest(&cut).as_str(), tag);

    // The tag beside a digest is only a name: it leads to something else by now.
    let other = world.blue.image().content.clone();
    put(&Published::tagged(RED, "v4.18", other), &world.place).await;
    world.select(&format!("FAR/{RED}:v4.18@{digest}"), "packages: [{name: gamma}]");
    assert_eq!(world.both_ways(RED, "v4.18").await, cut);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_goes_where_it_is_told_to() {
    let world = CatalogWorld::new().await;
    let more = "packages: [{name: gamma}]\n    targetCatalog: team/ours\n    targetTag: v1.0";
    world.select(&format!("FAR/{RED}:v4.18"), more);
    world.both_ways("team/ours", "v1.0").await;
    assert!(world.find(&format!("ns/{RED}"), "v4.18").await.is_none());
    let resources = names(&world.world.path("w/working-dir/cluster-resources"));
    let expected = ["cc-ours-v1-0.yaml", "cs-ours-v1-0.yaml", "idms-oc-mirror.yaml"];
    assert_eq!(resources, expected);
    let source = world.world.read("w/working-dir/cluster-resources/cs-ours-v1-0.yaml");
    assert!(source.contains("image: NEAR/ns/team/ours:v1.0\n"), "{source}");

    super::layouts::list(
        &[world.blue.image().content.clone()],
        &world.world.path("catalog-on-disk"),
    )
    .await;
    let more = "full: true\n    targetCatalog: coffee-shop-index\n    targetTag: v2";
    world.select("oci://catalog-on-disk", more);
    assert_eq!(
        world.both_ways("coffee-shop-index", "v2").await,
        *world.blue.image().content.digest()
    );
    let digest = world.red.image().content.digest();
    world.select(
        &format!("FAR/{RED}@{digest}"),
        "packages: [{name: gamma}]\n    targetTag: v4.18-1",
    );
    world.both_ways(RED, "v4.18-1").await;
}

/// What is no catalog, or of the old kind, says so, and harms nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_catalog_harms_no_other() {
    let world = CatalogWorld::new().await;
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let layers = vec![Blob::layer(3, 3000)];
    let image = |settings: &Settings| {
        Content::configured(Format::Docker, &platform, settings, layers.clone())
    };
    let database = "operators.operatorframework.io.index.database.v1";
    let old = image(&Settings::named("old").with_label(database, "/database/index.db"));
    put(&Published::tagged("old/index", "v4.5", old), &world.place).await;
    put(&Published::tagged("team/app", "v1", image(&Settings::named("app"))), &world.place).await;
    let configs = "operators.operatorframework.io.index.configs.v1";
    let empty = image(&Settings::named("empty").with_label(configs, "/configs"));
    put(&Published::tagged("empty/index", "v1", empty), &world.place).await;
    world.world.write_config(
        "  operators:\n  - catalog: FAR/old/index:v4.5\n  - catalog: FAR/team/app:v1\n  - catalog: \
         FAR/empty/index:v1\n    full: true\n  - catalog: FAR/community/index:v1\n    packages: \
         [{name: delta}]\n",
    );
    let said = world.mirror("");
    said.assert_code(4);
    // Several are read at once, and told of in the order of the configuration.
    let mut rest = said.out.as_str();
    for what in [
        "is a data base (sqlite), which is not supported",
        "it lacks the label `operators.operatorframework.io.index.configs.v1`",
        "has no files in its directory `/configs`",
    ] {
        said.assert_says(what);
        rest = rest.split_once(what).unwrap().1;
    }
    assert!(world.find("ns/community/index", "v1").await.is_some());
    for absent in ["ns/old/index", "ns/team/app", "ns/empty/index"] {
        for tag in ["v4.5", "v1"] {
            assert_eq!(world.find(absent, tag).await, None, "{absent}");
        }
    }
}
