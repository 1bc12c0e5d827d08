//! The three ways.

use std::{fs, sync::Arc};

use ocm_testkit::{Loopback, Upstream};
use ocm_transport::{Transport as _, layout::OciLayout};

use crate::world::{INSECURE, World, names};

#[tokio::test(flavor = "multi_thread")]
async fn from_registry_to_registry() {
    let world = World::new().await;
    let said = world.mirror("--v2 --port 5001");
    said.assert_code(0);
    world.assert_mirrored().await;
    let lines = said.lines();
    for line in [
        "📌 images to copy 3",
        "=== Results ===",
        " ✓  3 / 3 additional images mirrored successfully",
        "without effect here: --port",
        "cluster resources: w/working-dir/cluster-resources",
        "next: oc apply -f w/working-dir/cluster-resources",
    ] {
        assert!(lines.contains(&line), "no line `{line}` in\n{}", said.out);
    }
    said.assert_says("Success copying");
    assert_eq!(names(&world.path("w/working-dir")), ["cluster-resources", "logs", "mapping.txt"]);
    assert_eq!(
        world.read("w/working-dir/mapping.txt").lines().next().unwrap(),
        "docker://FAR/bench/app-0000:v1=docker://NEAR/ns/bench/app-0000:v1"
    );
    let resources = world.read("w/working-dir/cluster-resources/itms-oc-mirror.yaml");
    assert!(resources.contains("source: FAR/bench") && resources.contains("- NEAR/ns/bench"));
    let log = world.only("w/working-dir/logs", "oc-mirror-").unwrap();
    let log = world.read(&log);
    assert!(log.lines().next().unwrap().contains("ocm v"), "{log}");
    assert!(log.trim_end().ends_with(lines.last().unwrap()), "{log}");
    assert!(!log.contains('\u{1b}') && !said.out.contains('\u{1b}'));
    assert_eq!(world.only("w/working-dir/logs", "mirroring_errors_"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_finds_everything_there() {
    let world = World::new().await;
    world.mirror("").assert_code(0);
    world.far.faults().take_log();
    let again = world.mirror("");
    again.assert_code(0);
    again.assert_says("3 already there");
    again.assert_says(" ✓  3 / 3 additional images mirrored successfully");
    let log = world.far.faults().take_log();
    assert!(log.iter().all(|request| !request.path.contains("/blobs/")), "{log:?}");
    let resources = world.read("w/working-dir/cluster-resources/itms-oc-mirror.yaml");
    assert!(
        resources.contains("source: FAR/bench"),
        "resources speak of what was there before too"
    );
    assert_eq!(world.read("w/working-dir/mapping.txt").lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn to_disk_and_from_disk_wherever_it_was_carried() {
    let world = World::new().await;
    let said = world.run(&format!("-c isc.yaml {INSECURE} file://disk/"));
    said.assert_code(0);
    assert_eq!(names(&world.path("disk")), ["mirror_000001.tar", "working-dir"]);
    assert_eq!(names(&world.path("disk/working-dir")), ["logs", "mapping.txt"]);
    said.assert_says("next: carry disk/ across");
    said.assert_says("1 volume");
    // Only the archive crosses the gap.
    fs::create_dir(world.path("usb")).unwrap();
    fs::rename(world.path("disk/mirror_000001.tar"), world.path("usb/mirror_000001.tar")).unwrap();
    for from in ["file://usb/", "usb", "usb/mirror_000001.tar"] {
        let said = world.run(&format!("-c isc.yaml {INSECURE} --from {from} docker://NEAR/ns"));
        said.assert_code(0);
        said.assert_says(" ✓  3 / 3 additional images mirrored successfully");
        said.assert_says("next: oc apply -f usb/working-dir/cluster-resources");
    }
    world.assert_mirrored().await;
    let elsewhere = "--from usb --workspace file://w/working-dir";
    let said = world.run(&format!("-c isc.yaml {INSECURE} {elsewhere} docker://NEAR/ns"));
    said.assert_code(0);
    assert!(world.path("w/working-dir/mapping.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_is_the_same_archive() {
    let world = World::new().await;
    let archive = |directory: &str| {
        world.run(&format!("-c isc.yaml {INSECURE} file://{directory}")).assert_code(0);
        fs::read(world.path(directory).join("mirror_000001.tar")).unwrap()
    };
    assert!(archive("one") == archive("two"), "two archives of one content differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_what_would_be_and_copies_nothing() {
    let world = World::new().await;
    let said = world.mirror("--dry-run");
    said.assert_code(0);
    said.assert_says("nothing was copied");
    said.assert_says("3 images");
    let directory = world.path("w/working-dir/dry-run");
    assert_eq!(names(&directory), ["itms-oc-mirror.yaml", "mapping.txt", "missing.txt"]);
    let mapping = world.read("w/working-dir/dry-run/mapping.txt");
    assert_eq!(mapping, world.read("w/working-dir/dry-run/missing.txt"));
    assert_eq!(mapping.lines().count(), 3);
    assert!(!world.path("w/working-dir/cluster-resources").exists());
    let to_disk = world.run(&format!("-c isc.yaml {INSECURE} --dry-run file://disk"));
    to_disk.assert_code(0);
    assert!(!world.path("disk/mirror_000001.tar").exists());
    let mapping = world.read("disk/working-dir/dry-run/mapping.txt");
    assert!(mapping.starts_with("docker://FAR/bench/app-0000:v1=file://bench/app-0000:v1\n"));
    world.mirror("").assert_code(0);
    world.mirror("--dry-run").assert_code(0);
    assert_eq!(names(&directory), ["itms-oc-mirror.yaml", "mapping.txt", "missing.txt"]);
    assert_eq!(world.read("w/working-dir/dry-run/missing.txt"), "", "nothing is missing now");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_can_be_cut() {
    let world = World::new().await;
    world.mirror("--max-nested-paths 2").assert_code(0);
    let mapping = world.read("w/working-dir/mapping.txt");
    assert!(mapping.contains("=docker://NEAR/ns/bench-app-0000:v1\n"), "{mapping}");
    let resources = world.read("w/working-dir/cluster-resources/itms-oc-mirror.yaml");
    assert!(resources.contains("source: FAR/bench/app-0000"), "{resources}");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocked_images_are_named_and_left_out() {
    let world = World::new().await;
    world.configure("  blockedImages:\n  - name: app-0001\n");
    let said = world.mirror("");
    said.assert_code(0);
    said.assert_says(" ✓  2 / 2 additional images mirrored successfully");
    assert!(world.tidy(&said.out).contains("Blocked by blockedImages: FAR/bench/app-0001:v1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_get_objects_and_nothing_else() {
    let world = World::new().await;
    let said = world.mirror("--log-format json --log-level debug");
    said.assert_code(0);
    let mut events = Vec::new();
    for line in said.out.lines().chain(said.err.lines()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["time"].is_string() && object["level"].is_string(), "{line}");
        events.extend(object["event"].as_str().map(str::to_owned));
    }
    events.dedup();
    for event in ["plan", "began", "blob", "image", "report"] {
        assert!(events.iter().any(|told| told == event), "no `{event}` among {events:?}");
    }
    let report = said.out.lines().find(|line| line.contains("\"event\":\"report\"")).unwrap();
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    assert_eq!(report["report"]["groups"]["additional"]["done"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_is_quiet() {
    let world = World::new().await;
    let said = world.mirror("--log-level error");
    said.assert_code(0);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_of_parallel_work_are_taken() {
    let world = World::new().await;
    world.mirror("--parallel-images 1 --parallel-layers 1").assert_code(0);
    world.assert_mirrored().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_can_list_what_an_index_names() {
    let world = World::new().await;
    let upstream = Upstream::demo();
    let index = upstream.published().iter().find(|one| one.repository.as_str() == "library/alpine");
    let index = index.unwrap().clone();
    let far = Loopback::serve(Arc::new(upstream)).await.unwrap();
    let name = index.reference(&far.host()).unwrap();
    world.write_config(&format!("  additionalImages:\n  - name: {}\n", name.as_written()));
    world.mirror("--dry-run-manifest-lists").assert_code(0);
    let mapping = world.read("w/working-dir/dry-run/mapping.txt");
    let mapping = mapping.replace(far.host().as_str(), "UP");
    let lines: Vec<_> = mapping.lines().collect();
    assert_eq!(lines.len(), 4, "{mapping}");
    assert_eq!(lines[0], "docker://UP/library/alpine:3.20=docker://NEAR/ns/library/alpine:3.20");
    for line in &lines[1..] {
        let (source, destination) = line.split_once('=').unwrap();
        let (name, digest) = source.split_once('@').unwrap();
        assert_eq!(name, "docker://UP/library/alpine:3.20");
        assert_eq!(destination, format!("docker://NEAR/ns/library/alpine@{digest}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_can_be_a_directory_beside_the_configuration() {
    let world = World::new().await;
    let layout = OciLayout::create(&world.path("layouts/app")).await.unwrap();
    let image = &world.upstream.published()[0];
    let there = layout.destination(&image.repository).unwrap();
    image.content.push(&*there, image.tag.as_ref()).await.unwrap();
    world.write_config(
        "  additionalImages:\n  - name: oci://layouts/app\n    targetRepo: apps/app\n\
         \x20 - name: oci://layouts/none\n",
    );
    let said = world.mirror("");
    said.assert_code(8);
    said.assert_says("Failed to copy generic oci://layouts/none: ");
    assert_eq!(
        world.read("w/working-dir/mapping.txt"),
        "oci://layouts/app=docker://NEAR/ns/apps/app:latest\n"
    );
}
