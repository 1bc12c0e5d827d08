use ocm_oci::{Digest, ImageRef, Tag};

use super::{
    ImageKind::{Catalog, Generic, Graph, Operator, ReleaseContent, ReleaseImage},
    Scope::{Repository, Shortest},
    *,
};

use crate::testing::stamp;

mod lookup;

const SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn mirrored(origin: &str, mirror: &str, kind: ImageKind) -> Mirrored {
    let (host, repository) = mirror.split_once('/').unwrap();
    let origin: ImageRef = origin.replace("DIGEST", SHA256).parse().unwrap();
    let digest = origin.digest().cloned().unwrap_or_else(|| Digest::of(b"manifest"));
    Mirrored {
        tag: origin.tag().cloned().unwrap_or_else(|| Tag::of_digest(&digest)),
        origin,
        host: host.parse().unwrap(),
        repository: repository.parse().unwrap(),
        digest,
        kind,
    }
}

/// Returns the entry of one image, after the names of the sets that have it.
fn only_entry(image: Mirrored, scope: Scope) -> String {
    let sets = MirrorSets::of(&[image], scope);
    let names: Vec<_> = sets.sets().iter().map(MirrorSet::name).collect();
    let first = &sets.sets()[0];
    assert!(sets.sets().iter().all(|set| set.entries == first.entries && set.entries.len() == 1));
    let (source, mirrors) = first.entries.iter().next().unwrap();
    format!("{}: {source} -> {}", names.join(" "), mirrors.join(" "))
}

/// Origin, repository at the mirror, kind, scope; names of the sets, source, mirror.
const EXAMPLES: [(&str, &str, ImageKind, Scope, &str); 10] = [
    (
        "quay.io/openshift-release-dev/ocp-release:4.15.1-x86_64",
        "mirror/ns/openshift/release-images",
        ReleaseImage,
        Shortest,
        "idms-release-0 itms-release-0: quay.io/openshift-release-dev/ocp-release -> \
         mirror/ns/openshift/release-images",
    ),
    (
        "quay.io/openshift-release-dev/ocp-v4.0-art-dev@DIGEST",
        "mirror/ns/openshift/release",
        ReleaseContent,
        Shortest,
        "idms-release-0: quay.io/openshift-release-dev/ocp-v4.0-art-dev -> \
         mirror/ns/openshift/release",
    ),
    (
        "registry.redhat.io/ubi8-minimal@DIGEST",
        "mirror/ns/ubi8-minimal",
        Generic,
        Shortest,
        "idms-generic-0: registry.redhat.io -> mirror/ns",
    ),
    (
        "registry.redhat.io/ubi8-minimal@DIGEST",
        "mirror/ubi8-minimal",
        Generic,
        Shortest,
        "idms-generic-0: registry.redhat.io -> mirror",
    ),
    (
        "gcr.io/kubebuilder/kube-rbac-proxy:v0.5.0",
        "mirror/ns/kubebuilder/kube-rbac-proxy",
        Operator,
        Shortest,
        "itms-operator-0: gcr.io/kubebuilder -> mirror/ns/kubebuilder",
    ),
    (
        "registry.redhat.io/openshift4/x@DIGEST",
        "mirror/ns/openshift4-x",
        Operator,
        Repository,
        "idms-operator-0: registry.redhat.io/openshift4/x -> mirror/ns/openshift4-x",
    ),
    (
        "registry.redhat.io/openshift4/x@DIGEST",
        "mirror/ns/openshift4/x",
        Operator,
        Repository,
        "idms-operator-0: registry.redhat.io/openshift4/x -> mirror/ns/openshift4/x",
    ),
    (
        "quay.io/openshift-release-dev/ocp-release@DIGEST",
        "mirror/openshift-release-dev/ocp-release/openshift/release-images",
        ReleaseImage,
        Shortest,
        "idms-release-0: quay.io/openshift-release-dev/ocp-release -> \
         mirror/openshift-release-dev/ocp-release/openshift/release-images",
    ),
    (
        "quay.io/a/b:1@DIGEST",
        "mirror/ns/a/b",
        Generic,
        Shortest,
        "idms-generic-0 itms-generic-0: quay.io/a -> mirror/ns/a",
    ),
    (
        "quay.io/a/b:1",
        "mirror/ns/x/y",
        Generic,
        Shortest,
        "itms-generic-0: quay.io/a/b -> mirror/ns/x/y",
    ),
];

#[test]
fn worked_examples() {
    for (origin, mirror, kind, scope, expected) in EXAMPLES {
        assert_eq!(only_entry(mirrored(origin, mirror, kind), scope), expected, "{origin}");
    }
}

/// Where oc-mirror is wrong.
#[test]
fn short_names_and_chance_endings() {
    let table = [
        ("nginx:1", "nginx", "docker.io/library/nginx -> mirror/ns/nginx"),
        ("library/nginx:1", "library/nginx", "docker.io/library -> mirror/ns/library"),
        ("bitnami/nginx:1", "bitnami/nginx", "docker.io/bitnami -> mirror/ns/bitnami"),
        ("reg.example/ubi8:1", "xubi8", "reg.example/ubi8 -> mirror/ns/xubi8"),
    ];
    for (origin, path, expected) in table {
        let image = mirrored(origin, &format!("mirror/ns/{path}"), Generic);
        assert_eq!(only_entry(image, Shortest), format!("itms-generic-0: {expected}"));
    }
}

#[test]
fn mirrors_are_kept_in_the_order_of_the_images() {
    let image = |mirror| mirrored("quay.io/a/b:1", mirror, Generic);
    let images = ["m/z/a/b", "m/y/a/b", "m/z/a/b", "m/y/x"].map(image);
    let sets = MirrorSets::of(&images, Shortest);
    let [set] = sets.sets() else { panic!("{sets:?}") };
    let entry = |source: &str, mirrors: &[&str]| {
        (source.to_owned(), mirrors.iter().map(ToString::to_string).collect())
    };
    let expected = [
        entry("quay.io/a", &["m/z/a", "m/y/a"]),
        entry("quay.io/a/b", &["m/y/x", "m/z/a/b", "m/y/a/b"]),
    ];
    assert_eq!(set.entries, BTreeMap::from(expected));
}

#[test]
fn files_are_sorted_and_stamped() {
    let at = |path: &str| format!("registry.example.com:5000/ns/{path}");
    let release = "quay.io/openshift-release-dev";
    let images = [
        mirrored("quay.io/z/b:1@DIGEST", &at("z/b"), Generic),
        mirrored("gcr.io/k/p@DIGEST", &at("k/p"), Operator),
        mirrored("quay.io/a/b@DIGEST", &at("a/b"), Generic),
        mirrored(
            &format!("{release}/ocp-release@DIGEST"),
            &at("openshift/release-images"),
            ReleaseImage,
        ),
        mirrored(
            &format!("{release}/ocp-v4.0-art-dev@DIGEST"),
            &at("openshift/release"),
            ReleaseContent,
        ),
    ];
    let documents = MirrorSets::of(&images, Shortest).documents(&stamp());
    let [digests, tags] = documents.as_slice() else { panic!("{documents:?}") };
    assert_eq!(digests.file_name, "idms-oc-mirror.yaml");
    assert_eq!(digests.text, include_str!("golden/idms-oc-mirror.yaml"));
    assert_eq!(tags.file_name, "itms-oc-mirror.yaml");
    assert_eq!(tags.text, include_str!("golden/itms-oc-mirror.yaml"));
}

/// Not even where they are found by another name than their own, or stand at an odd host.
#[test]
fn catalogs_and_graphs_are_left_out() {
    let images = [
        mirrored("registry.redhat.io/redhat/redhat-operator-index:v4.18", "m/x/index", Catalog),
        Mirrored { digest: Digest::of(b"rebuilt"), ..mirrored("q.io/c@DIGEST", "m/c", Catalog) },
        mirrored("m/openshift/graph-image:latest", "[::1]:5000/openshift/graph-image", Graph),
    ];
    assert_eq!(MirrorSets::of(&images, Shortest), MirrorSets::default());
}

#[test]
fn what_is_empty_is_not_written() {
    assert_eq!(MirrorSets::of(&[], Shortest).documents(&stamp()), []);
    let by_tag = [mirrored("quay.io/a/b:1", "m/a/b", Generic)];
    let documents = MirrorSets::of(&by_tag, Shortest).documents(&stamp());
    let names: Vec<_> = documents.iter().map(|document| document.file_name.as_str()).collect();
    assert_eq!(names, ["itms-oc-mirror.yaml"]);
}

/// With shortened paths every repository has an entry, and a large catalog has thousands.
#[test]
fn what_is_too_large_for_oc_apply_is_several_objects() {
    let image = |number: usize| {
        let path = format!("vendor-{number:04}/{}-{number:04}", "operator".repeat(6));
        mirrored(&format!("quay.io/{path}@DIGEST"), &format!("m.example/ns/{path}"), Operator)
    };
    let images: Vec<_> = (0..4000).map(image).collect();
    let sets = MirrorSets::of(&images, Repository);
    let [document] = &sets.documents(&stamp())[..] else { panic!() };
    let objects: Vec<serde_yaml::Value> = serde_yaml::Deserializer::from_str(&document.text)
        .map(|object| serde::Deserialize::deserialize(object).unwrap())
        .collect();
    let (mut names, mut entries) = (Vec::new(), Vec::new());
    for object in &objects {
        let json = serde_json::to_string(object).unwrap();
        assert!(json.len() < 256 << 10, "{} bytes", json.len());
        names.push(object["metadata"]["name"].as_str().unwrap());
        entries.extend(object["spec"]["imageDigestMirrors"].as_sequence().unwrap());
    }
    assert_eq!(names[..2], ["idms-operator-0", "idms-operator-1"]);
    let sources: Vec<_> = entries.iter().map(|entry| entry["source"].as_str().unwrap()).collect();
    let expected: Vec<_> = sets.sets()[0].entries.keys().map(String::as_str).collect();
    assert_eq!(sources, expected);
    assert_eq!(sources.len(), 4000);
}

/// The pattern by which an API server checks mirrors, and sources but for their wildcards.
const CRD_PATTERN: &str = concat!(
    "^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])",
    "(?:(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?)",
    "(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?$",
);

#[test]
fn nothing_that_a_cluster_refuses_is_written() {
    let pattern = regex::Regex::new(CRD_PATTERN).unwrap();
    let writable = [
        "quay.io/a/b:1",
        "nginx:1",
        "localhost:5000/a__b/c.d/e---f:1",
        "10.0.0.1:8443/x:1",
        "Quay.IO/a:1",
        "x-y.z:1/a:1",
    ];
    let unwritable = ["[::1]:5000/a/b:1", "[2001:db8::1]/a:1", "my_host:5000/a:1"];
    let image = |origin: &&str| mirrored(origin, "m.example:5000/ns/x", Generic);
    let images: Vec<_> = writable.iter().chain(&unwritable).map(image).collect();
    let sets = MirrorSets::of(&images, Shortest);
    for (source, mirrors) in sets.sets().iter().flat_map(|set| &set.entries) {
        for text in mirrors.iter().chain([source]) {
            assert!(pattern.is_match(text), "{text}");
        }
    }
    let left_out: Vec<_> = sets.left_out().iter().map(|left| left.origin.as_str()).collect();
    assert_eq!(left_out, unwritable);
    for name in unwritable {
        let (host, _) = name.split_once('/').unwrap();
        assert!(!pattern.is_match(host), "{host} could be written");
    }
}

#[test]
fn a_mirror_may_be_unwritable_too() {
    let sets = MirrorSets::of(&[mirrored("quay.io/a/b:1", "[::1]:5000/a/b", Generic)], Shortest);
    assert!(sets.sets().is_empty());
    assert!(sets.left_out()[0].reason.to_string().contains("[::1]:5000"));
}
