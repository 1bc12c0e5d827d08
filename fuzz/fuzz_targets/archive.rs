//! An archive that somebody altered is refused, or gives what it promises.
//!
//! Whoever alters one puts its digests right again, or nothing behind them would ever be reached.
//! The first byte of an input says what it is:
//!
//! * `0`: a whole volume, as it is
//! * `1`: patches to a good one: offset (two bytes), byte; digests are put right
//! * `2`: the index of a good one, in place of its own; its digest is put right
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag};
use ocm_transport::{
    Begun, BlobStream, Body, Manifest, Operation, Page, Source, SourceExt as _, Stored, Transport,
    TransportError, Verb,
    archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Contents},
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// Where `volume.json` lies: after the tar header of the first member, which it is.
const VOLUME: std::ops::Range<usize> = 512..1024;

const ALL: Page = Page { after: None, limit: std::num::NonZeroUsize::MAX };

const LAYER: &[u8] = b"a layer";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let volume = RUNTIME.block_on(write());
    let archive = ArchiveReader::from_bytes(&[volume.clone().into()]).expect("it is good");
    RUNTIME.block_on(read(&archive)).expect("it can be read");
    volume
});

fuzz_target!(|input: &[u8]| {
    let volume = match input.split_first() {
        Some((0, volume)) => volume.to_vec(),
        Some((1, patches)) => put_right(patched(patches)),
        Some((2, index)) => match reindexed(index) {
            Some(volume) => put_right(volume),
            None => return,
        },
        _ => return,
    };
    if let Ok(archive) = ArchiveReader::from_bytes(&[Bytes::from(volume)]) {
        // Errors are what altered content is to end in.
        drop(RUNTIME.block_on(read(&archive)));
    }
});

/// Reads everything that the archive says it has.
async fn read(archive: &ArchiveReader) -> Result<(), TransportError> {
    for record in archive.records() {
        archive.record(record).await?;
    }
    for name in archive.repositories(&ALL).await?.items {
        let source = archive.source(&name);
        for tag in source.tags(&ALL).await?.items {
            check(&*source, &source.manifest(&(&tag).into(), 4 << 20).await?).await?;
        }
    }
    Ok(())
}

async fn check(source: &dyn Source, manifest: &Manifest) -> Result<(), TransportError> {
    let promised = manifest.descriptor();
    assert_eq!(promised.digest, Digest::of(manifest.bytes()), "a manifest is not what it says");
    let Ok(children) = manifest.children() else { return Ok(()) };
    for blob in children.blobs {
        let bytes = source.blob_bytes(&blob).await?;
        assert_eq!(Digest::of(&bytes), blob.digest, "a blob is not what it says");
        assert_eq!(source.blob_size(&blob.digest).await?, Some(blob.size));
    }
    Ok(())
}

/// Writes an archive of one image with one layer.
async fn write() -> Vec<u8> {
    let layer = Digest::of(LAYER);
    let manifest = format!(
        r#"{{"schemaVersion":2,"layers":[{{"mediaType":"l","digest":"{layer}","size":{}}}]}}"#,
        LAYER.len()
    );
    let manifest = Manifest::new(MediaType::OciManifest, manifest.into());
    let repository: RepoName = "team/app".parse().expect("a repository");
    let tag: Tag = "v1".parse().expect("a tag");
    let mut contents = Contents::new(Digest::of(b"a plan"));
    contents.created = Some("2026-11-21T00:00:00Z".to_owned());
    contents.records = [("plan.json".to_owned(), Bytes::from_static(b"{}"))].into();
    contents.manifests = vec![manifest.descriptor().clone()];
    contents.blobs = vec![(layer.clone(), LAYER.len() as u64)];
    let root = manifest.descriptor().digest.clone();
    contents.names = [((repository.clone(), tag.clone()), root)].into();
    let layout = ArchiveLayout::of(&contents, None).expect("it fits");
    let directory = tempfile::tempdir().expect("a directory");
    let writer = ArchiveWriter::create(directory.path(), layout, &contents).await;
    let writer = writer.expect("it can be written");
    let to = writer.destination(&repository).expect("it can be written to");
    let blob =
        Descriptor { media_type: MediaType::OctetStream, digest: layer, size: LAYER.len() as u64 };
    let begun = to.begin(&blob.digest, Some(blob.size), None).await.expect("it can be begun");
    let Begun::Open(upload) = begun else { unreachable!("it was empty") };
    let stored = upload.finish(BlobStream::new(blob, body())).await;
    assert_eq!(stored.expect("the layer is right"), Stored::New);
    let stored = to.push_manifest(&manifest, Some(&tag)).await;
    assert_eq!(stored.expect("the manifest is whole"), Stored::New);
    drop(writer.seal().await.expect("it can be sealed"));
    std::fs::read(directory.path().join("mirror_000001.tar")).expect("it is there")
}

fn body() -> Body {
    let (place, reference) = ("here".to_owned(), "a layer".to_owned());
    let operation = Operation { place, verb: Verb::Fetch, reference };
    let bytes = futures::stream::iter([Ok(Bytes::from_static(LAYER))]);
    Body { operation, starts_at: 0, bytes: Box::pin(bytes), kept_in: None }
}

fn patched(patches: &[u8]) -> Vec<u8> {
    let mut volume = GOOD.clone();
    for patch in patches.chunks_exact(3) {
        let offset = usize::from(u16::from_le_bytes([patch[0], patch[1]]));
        if let Some(byte) = volume.get_mut(offset) {
            *byte = patch[2];
        }
    }
    volume
}

/// Returns where the index of a volume lies, as the volume says.
fn index_of(volume: &[u8]) -> Option<(Value, std::ops::Range<usize>)> {
    let said: Value = serde_json::from_slice(volume.get(VOLUME)?).ok()?;
    let number = |pointer| usize::try_from(said.pointer(pointer)?.as_u64()?).ok();
    let (offset, size) = (number("/index/offset")?, number("/index/size")?);
    let range = offset..offset.checked_add(size)?;
    Some((said, range))
}

/// Returns a good volume with another index, if there is room for it.
fn reindexed(index: &[u8]) -> Option<Vec<u8>> {
    let mut volume = GOOD.clone();
    let (_, range) = index_of(&volume)?;
    let place = volume.get_mut(range)?;
    place.fill(b' ');
    place.get_mut(..index.len())?.copy_from_slice(index);
    Some(volume)
}

/// Writes the digest that the index has into `volume.json`, as far as both can be found.
fn put_right(mut volume: Vec<u8>) -> Vec<u8> {
    let Some((mut said, range)) = index_of(&volume) else { return volume };
    let Some(index) = volume.get(range) else { return volume };
    let digest = Digest::of(index).to_string();
    if let Some(place) = said.pointer_mut("/index/digest") {
        *place = digest.into();
    }
    let said = said.to_string();
    if said.len() < VOLUME.len() {
        volume[VOLUME].fill(b' ');
        volume[VOLUME.start..VOLUME.start + said.len()].copy_from_slice(said.as_bytes());
        volume[VOLUME.end - 1] = b'\n';
    }
    volume
}
