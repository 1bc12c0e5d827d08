//! A layout in a directory, ours and others'.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures::future::join_all;
use ocm_oci::{Digest, MediaType, Tag, TagOrDigest};
use ocm_transport::{
    Begun, Kind, Manifest, Retry, SourceExt as _, Stored, Transport,
    conformance::{self, Fixture, describe},
    layout::{OciLayout, OciLayoutError},
};
use serde_json::{Value, json};

use crate::{
    archive::{Images, files, names, push, repository, tag},
    support::chain,
};

#[tokio::test]
async fn keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let number = AtomicUsize::new(0);
    conformance::all_with(|| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let path = directory.path().join(number.to_string());
        async move {
            let layout: Box<dyn Transport> = Box::new(OciLayout::create(&path).await.unwrap());
            layout
        }
    })
    .await;
    let places = number.into_inner();
    assert!(places > 15);
    for place in 0..places {
        let ours = directory.path().join(place.to_string()).join(".ocm");
        assert!(names(&ours).is_empty(), "an upload left something in {}", ours.display());
    }
}

#[tokio::test]
async fn what_is_written_is_there_when_it_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayout::create(directory.path()).await.unwrap();
    Fixture::readable().push(&layout).await;
    let again = OciLayout::open(directory.path()).await.unwrap();
    for check in conformance::reads() {
        check.run(&again).await;
    }
    // One that was open already sees what another has done.
    let to = again.destination(&repository("a/b")).unwrap();
    to.delete_tag(&tag("v1")).await.unwrap();
    let from = layout.source(&repository("a/b"));
    assert_eq!(from.head(&(&tag("v1")).into()).await.unwrap(), None);
}

/// Deleting never leaves behind what leads to nothing.
#[tokio::test]
async fn what_is_named_stays() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayout::create(directory.path()).await.unwrap();
    let Fixture { manifests, .. } = Fixture::readable();
    Fixture::readable().push(&layout).await;
    let [image, _, index, nested, _] = &manifests[..] else { panic!("{manifests:?}") };
    let [own, other] = ["a/b", "e"].map(|name| layout.destination(&repository(name)).unwrap());
    for named in [image, index] {
        for repository in [&own, &other] {
            let refused = repository.delete_manifest(&named.descriptor().digest).await;
            assert_eq!(refused.unwrap_err().kind(), Kind::Refused);
        }
    }
    for manifest in [nested, index] {
        other.delete_manifest(&manifest.descriptor().digest).await.unwrap();
    }
    let by_digest = TagOrDigest::from(&index.descriptor().digest);
    assert_eq!(other.head(&by_digest).await.unwrap(), None);
    assert!(own.head(&by_digest).await.unwrap().is_some(), "it is listed there, too");
    for manifest in [nested, index] {
        own.delete_manifest(&manifest.descriptor().digest).await.unwrap();
    }
    let blobs = directory.path().join("blobs").join("sha256");
    assert!(!blobs.join(index.descriptor().digest.hex()).exists());
}

fn index(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("index.json")).unwrap()).unwrap()
}

/// Puts content under its digest, as any program would.
fn put(directory: &Path, content: &[u8]) -> Digest {
    let digest = Digest::of(content);
    let folder = directory.join("blobs").join("sha256");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(digest.hex()), content).unwrap();
    digest
}

/// Makes a layout as another program would: with these entries.
fn foreign(directory: &Path, entries: &Value) {
    fs::create_dir_all(directory).unwrap();
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let index = json!({ "schemaVersion": 2, "annotations": { "made": "elsewhere" },
        "manifests": entries });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
}

/// Returns an image as an entry, with its files in place.
fn entry(directory: &Path, images: &Images, number: usize, annotations: &Value) -> Value {
    for blob in [&images.blobs[0], &images.blobs[1], &images.blobs[number + 2]] {
        put(directory, blob);
    }
    let manifest = &images.manifests[number];
    put(directory, manifest.bytes());
    let mut entry = serde_json::to_value(manifest.descriptor()).unwrap();
    if !annotations.is_null() {
        entry["annotations"] = annotations.clone();
    }
    entry["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    entry
}

const REF_NAME: &str = "org.opencontainers.image.ref.name";

#[tokio::test]
async fn every_repository_sees_what_has_no_name() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[10, 20, 30, 40]);
    let entry = |number, annotations| entry(directory.path(), &images, number, &annotations);
    foreign(
        directory.path(),
        &json!([
            entry(0, json!({ REF_NAME: "v1" })),
            entry(1, Value::Null),
            entry(2, json!({ REF_NAME: "team/app:v1" })),
            entry(3, json!({ REF_NAME: "not a name at all" })),
            { "mediaType": "x", "digest": "blake3:00", "size": 1 },
        ]),
    );
    let layout = OciLayout::open(directory.path()).await.unwrap();
    let digest = |number: usize| images.manifests[number].descriptor().digest.clone();
    for (name, expected) in [("team/app", 2), ("any/other", 0)] {
        let from = layout.source(&repository(name));
        let found = from.manifest(&(&tag("v1")).into(), 4 << 20).await.unwrap();
        assert_eq!(found, images.manifests[expected], "{name}");
        for nameless in [0, 1, 3] {
            let found = from.head(&(&digest(nameless)).into()).await.unwrap();
            assert!(found.is_some(), "{name} does not see {nameless}");
        }
        let own = from.head(&(&digest(2)).into()).await.unwrap();
        assert_eq!(own.is_some(), name == "team/app");
    }
    let listed: Vec<_> = layout.images().await.unwrap();
    let listed: Vec<_> = listed
        .iter()
        .map(|image| {
            let (repository, tag) = (image.repository.as_ref(), image.tag.as_ref());
            (repository.map(ToString::to_string), tag.map(Tag::as_str))
        })
        .collect();
    let own = (Some("team/app".to_owned()), Some("v1"));
    assert_eq!(listed, [(None, Some("v1")), (None, None), (None, None), own]);
}

#[tokio::test]
async fn what_others_wrote_stays_and_the_order_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[10, 20, 30]);
    let odd = json!({ "mediaType": "application/vnd.example", "digest": "blake3:00", "size": 1,
        "annotations": { "com.example": "z" }, "data": "eA==" });
    let named = json!({ REF_NAME: "z", "com.example": "kept" });
    let entries = json!([odd, entry(directory.path(), &images, 0, &named)]);
    foreign(directory.path(), &entries);
    let layout = OciLayout::open(directory.path()).await.unwrap();
    for number in [2, 1] {
        images.push(&layout, number).await;
    }
    let written = index(directory.path());
    assert_eq!(written["annotations"]["made"], "elsewhere");
    assert_eq!(written["manifests"][0], entries[0]);
    assert_eq!(written["manifests"][1], entries[1]);
    assert_eq!(written["manifests"][2]["annotations"][REF_NAME], "team/app1:v1");
    assert_eq!(written["manifests"][3]["annotations"][REF_NAME], "team/app2:v1");
    let before = fs::read(directory.path().join("index.json")).unwrap();
    let to = layout.destination(&Images::name(1).0).unwrap();
    let again = to.push_manifest(&images.manifests[1], Some(&tag("v1"))).await.unwrap();
    assert_eq!(again, Stored::Already);
    to.push_manifest(&images.manifests[1], None).await.map(drop).unwrap();
    assert_eq!(fs::read(directory.path().join("index.json")).unwrap(), before);
}

/// Children of an index that another program made are listed nowhere.
#[tokio::test]
async fn an_index_leads_to_its_children() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[10, 20]);
    let children: Vec<_> =
        [0, 1].map(|number| entry(directory.path(), &images, number, &Value::Null)).into();
    let list = json!({ "schemaVersion": 2, "manifests": children }).to_string();
    let list = Manifest::new(MediaType::OciIndex, list.into());
    put(directory.path(), list.bytes());
    foreign(directory.path(), &json!([list.descriptor()]));
    let layout = OciLayout::open(directory.path()).await.unwrap();
    let to = layout.destination(&repository("any")).unwrap();
    for manifest in [&list, &images.manifests[0], &images.manifests[1]] {
        let by_digest = TagOrDigest::from(&manifest.descriptor().digest);
        assert_eq!(&to.manifest(&by_digest, 4 << 20).await.unwrap(), manifest);
    }
    let blob = TagOrDigest::from(&Digest::of(&images.blobs[0]));
    assert_eq!(to.head(&blob).await.unwrap(), None);
    for digest in [&images.manifests[0].descriptor().digest, &Digest::of(&images.blobs[1])] {
        let manifest = to.delete_manifest(digest).await.unwrap_err().kind();
        let blob = to.delete_blob(digest).await.unwrap_err().kind();
        assert!(matches!(manifest, Kind::Refused | Kind::NotFound), "{manifest:?}");
        assert_eq!(blob, Kind::Refused, "something still names it");
    }
    let before = files(&directory.path().join("blobs").join("sha256")).len();
    to.delete_manifest(&list.descriptor().digest).await.unwrap();
    assert_eq!(files(&directory.path().join("blobs").join("sha256")).len(), before - 1);
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[10; 12]);
    let layout = OciLayout::create(directory.path()).await.unwrap();
    let other = OciLayout::create(directory.path()).await.unwrap();
    join_all((0..12).map(async |number| {
        let place = if number % 2 == 0 { &layout } else { &other };
        let (name, tag) = Images::name(number);
        let to = place.destination(&name).unwrap();
        for blob in [&images.blobs[0], &images.blobs[1], &images.blobs[number + 2]] {
            if let Begun::Open(upload) = to.begin(&Digest::of(blob), None, None).await.unwrap() {
                let body = conformance::body(&[blob], None);
                let stream = ocm_transport::BlobStream::new(describe(blob), body);
                upload.finish(stream).await.map(drop).unwrap();
            }
        }
        to.push_manifest(&images.manifests[number], Some(&tag)).await.map(drop).unwrap();
    }))
    .await;
    let listed = OciLayout::open(directory.path()).await.unwrap().images().await.unwrap();
    assert_eq!(listed.len(), 12);
    assert!(names(&directory.path().join(".ocm")).is_empty());
}

#[tokio::test]
async fn directories_that_are_no_layouts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let error = OciLayout::open(path).await.unwrap_err();
    assert!(matches!(error, OciLayoutError::NotALayout { .. }), "{error:?}");
    assert!(error.hint().is_some());
    fs::write(path.join("file"), "").unwrap();
    let error = OciLayout::create(path).await.unwrap_err();
    assert!(matches!(error, OciLayoutError::NotALayout { .. }), "{error:?}");
    assert_eq!(names(path), ["file"]);
    let error = OciLayout::create(&path.join("file")).await.unwrap_err();
    assert!(matches!(error, OciLayoutError::Io { .. }), "{error:?}");
    for (marker, index) in [
        (r#"{"imageLayoutVersion":"2.0.0"}"#, "{}"),
        ("{}", "{}"),
        (r#"{"imageLayoutVersion":"1.0.0"}"#, "{"),
        (r#"{"imageLayoutVersion":"1.0.0"}"#, r#"{"manifests":{}}"#),
    ] {
        fs::write(path.join("oci-layout"), marker).unwrap();
        fs::write(path.join("index.json"), index).unwrap();
        let error = OciLayout::open(path).await.unwrap_err();
        assert!(
            matches!(error, OciLayoutError::Version { .. } | OciLayoutError::Json { .. }),
            "{error:?}"
        );
    }
    fs::File::create(path.join("index.json")).unwrap().set_len(65 << 20).unwrap();
    let error = OciLayout::open(path).await.unwrap_err();
    assert!(matches!(error, OciLayoutError::TooLarge { .. }), "{error:?}");
    fs::remove_file(path.join("index.json")).unwrap();
    let error = OciLayout::open(path).await.unwrap_err();
    assert!(matches!(error, OciLayoutError::NotALayout { .. }), "{error:?}");
}

/// Makes a layout of one image, tagged `v1` without a repository.
async fn one_image(directory: &Path) -> (OciLayout, Images, PathBuf) {
    let images = Images::new("plan", &[10]);
    let entry = entry(directory, &images, 0, &json!({ REF_NAME: "v1" }));
    foreign(directory, &json!([entry]));
    let layout = OciLayout::open(directory).await.unwrap();
    (layout, images, directory.join("blobs").join("sha256"))
}

#[tokio::test]
async fn symbolic_links_lead_nowhere() {
    let [directory, outside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (layout, images, blobs) = one_image(directory.path()).await;
    let to = layout.destination(&repository("any")).unwrap();
    let layer = describe(&images.blobs[2]);
    let path = blobs.join(layer.digest.hex());
    let elsewhere = outside.path().join("layer");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(to.blob(&layer.digest, None).await.unwrap_err().kind(), Kind::Refused);
    assert_eq!(to.blob_size(&layer.digest).await.unwrap_err().kind(), Kind::Refused);
    fs::remove_file(&path).unwrap();
    assert_eq!(to.blob_size(&layer.digest).await.unwrap(), None);
    let moved = outside.path().join("sha256");
    fs::rename(&blobs, &moved).unwrap();
    symlink(&moved, &blobs).unwrap();
    let before = names(&moved);
    assert_eq!(to.head(&(&tag("v1")).into()).await.unwrap_err().kind(), Kind::Refused);
    assert!(to.begin(&layer.digest, Some(layer.size), None).await.is_err());
    assert_eq!(names(&moved), before);
    for name in ["index.json", "oci-layout"] {
        let path = directory.path().join(name);
        let elsewhere = outside.path().join(name);
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let error = OciLayout::open(directory.path()).await.unwrap_err();
        assert!(matches!(error, OciLayoutError::Io { .. }), "{name}: {error:?}");
        fs::remove_file(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
    }
}

/// A crash or a full disk elsewhere leaves such files in copies of a layout.
#[tokio::test]
async fn a_file_of_another_length_is_not_the_blob() {
    let directory = tempfile::tempdir().unwrap();
    let (layout, images, blobs) = one_image(directory.path()).await;
    let to = layout.destination(&repository("any")).unwrap();
    let (content, layer) = (images.blobs[2].clone(), describe(&images.blobs[2]));
    let path = blobs.join(layer.digest.hex());
    let begun = to.begin(&layer.digest, Some(layer.size), None).await.unwrap();
    assert!(matches!(begun, Begun::Present), "{begun:?}");
    for cut in [0, 3] {
        fs::write(&path, &content[..cut]).unwrap();
        let begun = to.begin(&layer.digest, Some(layer.size), None).await.unwrap();
        let Begun::Open(mut upload) = begun else { panic!("{cut}: {begun:?}") };
        upload.append(content.clone()).await.unwrap();
        assert_eq!(upload.commit(&layer.digest).await.unwrap(), Stored::New);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn altered_content_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (layout, images, blobs) = one_image(directory.path()).await;
    let from = layout.source(&repository("any"));
    let layer = describe(&images.blobs[2]);
    fs::write(blobs.join(layer.digest.hex()), "0123456789").unwrap();
    let error = from.blob_bytes(&layer).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Corrupt, Retry::Never));
    assert!(chain(&error).contains(&layer.digest.hex()), "{}", chain(&error));
    let manifest = images.manifests[0].descriptor();
    let path = blobs.join(manifest.digest.hex());
    let altered = String::from_utf8(fs::read(&path).unwrap()).unwrap().replace("amd64", "arm64");
    for content in [altered.replacen('{', " ", 1), "{}".to_owned()] {
        fs::write(&path, content).unwrap();
        for reference in [TagOrDigest::from(&tag("v1")), (&manifest.digest).into()] {
            let error = from.manifest(&reference, 4 << 20).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Corrupt);
        }
    }
    let error = from.head(&(&tag("v1")).into()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt, "it has another length");
    fs::remove_file(&path).unwrap();
    assert_eq!(from.head(&(&tag("v1")).into()).await.unwrap(), None);
    fs::write(directory.path().join("index.json"), "[").unwrap();
    assert_eq!(from.head(&(&tag("v1")).into()).await.unwrap_err().kind(), Kind::Corrupt);
}

/// What a process that was killed has begun is removed; what is under way is not.
#[tokio::test]
async fn leftovers_go() {
    let directory = tempfile::tempdir().unwrap();
    let layout = OciLayout::create(directory.path()).await.unwrap();
    let ours = directory.path().join(".ocm");
    fs::write(ours.join("ingest-killed"), "half of a layer").unwrap();
    let to = layout.destination(&repository("a/b")).unwrap();
    let blob = Bytes::from_static(b"under way");
    let Begun::Open(mut upload) = to.begin(&Digest::of(&blob), None, None).await.unwrap() else {
        panic!("it is there")
    };
    upload.append(blob.clone()).await.unwrap();
    let again = OciLayout::create(directory.path()).await.unwrap();
    assert_eq!(names(&ours).len(), 1);
    assert_eq!(upload.commit(&Digest::of(&blob)).await.unwrap(), Stored::New);
    push(&*again.destination(&repository("c/d")).unwrap(), &blob).await;
    assert!(names(&ours).is_empty());
}

#[tokio::test]
async fn skopeo_writes_what_we_read_and_reads_what_we_write() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (one, copied) = (directory.path().join("one"), directory.path().join("copied"));
    let images = Images::new("plan", &[10, 20]);
    let layout = OciLayout::create(&one).await.unwrap();
    images.push_all(&layout).await;
    for (from, to) in [
        (format!("oci:{}:team/app1:v1", path("one")), format!("oci:{}:v2", path("copied"))),
        (format!("oci:{}:v2", path("copied")), format!("oci:{}", path("nameless"))),
        (format!("oci:{}", path("nameless")), format!("dir:{}", path("plain"))),
    ] {
        let arguments = ["copy", "--insecure-policy", "--preserve-digests", &from, &to];
        match Command::new("skopeo").args(arguments).output() {
            Ok(output) => assert!(output.status.success(), "{output:?}"),
            Err(error) => return eprintln!("skipped: skopeo cannot be run: {error}"),
        }
    }
    let expected = &images.manifests[1];
    let manifest = fs::read(directory.path().join("plain").join("manifest.json")).unwrap();
    assert_eq!(manifest, expected.bytes()[..]);
    let copied = OciLayout::open(&copied).await.unwrap();
    let from = copied.source(&repository("whatever"));
    assert_eq!(&from.manifest(&(&tag("v2")).into(), 4 << 20).await.unwrap(), expected);
    let nameless = OciLayout::open(&directory.path().join("nameless")).await.unwrap();
    let [image] = &nameless.images().await.unwrap()[..] else { panic!("it holds one image") };
    assert_eq!(image.descriptor.digest, expected.descriptor().digest);
    assert_eq!((&image.repository, &image.tag), (&None, &None));
    let from = nameless.source(&repository("whatever"));
    let layer = describe(&images.blobs[3]);
    assert_eq!(from.blob_bytes(&layer).await.unwrap(), images.blobs[3]);
}
