//! Fills a registry with made-up images: `fill many|large|small URL IMAGES BLOBS`.
//!
//! The last two are files to write: a line for each image (repository, tag, digest), and one for
//! each blob (digest, size, one repository that has it).

use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    fmt::Write as _,
    fs,
    sync::{Mutex, PoisonError},
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use ocm_benches::{Plain, SEED};
use ocm_oci::{Digest, RepoName};
use ocm_testkit::{Published, Shape, Upstream};

/// Images pushed at once.
const AT_ONCE: usize = 4;

/// Blobs that are at the registry: how long each is, and who has it.
type There = Mutex<BTreeMap<Digest, (u64, RepoName)>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [set, url, images, blobs] = arguments.as_slice() else {
        return Err("fill SET URL IMAGES BLOBS".into());
    };
    let shape = match set.as_str() {
        "many" => Shape::BENCHMARK,
        "large" => Shape { images: 1, layers: 1, shared: 0, layer_bytes: 2 << 30 },
        "small" => Shape { images: 5000, layers: 1, shared: 0, layer_bytes: 4 << 10 },
        _ => return Err("the sets are many, large and small".into()),
    };
    let (to, there) = (Plain::new(url)?, There::default());
    let upstream = Upstream::of(&shape, SEED);
    // The first brings what the others mount.
    let (first, rest) = upstream.published().split_at(1);
    let push = |one| push(one, (&to, &there));
    let mut lines: Vec<String> = stream::iter(first).then(push).try_collect().await?;
    let rest = stream::iter(rest).map(push).buffered(AT_ONCE);
    lines.extend(rest.try_collect::<Vec<_>>().await?);
    fs::write(images, lines.concat())?;
    let mut lines = String::new();
    for (digest, (size, repository)) in &*there.lock().unwrap_or_else(PoisonError::into_inner) {
        writeln!(lines, "{digest} {size} {repository}")?;
    }
    fs::write(blobs, lines)?;
    Ok(())
}

/// Pushes an image, and returns what to write about it.
async fn push(
    published: &Published,
    (to, there): (&Plain, &There),
) -> Result<String, Box<dyn Error>> {
    let Published { repository, tag, content: image } = published;
    let tag = tag.as_ref().ok_or("synthetic images have tags")?;
    for blob in image.all_blobs().into_values() {
        let content = blob.descriptor();
        let has_it = || there.lock().unwrap_or_else(PoisonError::into_inner);
        let other = has_it().get(&content.digest).map(|(_, other)| other.clone());
        let bytes = stream::iter(blob.chunks().map(Ok::<_, Infallible>));
        to.push_blob(repository, content, (bytes, other.as_ref())).await?;
        has_it().entry(content.digest.clone()).or_insert((content.size, repository.clone()));
    }
    to.push_manifest(repository, image.manifest(), tag).await?;
    Ok(format!("{repository} {tag} {}\n", image.digest()))
}
