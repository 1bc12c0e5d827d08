//! The verified stream that every byte passes, beside hashing alone.

use bytes::Bytes;
use divan::{Bencher, black_box, counter::BytesCount};
use futures::{StreamExt as _, stream};
use ocm_oci::{Algorithm, Descriptor, Digest, Hasher, MediaType};
use ocm_transport::{BlobStream, Body, Operation, Verb};
use tokio::runtime::Builder;

/// Length of the blob in bytes.
const LEN: usize = 64 << 20;

/// Lengths of chunks in bytes: what HTTP clients and disks hand over.
const CHUNKS: [usize; 3] = [8 << 10, 64 << 10, 256 << 10];

fn main() {
    divan::main();
}

fn content() -> Bytes {
    vec![0x5a; LEN].into()
}

fn split(content: &Bytes, len: usize) -> Vec<Bytes> {
    (0..LEN).step_by(len).map(|at| content.slice(at..LEN.min(at + len))).collect()
}

/// What verifying cannot be faster than.
#[divan::bench(args = [Algorithm::Sha256, Algorithm::Sha512], sample_count = 10)]
fn hash(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let content = content();
    bencher.counter(BytesCount::new(LEN)).bench(|| {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(black_box(&content));
        hasher.finish()
    });
}

#[divan::bench(args = CHUNKS, sample_count = 10)]
fn verified(bencher: Bencher<'_, '_>, chunk: usize) {
    let content = content();
    let digest = Digest::of(&content);
    let blob = Descriptor { media_type: MediaType::OctetStream, digest, size: LEN as u64 };
    let chunks = split(&content, chunk);
    let runtime = Builder::new_current_thread().build().expect("a runtime can be had");
    bencher.counter(BytesCount::new(LEN)).bench(|| {
        let operation = Operation {
            place: "memory".to_owned(),
            verb: Verb::Fetch,
            reference: "content".to_owned(),
        };
        let bytes = stream::iter(chunks.clone()).map(Ok).boxed();
        let mut stream =
            BlobStream::new(blob.clone(), Body { operation, starts_at: 0, bytes, kept_in: None });
        let passed = runtime.block_on(async {
            let mut passed = 0;
            while let Some(chunk) = stream.next().await {
                passed += chunk.map_or(0, |chunk| chunk.len());
            }
            passed
        });
        assert_eq!(passed, LEN);
    });
}
