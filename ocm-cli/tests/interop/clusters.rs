//! All that a cluster needs: releases, their update graph and catalogs, between docker-registries.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use ocm_oci::{Digest, Host};
use ocm_testkit::{
    Blob, Catalog, Files, Format, Loopback, Published, Release, ReleaseSigner, Releases,
    UpdateServer, Upstream, Website,
};
use ocm_transport::{Client, ClientOptions, TlsOptions, Verify};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Registry, at, has_programs, manifest, ocm_with, pull, skopeo, succeed};

/// Five releases of forty components in two channels.
const VERSIONS: [&str; 5] = ["4.17.5", "4.17.9", "4.18.1", "4.18.2", "4.18.4"];
const COMPONENTS: usize = 40;

const WANTED: &str = "kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
mirror:
  platform:
    graph: true
    channels:
    - name: stable-4.17
      minVersion: 4.17.5
      maxVersion: 4.17.9
    - name: stable-4.18
      minVersion: 4.18.1
      maxVersion: 4.18.4
  operators:
  - catalog: SOURCE/redhat/redhat-operator-index:v4.18
    packages:
    - name: alpha
      minVersion: 1.1.0
  - catalog: SOURCE/community/index:v1
    packages:
    - name: delta
";

/// A source with everything, those who publish it, and a home for who mirrors.
struct World {
    source: Registry,
    updates: Loopback,
    signatures: Loopback,
    releases: Vec<Release>,
    home: TempDir,
}

impl World {
    async fn new() -> Self {
        let source = Registry::start();
        let host: Host = source.address.parse().unwrap();
        let releases = Releases::new(7, &host).with_components(COMPONENTS);
        let releases = VERSIONS.map(|version| releases.release(version, &[])).to_vec();
        let catalog = Catalog::new(7, &host);
        let red = catalog
            .clone()
            .with_package("alpha", &[("stable", &["1.0.0", "1.1.0", "1.2.0"])])
            .with_package("beta", &[("stable", &["2.0.0"])])
            .for_architectures(&["amd64", "arm64"])
            .made("redhat/redhat-operator-index", "v4.18");
        let blue = catalog
            .in_format(Format::Docker)
            .with_package("delta", &[("stable", &["4.0.0", "4.1.0"])])
            .with_package("epsilon", &[("stable", &["5.0.0"])])
            .made("community/index", "v1");
        let base = Published::tagged("ubi9/ubi", "latest", super::image("amd64", 3));
        let all = releases.iter().flat_map(Release::published);
        let all = all.chain(red.published()).chain(blue.published()).chain([base]);
        fill(&host, all.collect()).await;
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("key.asc"), ReleaseSigner::trusted().public_key()).unwrap();
        let wanted = WANTED.replace("SOURCE", &source.address);
        fs::write(home.path().join("images.yaml"), wanted).unwrap();
        let updates = updates(&host, &releases).serve().await.unwrap();
        let signatures = signatures(&releases).serve().await.unwrap();
        Self { source, updates, signatures, releases, home }
    }

    fn run(&self, what: &str, words: &str) {
        let updates = format!("{}/graph", self.updates.url());
        let store = format!("{}/store/", self.signatures.url());
        let variables = [("UPDATE_URL_OVERRIDE", &*updates), ("OCP_SIGNATURE_URL", &*store)];
        let base = format!("--graph-base-image {}/ubi9/ubi:latest", self.source.address);
        run(self.home.path(), &format!("--src-tls-verify=false {base} {words}"), &variables, what);
    }
}

/// Runs the program with the key of who signs, whatever else it is told.
fn run(home: &Path, words: &str, variables: &[(&str, &str)], what: &str) {
    let words = format!("-c images.yaml {words}");
    let words: Vec<_> = words.split_whitespace().collect();
    let key = [("OCP_SIGNATURE_VERIFICATION_PK", "key.asc")];
    let variables: Vec<_> = variables.iter().copied().chain(key).collect();
    succeed(&ocm_with(home, &words, &variables), what);
}

/// Pushes with our own client: two hundred times skopeo take a minute, and what arrives is read
/// by skopeo all the same.
pub(super) async fn fill(host: &Host, images: Vec<Published>) {
    let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
    let client = Client::new(ClientOptions::default().with_tls(tls)).unwrap();
    Upstream::new(images).fill(&client.registry(host)).await.unwrap();
}

fn updates(host: &Host, releases: &[Release]) -> UpdateServer {
    let node = |release: &Release| {
        let Published { repository, .. } = release.payload();
        let payload = format!("{host}/{repository}@{}", release.digest());
        json!({ "version": release.version(), "payload": payload, "metadata": {} })
    };
    let nodes: Vec<_> = releases.iter().map(node).collect();
    let graph = |nodes: &[Value], edges: Value| {
        json!({ "version": 1, "nodes": nodes, "edges": edges }).to_string()
    };
    let files = Files::default().with("channels/stable-4.18.yaml", "name: stable-4.18\n");
    let server = UpdateServer::default();
    server.set("stable-4.17", "amd64", graph(&nodes[..2], json!([[0, 1]])));
    server.set("stable-4.18", "amd64", graph(&nodes[1..], json!([[0, 1], [1, 2], [2, 3]])));
    server.set_data(Blob::files(&files).chunks().collect::<Vec<_>>().concat());
    server
}

fn signatures(releases: &[Release]) -> Website {
    let signer = ReleaseSigner::trusted();
    releases.iter().fold(Website::default(), |site, release| {
        let version = release.version();
        let identity = format!("quay.io/openshift-release-dev/ocp-release:{version}-x86_64");
        let signature = signer.sign(release.digest(), &identity);
        site.with_signature("/store/", release.digest(), 1, signature)
    })
}

/// What skopeo finds below `namespace` is what a cluster will ask for.
fn check(target: &Registry, releases: &[Release], namespace: &str) {
    let payloads = format!("{namespace}openshift/release-images");
    for release in releases {
        let tag = format!("{}-x86_64", release.version());
        let payload = at(target, &payloads, &tag);
        assert_eq!(Digest::of(&manifest(&payload)), *release.digest(), "{payload}");
        let info = skopeo(["inspect", "--config", "--tls-verify=false", &payload]);
        let info: Value = serde_json::from_slice(&info).unwrap();
        let version = info.pointer("/config/Labels/io.openshift.release");
        assert_eq!(version, Some(&json!(release.version())));
    }
    let components = format!("{namespace}openshift/release");
    assert_eq!(tags(target, &components).len(), VERSIONS.len() * COMPONENTS);
    let newest = releases.last().unwrap();
    let payload = at(target, &payloads, &format!("{}-x86_64", newest.version()));
    let named = named(&payload);
    assert_eq!(named.len(), COMPONENTS);
    for digest in &named {
        pull(&["--src-tls-verify=false", &at(target, &components, &digest.to_string())], digest);
    }
    check_catalogs(target, namespace);
    let graph = files(&at(target, &format!("{namespace}openshift/graph-image"), "latest"));
    let expected = "var/lib/cincinnati-graph-data/channels/stable-4.18.yaml";
    assert!(graph.contains(expected), "{graph:?}");
}

fn check_catalogs(target: &Registry, namespace: &str) {
    for (repository, tag, package) in
        [("redhat/redhat-operator-index", "v4.18", "alpha"), ("community/index", "v1", "delta")]
    {
        let catalog = at(target, &format!("{namespace}{repository}"), tag);
        pull(&["--src-tls-verify=false", &catalog], &Digest::of(&manifest(&catalog)));
        // What was there before lies in a layer below, and is hidden by the one above it.
        let layers = layers(&catalog);
        let newest = listed(layers.last().unwrap());
        let packages: BTreeSet<_> =
            newest.iter().filter(|name| name.ends_with("/catalog.json")).cloned().collect();
        assert_eq!(packages, [format!("configs/{package}/catalog.json")].into());
    }
    // The proxy is of all bundles; alpha 1.0.0 was not asked for, and beta was not at all.
    for (repository, expected) in [("kube-rbac-proxy", 1), ("alpha", 2), ("alpha-bundle", 2)] {
        let repository = format!("{namespace}operators/{repository}");
        assert_eq!(tags(target, &repository).len(), expected, "{repository}");
    }
}

/// Returns what a payload names, read by `tar` out of what skopeo pulls.
fn named(payload: &str) -> BTreeSet<Digest> {
    let layers = layers(payload);
    let file = "release-manifests/image-references";
    let layer = layers.iter().rfind(|layer| listed(layer).contains(file)).unwrap();
    let output = Command::new("tar").arg("-xzOf").arg(&layer.path).arg(file).output().unwrap();
    succeed(&output, "tar");
    let stream: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tags = stream.pointer("/spec/tags").and_then(Value::as_array).unwrap();
    let digest = |tag: &Value| {
        let name = tag.pointer("/from/name").and_then(Value::as_str).unwrap();
        name.split_once('@').unwrap().1.parse().unwrap()
    };
    tags.iter().map(digest).collect()
}

/// A layer that was pulled.
struct Layer {
    path: PathBuf,
    _directory: Rc<TempDir>,
}

/// Pulls an image with skopeo, that for amd64; returns its layers, the lowest first.
fn layers(image: &str) -> Vec<Layer> {
    let directory = Rc::new(tempfile::tempdir().unwrap());
    let to = format!("dir:{}", directory.path().display());
    skopeo(["--override-arch", "amd64", "copy", "--src-tls-verify=false", image, &to]);
    let manifest = fs::read(directory.path().join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let layers = manifest.pointer("/layers").and_then(Value::as_array).unwrap();
    let hex = |layer: &Value| {
        let digest = layer.pointer("/digest").and_then(Value::as_str).unwrap();
        digest.split_once(':').unwrap().1.to_owned()
    };
    let path = |layer| directory.path().join(hex(layer));
    let own = || Rc::clone(&directory);
    layers.iter().map(|layer| Layer { path: path(layer), _directory: own() }).collect()
}

/// Lists the files of an image, in all its layers.
fn files(image: &str) -> BTreeSet<String> {
    layers(image).iter().flat_map(listed).collect()
}

/// Lists a layer with `tar`.
fn listed(layer: &Layer) -> BTreeSet<String> {
    let output = Command::new("tar").arg("-tzf").arg(&layer.path).output().unwrap();
    succeed(&output, "tar");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn tags(registry: &Registry, repository: &str) -> Vec<String> {
    let image = format!("docker://{}/{repository}", registry.address);
    let listed = skopeo(["list-tags", "--tls-verify=false", &image]);
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    let tags = listed.pointer("/Tags").and_then(Value::as_array).unwrap();
    tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// What is written for the cluster names what is at `target`.
fn check_resources(directory: &Path, source: &str, target: &str) {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "cc-index-v1.yaml",
        "cc-redhat-operator-index-v4-18.yaml",
        "cs-index-v1.yaml",
        "cs-redhat-operator-index-v4-18.yaml",
        "idms-oc-mirror.yaml",
        "itms-oc-mirror.yaml",
        "signature-configmap.json",
        "signature-configmap.yaml",
        "updateService.yaml",
    ];
    assert_eq!(names, expected);
    let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
    for (name, line) in [
        (expected[3], format!("image: {target}/redhat/redhat-operator-index:v4.18")),
        (expected[2], format!("image: {target}/community/index:v1")),
        (expected[4], format!("- {target}/openshift/release-images\n    source: {source}/")),
        (expected[4], format!("- {target}/operators\n    source: {source}/operators")),
        (expected[8], format!("graphDataImage: {target}/openshift/graph-image:latest")),
        (expected[8], format!("releases: {target}/openshift/release-images")),
    ] {
        assert!(read(name).contains(&line), "{name} lacks {line}:\n{}", read(name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_and_catalogs_go_from_registry_to_registry() {
    if !has_programs() {
        return;
    }
    let (world, target) = (World::new().await, Registry::start());
    let to = format!("{}/name/space", target.address);
    let words = format!("--workspace file://work --dest-tls-verify=false docker://{to}");
    for what in ["the first run", "the second run"] {
        world.run(what, &words);
    }
    check(&target, &world.releases, "name/space/");
    let resources = world.home.path().join("work/working-dir/cluster-resources");
    check_resources(&resources, &world.source.address, &to);
}

/// The source, the update server and the signatures are gone when the archive is read.
#[tokio::test(flavor = "multi_thread")]
async fn releases_and_catalogs_cross_the_gap() {
    if !has_programs() {
        return;
    }
    let world = World::new().await;
    world.run("to disk", "file://disk");
    let World { source, updates, signatures, releases, home } = world;
    let address = source.address.clone();
    drop((source, updates, signatures));
    let target = Registry::start();
    let to = format!("--from disk --dest-tls-verify=false docker://{}", target.address);
    run(home.path(), &to, &[], "from disk");
    check(&target, &releases, "");
    let resources = home.path().join("disk/working-dir/cluster-resources");
    check_resources(&resources, &address, &target.address);
}
