//! What registries, disks and archives can do wrong: named, survived, and nothing corrupt is left.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::symlink,
    sync::Arc,
};

use http::{Method, StatusCode};
use ocm_testkit::faults::{Fault, FaultRegistry, Rule};
use ocm_transport::Memory;

use crate::world::{INSECURE, World};

const FAST: &str = "--retry-times 1 --retry-delay 1ms";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_is_gone_on_with() {
    let world = World::new().await;
    let fault = Fault::Truncate { after: 1000 };
    let rule = Rule::new(fault).on(Method::GET).path("/app-0001/blobs/").times(1);
    world.far.faults().add(rule);
    world.mirror(FAST).assert_code(0);
    world.assert_mirrored().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_always_ends_early_costs_one_image() {
    let world = World::new().await;
    let rule = Rule::new(Fault::Truncate { after: 0 }).on(Method::GET).path("/app-0001/blobs/");
    world.far.faults().add(rule);
    let said = world.mirror(FAST);
    said.assert_code(8);
    said.assert_says(" ✗  2 / 3 additional images mirrored");
    said.assert_says("bench/app-0001");
}

/// A destination that may be read and not written.
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_pushes_is_told() {
    let world = World::new().await;
    let near = FaultRegistry::serve(Arc::new(Memory::default())).await.unwrap();
    for method in [Method::POST, Method::PUT] {
        near.faults().add(Rule::new(Fault::status(StatusCode::FORBIDDEN)).on(method));
    }
    let to = near.host();
    let said =
        world.run(&format!("-c isc.yaml --workspace file://w {INSECURE} {FAST} docker://{to}/ns"));
    said.assert_code(8);
    said.assert_says(" ✗  0 / 3 additional images mirrored");
    said.assert_says("podman login");
    assert!(!world.path("w/working-dir/cluster-resources/itms-oc-mirror.yaml").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_written_is_named() {
    let world = World::new().await;
    // A file where a directory has to be stops root, too.
    fs::write(world.path("disk"), "").unwrap();
    let said = world.run(&format!("-c isc.yaml {INSECURE} file://disk"));
    said.assert_code(1);
    assert!(said.err.contains("disk"), "{}", said.err);
    assert!(world.far.faults().log().is_empty(), "nothing was collected");
}

/// An archive of several volumes, and a registry that must see none of it.
async fn damaged(name: &str, damage: impl Fn(&World, &str)) -> (World, String) {
    let world = World::new().await;
    world.write_config(&format!(
        "  additionalImages:\n  - name: {}/bench/app-0000:v1\n",
        world.far.host()
    ));
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    damage(&world, name);
    let said =
        world.run(&format!("-c isc.yaml {INSECURE} {FAST} --from file://disk docker://NEAR/ns"));
    said.assert_code(1);
    assert!(said.err.contains(name), "{}", said.err);
    assert_eq!(world.memory.tally().stored, 0, "something was pushed of a damaged archive");
    (world, said.err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_is_cut_is_found_before_anything_is_pushed() {
    let (_, said) = damaged("mirror_000001.tar", |world, name| {
        let file = OpenOptions::new().write(true).open(world.path("disk").join(name)).unwrap();
        file.set_len(file.metadata().unwrap().len() - 512).unwrap();
    })
    .await;
    assert!(said.contains("help:"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_of_another_archive_is_found_before_anything_is_pushed() {
    damaged("mirror_000001.tar", |world, name| {
        let path = world.path("disk").join(name);
        let mut bytes = fs::read(&path).unwrap();
        // The first header's name: a member that leads out of the directory.
        bytes[..8].copy_from_slice(b"../../x\0");
        fs::write(path, bytes).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_is_a_symbolic_link_or_missing_is_refused() {
    let (world, _) = damaged("disk", |world, _| {
        fs::remove_file(world.path("disk/mirror_000001.tar")).unwrap();
    })
    .await;
    symlink("/dev/zero", world.path("disk/mirror_000001.tar")).unwrap();
    let said = world.run(&format!("-c isc.yaml {INSECURE} --from file://disk docker://NEAR/ns"));
    said.assert_code(1);
    assert!(said.err.contains("mirror_000001.tar"), "{}", said.err);
}
