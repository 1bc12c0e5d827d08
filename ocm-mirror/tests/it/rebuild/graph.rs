//! The image of the update graph.

use std::{fs, path::PathBuf};

use ocm_mirror::{Below, Copier, GraphData, GraphDataError, LayerFault, rebuild};
use ocm_testkit::{Blob, Content, Format, Published, Upstream};

use super::*;
use crate::layers::sheet::{Pack, Sheet};

fn data() -> Sheet {
    Sheet::default()
        .directory("./")
        .file("version", "1.1.0\n")
        .directory("channels")
        .file("channels/stable-4.16.yaml", "name: stable-4.16")
        .file("blocked-edges/4.16.1-x.yaml", "to: 4.16.1")
        .link("README", "version")
}

#[tokio::test]
async fn graph_data_is_put_upon_a_base_for_all_platforms() {
    let ubi = |architecture: &str| {
        let platform = ocm_oci::Platform::new("linux", architecture);
        let image = Content::image(Format::Docker, &platform, "ubi", vec![Blob::layer(1, 3000)]);
        (Some(platform), image)
    };
    let content = Content::index(Format::Docker, vec![ubi("amd64"), ubi("arm64")]);
    let root = content.manifest().clone();
    let base = Upstream::new(vec![Published::tagged("ubi9/ubi", "latest", content)])
        .source(&repository("ubi9/ubi"));
    let workshop = Workshop::new().await;
    let signatures =
        BTreeMap::from([(Digest::of(b"release"), vec![Bytes::from("one"), Bytes::from("two")])]);
    let graph = GraphData::unpack(&data().packed(Pack::Gzip)).unwrap();
    let change = graph.with_signatures(&signatures).change(&workshop.store).await.unwrap();
    let base =
        ocm_mirror::Base { source: base, root, platforms: PlatformFilter::All, retry: quick() };
    let built = rebuild(&base, &change, &workshop.store).await.unwrap();
    let overlay = workshop.place(&built, &base.source);
    let mirrored = mirror(&overlay, &built).await;
    let files = reopen(&mirrored).await;
    let wanted = Below::new("/var/lib/cincinnati-graph-data");
    let seen = files.read(&wanted, Collected::all(1 << 20)).await.unwrap().visitor.into_files();
    let names: Vec<_> = seen.keys().map(String::as_str).collect();
    let signature = format!("signatures/sha256/{}", Digest::of(b"release").hex());
    let (first, second) = (format!("{signature}/signature-1"), format!("{signature}/signature-2"));
    let expected =
        ["blocked-edges/4.16.1-x.yaml", "channels/stable-4.16.yaml", &first, &second, "version"];
    assert_eq!(names, expected);
    assert_eq!(seen["version"], "1.1.0\n");
    let source = mirrored.source(&repository("mirrored"));
    let config = configuration(&source, files.manifest()).await;
    let command = &config["config"]["Cmd"];
    assert_eq!(command[0], "/bin/bash");
    assert!(command[2].as_str().unwrap().contains("/var/lib/cincinnati/graph-data"));
    let platforms = built.root().unwrap().children().unwrap().manifests.len();
    assert_eq!((platforms, built.new_blobs().count()), (2, 3));
}

/// What an earlier run made can be built upon where nothing else is in reach.
#[tokio::test]
async fn data_is_read_back_and_the_image_built_anew_is_the_same() {
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let image = Content::image(Format::Oci, &platform, "ubi", vec![Blob::layer(1, 3000)]);
    let root = image.manifest().clone();
    let base = Upstream::new(vec![Published::tagged("ubi", "latest", image)]);
    let base = ocm_mirror::Base {
        source: base.source(&repository("ubi")),
        root,
        platforms: PlatformFilter::All,
        retry: quick(),
    };
    let workshop = Workshop::new().await;
    let data = GraphData::unpack(&data().packed(Pack::Gzip)).unwrap();
    let signed = |name: &[u8]| {
        let signatures = BTreeMap::from([(Digest::of(name), vec![Bytes::from("signature")])]);
        data.clone().with_signatures(&signatures)
    };
    let build = async |base: &ocm_mirror::Base, data: &GraphData| {
        let change = data.change(&workshop.store).await.unwrap();
        rebuild(base, &change, &workshop.store).await.unwrap()
    };
    let (old, new) = (signed(b"old"), signed(b"new"));
    let first = build(&base, &old).await;
    let direct = build(&base, &new).await;
    let mirrored = mirror(&workshop.place(&first, &base.source), &first).await;
    let earlier = reopen(&mirrored).await;
    // The signatures are of another run.
    let read = GraphData::of_image(&earlier).await.unwrap();
    assert_eq!(read, data);
    let again = build(&earlier.base(), &new).await;
    assert_eq!(digest(&again), digest(&direct));
    assert_eq!(again.base_blobs().collect::<Vec<_>>(), direct.base_blobs().collect::<Vec<_>>());
    mirror(&workshop.place(&again, &earlier.base().source), &again).await;

    let source = Arc::clone(&base.source);
    let plain = ImageFiles::of(source, base.root.clone(), quick()).await.unwrap();
    let none = GraphData::of_image(&plain).await.unwrap_err();
    assert!(matches!(none, GraphDataError::NoChannels | GraphDataError::Image(_)), "{none}");
}

/// As little of a program as is one: for amd64, and without libraries.
fn program() -> Bytes {
    let mut header = vec![0; 64];
    header[..6].copy_from_slice(b"\x7fELF\x02\x01");
    header[18] = 62;
    header.into()
}

#[tokio::test]
async fn where_there_is_no_base_a_program_copies_the_data() {
    let copier = Copier::new(program()).unwrap();
    let workshop = Workshop::new().await;
    let data = GraphData::unpack(&data().packed(Pack::Gzip)).unwrap();
    let built = data.alone(&copier, &workshop.store).await.unwrap();
    let nowhere = Memory::default().source(&repository("none"));
    let mirrored = mirror(&workshop.place(&built, &nowhere), &built).await;
    let files = reopen(&mirrored).await;
    let source = mirrored.source(&repository("mirrored"));
    let config = configuration(&source, files.manifest()).await;
    assert_eq!((&config["os"], &config["architecture"]), (&"linux".into(), &"amd64".into()));
    let command = serde_json::json!(["/usr/bin/ocm", "graph", "copy-data"]);
    assert_eq!(config["config"]["Cmd"], command);
    let wanted = Below::new("/usr/bin");
    let seen = files.read(&wanted, Collected::all(1 << 20)).await.unwrap().visitor.into_files();
    assert_eq!(seen, BTreeMap::from([("ocm".to_owned(), program())]));
    assert_eq!(GraphData::of_image(&files).await.unwrap(), data);
    // The next one is built upon it, and runs the same.
    let signatures = BTreeMap::from([(Digest::of(b"new"), vec![Bytes::from("signature")])]);
    let newer = data.with_signatures(&signatures);
    let change = newer.change(&workshop.store).await.unwrap();
    let again = rebuild(&files.base(), &change, &workshop.store).await.unwrap();
    let direct = newer.alone(&copier, &workshop.store).await.unwrap();
    assert_eq!(digest(&again), digest(&direct));
}

#[tokio::test]
async fn the_same_data_is_the_same_layer_however_it_came() {
    let workshop = Workshop::new().await;
    let other = Sheet::default()
        .file("blocked-edges/4.16.1-x.yaml", "to: 4.16.1")
        .file("channels/stable-4.16.yaml", "name: stable-4.16")
        .file("version", "1.1.0\n");
    // A server's own signatures are left out, as they are where data is read back.
    let signed = data().file("signatures/sha256/0a/signature-1", "of nobody here");
    let mut layers = Vec::new();
    for archive in [
        data().packed(Pack::Gzip),
        data().packed(Pack::Members),
        other.packed(Pack::Gzip),
        signed.packed(Pack::Gzip),
    ] {
        let graph = GraphData::unpack(&archive).unwrap();
        layers.extend(graph.change(&workshop.store).await.unwrap().layers);
    }
    assert!(layers.windows(2).all(|pair| pair[0] == pair[1]), "{layers:?}");
}

#[test]
fn what_is_no_graph_data_is_told() {
    let page = GraphData::unpack(b"<!DOCTYPE html><html>").unwrap_err();
    assert!(matches!(&page, GraphDataError::NotGzip(head) if head.starts_with("<!DOCTYPE")));
    assert!(matches!(GraphData::unpack(b""), Err(GraphDataError::NotGzip(_))));
    let other = Sheet::default().file("a", "b").packed(Pack::Gzip);
    assert!(matches!(GraphData::unpack(&other), Err(GraphDataError::NoChannels)));
    let out = Sheet::default().file("channels/../../x", "y").packed(Pack::Gzip);
    let error = GraphData::unpack(&out).unwrap_err();
    assert!(matches!(error, GraphDataError::Unpack(LayerFault::Tainted(_))), "{error}");
    let mut cut = data().packed(Pack::Gzip);
    cut.truncate(cut.len() / 2);
    assert!(matches!(GraphData::unpack(&cut), Err(GraphDataError::Unpack(_))));
}

#[test]
fn real_graph_data_is_unpacked() {
    let Some(corpus) = env::var_os("OCM_CORPUS").map(PathBuf::from) else {
        eprintln!("skipped: OCM_CORPUS names no corpus");
        return;
    };
    let archive = "graphs/oc-mirror/tests/unit/testdata/graph-assets/graph-data.tar.gz";
    let graph = GraphData::unpack(&fs::read(corpus.join(archive)).unwrap()).unwrap();
    let channels = graph.files().keys().filter(|path| path.starts_with("channels/")).count();
    assert!(channels == 49 && graph.files().len() == 635, "{channels}, {}", graph.files().len());
    assert_eq!(graph.files()["version"], "1.1.0\n");
}
