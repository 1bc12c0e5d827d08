//! Planning 10,000 images of six blobs, as a catalog of operators has them, and five releases.

use std::{env, sync::LazyLock};

use divan::{
    AllocProfiler, Bencher,
    counter::{BytesCount, ItemsCount},
};
use ocm_benches::{Counted, FIVE_RELEASES, TEN_THOUSAND, World};
use ocm_mirror::{Asking, Plan, expand, plan, survey};
use ocm_transport::Memory;
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

static WORLD: LazyLock<World> = LazyLock::new(|| {
    runtime().block_on(World::new(&TEN_THOUSAND)).expect("memory takes every image")
});

static RELEASES: LazyLock<World> = LazyLock::new(|| {
    runtime().block_on(World::of_releases(&FIVE_RELEASES)).expect("memory takes every image")
});

const IMAGES: usize = 10_000;

fn main() {
    divan::main();
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("threads can be had")
}

/// Survey, expansion and plan, towards an empty place.
#[divan::bench(sample_count = 5)]
fn prepare_all(bencher: Bencher<'_, '_>) {
    let (runtime, world) = (runtime(), &*WORLD);
    let places = world.places(&Counted::new(Memory::default()));
    bencher.counter(ItemsCount::new(IMAGES)).bench_local(|| {
        let prepared = runtime.block_on(world.prepare(&places, &env::temp_dir()));
        let plan = prepared.expect("nothing is wrong with them").planned.plan;
        assert_eq!(plan.images().count(), IMAGES);
        plan
    });
}

/// Survey, expansion and plan of five releases of 190 components, towards an empty place.
#[divan::bench(sample_count = 20)]
fn prepare_releases(bencher: Bencher<'_, '_>) {
    let (runtime, world) = (runtime(), &*RELEASES);
    let places = world.places(&Counted::new(Memory::default()));
    let images = FIVE_RELEASES.versions.len() * (FIVE_RELEASES.components + 1);
    bencher.counter(ItemsCount::new(images)).bench_local(|| {
        let prepared = runtime.block_on(world.prepare(&places, &env::temp_dir()));
        let plan = prepared.expect("nothing is wrong with them").planned.plan;
        // A component that releases share is one image with several names.
        let names: usize = plan.images().map(|(_, image)| image.names.len()).sum();
        assert_eq!(names, images);
        plan
    });
}

/// As `prepare_all`, where everything is there already.
#[divan::bench(sample_count = 5)]
fn prepare_nothing(bencher: Bencher<'_, '_>) {
    let (runtime, world) = (runtime(), &*WORLD);
    let places = world.places(&world.from);
    bencher.counter(ItemsCount::new(IMAGES)).bench_local(|| {
        let prepared = runtime.block_on(world.prepare(&places, &env::temp_dir()));
        let plan = prepared.expect("nothing is wrong with them").planned.plan;
        assert_eq!((plan.images().count(), plan.present().len()), (0, IMAGES));
        plan
    });
}

/// The pure part alone.
#[divan::bench(sample_count = 5)]
fn plan_alone(bencher: Bencher<'_, '_>) {
    let (world, asking, to) = (&*WORLD, Asking::default(), World::near());
    let places = world.places(&Counted::new(Memory::default()));
    let (survey, expansion) = runtime().block_on(async {
        let survey = survey(&world.wishes, &places, &to, asking).await;
        let directory = env::temp_dir();
        let expansion = expand(&world.wishes, &survey, (&places, asking), &directory).await;
        (survey, expansion.expect("a file can be made"))
    });
    bencher
        .counter(ItemsCount::new(IMAGES))
        .bench_local(|| plan(&world.wishes, &survey, &expansion, Vec::new(), to.clone()));
}

fn planned() -> Plan {
    let places = WORLD.places(&Counted::new(Memory::default()));
    let prepared = runtime().block_on(WORLD.prepare(&places, &env::temp_dir()));
    prepared.expect("nothing is wrong with them").planned.plan
}

#[divan::bench(sample_count = 5)]
fn write(bencher: Bencher<'_, '_>) {
    let plan = planned();
    let len = serde_json::to_vec(&plan).expect("a plan is JSON").len();
    bencher.counter(BytesCount::new(len)).bench_local(|| serde_json::to_vec(&plan));
}

/// Reading checks: nobody executes a plan that was not.
#[divan::bench(sample_count = 5)]
fn read(bencher: Bencher<'_, '_>) {
    let bytes = serde_json::to_vec(&planned()).expect("a plan is JSON");
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| serde_json::from_slice::<Plan>(&bytes).expect("it was just written"));
}
