//! Originals of every shape that is allowed, and of some that are not.

use ocm_mirror::{Base, Change, GraphData, LayerContent, RebuildError, gather, rebuild, scratch};
use ocm_oci::{MediaType, Platform, PlatformFilter};
use ocm_transport::Manifest;
use serde_json::json;

use super::*;
use crate::layers::sheet::{Gallery, Pack, Sheet};

async fn change(workshop: &Workshop) -> Change {
    let mut content = LayerContent::default();
    content.file("a/b", Bytes::from("new")).unwrap();
    content.gone("gone").unwrap();
    let layer = content.build(&workshop.store, "a test").await.unwrap();
    let command = Some(vec!["run".to_owned()]);
    let labels = [("k".to_owned(), "v".to_owned())].into();
    Change { layers: vec![layer], command, labels, ..Change::default() }
}

/// Puts an image into the gallery: a configuration, layers and more.
async fn image(gallery: &Gallery, config: &Value, more: &Value) -> Digest {
    let layer = gallery.blob(&Sheet::default().file("gone", "x").packed(Pack::Gzip)).await;
    let config = gallery.blob(config.to_string().as_bytes()).await;
    let mut image = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
    image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    gallery.manifest(MediaType::OciManifest, &image).await
}

fn config(architecture: &str) -> Value {
    let rootfs = json!({ "type": "layers", "diff_ids": [Digest::of(b"x")] });
    json!({ "architecture": architecture, "os": "linux", "rootfs": rootfs })
}

async fn base(gallery: &Gallery, root: &Digest) -> Base {
    let source = gallery.source();
    let root = source.manifest(&TagOrDigest::from(root), 1 << 20).await.unwrap();
    Base { source, root, platforms: PlatformFilter::All, retry: quick() }
}

async fn built(gallery: &Gallery, root: &Digest) -> Result<(Built, Workshop), RebuildError> {
    let workshop = Workshop::new().await;
    let base = base(gallery, root).await;
    let built = rebuild(&base, &change(&workshop).await, &workshop.store).await?;
    Ok((built, workshop))
}

#[tokio::test]
async fn what_is_not_said_in_a_configuration_need_not_be() {
    for (settings, history) in [
        (Value::Null, Value::Null),
        (json!({ "Labels": null, "Entrypoint": ["x"] }), json!([{ "comment": "base" }])),
        (json!({ "Labels": { "old": "label", "k": "w" }, "Cmd": ["old"] }), json!([])),
    ] {
        let gallery = Gallery::default();
        let mut config = config("amd64");
        config["config"] = settings.clone();
        config["history"] = history.clone();
        config["unheard"] = json!({ "of": [1, 2.5, null, 12_345_678_901_234_567_890_u64] });
        let more = json!({ "annotations": { "kept": "yes" },
            "subject": json!(gallery.blob(b"x").await) });
        let root = image(&gallery, &config, &more).await;
        let (built, workshop) = built(&gallery, &root).await.unwrap();
        let root = built.root().unwrap();
        let manifest = json(root);
        assert_eq!(manifest["annotations"]["kept"], "yes");
        assert_eq!(manifest.get("subject"), None, "the new image would be a statement");
        let place = workshop.place(&built, &gallery.source()).source(&repository("it"));
        let changed = configuration(&place, root).await;
        assert_eq!(changed["unheard"], config["unheard"]);
        assert_eq!(changed["config"]["Cmd"], json!(["run"]));
        assert_eq!(changed["config"]["Labels"]["k"], "v");
        assert_eq!(changed["config"]["Entrypoint"], settings["Entrypoint"]);
        let steps = history.as_array().map(|steps| steps.len() + 1);
        assert_eq!(changed["history"].as_array().map(Vec::len), steps);
    }
}

/// Whatever of a history the base has, each image of the update graph takes the place of the one
/// before it.
#[tokio::test]
async fn graph_images_do_not_grow_upon_a_base_without_a_history() {
    let data = Sheet::default().file("channels/a.yaml", "name: a").file("version", "1.1.0\n");
    let data = GraphData::unpack(&data.packed(Pack::Gzip)).unwrap();
    for history in [None, Some(Value::Null), Some(json!([])), Some(json!([{ "comment": "x" }]))] {
        let gallery = Gallery::default();
        let mut config = config("amd64");
        config.as_object_mut().unwrap().extend(history.map(|steps| ("history".to_owned(), steps)));
        let root = image(&gallery, &config, &json!({})).await;
        let mut base = base(&gallery, &root).await;
        let workshop = Workshop::new().await;
        let mut digests = Vec::new();
        for signature in ["old", "new", "old", "new"] {
            let signatures = [(Digest::of(b"release"), vec![Bytes::from(signature)])].into();
            let data = data.clone().with_signatures(&signatures);
            let change = data.change(&workshop.store).await.unwrap();
            let built = rebuild(&base, &change, &workshop.store).await.unwrap();
            let layers = json(built.root().unwrap())["layers"].as_array().map(Vec::len);
            assert_eq!(layers, Some(2), "upon {config}");
            let mirrored = mirror(&workshop.place(&built, &base.source), &built).await;
            base = reopen(&mirrored).await.base();
            digests.push(digest(&built));
        }
        assert_eq!(digests[..2], digests[2..], "upon {config}");
    }
}

#[tokio::test]
async fn indexes_keep_their_shape_and_lose_what_is_about_the_original() {
    let gallery = Gallery::default();
    let [one, other] = [
        image(&gallery, &config("arm64"), &json!({})).await,
        image(&gallery, &config("s390x"), &json!({})).await,
    ];
    let statement = image(&gallery, &json!({}), &json!({})).await;
    let entry = |digest: &Digest| {
        json!({ "mediaType": MediaType::OciManifest, "digest": digest,
        "size": 7 })
    };
    let mut known = entry(&other);
    known["platform"] = json!({ "os": "linux", "architecture": "s390x", "os.version": "9" });
    known["annotations"] = json!({ "about": "kept" });
    let mut unknown = entry(&statement);
    unknown["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    let mut noted = entry(&one);
    noted["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let inner = json!({ "manifests": [entry(&one), unknown, known.clone(), known] });
    let inner = gallery.manifest(MediaType::OciIndex, &inner).await;
    let mut inner = entry(&inner);
    inner["mediaType"] = json!(MediaType::OciIndex);
    let outer =
        json!({ "schemaVersion": 2, "manifests": [noted, inner], "annotations": { "a": "b" } });
    let outer = gallery.manifest(MediaType::DockerList, &outer).await;
    let (built, _workshop) = built(&gallery, &outer).await.unwrap();
    let root = built.root().unwrap();
    assert_eq!(root.descriptor().media_type, MediaType::DockerList);
    assert_eq!(json(root)["annotations"]["a"], "b");
    assert_eq!(*built.left_out(), [one, statement].into());
    let [inner] = &root.children().unwrap().manifests[..] else { panic!("{root:?}") };
    let inner = built.manifests().iter().find(|m| *m.descriptor() == inner.descriptor).unwrap();
    let entries = json(inner)["manifests"].as_array().unwrap().clone();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[0]["platform"], json!({ "os": "linux", "architecture": "arm64" }));
    assert_eq!(entries[1]["platform"]["os.version"], "9");
    assert_eq!(entries[1]["annotations"]["about"], "kept");
    assert_eq!(entries[1], entries[2]);
    assert_eq!(built.manifests().len(), 4, "each image is built once");
}

#[tokio::test]
async fn what_cannot_be_built_upon_is_told() {
    let gallery = Gallery::default();
    let wrong = |mut config: Value, change: &dyn Fn(&mut Value)| {
        change(&mut config);
        config
    };
    for config in [
        wrong(config("amd64"), &|one| one["rootfs"]["diff_ids"] = json!([])),
        wrong(config("amd64"), &|one| one["rootfs"] = Value::Null),
        wrong(config("amd64"), &|one| one["architecture"] = json!(7)),
        wrong(config("amd64"), &|one| one["config"] = json!([])),
        wrong(config("amd64"), &|one| one["config"] = json!({ "Labels": "x" })),
        json!([]),
    ] {
        let root = image(&gallery, &config, &json!({})).await;
        let error = built(&gallery, &root).await.err().unwrap();
        assert!(matches!(error, RebuildError::Shape(_)), "{config}: {error}");
    }
    let text = gallery.blob(b"{").await;
    let root = json!({ "config": text, "layers": [] });
    let root = gallery.manifest(MediaType::OciManifest, &root).await;
    let error = built(&gallery, &root).await.err().unwrap();
    assert!(matches!(error, RebuildError::Json { .. }), "{error}");

    let bare = gallery.manifest(MediaType::OciManifest, &json!({})).await;
    let error = built(&gallery, &bare).await.err().unwrap();
    assert!(matches!(error, RebuildError::Shape(_)), "{error}");
    let empty = gallery.manifest(MediaType::OciIndex, &json!({ "manifests": [] })).await;
    let error = built(&gallery, &empty).await.err().unwrap();
    assert!(matches!(error, RebuildError::NoImage(_)), "{error}");

    let mut top = image(&gallery, &config("amd64"), &json!({})).await;
    for depth in 1..=7 {
        let entry = json!({ "mediaType": "", "digest": top, "size": 7 });
        top = gallery.manifest(MediaType::OciIndex, &json!({ "manifests": [entry] })).await;
        match built(&gallery, &top).await {
            Ok(_) => assert!(depth <= 5),
            Err(error) => assert!(depth > 5 && matches!(error, RebuildError::TooMany(_))),
        }
    }
}

#[tokio::test]
async fn images_of_one_directory_are_gathered() {
    let gallery = Gallery::default();
    let mut images = Vec::new();
    for architecture in ["ppc64le", "amd64"] {
        let digest = image(&gallery, &config(architecture), &json!({})).await;
        let manifest = gallery.source().manifest(&TagOrDigest::from(&digest), 1 << 20).await;
        images.push(manifest.unwrap().descriptor().clone());
    }
    let index = gather(&gallery.source(), &images, quick()).await.unwrap();
    let entries = index.children().unwrap().manifests;
    let platforms: Vec<_> = entries.iter().filter_map(|entry| entry.platform.clone()).collect();
    assert_eq!(platforms, ["ppc64le", "amd64"].map(|one| Platform::new("linux", one)));
    // It is nowhere, and can be read and built upon all the same.
    let files = ImageFiles::of(gallery.source(), index.clone(), quick()).await.unwrap();
    assert_eq!(*files.manifest().descriptor(), images[1]);
    let workshop = Workshop::new().await;
    let built = rebuild(&files.base(), &change(&workshop).await, &workshop.store).await.unwrap();
    let overlay = workshop.place(&built, &gallery.source());
    drop(mirror(&overlay, &built).await);
}

#[tokio::test]
async fn an_image_is_built_upon_nothing() {
    let workshop = Workshop::new().await;
    let change = change(&workshop).await;
    let [amd64, arm64] = ["amd64", "arm64"].map(|one| Platform::new("linux", one));
    let one = scratch(&[(amd64.clone(), change.clone())], &workshop.store).await.unwrap();
    assert_eq!(one.manifests().len(), 1);
    let both = [(amd64, change.clone()), (arm64, change)];
    let both = scratch(&both, &workshop.store).await.unwrap();
    assert_eq!(both.root().unwrap().children().unwrap().manifests.len(), 2);
    for built in [&one, &both] {
        let nowhere: Arc<dyn Source> = Memory::default().source(&repository("none"));
        let overlay = workshop.place(built, &nowhere);
        let mirrored = mirror(&overlay, built).await;
        let files = reopen(&mirrored).await;
        let configuration = files.configuration().await.unwrap();
        assert_eq!(configuration.platform, Platform::new("linux", "amd64"));
        assert_eq!(configuration.labels["k"], "v");
        let seen = files.read(&ocm_mirror::Below::new("a"), Collected::all(10)).await.unwrap();
        assert_eq!(seen.visitor.into_files()["b"], "new");
    }
    assert!(scratch(&[], &workshop.store).await.is_err());
}

/// What podman, skopeo and others unpack: rights, owners and times that do not depend on us.
#[tokio::test]
async fn layers_have_fixed_rights_owners_and_times() {
    let workshop = Workshop::new().await;
    let mut content = LayerContent::default();
    let long = format!("etc/{}", "long/".repeat(40) + "name");
    content.file("tmp/x", Bytes::from("1")).unwrap();
    content.file(&long, Bytes::from("2")).unwrap();
    content.program("usr/bin/run", Bytes::from("3")).unwrap();
    content.directory("empty").unwrap();
    content.gone("tmp/cache").unwrap();
    let layer = content.build(&workshop.store, "a test").await.unwrap();
    let bare: Arc<dyn Source> = Memory::default().source(&repository("none"));
    let change = Change { layers: vec![layer.clone()], ..Change::default() };
    let upon_nothing = [(Platform::new("linux", "amd64"), change)];
    let built = scratch(&upon_nothing, &workshop.store).await.unwrap();
    let source = workshop.place(&built, &bare).source(&repository("it"));
    let bytes = source.blob_bytes(layer.content()).await.unwrap();
    assert_eq!(bytes[4..8], [0; 4], "the gzip header has a time");
    let mut tar = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*bytes), &mut tar).unwrap();
    assert_eq!(Digest::of(&tar), *layer.diff_id());
    let mut archive = tar::Archive::new(&*tar);
    let mut seen = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        let owner = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
        assert_eq!(owner, (0, 0, 0));
        seen.push((entry.path().unwrap().display().to_string(), header.mode().unwrap()));
    }
    let of = |path: &str| seen.iter().find(|(one, _)| one == path).map(|(_, mode)| *mode);
    assert_eq!(of("tmp/"), Some(0o1777));
    assert_eq!(
        (of("tmp/.wh.cache"), of("tmp/x"), of(&long)),
        (Some(0o644), Some(0o644), Some(0o644))
    );
    assert_eq!(
        (of("usr/bin/run"), of("usr/"), of("empty/")),
        (Some(0o755), Some(0o755), Some(0o755))
    );
    assert!(
        seen.is_sorted_by(|one, other| one.0.trim_end_matches('/') < other.0.trim_end_matches('/'))
    );
}

#[test]
fn building_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let root = Manifest::new(MediaType::OciManifest, Bytes::new());
    is_send(&async move {
        let workshop = Workshop::new().await;
        let base = Base {
            source: Gallery::default().source(),
            root,
            platforms: PlatformFilter::All,
            retry: quick(),
        };
        rebuild(&base, &Change::default(), &workshop.store).await.map(drop)
    });
}
