use ocm_oci::Digest;
use ocm_transport::Manifest;
use serde_json::Value;

use super::Expansion;
use crate::{Answer, Code, Failure, Kind, Side, Survey, Wishes};

/// Cuts indexes down to the images that are copied, for registries that refuse an index which
/// names what they do not have.
///
/// The digest changes with the bytes, and with it what a cluster asks for: so this is done only
/// when asked for, and never of releases. Everything but the entries that are left out stays as it
/// was.
pub(crate) fn rewrite(expansion: &mut Expansion, wishes: &Wishes, survey: &Survey) {
    for (id, wanted) in wishes.iter() {
        if is_fixed(wanted.kind) {
            continue;
        }
        let Some(Answer::Missing(root)) = survey.get(&id) else { continue };
        let Some(node) = expansion.nodes.get(root).filter(|node| node.sparse) else { continue };
        if expansion.lost.contains_key(&id) {
            continue;
        }
        let written = match expansion.pack.get(root) {
            Ok(Some(manifest)) => cut(&manifest, &node.children),
            Ok(None) | Err(_) => None,
        };
        let added = written.map(|manifest| {
            let digest = manifest.descriptor().digest.clone();
            expansion.add(&manifest).map(|children| (digest, children))
        });
        if let Some(Ok((digest, children))) = added {
            let children = children.into_iter();
            if let Some(node) = expansion.nodes.get_mut(&digest) {
                node.children = children.map(|entry| entry.descriptor.digest).collect();
            }
            expansion.roots.insert(id, digest);
        } else {
            let what = format!("index `{root}` could not be rewritten");
            let failure = Failure::without(Code::Manifest, Side::Source, what);
            expansion.lost.insert(id, failure.of(&wanted.origin));
        }
    }
}

/// Whether images of a kind are of no use under another digest: that of a payload is signed, and
/// its components are named in it.
pub(crate) fn is_fixed(kind: Kind) -> bool {
    matches!(kind, Kind::Release | Kind::ReleaseContent)
}

/// Returns the index without the entries that are not among `kept`.
fn cut(manifest: &Manifest, kept: &[Digest]) -> Option<Manifest> {
    let entries = manifest.children().ok()?.manifests;
    let mut index: Value = serde_json::from_slice(manifest.bytes()).ok()?;
    let listed = index.get_mut("manifests")?.as_array_mut()?;
    let mut is_kept = entries.iter().map(|entry| kept.contains(&entry.descriptor.digest));
    listed.retain(|_| is_kept.next().unwrap_or(true));
    let bytes = serde_json::to_vec(&index).ok()?;
    Some(Manifest::new(manifest.descriptor().media_type.clone(), bytes.into()))
}
