//! What is in a release, read from its payload.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use bytes::Bytes;
use ocm_mirror::{BootKeys, ImageFiles, Payload, PayloadError};
use ocm_oci::{Digest, Tag, TagOrDigest};
use ocm_testkit::{Published, Releases, Upstream};
use ocm_transport::Transport as _;
use serde_json::{Value, json};

use crate::{
    layers::sheet::{Gallery, Pack, Sheet},
    world::quick,
};

const BOOT_IMAGES: &str = "0000_50_installer_coreos-bootimages.yaml";

fn at(digit: char) -> String {
    format!("quay.io/team/app@sha256:{}", digit.to_string().repeat(64))
}

fn references(tags: &Value) -> String {
    json!({ "kind": "ImageStream", "metadata": { "name": "4.16.1" }, "spec": { "tags": tags } })
        .to_string()
}

fn good() -> String {
    references(&json!([
        { "name": "etcd", "from": { "kind": "DockerImage", "name": at('b') }, "generation": null },
        { "name": "cli", "from": { "kind": "DockerImage", "name": at('a') } },
        { "name": "twin", "from": { "name": at('a') } },
    ]))
}

fn of(files: &[(&str, &str)]) -> Result<Payload, PayloadError> {
    let own = |(name, text): &(&str, &str)| ((*name).to_owned(), Bytes::from(text.to_string()));
    Payload::of(Digest::of(b"release"), files.iter().map(own).collect())
}

/// Boot images of one architecture each, as far as a reference is given.
fn boot_images(references: &[(&str, &str)]) -> String {
    let one = |(key, image): &(&str, &str)| {
        let images = json!({ "aws": { "regions": {} }, "kubevirt": { "digest-ref": image } });
        ((*key).to_owned(), json!({ "artifacts": {}, "images": images }))
    };
    let architectures: BTreeMap<_, _> = references.iter().map(one).collect();
    let stream = json!({ "stream": "rhcos", "architectures": architectures }).to_string();
    format!("apiVersion: v1\ndata:\n  stream: |\n    {stream}\nkind: ConfigMap\n")
}

#[tokio::test]
async fn a_payload_is_read_from_its_last_layer() {
    let gallery = Gallery::default();
    let metadata = json!({ "kind": "cincinnati-metadata-v0", "version": "4.16.1",
        "previous": ["4.15.9", "4.16.0"], "metadata": { "url": "https://example.com/1" } });
    let base = Sheet::default().file("release-manifests/other", "never read");
    let last = Sheet::default()
        .directory("release-manifests/")
        .file("release-manifests/image-references", &good())
        .file("release-manifests/release-metadata", &metadata.to_string())
        .file("release-manifests/0000_10_x.yaml", "kind: X");
    let image = gallery.image(&[base, last], Pack::Gzip).await;
    let reference = TagOrDigest::from(&image);
    let files = ImageFiles::open(gallery.source(), &reference, quick()).await.unwrap();
    let before = gallery.place.tally().read;
    let payload = Payload::read(&files).await.unwrap();
    assert_eq!(gallery.place.tally().read - before, 1, "lower layers were read");
    let named: Vec<_> = payload
        .components()
        .iter()
        .map(|one| (one.name.as_str(), one.reference.as_written()))
        .collect();
    let [a, b] = ['a', 'b'].map(at);
    assert_eq!(named, [("cli", a.as_str()), ("etcd", b.as_str()), ("twin", a.as_str())]);
    assert_eq!((payload.image(), payload.version()), (&image, Some("4.16.1")));
    let metadata = payload.metadata().unwrap();
    assert_eq!(metadata.previous(), ["4.15.9", "4.16.0"]);
    assert_eq!(metadata.url(), Some("https://example.com/1"));
    let tags = ["amd64", "arm64", "s390x"].map(|one| metadata.tag(one));
    assert_eq!(tags, ["4.16.1-x86_64", "4.16.1-aarch64", "4.16.1-s390x"]);
}

#[test]
fn what_a_release_need_not_say_may_be_missing() {
    let payload = of(&[("image-references", &good())]).unwrap();
    assert_eq!((payload.version(), payload.metadata()), (Some("4.16.1"), None));
    let multi = json!({ "version": "4.16.1", "previous": null,
        "metadata": { "release.openshift.io/architecture": "multi" } });
    let payload =
        of(&[("image-references", &good()), ("release-metadata", &multi.to_string())]).unwrap();
    let metadata = payload.metadata().unwrap();
    assert_eq!(metadata.tag("amd64"), "4.16.1-multi");
    assert_eq!((metadata.previous().len(), metadata.url()), (0, None));
}

#[test]
fn what_is_no_release_is_told_by_what_is_wrong() {
    type Is = fn(&PayloadError) -> bool;
    let from = |kind: &str, name: &str| json!({ "kind": kind, "name": name });
    let tag = |name: &str, from: Value| json!({ "name": name, "from": from });
    let twice = json!([tag("a", from("", &at('a'))), tag("a", from("", &at('b')))]);
    let cases: [(Vec<(&str, String)>, Is); 9] = [
        (vec![], |error| matches!(error, PayloadError::NoRelease(_))),
        (vec![("image-references", "<html>".to_owned())], |error| {
            matches!(error, PayloadError::Json { file: "image-references", .. })
        }),
        (vec![("image-references", references(&json!([])))], |error| {
            matches!(error, PayloadError::Empty)
        }),
        (vec![("image-references", "{}".to_owned())], |error| matches!(error, PayloadError::Empty)),
        (
            vec![("image-references", references(&json!([tag("a", from("", "UPPER/x"))])))],
            |e| matches!(e, PayloadError::Reference { name, .. } if name == "a"),
        ),
        (
            vec![("image-references", references(&json!([{ "name": "a" }])))],
            |error| matches!(error, PayloadError::Reference { name, .. } if name == "a"),
        ),
        (
            vec![(
                "image-references",
                references(&json!([tag("a", from("ImageStreamTag", "b:c"))])),
            )],
            |error| matches!(error, PayloadError::Kind { kind, .. } if kind == "ImageStreamTag"),
        ),
        (
            vec![("image-references", references(&twice))],
            |error| matches!(error, PayloadError::Twice { name } if name == "a"),
        ),
        (vec![("image-references", good()), ("release-metadata", "[]".to_owned())], |error| {
            matches!(error, PayloadError::Json { file: "release-metadata", .. })
        }),
    ];
    for (files, is_expected) in cases {
        let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let error = of(&files).unwrap_err();
        assert!(is_expected(&error), "{files:?}: {error:?}");
    }
}

#[test]
fn boot_images_are_those_of_the_architectures_that_have_one() {
    let [x86, s390x] = ['1', '2'].map(at);
    let both = boot_images(&[("x86_64", &x86), ("s390x", &s390x), ("aarch64", "")]);
    let payload = of(&[("image-references", &good()), (BOOT_IMAGES, &both)]).unwrap();
    let legacy = vec![("kube-virt-container", x86.as_str())];
    let two = vec![
        ("kube-virt-container-s390x", s390x.as_str()),
        ("kube-virt-container-x86_64", x86.as_str()),
    ];
    let all = ["amd64", "arm64", "ppc64le", "s390x"];
    let s390x_alone = vec![("kube-virt-container", s390x.as_str())];
    for (platforms, architectures, expected, unknown) in [
        (&[][..], &[][..], &legacy, 0),
        (&["amd64", "s390x"], &[], &two, 0),
        (&all, &[], &two, 2),
        (&[], &["multi"], &two, 0),
        (&["arm64"], &[], &two, 1),
        (&[], &["arm64"], &legacy, 1),
        (&[], &["s390x"], &s390x_alone, 0),
        (&["s390x"], &["amd64"], &s390x_alone, 0),
    ] {
        let keys = BootKeys::new(platforms.iter().copied(), architectures.iter().copied());
        let found = payload.kube_virt(&keys).unwrap();
        let named: Vec<_> = found
            .components
            .iter()
            .map(|one| (one.name.as_str(), one.reference.as_written()))
            .collect();
        assert_eq!(&named, expected, "{platforms:?}, {architectures:?}");
        assert_eq!(keys.unknown().len(), unknown);
    }
}

#[test]
fn boot_images_that_are_not_there_are_told() {
    let amd64 = BootKeys::new([], []);
    let both = BootKeys::new([], ["multi"]);
    let with = |text: &str| of(&[("image-references", &good()), (BOOT_IMAGES, text)]).unwrap();
    let old = of(&[("image-references", &good())]).unwrap();
    assert!(matches!(old.kube_virt(&amd64), Err(PayloadError::NoBootImages { .. })));
    for nothing in ["kind: ConfigMap", "data: {}", "data: {stream: '{}'}"] {
        let error = with(nothing).kube_virt(&amd64).unwrap_err();
        assert!(matches!(&error, PayloadError::NoKubeVirt { keys, .. } if keys == "x86_64"));
    }
    let broken = with("data: {stream: '{'}").kube_virt(&amd64).unwrap_err();
    assert!(matches!(broken, PayloadError::Json { file: BOOT_IMAGES, .. }), "{broken}");
    let broken = with("\tdata").kube_virt(&amd64).unwrap_err();
    assert!(matches!(broken, PayloadError::Yaml { .. }), "{broken}");
    let unusable = with(&boot_images(&[("x86_64", "quay.io/x@sha256:1")])).kube_virt(&amd64);
    assert!(matches!(unusable, Err(PayloadError::Reference { .. })));
    // The suffix is by what was asked for, so that a tag means the same next time.
    let found = with(&boot_images(&[("x86_64", &at('1'))])).kube_virt(&both).unwrap();
    assert_eq!((found.components.len(), &found.absent[..]), (1, &["s390x".to_owned()][..]));
    assert_eq!(found.components[0].name, "kube-virt-container-x86_64");
}

/// Returns the real data, or says that there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn corpus() -> Option<PathBuf> {
    let corpus = env::var_os("OCM_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: OCM_CORPUS names no corpus");
    }
    corpus
}

#[test]
fn real_releases_are_read() {
    let Some(corpus) = corpus() else { return };
    let unit = "suites/oc-mirror-unit-testdata/tests/unit/testdata";
    let upgrade = "release-payload/oc/history/2022-12-22_aaec5fbb/testdata/commands/admin/upgrade";
    for (file, version, count) in [
        (format!("{upgrade}/extract/image-references/stdout"), "4.11.0", 171),
        (format!("{unit}/test-untar/release-manifests/image-references"), "4.12.0", 183),
    ] {
        let text = fs::read_to_string(corpus.join(&file)).unwrap();
        let payload = of(&[("image-references", &text)]).unwrap();
        assert_eq!((payload.components().len(), payload.version()), (count, Some(version)));
        assert!(payload.components().iter().all(|one| one.reference.digest().is_some()));
    }
    let hold = format!("{unit}/working-dir-fake/hold-release/ocp-release/4.14.1-x86_64");
    let read = |name: &str| {
        let path = corpus.join(&hold).join("release-manifests").join(name);
        (name.to_owned(), Bytes::from(fs::read(path).unwrap()))
    };
    let files = ["image-references", "release-metadata", BOOT_IMAGES].map(read);
    let payload = Payload::of(Digest::of(b"release"), files.into_iter().collect()).unwrap();
    assert_eq!(payload.metadata().unwrap().previous().len(), 21);
    let found = payload.kube_virt(&BootKeys::new([], [])).unwrap();
    let image = "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:\
                 729265d5ef6ed6a45bcd55c46877e3acb9eae3f49c78cd795d5b53aa85e3775b";
    assert_eq!(found.components[0].reference.as_written(), image);
}

/// The layer is a real one; the image around it is ours, as that in the corpus was altered.
#[tokio::test]
async fn a_real_payload_is_read_from_its_layers() {
    let Some(corpus) = corpus() else { return };
    let blob = "suites/oc-mirror-unit-testdata/tests/unit/testdata/test-untar/blobs/sha256/\
                5b2ca04f694b70c8b41f1c2a40b7e95643181a1d037b115149ecc243324c513d";
    let gallery = Gallery::default();
    let image = gallery.of("", &[fs::read(corpus.join(blob)).unwrap()]).await;
    let reference = TagOrDigest::from(&image);
    let files = ImageFiles::open(gallery.source(), &reference, quick()).await.unwrap();
    let payload = Payload::read(&files).await.unwrap();
    assert_eq!((payload.components().len(), payload.version()), (183, Some("4.12.0")));
    assert_eq!(payload.metadata().unwrap().tag("amd64"), "4.12.0-x86_64");
    let boot_images = payload.kube_virt(&BootKeys::new([], []));
    assert!(matches!(boot_images, Err(PayloadError::NoKubeVirt { .. })), "{boot_images:?}");
}

#[tokio::test]
async fn made_up_releases_are_releases() {
    let quay = "quay.io".parse().unwrap();
    let releases = Releases::new(1, &quay).with_components(20).with_boot_images();
    for architectures in [&["amd64"][..], &["s390x", "amd64"]] {
        let releases = releases.clone().for_architectures(architectures);
        let release = releases.release("4.16.1", &["4.16.0"]);
        let upstream = Upstream::new(release.published());
        let source = upstream.source(&release.payload().repository);
        let reference = TagOrDigest::from(release.digest());
        let files = ImageFiles::open(source, &reference, quick()).await.unwrap();
        let payload = Payload::read(&files).await.unwrap();
        let tag = payload.metadata().unwrap().tag("amd64");
        assert_eq!(Some(tag.as_str()), release.payload().tag.as_ref().map(Tag::as_str));
        let expected = release.components().iter().take(20).map(|(name, component)| {
            let Published { repository, content, .. } = component;
            (name.clone(), format!("quay.io/{repository}@{}", content.digest()))
        });
        let found = payload
            .components()
            .iter()
            .map(|one| (one.name.clone(), one.reference.as_written().to_owned()));
        assert!(found.eq(expected));
        let boot = payload.kube_virt(&BootKeys::new([], ["multi"])).unwrap();
        assert_eq!(boot.components.len(), 2);
    }
}
