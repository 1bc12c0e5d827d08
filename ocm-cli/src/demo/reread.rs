use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use ocm_oci::{Digest, TagOrDigest};
use ocm_testkit::Published;
use ocm_transport::{Kind, Operation, Retry, Source, SourceExt as _, TransportError, Verb};

/// Longest manifest that is read: what every registry has to take.
const MANIFEST_LIMIT: usize = 4 << 20;

/// What was read, and is what it should be.
#[derive(Debug, Default)]
pub(super) struct Reread {
    pub(super) manifests: usize,
    pub(super) blobs: usize,
    pub(super) bytes: u64,
}

/// A tag points at something else.
#[derive(Debug, thiserror::Error)]
#[error("it is {found} there, and {expected} upstream")]
struct Differs {
    found: Digest,
    expected: Digest,
}

/// Reads an image to its last byte; whatever is not of its digest is an error.
pub(super) async fn reread(
    source: &dyn Source,
    image: &Published,
    found: &mut Reread,
) -> Result<(), TransportError> {
    let expected = image.content.digest();
    let reference = match &image.tag {
        Some(tag) => TagOrDigest::from(tag),
        None => TagOrDigest::from(expected),
    };
    let root = source.manifest(&reference, MANIFEST_LIMIT).await?;
    if root.descriptor().digest != *expected {
        let differs =
            Differs { found: root.descriptor().digest.clone(), expected: expected.clone() };
        return Err(corrupt(image, &reference).caused_by(differs));
    }
    let (mut open, mut seen) = (vec![root], BTreeSet::new());
    while let Some(manifest) = open.pop() {
        found.manifests += 1;
        let children = manifest.children();
        let children = children.map_err(|error| corrupt(image, &reference).caused_by(error))?;
        for entry in children.manifests {
            let digest = TagOrDigest::from(&entry.descriptor.digest);
            open.push(source.manifest(&digest, MANIFEST_LIMIT).await?);
        }
        for blob in children.blobs {
            if seen.insert(blob.digest.clone()) {
                let mut stream = source.stream(&blob).await?;
                while stream.try_next().await?.is_some() {}
                found.blobs += 1;
                found.bytes = found.bytes.saturating_add(blob.size);
            }
        }
    }
    Ok(())
}

fn corrupt(image: &Published, reference: &TagOrDigest) -> TransportError {
    let (place, verb) = (image.repository.to_string(), Verb::Fetch);
    let operation = Operation { place, verb, reference: reference.to_string() };
    TransportError::new(operation, Kind::Corrupt, Retry::Never)
}
