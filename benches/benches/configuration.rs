//! Reading a configuration of 1 MB, with 5,000 packages: more than anybody has written.

use std::{fmt::Write as _, sync::LazyLock};

use divan::{AllocProfiler, Bencher, counter::BytesCount};
use ocm_config::{convert, parse};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const PACKAGES: usize = 5_000;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text =
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  \
                    operators:\n  - catalog: registry.example.com/redhat/operator-index:v4.18\n    \
                    packages:\n"
            .to_owned();
    for i in 0..PACKAGES {
        let written = writeln!(
            text,
            "    - name: operator-with-a-name-{i}\n      defaultChannel: stable-v{i}\n      channels:\n      \
             - name: stable-v{i}\n        minVersion: 1.{i}.0\n        maxVersion: 1.{i}.99\n      \
             - name: candidate-v{i}\n        minVersion: 2.{i}.0-rc.1"
        );
        written.expect("text can be made longer");
    }
    text
});

fn main() {
    divan::main();
}

/// Reads and checks it; what is left is dropped, too.
#[divan::bench(sample_count = 20)]
fn read(bencher: Bencher<'_, '_>) {
    let bytes = DOCUMENT.as_bytes();
    assert!(bytes.len() > 1_000_000, "{} bytes", bytes.len());
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        let parsed = parse(bytes).expect("nothing is wrong with it");
        let catalog = parsed.image_set.mirror.operators.first().expect("there is one");
        assert_eq!(catalog.wanted.as_ref().map(|wanted| wanted.packages.len()), Ok(PACKAGES));
    });
}

/// Reads it twice, for its comments, and writes it.
#[divan::bench(sample_count = 5)]
fn rewrite(bencher: Bencher<'_, '_>) {
    let bytes = DOCUMENT.as_bytes();
    let counter = BytesCount::new(bytes.len());
    bencher.counter(counter).bench_local(|| convert(bytes).expect("nothing is wrong with it"));
}

/// Finds every fault of a document in which each package has one.
#[divan::bench(sample_count = 5)]
fn refuse(bencher: Bencher<'_, '_>) {
    let text = DOCUMENT.replace("minVersion: 1.", "minVersion: x.");
    let counter = BytesCount::new(text.len());
    bencher.counter(counter).bench_local(|| {
        let faults = parse(text.as_bytes()).expect_err("each package has a fault");
        assert_eq!(faults.as_slice().len() + faults.omitted(), PACKAGES);
    });
}
