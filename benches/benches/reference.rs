//! Reading references: a configuration with its catalogs has tens of thousands.

use divan::{AllocProfiler, Bencher, black_box};
use ocm_oci::{Reference, ReferenceError};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const REFERENCES: [&str; 5] = [
    "nginx:1.29",
    "quay.io/team/app:v1",
    "registry.example.com:5000/a/b/c/d:v4.20.1-x86_64",
    "[2001:db8::1]:5000/team/app:v1",
    "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:\
     e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

fn main() {
    divan::main();
}

#[divan::bench(args = REFERENCES)]
fn parse(bencher: Bencher<'_, '_>, text: &str) {
    bencher.bench(|| black_box(text).parse::<Reference>());
}

#[divan::bench]
fn print(bencher: Bencher<'_, '_>) {
    let read: Result<Vec<Reference>, ReferenceError> =
        REFERENCES.iter().map(|text| text.parse()).collect();
    let read = read.expect("all of them are references");
    bencher.counter(read.len()).bench(|| read.iter().map(ToString::to_string).collect::<Vec<_>>());
}
