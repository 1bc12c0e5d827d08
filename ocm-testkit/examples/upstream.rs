//! Prints what the demo's upstream holds: `cargo run -p ocm-testkit --example upstream`.
#![expect(clippy::print_stdout, reason = "an example prints")]

use ocm_testkit::Upstream;

fn main() {
    let upstream = Upstream::demo();
    for one in upstream.published() {
        let tag = one.tag.as_ref().map_or("", |tag| tag.as_str());
        let blobs = one.content.all_blobs();
        let bytes: u64 = blobs.values().map(|blob| blob.descriptor().size).sum();
        let (digest, media_type) = (one.content.digest(), &one.content.descriptor().media_type);
        println!("{}:{tag}\n  {digest}\n  {media_type}", one.repository);
        println!(
            "  {} manifests, {} blobs, {bytes} bytes",
            one.content.manifests().len(),
            blobs.len()
        );
    }
    let (blobs, bytes) = (upstream.distinct_blobs().len(), upstream.distinct_bytes());
    println!("in all {blobs} distinct blobs, {bytes} bytes");
}
