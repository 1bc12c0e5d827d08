//! Mirrors three images from one place to another, and shows the way:
//! `cargo run -p ocm-mirror --example mirror`.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::{env, error::Error, sync::Arc};

use futures::StreamExt as _;
use ocm_mirror::{Event, Means, Options, Place, Places, Report, Request, Wanted, Wishes};
use ocm_testkit::{Shape, Upstream};
use ocm_transport::Memory;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let upstream =
        Upstream::of(&Shape { images: 3, layers: 4, shared: 2, layer_bytes: 1 << 20 }, 1);
    let (from, to) = ("quay.example".parse()?, Place::Registry("mirror.example".parse()?));
    let mut wishes = Wishes::default();
    for image in upstream.published() {
        wishes.add(Wanted::image(&image.reference(&from)?));
    }
    let places = Places::default()
        .with_source(Place::Registry(from), Arc::new(upstream))
        .with_destination(to.clone(), Arc::new(Memory::default()));
    let request = Request::new(wishes, to, env::temp_dir());
    let prepared = ocm_mirror::prepare(request, &places).await?;
    let means = Means { places, pack: prepared.pack };
    let plan = Arc::new(prepared.planned.plan);
    let mut run = ocm_mirror::execute(Arc::clone(&plan), means, Options::default());
    let mut report = Report::default();
    while let Some(event) = run.next().await {
        report.extend([&event]);
        match &event {
            Event::Blob { blob, how, .. } => println!("{blob}: {how:?}"),
            Event::Image { image, outcome, .. } => {
                println!("{}: {outcome:?}", plan.image(*image).map_or("", |image| image.origin()));
            }
            _ => {}
        }
    }
    println!("complete: {}, {:?}", report.is_complete(), report.blobs);
    Ok(())
}
