use std::path::Path;

use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Begun, Manifest, SourceExt as _, Stored, Transport,
    archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Contents},
    conformance::{body, describe},
};

/// Some images, and what an archive of them is to hold.
struct Fixture {
    contents: Contents,
    blobs: Vec<Bytes>,
    manifests: Vec<Manifest>,
}

fn repository(name: &str) -> RepoName {
    name.parse().unwrap()
}

fn tag(name: &str) -> Tag {
    name.parse().unwrap()
}

fn image(config: &Bytes, layers: &[Bytes]) -> Manifest {
    let entry = |media_type: &str, bytes: &Bytes| {
        let digest = Digest::of(bytes);
        serde_json::json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() })
    };
    let layers: Vec<_> =
        layers.iter().map(|layer| entry("application/vnd.oci.image.layer.v1.tar", layer)).collect();
    let manifest = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": entry("application/vnd.oci.image.config.v1+json", config),
        "layers": layers,
    });
    Manifest::new(MediaType::OciManifest, manifest.to_string().into())
}

impl Fixture {
    fn new(sizes: &[usize]) -> Self {
        let set = Digest::of(b"the plan");
        let mut contents = Contents::new(set);
        contents.created = Some("2026-11-20T17:51:16Z".to_owned());
        contents.records.insert("plan.json".to_owned(), Bytes::from_static(b"the plan"));
        contents.records.insert("config.yaml".to_owned(), Bytes::from_static(b"kind: x"));
        let config = Bytes::from_static(
            br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
        );
        let shared = Bytes::from_static(b"shared by all");
        let (mut blobs, mut manifests) = (vec![config.clone(), shared.clone()], Vec::new());
        for (number, size) in sizes.iter().enumerate() {
            let layer: Vec<u8> = (0..*size).map(|at| (at * 7 + at / 251 + number) as u8).collect();
            let layer = Bytes::from(layer);
            let manifest = image(&config, &[shared.clone(), layer.clone()]);
            let name = (repository(&format!("team/app{number}")), tag("v1"));
            contents.names.insert(name, manifest.descriptor().digest.clone());
            blobs.push(layer);
            manifests.push(manifest);
        }
        contents.manifests = manifests.iter().map(|one| one.descriptor().clone()).collect();
        contents.blobs = blobs.iter().map(|blob| (Digest::of(blob), blob.len() as u64)).collect();
        Self { contents, blobs, manifests }
    }

    async fn writer(&self, directory: &Path, volume_size: Option<u64>) -> ArchiveWriter {
        let layout = ArchiveLayout::of(&self.contents, volume_size).unwrap();
        ArchiveWriter::create(directory, layout, &self.contents).await.unwrap()
    }

    async fn fill(&self, writer: &ArchiveWriter) {
        for (number, manifest) in self.manifests.iter().enumerate() {
            let name = repository(&format!("team/app{number}"));
            let to = writer.destination(&name).unwrap();
            for blob in [&self.blobs[0], &self.blobs[1], &self.blobs[number + 2]] {
                push(&*to, blob).await;
            }
            let stored = to.push_manifest(manifest, Some(&tag("v1"))).await.unwrap();
            assert_eq!(stored, Stored::New);
        }
    }
}

async fn push(to: &dyn ocm_transport::Destination, content: &Bytes) {
    let blob = describe(content);
    match to.begin(&blob.digest, Some(blob.size), None).await.unwrap() {
        Begun::Open(upload) => {
            let stream = ocm_transport::BlobStream::new(blob, body(&[content], None));
            assert_eq!(upload.finish(stream).await.unwrap(), Stored::New);
        }
        begun => assert!(matches!(begun, Begun::Present)),
    }
}

#[tokio::test]
async fn round_trip() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(&[0, 1, 511, 512, 513, 5000, 20_000, 1_200_000]);
    for size in [None, Some(1_500_000), Some(300_000), Some(20_000)] {
        let writer = fixture.writer(directory.path(), size).await;
        fixture.fill(&writer).await;
        let sealed = writer.seal().await.unwrap();
        assert_eq!(sealed.absent, []);
        let reader = ArchiveReader::open(directory.path()).await.unwrap();
        assert_eq!(reader.set(), &fixture.contents.set);
        assert_eq!(reader.volumes().count(), sealed.volumes.len());
        assert_eq!(reader.record("plan.json").await.unwrap().unwrap(), b"the plan"[..]);
        for (number, manifest) in fixture.manifests.iter().enumerate() {
            let name = repository(&format!("team/app{number}"));
            let from = reader.source(&name);
            let found = from.manifest(&TagOrDigest::Tag(tag("v1")), 4 << 20).await.unwrap();
            assert_eq!(&found, manifest);
            for blob in &fixture.blobs {
                let descriptor: Descriptor = describe(blob);
                assert_eq!(from.blob_bytes(&descriptor).await.unwrap(), blob[..]);
            }
        }
    }
}
