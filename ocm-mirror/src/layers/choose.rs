use std::sync::Arc;

use ocm_oci::{Children, IndexEntry, Platform, PlatformFilter, TagOrDigest};
use ocm_transport::{Kind as Cause, Manifest, Source, TransportError};

use super::LayersError;
use crate::{RetryPolicy, expand::MANIFEST_LIMIT, retry::Patience};

/// How deep indexes may nest. Real ones do not.
const NESTING: usize = 5;

/// How many entries of an index are asked for, until one is there. Real ones have up to ten.
const TRIES: usize = 16;

/// What builders call the platform of what is no image, but a statement about one.
const UNKNOWN: &str = "unknown";
/// What builders write beside such an entry.
///
/// Source: <https://docs.docker.com/build/metadata/attestations/attestation-storage/>.
const STATEMENT: &str = "vnd.docker.reference.type";

/// Finds one image in what `root` leads to: of an index one that `platforms` admits, that for
/// linux/amd64 before the others, else the first.
pub(super) async fn choose(
    source: &Arc<dyn Source>,
    root: &Manifest,
    platforms: &PlatformFilter,
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
        let ranked = ranked(&children.manifests, platforms);
        let next = first_there(source, ranked, &patience).await?;
        manifest = next.ok_or_else(|| LayersError::NoImage(digest()))?;
    }
    Err(LayersError::TooDeep(root.descriptor().digest.clone()))
}

/// Returns the entries to go on with, the best first; of those of one rank, in their order.
fn ranked<'a>(entries: &'a [IndexEntry], platforms: &PlatformFilter) -> Vec<&'a IndexEntry> {
    let amd64 = Platform::new("linux", "amd64");
    let rank = |entry: &&IndexEntry| match &entry.platform {
        _ if is_statement(entry) => (true, 3),
        platform if !platforms.admits(platform.as_ref()) => (true, 0),
        Some(platform) if platform.is_a(&amd64) => (false, 0),
        _ if !entry.descriptor.media_type.is_index() => (false, 1),
        _ => (false, 2),
    };
    let mut ranked: Vec<_> = entries.iter().collect();
    ranked.sort_by_key(rank);
    ranked
}

/// Reads the first manifest that is there. An archive, and a registry that was filled for some
/// platforms, have indexes that name more than they hold.
async fn first_there(
    source: &Arc<dyn Source>,
    entries: Vec<&IndexEntry>,
    patience: &Patience,
) -> Result<Option<Manifest>, TransportError> {
    let mut first = None;
    for entry in entries.into_iter().take(TRIES) {
        let wanted = TagOrDigest::from(&entry.descriptor.digest);
        match patience.run(|| source.manifest(&wanted, MANIFEST_LIMIT)).await {
            Ok(manifest) => return Ok(Some(manifest)),
            Err(error) if error.kind() == Cause::NotFound => {
                first.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    first.map_or(Ok(None), Err)
}

/// Whether an entry of an index leads to a statement about another entry, and to no image.
pub(crate) fn is_statement(entry: &IndexEntry) -> bool {
    let is_unknown = |platform: &Platform| platform.os == UNKNOWN;
    entry.platform.as_ref().is_some_and(is_unknown) || entry.annotations.contains_key(STATEMENT)
}
