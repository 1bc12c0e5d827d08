//! The three flows between real registries, with content that a real tool pushed and pulls back.
//!
//! Needs `docker-registry` and `skopeo`, which Debian has. Without them nothing is tested, visibly;
//! with `CI=true` that is a failure.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use futures::StreamExt as _;
use ocm_mirror::{
    CatalogImage, ContentStore, ImageFiles, Kind, Location, Means, Options, Overlay, Place, Places,
    Report, Request, RetryPolicy, Wanted, Wishes,
};
use ocm_oci::{Digest, Platform, PlatformFilter, TagOrDigest};
use ocm_testkit::{Blob, Catalog, Content, Format};
use ocm_transport::{Client, ClientOptions, TlsOptions, Transport, Verify};
use serde_json::{Value, json};
use tempfile::TempDir;

mod catalogs;
mod clusters;
mod signatures;

/// Exit code when additional images are missing at the destination.
const ADDITIONAL: i32 = 8;

/// How an image is asked for in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Tag,
    Digest,
    Both,
}

/// An image at the source.
#[derive(Debug, Clone)]
struct Pushed {
    repository: String,
    digest: Digest,
    by: By,
}

/// A docker-registry on a free port, for as long as this value lives.
#[derive(Debug)]
struct Registry {
    process: Child,
    address: String,
    _directory: TempDir,
}

impl Registry {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (config, log) = (directory.path().join("config.yaml"), directory.path().join("log"));
        let settings = json!({
            "version": "0.1",
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": directory.path().join("content") } },
            "http": { "addr": "127.0.0.1:0" },
        });
        fs::write(&config, settings.to_string()).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let address = listening(&log);
        Self { process, address, _directory: directory }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Waits until a registry has said where it listens.
fn listening(log: &Path) -> String {
    for _ in 0..600 {
        let text = fs::read_to_string(log).unwrap();
        if let Some((_, rest)) = text.split_once("listening on ") {
            let is_address = |c: char| c.is_ascii_digit() || c == '.' || c == ':';
            return rest.chars().take_while(|c| is_address(*c)).collect();
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("docker-registry did not come up: {}", fs::read_to_string(log).unwrap());
}

/// Whether the programs are here. Says so if they are not, and fails in CI.
fn has_programs() -> bool {
    let is_missing = |program: &&str| {
        let asked = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        asked.is_err()
    };
    let missing: Vec<_> = ["docker-registry", "skopeo"].into_iter().filter(is_missing).collect();
    let is_ci = env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(missing.is_empty() || !is_ci, "{missing:?} must be installed in CI");
    if !missing.is_empty() {
        // Not `eprintln`, which a test that passes keeps to itself.
        let mut told = io::stderr();
        writeln!(told, "SKIPPED: an interop test, as {missing:?} are not installed").unwrap();
    }
    missing.is_empty()
}

fn succeed(output: &Output, what: &str) {
    let (out, err) = (&output.stdout, &output.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    assert!(output.status.success(), "{what}: {}\n{out}\n{err}", output.status);
}

fn skopeo<A: AsRef<str>>(arguments: impl IntoIterator<Item = A>) -> Vec<u8> {
    let mut command = Command::new("skopeo");
    command.arg("--insecure-policy");
    command.args(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
    let output = command.output().unwrap();
    succeed(&output, &format!("{command:?}"));
    output.stdout
}

/// Runs the program, in a home of its own, so that nothing of this machine's user matters.
fn ocm(home: &Path, arguments: &[&str]) -> Output {
    ocm_with(home, arguments, &[])
}

/// As [`ocm`], with variables.
fn ocm_with(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ocm"))
        .args(arguments)
        .current_dir(home)
        .env("HOME", home)
        .env_remove("REGISTRY_AUTH_FILE")
        .env_remove("XDG_RUNTIME_DIR")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("DOCKER_CONFIG")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn image(architecture: &str, seed: u64) -> Content {
    let layers = [1, seed].map(|seed| Blob::layer(seed, 20_000 + seed)).to_vec();
    let name = format!("made up for {architecture}");
    Content::image(Format::Oci, &Platform::new("linux", architecture), &name, layers)
}

fn index() -> Content {
    let children = ["amd64", "arm64", "s390x"].into_iter().zip(10..);
    let child = |(architecture, seed)| {
        (Some(Platform::new("linux", architecture)), image(architecture, seed))
    };
    Content::index(Format::Oci, children.map(child).collect())
}

/// Writes an OCI layout with one image in it, called `it`.
///
/// By hand: what pushes to the source is to share no code with what mirrors.
fn write_layout(directory: &Path, content: &Content) {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for blob in content.all_blobs().into_values() {
        let bytes: Vec<_> = blob.chunks().collect();
        fs::write(blobs.join(blob.descriptor().digest.hex()), bytes.concat()).unwrap();
    }
    for manifest in content.manifests() {
        fs::write(blobs.join(manifest.descriptor().digest.hex()), manifest.bytes()).unwrap();
    }
    let mut entry = serde_json::to_value(content.descriptor()).unwrap();
    let name = json!({ "org.opencontainers.image.ref.name": "it" });
    entry.as_object_mut().unwrap().insert("annotations".to_owned(), name);
    let index = json!({ "schemaVersion": 2, "manifests": [entry] });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// Pushes `content` with skopeo, as `format`; returns what the registry then has.
fn push(to: &Registry, repository: &str, content: &Content, format: &str) -> Digest {
    let layout = tempfile::tempdir().unwrap();
    write_layout(layout.path(), content);
    let (from, to) = (format!("oci:{}:it", layout.path().display()), at(to, repository, "v1"));
    skopeo(["copy", "--all", "--format", format, "--dest-tls-verify=false", &from, &to]);
    Digest::of(&manifest(&to))
}

/// Names an image for skopeo, which knows a digest by its colon.
fn at(registry: &Registry, repository: &str, reference: &str) -> String {
    let separator = if reference.contains(':') { '@' } else { ':' };
    format!("docker://{}/{repository}{separator}{reference}", registry.address)
}

fn manifest(image: &str) -> Vec<u8> {
    skopeo(["inspect", "--raw", "--tls-verify=false", image])
}

/// Fills a registry with images and indexes of both families, to be asked for in every way.
fn fill(source: &Registry) -> Vec<Pushed> {
    let contents = [("single", image("amd64", 5)), ("multi", index())];
    let mut pushed = Vec::new();
    for (by, how) in [(By::Tag, "by-tag"), (By::Digest, "by-digest"), (By::Both, "by-both")] {
        for format in ["oci", "v2s2"] {
            for (name, content) in &contents {
                let repository = format!("{how}/{name}-{format}");
                let digest = push(source, &repository, content, format);
                pushed.push(Pushed { repository, digest, by });
            }
        }
    }
    let digests =
        |suffix| pushed.iter().filter(move |one: &&Pushed| one.repository.ends_with(suffix));
    let (oci, docker) = (digests("oci").next().unwrap(), digests("v2s2").next().unwrap());
    assert_ne!(oci.digest, docker.digest, "skopeo pushed the same format twice");
    pushed
}

/// Writes the configuration that names all of `pushed`.
fn configure(directory: &Path, source: &Registry, pushed: &[Pushed]) -> String {
    let name = |one: &Pushed| {
        let tag = if one.by == By::Digest { "" } else { ":v1" };
        let digest = if one.by == By::Tag { String::new() } else { format!("@{}", one.digest) };
        json!({ "name": format!("{}/{}{tag}{digest}", source.address, one.repository) })
    };
    let images: Vec<Value> = pushed.iter().map(name).collect();
    write_configuration(directory, &images)
}

fn write_configuration(directory: &Path, images: &[Value]) -> String {
    let config = json!({
        "kind": "ImageSetConfiguration",
        "apiVersion": "mirror.openshift.io/v2alpha1",
        "mirror": { "additionalImages": images },
    });
    let file = directory.join("images.yaml");
    fs::write(&file, config.to_string()).unwrap();
    file.display().to_string()
}

/// What was pushed to `source` must be at `target`, below `namespace`, and come back from there.
fn check(source: &Registry, target: &Registry, namespace: &str, pushed: &[Pushed]) {
    for Pushed { repository, digest, by } in pushed {
        let there = format!("{namespace}{repository}");
        let by_digest = at(target, &there, &digest.to_string());
        let original = manifest(&at(source, repository, "v1"));
        assert!(manifest(&by_digest) == original, "{there}@{digest} is another");
        if *by != By::Digest {
            let by_tag = manifest(&at(target, &there, "v1"));
            assert_eq!(Digest::of(&by_tag), *digest, "{there}:v1");
        }
        pull(&["--src-tls-verify=false", &by_digest], digest);
    }
}

/// Copies an image into a directory with skopeo, which verifies every blob of it.
fn pull(from: &[&str], digest: &Digest) {
    let directory = tempfile::tempdir().unwrap();
    let to = format!("dir:{}", directory.path().display());
    let options = ["copy", "--all", "--preserve-digests"];
    skopeo(options.iter().chain(from).chain([&to.as_str()]));
    let manifest = fs::read(directory.path().join("manifest.json")).unwrap();
    assert_eq!(Digest::of(&manifest), *digest, "{from:?} is pulled as another");
}

#[test]
fn registry_to_registry() {
    if !has_programs() {
        return;
    }
    let (source, target, home) =
        (Registry::start(), Registry::start(), tempfile::tempdir().unwrap());
    let pushed = fill(&source);
    let config = configure(home.path(), &source, &pushed);
    let to = format!("docker://{}/name/space", target.address);
    let arguments = [
        "-c",
        &config,
        "--workspace",
        &format!("file://{}", home.path().join("work").display()),
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        &to,
    ];
    for run in ["the first run", "the second run"] {
        succeed(&ocm(home.path(), &arguments), run);
        check(&source, &target, "name/space/", &pushed);
    }
}

#[test]
fn registry_to_disk_to_registry() {
    if !has_programs() {
        return;
    }
    let (source, home) = (Registry::start(), tempfile::tempdir().unwrap());
    let pushed = fill(&source);
    let config = configure(home.path(), &source, &pushed);
    let disk = format!("file://{}", home.path().join("disk").display());
    succeed(&ocm(home.path(), &["-c", &config, "--src-tls-verify=false", &disk]), "to disk");
    let volumes = volumes(&home.path().join("disk"));
    let [volume] = volumes.as_slice() else { panic!("{volumes:?} is not one volume") };
    // skopeo finds names of OCI types only in a layout; those of docker's are there for others.
    let is_named = |one: &&Pushed| one.by != By::Digest && one.repository.ends_with("-oci");
    for Pushed { repository, digest, .. } in pushed.iter().filter(is_named) {
        pull(&[&format!("oci-archive:{}:{repository}:v1", volume.display())], digest);
    }
    let target = Registry::start();
    let to = format!("docker://{}", target.address);
    let arguments = ["-c", &config, "--from", &disk, "--dest-tls-verify=false", &to];
    succeed(&ocm(home.path(), &arguments), "from disk");
    check(&source, &target, "", &pushed);
}

fn volumes(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut volumes: Vec<_> =
        entries.filter(|path| path.extension() == Some("tar".as_ref())).collect();
    volumes.sort();
    volumes
}

/// docker-registry takes no index that names what is not there; we say so, and what to do.
#[test]
fn a_sparse_index_is_refused_with_advice() {
    if !has_programs() {
        return;
    }
    let (source, target, home) =
        (Registry::start(), Registry::start(), tempfile::tempdir().unwrap());
    let whole = push(&source, "team/multi", &index(), "oci");
    let wanted = ["amd64", "s390x"].map(|one| json!({ "os": "linux", "architecture": one }));
    let name = format!("{}/team/multi:v1", source.address);
    let config = write_configuration(home.path(), &[json!({ "name": name, "platforms": wanted })]);
    let workspace = format!("file://{}", home.path().join("work").display());
    let to = format!("docker://{}", target.address);
    let insecure = ["--src-tls-verify=false", "--dest-tls-verify=false", "--retry-times", "0"];
    let mut arguments = vec!["-c", &config, "--workspace", &workspace, &to];
    arguments.extend(insecure);
    let output = ocm(home.path(), &arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(ADDITIONAL), "{said}");
    assert!(said.contains("--platform-index rewrite") && said.contains(&name), "{said}");
    arguments.extend(["--platform-index", "rewrite"]);
    succeed(&ocm(home.path(), &arguments), "with a rewritten index");
    let rewritten = manifest(&at(&target, "team/multi", "v1"));
    let listed: Value = serde_json::from_slice(&rewritten).unwrap();
    let architectures: Vec<_> = listed
        .pointer("/manifests")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .map(|one| {
            one.pointer("/platform/architecture").and_then(Value::as_str).unwrap().to_owned()
        })
        .collect();
    assert_eq!(architectures, ["amd64", "s390x"]);
    assert_ne!(Digest::of(&rewritten), whole);
    let by_tag = at(&target, "team/multi", "v1");
    pull(&["--src-tls-verify=false", &by_tag], &Digest::of(&rewritten));
}

/// A catalog that skopeo pushed, with one package of it left, on its way to another registry.
///
/// Through the library, so that what is read back was built by nothing but what is tested.
async fn rebuild(source: &Registry, target: &Registry, files: &BTreeMap<String, bytes::Bytes>) {
    let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
    let client = Client::new(ClientOptions::default().with_tls(tls)).unwrap();
    let open = |registry: &Registry| -> Arc<dyn Transport> {
        Arc::new(client.registry(&registry.address.parse().unwrap()))
    };
    let (from, to) = (open(source), open(target));
    let repository = "operators/catalog".parse().unwrap();
    let (base, retry) = (from.source(&repository), RetryPolicy::default());
    let workspace = tempfile::tempdir().unwrap();
    let store = ContentStore::create(&workspace.path().join("store"), 1 << 30).await.unwrap();
    let tag = TagOrDigest::Tag("v1".parse().unwrap());
    let opened = ImageFiles::open(Arc::clone(&base), &tag, retry).await.unwrap();
    let catalog = CatalogImage::open(opened.kept_in(&store)).await.unwrap();
    let built = ocm_mirror::rebuild_catalog(&catalog, files, &store).await.unwrap();
    let mut overlay = Overlay::new(&store);
    overlay.add(&repository, &built, Some(base));
    let there = Place::Registry(target.address.parse().unwrap());
    let places = Places::default()
        .with_source(Place::Built, Arc::new(overlay))
        .with_destination(there.clone(), to);
    let mut wishes = Wishes::default();
    wishes.add(Wanted {
        origin: "the catalog".to_owned(),
        from: Location { place: Place::Built, repository: repository.clone() },
        reference: TagOrDigest::from(&built.root().unwrap().descriptor().digest),
        platforms: PlatformFilter::All,
        repository,
        tag: "v1".parse().unwrap(),
        kind: Kind::Additional,
        needs: [].into(),
    });
    let request = Request::new(wishes, there, workspace.path().to_owned());
    let prepared = ocm_mirror::prepare(request, &places).await.unwrap();
    let means = Means { places, pack: prepared.pack };
    let plan = Arc::new(prepared.planned.plan);
    let events: Vec<_> = ocm_mirror::execute(plan, means, Options::default()).collect().await;
    let mut report = Report::default();
    report.extend(&events);
    assert!(report.is_complete(), "{report:?}");
}

/// Rebuilt catalogs are images to others: skopeo pulls them and verifies every blob, and where
/// umoci is installed, it unpacks one to the files that were selected.
#[tokio::test]
async fn a_rebuilt_catalog_is_read_by_others() {
    if !has_programs() {
        return;
    }
    let made = Catalog::new(1, &"quay.io".parse().unwrap())
        .with_package("etcd", &[("stable", &["0.9.0"])])
        .with_package("vault", &[("stable", &["1.0.0"])])
        .for_architectures(&["amd64", "s390x"])
        .made("operators/catalog", "v1");
    let files = BTreeMap::from([("etcd/catalog.json".to_owned(), bytes::Bytes::from("{}"))]);
    let mut digests = Vec::new();
    for format in ["oci", "v2s2", "oci"] {
        let (source, target) = (Registry::start(), Registry::start());
        push(&source, "operators/catalog", &made.image().content, format);
        rebuild(&source, &target, &files).await;
        let rebuilt = at(&target, "operators/catalog", "v1");
        let digest = Digest::of(&manifest(&rebuilt));
        pull(&["--src-tls-verify=false", &rebuilt], &digest);
        let config = skopeo(["inspect", "--config", "--tls-verify=false", &rebuilt]);
        let config: Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config.pointer("/config/Cmd"), Some(&json!(["serve", "/configs"])));
        assert_unpacks(&rebuilt);
        digests.push(digest);
    }
    assert_ne!(digests.first(), digests.get(1), "docker's types became those of the OCI");
    assert_eq!(digests.first(), digests.get(2), "the digest depends on more than the original");
}

/// Unpacks an image of a rebuilt catalog with umoci, where that is installed.
fn assert_unpacks(image: &str) {
    let is_there = Command::new("umoci").arg("--version").stdout(Stdio::null()).status();
    if is_there.is_err() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let (layout, bundle) = (directory.path().join("layout"), directory.path().join("bundle"));
    let to = format!("oci:{}:it", layout.display());
    skopeo(["copy", "--src-tls-verify=false", "--format", "oci", image, &to]);
    let unpack = Command::new("umoci")
        .args(["unpack", "--rootless", "--image"])
        .arg(format!("{}:it", layout.display()))
        .arg(&bundle)
        .output();
    succeed(&unpack.unwrap(), "umoci unpack");
    let root = bundle.join("rootfs");
    let names = |directory: &str| {
        let entries = fs::read_dir(root.join(directory)).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    assert_eq!(
        (names("configs"), names("configs/etcd")),
        (vec!["etcd".into()], vec!["catalog.json".into()])
    );
    assert_eq!(names("tmp"), [""; 0], "the stale cache is still there");
    let mode = fs::metadata(root.join("tmp")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o7777, 0o1777);
}
