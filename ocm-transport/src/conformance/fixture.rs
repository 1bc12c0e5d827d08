use bytes::Bytes;
use futures::{StreamExt as _, stream};
use ocm_oci::{Algorithm, Descriptor, Digest, Hasher, MediaType, RepoName, Tag};
use serde_json::{Value, json};

use super::{push_as, repository};
use crate::{Body, Kind, Manifest, Operation, Retry, Transport, TransportError, Verb};

/// Content of the blob that most checks push; longer than one chunk of any backend made for tests.
pub const CONTENT: &[u8] = b"content that is long enough to come in several chunks";
/// A small blob that corrupt ones claim to be.
pub(super) const PROMISED: &[u8] = b"promised";
/// What an image's configuration is here.
pub(super) const CONFIG: &[u8] = br#"{"architecture":"amd64","os":"linux"}"#;

/// Content that checks push, or expect.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fixture {
    /// Blobs under their digests.
    pub blobs: Vec<(Digest, Bytes)>,
    /// Manifests, children first.
    pub manifests: Vec<Manifest>,
    /// Which tags point at which manifest, in order.
    pub names: Vec<(RepoName, Tag, Digest)>,
}

impl Fixture {
    /// Returns what the checks of [`reads`](super::reads()) expect to find.
    pub fn readable() -> Self {
        let blobs = [CONTENT, CONFIG, b""];
        let blobs = blobs.map(|blob| (Digest::of(blob), Bytes::from_static(blob)));
        let manifests = vec![image(), docker_image(), index(), nested(), statement("signature")];
        let names = [
            ("a/b", "v1", image()),
            ("a/b", "v2", image()),
            ("a/b", "v3", index()),
            ("c/d", "docker", docker_image()),
            ("e", "nested", nested()),
            ("a/b", "statement", statement("signature")),
        ];
        Self { blobs: blobs.into(), manifests, names: named(names) }
    }

    /// Returns all that the checks of [`writes`](super::writes) push, and [`readable`](Self::readable).
    pub fn everything() -> Self {
        let Self { mut blobs, mut manifests, mut names } = Self::readable();
        blobs.push((Digest::of(PROMISED), Bytes::from_static(PROMISED)));
        blobs.push((by_sha512(CONTENT), Bytes::from_static(CONTENT)));
        manifests.extend([unheard(), docker_list()]);
        names.extend(named([
            ("a/b", "unheard", unheard()),
            ("a/b", "list", docker_list()),
            ("a/b", "docker", docker_image()),
            ("a/b", "nested", nested()),
            // `keeps_manifests_in_order` points this one elsewhere than `readable` does.
            ("order/of", "v1", image()),
            ("order/of", "v2", image()),
            ("order/of", "v3", image()),
        ]));
        Self { blobs, manifests, names }
    }

    /// Stores all of it, each manifest in every repository whose tags lead to it.
    pub async fn push(&self, place: &dyn Transport) {
        for (name, tag, root) in &self.names {
            let to = place.destination(name).unwrap();
            for (digest, bytes) in &self.blobs {
                let (media_type, size) = (MediaType::OctetStream, bytes.len() as u64);
                push_as(&*to, &Descriptor { media_type, digest: digest.clone(), size }, bytes)
                    .await;
            }
            for manifest in &self.manifests {
                let is_root = manifest.descriptor().digest == *root;
                to.push_manifest(manifest, is_root.then_some(tag)).await.map(drop).unwrap();
                if is_root {
                    break;
                }
            }
        }
    }
}

fn named<const N: usize>(names: [(&str, &str, Manifest); N]) -> Vec<(RepoName, Tag, Digest)> {
    let name = |(name, tag, manifest): (&str, &str, Manifest)| {
        (repository(name), tag.parse().unwrap(), manifest.descriptor().digest.clone())
    };
    names.into_iter().map(name).collect()
}

/// Returns a blob's digest by SHA-512.
pub(super) fn by_sha512(content: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(content);
    hasher.finish()
}

fn entry(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::of(content), "size": content.len() })
}

fn entry_of(manifest: &Manifest) -> Value {
    serde_json::to_value(manifest.descriptor()).unwrap()
}

fn manifest(media_type: MediaType, value: &Value) -> Manifest {
    // Not as a serialiser would write it: whoever parses and prints it again changes the digest.
    let text = format!("{}\n ", serde_json::to_string_pretty(value).unwrap());
    Manifest::new(media_type, text.into())
}

/// Returns an image in OCI's format.
pub(super) fn image() -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::OciManifest.to_string(),
        "config": entry("application/vnd.oci.image.config.v1+json", CONFIG),
        "layers": [entry("application/vnd.oci.image.layer.v1.tar", CONTENT)] });
    manifest(MediaType::OciManifest, &value)
}

/// Returns an image in docker's format.
pub(super) fn docker_image() -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::DockerManifest.to_string(),
        "config": entry("application/vnd.docker.container.image.v1+json", CONFIG),
        "layers": [entry("application/vnd.docker.image.rootfs.diff.tar.gzip", CONTENT)] });
    manifest(MediaType::DockerManifest, &value)
}

/// Returns a manifest of a type that nobody has heard of.
pub(super) fn unheard() -> Manifest {
    let value = json!({ "schemaVersion": 2, "layers": [entry("text/plain", CONTENT)] });
    manifest(MediaType::Other("application/vnd.example.unheard.v7+json".to_owned()), &value)
}

fn platform(manifest: &Manifest, architecture: &str) -> Value {
    let mut entry = entry_of(manifest);
    entry["platform"] = json!({ "os": "linux", "architecture": architecture });
    entry
}

/// Returns an index of both images.
pub(super) fn index() -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::OciIndex.to_string(),
        "manifests": [platform(&image(), "amd64"), platform(&docker_image(), "arm64")] });
    manifest(MediaType::OciIndex, &value)
}

/// Returns docker's list of its one image.
pub(super) fn docker_list() -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::DockerList.to_string(),
        "manifests": [platform(&docker_image(), "amd64")] });
    manifest(MediaType::DockerList, &value)
}

/// Returns an index that names the other index.
pub(super) fn nested() -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::OciIndex.to_string(),
        "manifests": [entry_of(&index())] });
    manifest(MediaType::OciIndex, &value)
}

/// Returns what says something about [`image`].
pub(super) fn statement(kind: &str) -> Manifest {
    let value = json!({ "schemaVersion": 2, "mediaType": MediaType::OciManifest.to_string(),
        "artifactType": format!("application/vnd.example.{kind}"),
        "config": entry("application/vnd.oci.empty.v1+json", CONFIG), "layers": [],
        "subject": entry_of(&image()), "annotations": { "org.example.kind": kind } });
    manifest(MediaType::OciManifest, &value)
}

/// Describes `content` truthfully.
pub fn describe(content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: MediaType::OctetStream,
        digest: Digest::of(content),
        size: content.len() as u64,
    }
}

/// A body that sends `chunks` and then, if asked, breaks.
pub fn body(chunks: &[&[u8]], breaks: Option<Kind>) -> Body {
    let (place, reference) = ("a test".to_owned(), "content".to_owned());
    let operation = Operation { place, verb: Verb::Fetch, reference };
    let error = breaks.map(|kind| TransportError::new(operation.clone(), kind, Retry::Again));
    let chunks = chunks.iter().map(|chunk| Ok(Bytes::copy_from_slice(chunk)));
    let bytes = stream::iter(chunks.chain(error.map(Err)).collect::<Vec<_>>()).boxed();
    Body { operation, starts_at: 0, bytes, kept_in: None }
}
