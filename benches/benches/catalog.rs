//! Catalogs: reading heads, filtering, and channels with many skips. Made up, so that anybody can
//! run it; where `OCM_CORPUS` names a corpus, the whole community index of 4.18 as well.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use divan::{
    AllocProfiler, Bencher,
    counter::{BytesCount, ItemsCount},
};
use ocm_catalog::{
    Bound, Catalog, ChannelSelection, PackageSelection, Selection, VersionRange, Wanted, assemble,
    read,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// A file of a catalog.
type File = (String, Vec<u8>);

/// Bundles of a package, and bytes that each has of what is passed over: much as in the community
/// index.
const BUNDLES: usize = 20;
const FILLER: usize = 18_000;

static JSON: LazyLock<Vec<File>> = LazyLock::new(|| files("json", 100));
static YAML: LazyLock<Vec<File>> = LazyLock::new(|| files("yaml", 100));
static CORPUS: LazyLock<Vec<File>> = LazyLock::new(|| {
    let Some(corpus) = env::var_os("OCM_CORPUS").map(PathBuf::from) else { return Vec::new() };
    let parts = ["fbc/community-operators-prod/catalogs/v4.18", "fbc-derived/community-v4.18"];
    parts.iter().flat_map(|part| read_all(&corpus.join(part))).collect()
});

fn main() {
    divan::main();
}

fn files(format: &str, packages: usize) -> Vec<File> {
    (0..packages)
        .map(|nth| (format!("op{nth}/catalog.{format}"), package(&format!("op{nth}"), format)))
        .collect()
}

/// Writes a package with one channel in which each bundle replaces the one before.
fn package(name: &str, format: &str) -> Vec<u8> {
    let entry = |nth: usize| {
        let replaces = nth.checked_sub(1).map(|before| format!("{name}.v1.{before}.0"));
        serde_json::json!({ "name": format!("{name}.v1.{nth}.0"), "replaces": replaces })
    };
    let entries: Vec<_> = (0..BUNDLES).map(entry).collect();
    let mut objects = vec![
        serde_json::json!({ "schema": "olm.package", "name": name, "defaultChannel": "stable" }),
        serde_json::json!({
            "schema": "olm.channel", "package": name, "name": "stable", "entries": entries,
        }),
    ];
    objects.extend((0..BUNDLES).map(|nth| {
        let version = format!("1.{nth}.0");
        serde_json::json!({
            "schema": "olm.bundle",
            "package": name,
            "name": format!("{name}.v{version}"),
            "image": format!("quay.io/{name}/bundle:v{version}"),
            "properties": [
                { "type": "olm.package", "value": { "packageName": name, "version": version } },
                { "type": "olm.csv.metadata", "value": {
                    "description": "long words, and \"quoted\" ones\n".repeat(FILLER / 30),
                } },
            ],
        })
    }));
    let write = |object: &serde_json::Value| match format {
        "json" => format!("{object:#}\n"),
        // Blocks of lines as in the catalogs that people write; JSON is YAML, too.
        _ => object.as_object().into_iter().flatten().fold(
            "---\n".to_owned(),
            |text, (key, value)| {
                let value = format!("{value:#}").replace('\n', "\n  ");
                format!("{text}{key}: {value}\n")
            },
        ),
    };
    objects.iter().map(write).collect::<String>().into_bytes()
}

fn read_all(directory: &Path) -> Vec<File> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => vec![(path.display().to_string(), bytes)],
        Err(_) => read_all(path),
    };
    paths.iter().flat_map(read).collect()
}

fn bytes(files: &[File]) -> BytesCount {
    BytesCount::new(files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>())
}

fn assembled(files: &[File], wanted: &Wanted) -> Catalog {
    let files = files.iter().map(|(path, bytes)| read(path, bytes, wanted));
    assemble(files).expect("the catalog is sound").catalog
}

/// Ten packages, all versions of each from the lowest on.
fn ten(names: impl Iterator<Item = String>) -> Selection {
    let lowest = "0.0.0-0".parse::<Bound>().ok();
    let versions = VersionRange::new(lowest, None);
    let package =
        |name| PackageSelection { name, versions: versions.clone(), ..Default::default() };
    Selection { packages: names.take(10).map(package).collect(), ..Selection::default() }
}

fn heads(bencher: Bencher<'_, '_>, files: &[File]) {
    let none = Wanted::Named(BTreeSet::new());
    bencher.counter(bytes(files)).bench_local(|| assembled(files, &none));
}

fn filter(bencher: Bencher<'_, '_>, files: &[File]) {
    let known = assembled(files, &Wanted::Named(BTreeSet::new()));
    let names = known.known_packages();
    let selection = ten(names.iter().step_by(names.len().div_ceil(10).max(1)).cloned());
    let wanted = selection.wanted();
    bencher.counter(bytes(files)).bench_local(|| {
        let filtered = assembled(files, &wanted).filter(&selection).expect("it can be filtered");
        filtered.catalog.render().map(|file| file.bytes.len()).sum::<usize>()
    });
}

#[divan::bench(sample_count = 10)]
fn heads_of_json(bencher: Bencher<'_, '_>) {
    heads(bencher, &JSON);
}

#[divan::bench(sample_count = 10)]
fn heads_of_yaml(bencher: Bencher<'_, '_>) {
    heads(bencher, &YAML);
}

#[divan::bench(sample_count = 10)]
fn ten_packages(bencher: Bencher<'_, '_>) {
    filter(bencher, &JSON);
}

#[divan::bench(sample_count = 5)]
fn everything(bencher: Bencher<'_, '_>) {
    bencher.counter(bytes(&JSON)).bench_local(|| assembled(&JSON, &Wanted::All));
}

#[divan::bench(sample_count = 5)]
fn heads_of_the_corpus(bencher: Bencher<'_, '_>) {
    heads(bencher, &CORPUS);
}

/// What a catalog that is copied whole is read for.
#[divan::bench(sample_count = 5)]
fn images_of_the_corpus(bencher: Bencher<'_, '_>) {
    bencher.counter(bytes(&CORPUS)).bench_local(|| assembled(&CORPUS, &Wanted::Images));
}

#[divan::bench(sample_count = 5)]
fn ten_packages_of_the_corpus(bencher: Bencher<'_, '_>) {
    filter(bencher, &CORPUS);
}

/// A channel of 5,000 entries with 100 skips each, read and cut in half.
#[divan::bench(sample_count = 10)]
fn skips(bencher: Bencher<'_, '_>) {
    const ENTRIES: usize = 5_000;
    let name = |nth: usize| format!("some-operator-with-a-long-name.v1.{nth}.0");
    let entry = |nth: usize| {
        let replaces = nth.checked_sub(1).map(name);
        let skips: Vec<_> = (nth.saturating_sub(101)..nth.saturating_sub(1)).map(name).collect();
        serde_json::json!({ "name": name(nth), "replaces": replaces, "skips": skips })
    };
    let entries: Vec<_> = (0..ENTRIES).map(entry).collect();
    let mut file = serde_json::json!({
        "schema": "olm.channel", "package": "op", "name": "stable", "entries": entries,
    })
    .to_string();
    file += r#"{"schema": "olm.package", "name": "op", "defaultChannel": "stable"}"#;
    for nth in 0..ENTRIES {
        file += &serde_json::json!({
            "schema": "olm.bundle", "package": "op", "name": name(nth), "image": "quay.io/op/op:v1",
            "properties": [{ "type": "olm.package", "value": {
                "packageName": "op", "version": format!("1.{nth}.0"),
            } }],
        })
        .to_string();
    }
    let files = [("op/catalog.json".to_owned(), file.into_bytes())];
    let versions = VersionRange::new("1.2500.0".parse().ok(), None);
    let channels = vec![ChannelSelection { name: "stable".to_owned(), versions }];
    let package = PackageSelection { name: "op".to_owned(), channels, ..Default::default() };
    let selection = Selection { packages: vec![package], ..Selection::default() };
    bencher.counter(ItemsCount::new(ENTRIES * 100)).bench_local(|| {
        let filtered = assembled(&files, &Wanted::All).filter(&selection).expect("it can be cut");
        assert!(filtered.warnings.is_empty(), "{:?}", filtered.warnings);
        filtered
    });
}
