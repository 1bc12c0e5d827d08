//! Whatever is in a layer: files of the directory that is wanted, or a refusal.
#![no_main]

use std::{collections::BTreeMap, io::Read, sync::LazyLock};

use bytes::Bytes;
use futures::stream;
use libfuzzer_sys::fuzz_target;
use ocm_mirror::{Below, ImageFiles, Limits, RetryPolicy, Visitor};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName};
use ocm_transport::{
    Begun, BlobStream, Body, Destination, Manifest, Memory, Operation, Transport as _, Verb,
};
use tokio::runtime::{Builder, Runtime};

const LIMITS: Limits = Limits { entries: 2000, file: 1 << 16, unpacked: 1 << 20 };

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// Files by path, and whether all of each was read.
#[derive(Default)]
struct Taken(BTreeMap<String, Vec<u8>>);

impl Visitor for Taken {
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> std::io::Result<()> {
        let parts: Vec<_> = path.split('/').collect();
        assert!(!parts.iter().any(|part| matches!(*part, "" | "." | "..")), "{path:?} leads out");
        assert!(size <= LIMITS.file, "{path:?} is too long");
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        assert_eq!(bytes.len() as u64, size, "{path:?} is not what its header says");
        let before = self.0.insert(path.to_owned(), bytes);
        assert!(before.is_none(), "{path:?} came twice");
        Ok(())
    }
}

async fn push(to: &dyn Destination, bytes: &[u8]) -> Descriptor {
    let (digest, size) = (Digest::of(bytes), bytes.len() as u64);
    let content = Descriptor { media_type: MediaType::OctetStream, digest, size };
    let begun = to.begin(&content.digest, Some(size), None).await.expect("memory takes all");
    if let Begun::Open(upload) = begun {
        let (place, reference) = ("the fuzzer".to_owned(), String::new());
        let operation = Operation { place, verb: Verb::Fetch, reference };
        let bytes = Box::pin(stream::iter([Ok(Bytes::copy_from_slice(bytes))]));
        let body = Body { operation, starts_at: 0, bytes, kept_in: None };
        drop(upload.finish(BlobStream::new(content.clone(), body)).await);
    }
    content
}

async fn read(layers: [&[u8]; 2]) -> Option<BTreeMap<String, Vec<u8>>> {
    let (place, name): (_, RepoName) = (Memory::default(), "a".parse().expect("a name"));
    let to = place.destination(&name).expect("memory can be written");
    let config = push(&*to, b"{}").await;
    let [lower, upper] = [push(&*to, layers[0]).await, push(&*to, layers[1]).await];
    let json = serde_json::json!({ "config": config, "layers": [lower, upper] });
    let root = Manifest::new(MediaType::OciManifest, json.to_string().into());
    let retry = RetryPolicy::default().with_retries(0);
    let files = ImageFiles::of(place.source(&name), root, retry).await.expect("an image");
    let wanted = Below::new("/d").with_limits(LIMITS);
    let seen = files.read(&wanted, Taken::default()).await.ok()?;
    assert_eq!(seen.files, seen.visitor.0.len());
    Some(seen.visitor.0)
}

/// Puts the sums of headers right, or nothing that was altered would be read any further.
fn mend(layer: &[u8]) -> Vec<u8> {
    let mut layer = layer.to_vec();
    for record in layer.chunks_exact_mut(512) {
        if record[257..262] != *b"ustar" {
            continue;
        }
        record[148..156].fill(b' ');
        let sum: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
        record[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    layer
}

fuzz_target!(|input: &[u8]| {
    // The first two bytes say where the upper layer begins.
    let Some((at, rest)) = input.split_first_chunk::<2>() else { return };
    let (lower, upper) = rest.split_at(usize::from(u16::from_le_bytes(*at)).min(rest.len()));
    let layers = [mend(lower), mend(upper)];
    let layers = [&*layers[0], &*layers[1]];
    let first = RUNTIME.block_on(read(layers));
    let again = RUNTIME.block_on(read(layers));
    assert_eq!(first, again, "the same layers were read as something else");
});
