//! The image of the update graph: where it is built from, and where it goes.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _, path::Path};

use ocm_mirror::{Below, Collected, GraphData, ImageFiles, RetryPolicy};

use super::*;

const WITH_GRAPH: &str = "  platform:
    graph: true
    channels:
    - name: stable-4.18
      minVersion: 4.18.1
      maxVersion: 4.18.4
";

/// Publishes an image to build upon.
async fn publish_base(world: &ReleaseWorld) {
    let base = ocm_testkit::Upstream::of(&crate::world::SHAPE, 5).published()[0].content.clone();
    put(&Published::tagged("ubi9/ubi", "latest", base), &world.place).await;
}

/// What an update server has beside its graph.
fn graph_data() -> Vec<u8> {
    let files = ocm_testkit::Files::default()
        .with("channels/stable-4.18.yaml", "name: stable-4.18\n")
        .with("version", "1.2.0\n");
    ocm_testkit::Blob::files(&files).chunks().collect::<Vec<_>>().concat()
}

/// The graph image goes every way, and the update service is told of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_update_graph_comes_along() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    publish_base(&world).await;
    world.updates.set_data(graph_data());
    world.world.write_config(WITH_GRAPH);
    let base = "--graph-base-image FAR/ubi9/ubi:latest";
    world.mirror(base).assert_code(0);
    let at = world.world.memory.source(&"ns/openshift/graph-image".parse().unwrap());
    let latest = TagOrDigest::Tag("latest".parse().unwrap());
    let direct = at.head(&latest).await.unwrap().unwrap().digest;
    let service = world.world.read("w/working-dir/cluster-resources/updateService.yaml");
    for line in [
        "graphDataImage: NEAR/ns/openshift/graph-image:latest",
        "releases: NEAR/ns/openshift/release-images",
    ] {
        assert!(service.contains(line), "{service}");
    }
    let sets = world.world.read("w/working-dir/cluster-resources/idms-oc-mirror.yaml");
    assert!(!sets.contains("graph-image"), "{sets}");
    // Over an archive it is the same image.
    world.run(&format!("-c isc.yaml {INSECURE} {base} file://disk")).assert_code(0);
    let words = format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/carried");
    world.run(&words).assert_code(0);
    let at = world.world.memory.source(&"carried/openshift/graph-image".parse().unwrap());
    assert_eq!(at.head(&latest).await.unwrap().unwrap().digest, direct);
    let left = names(&world.world.path("w/working-dir"));
    assert!(!left.iter().any(|name| name.starts_with(".built")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graph_image_that_cannot_be_built_says_what_to_do() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.world.write_config(WITH_GRAPH);
    let base = "--graph-base-image FAR/ubi9/ubi:latest";
    let said = world.mirror(base);
    said.assert_code(2);
    said.assert_says("/graph-data");
    world.updates.set_data(graph_data());
    let said = world.mirror(base);
    said.assert_code(2);
    said.assert_says("--graph-base-image");
    // Nothing else suffers.
    world.assert_there(4).await;
}

/// The graph image that is there, by its digest.
async fn graph_image(world: &ReleaseWorld, under: &str) -> ocm_oci::Digest {
    let repository = format!("{under}/openshift/graph-image").parse().unwrap();
    let at = world.world.memory.source(&repository);
    let latest = TagOrDigest::Tag("latest".parse().unwrap());
    at.head(&latest).await.unwrap().expect("there is no graph image").digest
}

/// In an enclave nobody publishes the data, and nothing is there to build upon.
#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_graph_image_is_enough_for_the_next() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    publish_base(&world).await;
    world.updates.set_data(graph_data());
    let base = "--graph-base-image FAR/ubi9/ubi:latest";
    // The archive that was carried over has fewer releases, and their signatures.
    world.world.write_config(&WITH_GRAPH.replace("maxVersion: 4.18.4", "maxVersion: 4.18.1"));
    world.run(&format!("-c isc.yaml {INSECURE} {base} file://disk")).assert_code(0);
    world.run(&format!("-c isc.yaml {INSECURE} --from disk docker://NEAR/old")).assert_code(0);
    world.world.write_config(WITH_GRAPH);
    world.mirror(base).assert_code(0);
    let (old, direct) = (graph_image(&world, "old").await, graph_image(&world, "ns").await);
    assert_ne!(old, direct);

    world.updates.set_data(Vec::new());
    fs::write(world.world.path("data.tar.gz"), graph_data()).unwrap();
    let ways = [
        format!("--graph-data data.tar.gz {base}"),
        format!("--graph-data file://disk {base}"),
        "--graph-data disk/mirror_000001.tar".to_owned(),
        "--graph-data file://disk".to_owned(),
        "--graph-data docker://NEAR/old/openshift/graph-image:latest".to_owned(),
        "--graph-data docker://NEAR/ns/openshift/graph-image:latest".to_owned(),
    ];
    let base = "ubi9/ubi".parse().unwrap();
    for (nth, way) in ways.iter().enumerate() {
        let workspace = format!("-c isc.yaml --workspace file://w{nth} {INSECURE}");
        world.run(&format!("{workspace} {way} docker://NEAR/n{nth}")).assert_code(0);
        assert_eq!(graph_image(&world, &format!("n{nth}")).await, direct, "{way}");
        if nth == 1 {
            let latest = "latest".parse().unwrap();
            world.place.destination(&base).unwrap().delete_tag(&latest).await.unwrap();
        }
    }
    // And through another archive, which needs neither.
    let way = &ways[3];
    world.run(&format!("-c isc.yaml {INSECURE} {way} file://next")).assert_code(0);
    let words = format!("-c isc.yaml {INSECURE} {way} --from next docker://NEAR/far");
    let said = world.run(&words);
    said.assert_code(0);
    said.assert_says("without effect here: --graph-data");
    assert_eq!(graph_image(&world, "far").await, direct);
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_data_that_is_not_where_it_should_be_is_told() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    publish_base(&world).await;
    world.world.write_config(&WITH_GRAPH.replace("graph: true", "graph: false"));
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    world.world.write_config(WITH_GRAPH);
    fs::write(world.world.path("page.html"), "<html>").unwrap();
    let table = [
        ("--graph-data file://disk", "the image is not in the archive"),
        ("--graph-data nowhere", "No such file"),
        ("--graph-data page.html", "page.html"),
        ("--graph-data docker://FAR/ubi9/ubi:latest", "no directory `channels`"),
        ("--graph-data docker://FAR/no/such:latest", "no/such"),
    ];
    for (way, told) in table {
        let said = world.mirror(way);
        said.assert_code(2);
        said.assert_says("could not read the data of the update graph from `");
        said.assert_says(told);
        world.assert_there(4).await;
    }
    let said = world.mirror("--graph-data ftp://host/x");
    said.assert_says("write `https://…`, a file, the directory of an archive, or `docker://IMAGE`");
}

/// Reads files of the graph image that is there.
async fn files_of_image(world: &ReleaseWorld, below: &str) -> BTreeMap<String, bytes::Bytes> {
    let at = world.world.memory.source(&"ns/openshift/graph-image".parse().unwrap());
    let latest = TagOrDigest::Tag("latest".parse().unwrap());
    let image = ImageFiles::open(at, &latest, RetryPolicy::default()).await.unwrap();
    let seen = image.read(&Below::new(below), Collected::all(1 << 30)).await.unwrap();
    seen.visitor.into_files()
}

fn write_all(directory: &Path, files: &BTreeMap<String, bytes::Bytes>) {
    for (name, bytes) in files {
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
}

/// The program that the tests are of is linked as the tests are.
#[tokio::test(flavor = "multi_thread")]
async fn upon_nothing_the_program_itself_copies_the_data() {
    let world = ReleaseWorld::new(&ReleaseSigner::trusted()).await;
    world.updates.set_data(graph_data());
    world.world.write_config(WITH_GRAPH);
    let said = world.mirror("--graph-base-image scratch");
    if cfg!(not(target_feature = "crt-static")) {
        said.assert_code(2);
        said.assert_says("it is not linked statically");
        said.assert_says("--graph-base-image");
        return;
    }
    said.assert_code(0);
    let directory = world.world.path("init");
    write_all(&directory, &files_of_image(&world, "usr/bin").await);
    let data = files_of_image(&world, GraphData::HELD).await;
    assert!(data.len() > 4, "channels, version and four signatures: {:?}", data.keys());
    write_all(&directory.join("held"), &data);
    let program = directory.join("ocm");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    copy(&program, &directory);
    for (name, bytes) in data {
        assert_eq!(fs::read(directory.join("wanted").join(&name)).unwrap(), bytes, "{name}");
    }
}

/// Does what the image does, between other directories.
fn copy(program: &Path, directory: &Path) {
    let mut command = std::process::Command::new(program);
    let ends = ["--from", "held", "--to", "wanted"];
    let command = command.env_clear().current_dir(directory).args(GraphData::COPY_WORDS).args(ends);
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn data_is_copied_over_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let program = assert_cmd::cargo::cargo_bin!("ocm");
    let file = |name: &str, text: &'static str| (name.to_owned(), bytes::Bytes::from(text));
    let held = [file("version", "2"), file("channels/a", "A"), file("signatures/sha256/f/1", "S")];
    write_all(&directory.path().join("held"), &held.clone().into());
    write_all(&directory.path().join("wanted"), &[file("version", "1")].into());
    copy(program, directory.path());
    for (name, bytes) in held {
        assert_eq!(fs::read(directory.path().join("wanted").join(name)).unwrap(), bytes);
    }
    let missing = Said::new(
        std::process::Command::new(program)
            .env_clear()
            .args(["graph", "copy-data", "--from", "/no/such", "--to"])
            .arg(directory.path().join("new"))
            .output()
            .unwrap(),
    );
    missing.assert_code(1);
    missing.assert_says("could not read `/no/such`");
}
