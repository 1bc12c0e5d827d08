//! A whole mirror in this process: 60 images of 5 layers, two of them shared by all.
//!
//! What it costs beside time is counted, told once, and must not grow.
#![expect(clippy::print_stdout, reason = "the counts are the result")]

use std::env;

use divan::{AllocProfiler, Bencher, counter::BytesCount};
use ocm_benches::{Counted, MANY, Requests, World};
use ocm_transport::Memory;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    let runtime = runtime();
    let world = runtime.block_on(World::new(&MANY)).expect("memory takes every image");
    count(&world, &runtime);
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("threads can be had")
}

/// Runs once, and holds what was asked for against what is needed.
fn count(world: &World, runtime: &Runtime) {
    let to = Counted::new(Memory::default());
    let report = runtime.block_on(world.mirror(&to, &env::temp_dir())).expect("it can be planned");
    let (reads, writes, blobs) = (world.from.requests(), to.requests(), report.blobs);
    println!(
        "blobs:    {} copied, {} mounted, {} there",
        blobs.copied, blobs.mounted, blobs.present
    );
    println!("bytes:    {} moved", blobs.bytes);
    println!("requests: {} at the source, {} at the destination", reads.total(), writes.total());
    println!("          {reads:?}\n          {writes:?}");
    assert!(report.is_complete(), "{report:?}");
    let distinct = usize::try_from(MANY.distinct_blobs()).unwrap_or(usize::MAX);
    let images = usize::try_from(MANY.images).unwrap_or(usize::MAX);
    let mounted = images * 6 - distinct;
    assert_eq!((blobs.copied, blobs.mounted, blobs.present), (distinct, mounted, 0));
    // Each image: its manifest is read once; and each blob once, whoever wants it. And is it
    // signed? Three tags of cosign, and one list of referrers.
    let (heads, others) = (3 * images, images);
    let needed = Requests { reads: images + distinct, heads, others, ..Requests::default() };
    assert_eq!(reads, needed, "the source was asked more than it takes");
    // Each image: is it there? Then its blobs, and its manifest.
    let (begun, opened) = (distinct + mounted, distinct);
    let needed =
        Requests { heads: images, begun, opened, manifests: images, ..Requests::default() };
    assert_eq!(writes, needed, "the destination was asked too much");
}

#[divan::bench(sample_count = 10)]
fn first(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let world = runtime.block_on(World::new(&MANY)).expect("memory takes every image");
    let bytes =
        MANY.layer_bytes * (u64::from(MANY.images * (MANY.layers - MANY.shared) + MANY.shared));
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        let to = Counted::new(Memory::default());
        runtime.block_on(world.mirror(&to, &env::temp_dir()))
    });
}

#[divan::bench(sample_count = 10)]
fn again(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let world = runtime.block_on(World::new(&MANY)).expect("memory takes every image");
    let to = Counted::new(Memory::default());
    drop(runtime.block_on(world.mirror(&to, &env::temp_dir())));
    bencher.bench_local(|| runtime.block_on(world.mirror(&to, &env::temp_dir())));
}
