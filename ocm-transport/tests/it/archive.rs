//! What the tests of archives share: some images, and how they get into an archive.

use std::path::Path;

use bytes::Bytes;
use ocm_oci::{Digest, MediaType, RepoName, Tag};
use ocm_transport::{
    Begun, BlobStream, Destination, Manifest, Stored, Transport,
    archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Contents, LayoutError},
    conformance::{self, Fixture, body, describe},
};

/// Some images, and what an archive of them is to hold.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    pub(crate) contents: Contents,
    /// Configuration, a layer that all share, and one layer for each image.
    pub(crate) blobs: Vec<Bytes>,
    pub(crate) manifests: Vec<Manifest>,
}

pub(crate) fn repository(name: &str) -> RepoName {
    name.parse().unwrap()
}

pub(crate) fn tag(name: &str) -> Tag {
    name.parse().unwrap()
}

fn image(config: &Bytes, layers: [&Bytes; 2]) -> Manifest {
    let entry = |media_type: &str, bytes: &Bytes| {
        let digest = Digest::of(bytes);
        serde_json::json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    };
    let layers = layers.map(|layer| entry("application/vnd.oci.image.layer.v1.tar", layer));
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": entry("application/vnd.oci.image.config.v1+json", config),
        "layers": layers,
    });
    Manifest::new(MediaType::OciManifest, manifest.to_string().into())
}

/// Returns bytes that no other number gives.
pub(crate) fn noise(number: usize, len: usize) -> Bytes {
    let mut state = number as u64 + 1;
    let byte = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        state.to_be_bytes()[0]
    };
    (0..len).map(byte).collect()
}

impl Images {
    /// Makes one image for each size of a layer.
    pub(crate) fn new(name: &str, sizes: &[usize]) -> Self {
        let mut contents = Contents::new(Digest::of(name.as_bytes()));
        contents.created = Some("2026-11-20T17:51:16Z".to_owned());
        contents.records.insert("plan.json".to_owned(), name.to_owned().into());
        contents.records.insert("config.yaml".to_owned(), Bytes::from_static(b"kind: x"));
        let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}"#;
        let mut blobs = vec![Bytes::from_static(config), Bytes::from_static(b"shared by all")];
        let mut manifests = Vec::new();
        for (number, size) in sizes.iter().enumerate() {
            let layer = noise(number, *size);
            let manifest = image(&blobs[0], [&blobs[1], &layer]);
            contents.names.insert(Self::name(number), manifest.descriptor().digest.clone());
            blobs.push(layer);
            manifests.push(manifest);
        }
        contents.manifests = manifests.iter().map(|one| one.descriptor().clone()).collect();
        contents.blobs = blobs.iter().map(|blob| (Digest::of(blob), blob.len() as u64)).collect();
        Self { contents, blobs, manifests }
    }

    pub(crate) fn name(number: usize) -> (RepoName, Tag) {
        (repository(&format!("team/app{number}")), tag("v1"))
    }

    pub(crate) async fn writer(&self, directory: &Path, size: Option<u64>) -> ArchiveWriter {
        let layout = ArchiveLayout::of(&self.contents, size).unwrap();
        ArchiveWriter::create(directory, layout, &self.contents).await.unwrap()
    }

    /// Pushes one image.
    pub(crate) async fn push(&self, place: &dyn Transport, number: usize) {
        let (name, tag) = Self::name(number);
        let to = place.destination(&name).unwrap();
        for blob in [&self.blobs[0], &self.blobs[1], &self.blobs[number + 2]] {
            push(&*to, blob).await;
        }
        let stored = to.push_manifest(&self.manifests[number], Some(&tag)).await;
        assert_eq!(stored.unwrap(), Stored::New);
    }

    pub(crate) async fn push_all(&self, place: &dyn Transport) {
        for number in 0..self.manifests.len() {
            self.push(place, number).await;
        }
    }

    /// Writes all of it and makes it visible.
    pub(crate) async fn archive(&self, directory: &Path, size: Option<u64>) {
        let writer = self.writer(directory, size).await;
        self.push_all(&writer).await;
        assert_eq!(writer.seal().await.unwrap().absent, []);
    }
}

pub(crate) async fn push(to: &dyn Destination, content: &Bytes) {
    let blob = describe(content);
    match to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        Begun::Open(upload) => {
            let middle = content.len() / 2;
            let stream =
                BlobStream::new(blob, body(&[&content[..middle], &content[middle..]], None));
            assert_eq!(upload.finish(stream).await.unwrap(), Stored::New);
        }
        begun => assert!(matches!(begun, Begun::Present)),
    }
}

/// Returns every volume's bytes, by name, and nothing else that lies there.
pub(crate) fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Returns the same as [`files`], without their bytes.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(name, _)| name).collect()
}

/// What an archive must be told of before the conformance suite can write into it.
fn suite() -> Contents {
    let Fixture { blobs, manifests, names } = Fixture::everything();
    let mut contents = Contents::new(Digest::of(b"conformance"));
    contents.manifests = manifests.iter().map(|one| one.descriptor().clone()).collect();
    contents.blobs =
        blobs.into_iter().map(|(digest, bytes)| (digest, bytes.len() as u64)).collect();
    contents.names = names.into_iter().map(|(name, tag, digest)| ((name, tag), digest)).collect();
    contents
}

/// One volume, or as many as there can be.
fn sizes() -> [Option<u64>; 2] {
    match ArchiveLayout::of(&suite(), Some(0)).unwrap_err() {
        LayoutError::TooSmall { least, .. } => [None, Some(least)],
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_writer_keeps_the_contract() {
    for size in sizes() {
        for check in conformance::writes() {
            let directory = tempfile::tempdir().unwrap();
            let layout = ArchiveLayout::of(&suite(), size).unwrap();
            let writer = ArchiveWriter::create(directory.path(), layout, &suite()).await;
            check.run(&writer.unwrap()).await;
        }
    }
}

#[tokio::test]
async fn writer_and_reader_read_alike() {
    for size in sizes() {
        let directory = tempfile::tempdir().unwrap();
        let layout = ArchiveLayout::of(&suite(), size).unwrap();
        let writer = ArchiveWriter::create(directory.path(), layout, &suite()).await.unwrap();
        Fixture::readable().push(&writer).await;
        for check in conformance::reads() {
            check.run(&writer).await;
        }
        writer.seal().await.unwrap();
        let reader = ArchiveReader::open(directory.path()).await.unwrap();
        for check in conformance::reads() {
            check.run(&reader).await;
        }
        assert!(reader.destination(&repository("a/b")).is_none());
    }
}
