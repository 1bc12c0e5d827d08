//! The registry client against Debian's `docker-registry`, where it is installed.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use ocm_oci::{Digest, Host, MediaType};
use ocm_transport::{
    Begun, BlobStream, Credentials, Kind, Login, Manifest, Page, Retry, SourceExt as _,
    Transport as _, conformance,
};
use tempfile::TempDir;

use crate::support::{Kept, chain, open, plain};

/// The program, running with a directory of its own on a free port.
#[derive(Debug)]
struct DockerRegistry {
    process: Child,
    host: Host,
    _dir: TempDir,
}

impl DockerRegistry {
    /// Starts it; `None`, and a line that says so, where it is not installed.
    fn start() -> Option<Self> {
        Self::start_with(|_| String::new())
    }

    /// Starts it with more in its configuration.
    fn start_with(more: impl FnOnce(&Path) -> String) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: 127.0.0.1:0}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n{}",
            dir.path().join("content").display(),
            more(dir.path())
        );
        std::fs::write(&config, text).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                skip("docker-registry", &error);
                return None;
            }
        };
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = log.find_map(|line| line.ok().filter(|line| line.contains("listening on")));
        let line = line.expect("it listens before it ends");
        let address = line.split("listening on ").nth(1).unwrap();
        let host = address.split(['"', ' ']).next().unwrap().parse().unwrap();
        // What is not read would block it.
        std::thread::spawn(move || log.for_each(drop));
        Some(Self { process, host, _dir: dir })
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn keeps_the_contract() {
    if DockerRegistry::start().is_none() {
        return;
    }
    let fresh = || {
        let server = DockerRegistry::start().unwrap();
        Kept { registry: open(&server.host, plain()), _server: server }
    };
    for check in conformance::writes().into_iter().chain(conformance::changes()) {
        // It knows only the types that were there in its time.
        if check.name != "keeps_unheard_types" {
            check.run(&fresh()).await;
        }
    }
}

/// The line of `me:secret` in a file of passwords.
const ME: &str = "me:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";

#[tokio::test]
async fn a_password_is_asked_for() {
    let Some(server) = DockerRegistry::start_with(|dir| {
        let passwords = dir.join("passwords");
        std::fs::write(&passwords, ME).unwrap();
        format!("auth: {{htpasswd: {{realm: x, path: {}}}}}\n", passwords.display())
    }) else {
        return;
    };
    for (password, expected) in [("secret", None), ("wrong", Some(Kind::Auth))] {
        let credentials = Credentials::fixed(Login::basic("me", password));
        let registry = open(&server.host, plain().with_credentials(credentials));
        assert_eq!(registry.check().await.err().map(|error| error.kind()), expected);
    }
    let error = open(&server.host, plain()).check().await.unwrap_err();
    assert!(chain(&error).contains("UNAUTHORIZED: authentication required"), "{}", chain(&error));
}

#[tokio::test]
async fn mounts_and_refusals_are_understood() {
    let Some(server) = DockerRegistry::start() else { return };
    let registry = open(&server.host, plain());
    let open = |name: &str| registry.destination(&name.parse().unwrap()).unwrap();
    let blob = conformance::push(&*open("a/b"), conformance::CONTENT).await;
    let to = open("c/d");
    let begun = to.begin(&blob.digest, Some(blob.size), Some(&"a/b".parse().unwrap())).await;
    assert!(matches!(begun.unwrap(), Begun::Mounted));
    // An index whose manifests are elsewhere.
    let absent = Digest::of(b"absent");
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{{"mediaType":"{}","digest":"{absent}",
        "size":6,"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#,
        MediaType::OciIndex,
        MediaType::OciManifest,
    );
    let sparse = Manifest::new(MediaType::OciIndex, text.into());
    let error = to.push_manifest(&sparse, Some(&"v1".parse().unwrap())).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (Kind::Incomplete, Retry::Never),
        "{}",
        chain(&error)
    );
    let error = to.delete_blob(&absent).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    to.delete_blob(&blob.digest).await.unwrap();
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None);
    let page = Page { after: None, limit: std::num::NonZeroUsize::MIN };
    let names = registry.repositories(&page).await.unwrap();
    assert_eq!(names.items, ["a/b".parse().unwrap()]);
    let next = registry.repositories(&names.next.unwrap()).await.unwrap();
    assert_eq!(next.items, ["c/d".parse().unwrap()]);
}

/// This registry signs how far a session has come into its address, so that one that got a part
/// of a PUT is lost: a new one has to do.
#[tokio::test]
async fn an_interrupted_upload_begins_again() {
    let Some(server) = DockerRegistry::start() else { return };
    let to = open(&server.host, plain()).destination(&"a/b".parse().unwrap()).unwrap();
    let content = vec![7; 3 << 20];
    let blob = conformance::describe(&content);
    let begin = async || match to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        Begun::Open(upload) => upload,
        begun => panic!("{begun:?}"),
    };
    let part = &content[..2 << 20];
    let stream = BlobStream::new(blob.clone(), conformance::body(&[part], Some(Kind::Reset)));
    let interrupted = begin().await.finish(stream).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Reset);
    assert_eq!(to.blob_size(&blob.digest).await.unwrap(), None);
    // Asked too early, it does not know yet that it has a part.
    let mut session = interrupted.upload;
    for _ in 0..3 {
        let upload = if let Some(upload) = session.take() { upload } else { begin().await };
        let stream = BlobStream::new(blob.clone(), conformance::body(&[&content], None));
        let stream = stream.starting_at(upload.offset());
        match upload.finish(stream).await {
            Ok(_stored) => break,
            Err(interrupted) => session = interrupted.upload,
        }
    }
    assert_eq!(to.blob_bytes(&blob).await.unwrap(), content);
}

/// Another client finds what this one stored, and this one what another stored.
#[tokio::test]
async fn skopeo_and_we_read_each_other() {
    let Some(server) = DockerRegistry::start() else { return };
    let registry = open(&server.host, plain());
    let to = registry.destination(&"ours/app".parse().unwrap()).unwrap();
    let config =
        r#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let config = conformance::push(&*to, config.as_bytes()).await;
    let layer = conformance::push(&*to, conformance::CONTENT).await;
    let text = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","config":{{"mediaType":
        "application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},"layers":[{{"mediaType":
        "application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}}]}}"#,
        MediaType::OciManifest,
        config.digest,
        config.size,
        layer.digest,
        layer.size
    );
    let manifest = Manifest::new(MediaType::OciManifest, text.into());
    let _stored = to.push_manifest(&manifest, Some(&"v1".parse().unwrap())).await.unwrap();
    let copied = Command::new("skopeo")
        .args(["copy", "--quiet", "--preserve-digests", "--insecure-policy"])
        .args(["--src-tls-verify=false", "--dest-tls-verify=false"])
        .arg(format!("docker://{}/ours/app:v1", server.host))
        .arg(format!("docker://{}/theirs/app:v1", server.host))
        .output();
    let copied = match copied {
        Ok(copied) => copied,
        Err(error) => return skip("skopeo", &error),
    };
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    let from = registry.source(&"theirs/app".parse().unwrap());
    assert_eq!(from.manifest(&"v1".parse().unwrap(), 10_000).await.unwrap(), manifest);
    assert_eq!(from.blob_bytes(&layer).await.unwrap(), conformance::CONTENT);
}

/// Says that a program is missing; where all of them have to be there, that is a failure.
fn skip(program: &str, error: &std::io::Error) {
    println!("skipped: {program}: {error}");
    assert!(std::env::var_os("OCM_INTEROP_REQUIRED").is_none(), "{program} is required");
}
