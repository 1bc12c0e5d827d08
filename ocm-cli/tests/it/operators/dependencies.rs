//! What bundles require, while they are mirrored.

use ocm_testkit::Catalog;
use serde_json::Value;

use super::CatalogWorld;
use crate::world::INSECURE;

const TAG: &str = "v1";

/// Alpha requires beta, which requires gamma; delta requires what nobody has.
async fn world() -> CatalogWorld {
    CatalogWorld::with(|catalog: Catalog| {
        let red = catalog
            .clone()
            .with_package("alpha", &[("stable", &["1.0.0", "1.1.0"])])
            .with_requirement("beta", ">=2.0.0 <3.0.0")
            .with_package("beta", &[("stable", &["1.9.0", "2.0.0"]), ("fast", &["2.0.0", "3.0.0"])])
            .with_requirement("gamma", ">=1.0.0")
            .with_package("gamma", &[("stable", &["1.0.0", "1.1.0"])])
            .made("red/index", TAG);
        let blue = catalog
            .with_package("delta", &[("stable", &["4.0.0"])])
            .with_requirement("omega", ">=1.0.0")
            .made("blue/index", TAG);
        (red, blue)
    })
    .await
}

/// Returns the packages of a catalog at the destination, each with its versions.
fn packages(world: &CatalogWorld, catalog: &str) -> Vec<String> {
    let catalog = format!("--catalog NEAR/ns/{catalog}:{TAG}");
    let listed = world.list_json(&catalog);
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    let names = listed["packages"].as_array().unwrap().iter().map(name);
    names
        .map(|name| {
            let words = format!("{catalog} --package {name} --channel stable");
            let versions = world.list(&words);
            format!("{name}: {}", versions.lines().skip(1).collect::<Vec<_>>().join(" "))
        })
        .collect()
}

const CONFIG: &str = "  operators:
  - catalog: FAR/red/index:v1
    packages: [{name: alpha}]
  - catalog: FAR/blue/index:v1
    packages: [{name: delta}]
";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_required_is_added_on_demand() {
    let world = world().await;
    world.world.write_config(CONFIG);
    let said = world.mirror("");
    said.assert_code(0);
    said.assert_says(
        "bundle `alpha.v1.1.0` of package `alpha` requires package `beta` >=2.0.0 <3.0.0",
    );
    said.assert_says("bundle `delta.v4.0.0` of package `delta` requires package `omega` >=1.0.0");
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2);
    assert_eq!(packages(&world, "red/index"), ["alpha: 1.1.0"]);

    let said = world.mirror("--include-dependencies");
    said.assert_code(0);
    said.assert_says(
        "added bundle `beta.v2.0.0` of package `beta`, channel `stable`: bundle `alpha.v1.1.0`",
    );
    said.assert_says(
        "added bundle `gamma.v1.1.0` of package `gamma`, channel `stable`: bundle `beta.v2.0.0`",
    );
    said.assert_says("bundle `delta.v4.0.0` of package `delta` requires package `omega` >=1.0.0");
    let unmet = |line: &&str| line.contains("requires package `beta`") && !line.contains("added");
    assert_eq!(said.out.lines().chain(said.err.lines()).find(unmet), None);
    assert_eq!(world.there(&world.red, "ns").await, 1 + 2 * 3);
    let closed = ["alpha: 1.1.0", "beta: 2.0.0", "gamma: 1.1.0"];
    assert_eq!(packages(&world, "red/index"), closed);
    assert_eq!(packages(&world, "blue/index"), ["delta: 4.0.0"]);

    // What was added is in the archive, and nobody adds anything on the far side.
    let words = format!("-c isc.yaml {INSECURE} --include-dependencies file://disk");
    world.world.run(&words).assert_code(0);
    let words = format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/carried");
    world.world.run(&words).assert_code(0);
    assert_eq!(world.there(&world.red, "carried").await, 1 + 2 * 3);
    assert_eq!(world.find("carried/red/index", TAG).await, world.find("ns/red/index", TAG).await);
}
