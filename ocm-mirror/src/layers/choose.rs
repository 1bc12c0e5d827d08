use std::sync::Arc;

use ocm_oci::{Children, Digest, IndexEntry, Platform, TagOrDigest};
use ocm_transport::{Manifest, Source};

use super::LayersError;
use crate::{RetryPolicy, expand::MANIFEST_LIMIT, retry::Patience};

/// How deep indexes may nest. Real ones do not.
const NESTING: usize = 5;

/// What builders call the platform of what is no image, but a statement about one.
const UNKNOWN: &str = "unknown";
/// What builders write beside such an entry.
///
/// Source: <https://docs.docker.com/build/metadata/attestations/attestation-storage/>.
const STATEMENT: &str = "vnd.docker.reference.type";

/// Finds one image in what `root` leads to: of an index, that for linux/amd64, else the first.
pub(super) async fn choose(
    source: &Arc<dyn Source>,
    root: &Manifest,
    retry: RetryPolicy,
) -> Result<(Manifest, Children), LayersError> {
    let patience = Patience::new(retry);
    let mut manifest = root.clone();
    for _ in 0..=NESTING {
        let digest = || manifest.descriptor().digest.clone();
        let children = manifest.children();
        let children =
            children.map_err(|source| LayersError::Manifest { digest: digest(), source })?;
        if children.manifests.is_empty() && !manifest.descriptor().media_type.is_index() {
            return Ok((manifest, children));
        }
        let next = best(&children.manifests).ok_or_else(|| LayersError::NoImage(digest()))?;
        let wanted = TagOrDigest::from(next);
        manifest = patience.run(|| source.manifest(&wanted, MANIFEST_LIMIT)).await?;
    }
    Err(LayersError::TooDeep(root.descriptor().digest.clone()))
}

/// Returns the entry to go on with.
fn best(entries: &[IndexEntry]) -> Option<&Digest> {
    let amd64 = Platform::new("linux", "amd64");
    let rank = |entry: &&IndexEntry| match &entry.platform {
        Some(platform) if platform.is_a(&amd64) => 0,
        _ if is_statement(entry) => 3,
        _ if !entry.descriptor.media_type.is_index() => 1,
        _ => 2,
    };
    // Of those of one rank, the first.
    entries.iter().min_by_key(rank).map(|entry| &entry.descriptor.digest)
}

/// Whether an entry of an index leads to a statement about another entry, and to no image.
pub(crate) fn is_statement(entry: &IndexEntry) -> bool {
    let is_unknown = |platform: &Platform| platform.os == UNKNOWN;
    entry.platform.as_ref().is_some_and(is_unknown) || entry.annotations.contains_key(STATEMENT)
}
