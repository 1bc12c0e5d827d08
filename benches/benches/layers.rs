//! Files out of an image's layers, and into a new one: what a catalog costs before it is looked at.

use std::{
    fmt::Write as _,
    io::{self, Read},
};

use bytes::Bytes;
use divan::{Bencher, counter::BytesCount};
use ocm_mirror::{
    Below, Change, ContentStore, ImageFiles, LayerContent, Overlay, RetryPolicy, Visitor, scratch,
};
use ocm_oci::Platform;
use ocm_transport::Transport as _;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// Files of the catalog, and the length of each in bytes: together as long as the community
/// operators of 2026, 105 MB.
const FILES: usize = 300;
const LEN: usize = 350_000;

fn main() {
    divan::main();
}

/// Text that compresses as catalogs do, to about an eighth.
fn text(seed: usize) -> Bytes {
    let mut text = String::with_capacity(LEN + 200);
    let mut state = seed as u64;
    while text.len() < LEN {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let image = "registry.example/operators/some-operator@sha256";
        let line = writeln!(
            text,
            "    {{\"name\": \"operator\", \"image\": \"{image}:{state:016x}\", \"version\": \
             \"1.{}.0\", \"description\": \"an operator that is not described any further\"}},",
            state >> 60
        );
        line.expect("text takes all that is written");
    }
    text.truncate(LEN);
    text.into()
}

fn content() -> LayerContent {
    let mut content = LayerContent::default();
    for nth in 0..FILES {
        let path = format!("configs/package-{nth:03}/catalog.json");
        content.file(&path, text(nth)).expect("a good path");
    }
    content
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("a runtime can be had")
}

async fn store() -> (TempDir, ContentStore) {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = ContentStore::create(&directory.path().join("store"), 0).await;
    (directory, store.expect("the directory is new"))
}

async fn catalog(store: &ContentStore) -> ImageFiles {
    let layer = content().build(store, "a bench").await.expect("the store takes it");
    let change = Change { layers: vec![layer], ..Change::default() };
    let platform = Platform::new("linux", "amd64");
    let built = scratch(&[(platform, change)], store).await.expect("the store takes it");
    let (repository, mut overlay) = ("it".parse().expect("a good name"), Overlay::new(store));
    overlay.add(&repository, &built, None);
    let root = built.root().cloned().expect("there is one image");
    let opened = ImageFiles::of(overlay.source(&repository), root, RetryPolicy::default()).await;
    opened.expect("it was just built")
}

/// Reads all, as who looks into a catalog does, and keeps one file at a time.
struct Look(Vec<u8>);

impl Visitor for Look {
    fn file(&mut self, _: &str, _: u64, content: &mut dyn Read) -> io::Result<()> {
        self.0.clear();
        content.read_to_end(&mut self.0).map(drop)
    }
}

#[divan::bench(sample_count = 5)]
fn read_catalog(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (directory, store) = runtime.block_on(store());
    let files = runtime.block_on(catalog(&store));
    bencher.counter(BytesCount::new(FILES * LEN)).bench_local(|| {
        let wanted = Below::new("/configs");
        let seen = runtime.block_on(files.read(&wanted, Look(Vec::new())));
        assert_eq!(seen.expect("it can be read").files, FILES);
    });
    drop(directory);
}

#[divan::bench(sample_count = 5)]
fn build_layer(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let (directory, store) = runtime.block_on(store());
    bencher.counter(BytesCount::new(FILES * LEN)).with_inputs(content).bench_local_values(
        |content| {
            let built = runtime.block_on(content.build(&store, "a bench"));
            built.expect("the store takes it")
        },
    );
    drop(directory);
}
