//! Plans, and shows what mirroring would cost, without moving a blob:
//! `cargo run -p ocm-mirror --example plan_only`.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::{env, error::Error, sync::Arc};

use ocm_mirror::{Place, Places, Request, Wanted, Wishes};
use ocm_testkit::Upstream;
use ocm_transport::Memory;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream = Upstream::demo();
    let (from, to) = ("quay.example".parse()?, Place::Registry("mirror.example".parse()?));
    let mut wishes = Wishes::default();
    for image in upstream.published() {
        wishes.add(Wanted::image(&image.reference(&from)?));
    }
    wishes.add(Wanted::image(&"quay.example/not/there:v1".parse()?));
    let places = Places::default()
        .with_source(Place::Registry(from), Arc::new(upstream))
        .with_destination(to.clone(), Arc::new(Memory::default()));
    let request = Request::new(wishes, to, env::temp_dir());
    let plan = ocm_mirror::prepare(request, &places).await?.planned.plan;
    for (_, image) in plan.images() {
        println!("{} -> {}:{:?}", image.origin(), image.repository, image.tags);
    }
    for lost in plan.lost() {
        println!("{}: {}", lost.failure.image, lost.failure.chain.join(": "));
    }
    println!("{:#?}", plan.summary());
    Ok(())
}
