use std::collections::BTreeSet;

use ocm_oci::Digest;

use super::{Attaching, Attachments, Context, Subjects};
use crate::{Code, Expansion, Failure, Side, WishId};

/// What helps where signatures are required of all images.
const IMAGE_HINT: &str = "ask whoever publishes the image to sign it; with `--signatures copy`, \
                          images are mirrored without a signature where there is none";
/// What helps with a payload, whatever is wanted of other images.
const PAYLOAD_HINT: &str = "from 4.21 on nodes refuse to pull a payload whose sigstore signature does not stand beside \
     it, and never boot; mirror it from where it is signed, or, for a cluster that does not ask, \
     with `--allow-unsigned-release`";

/// Gives up the images that need a signature and have none.
///
/// Each manifest that a node can run needs one, or the index above it: Red Hat signs no indexes,
/// and cosign, unless told otherwise, nothing below one.
pub(super) fn check(
    expansion: &mut Expansion,
    subjects: &Subjects,
    attachments: &Attachments,
    (attaching, context): (&Attaching, Context<'_>),
) {
    for (id, wanted) in context.wishes.iter().filter(|(id, _)| subjects.required.contains(id)) {
        let Some(root) = subjects.roots.get(&id) else { continue };
        let signed = attachments.signed(id);
        let Some(unsigned) = unsigned(expansion, root, &signed) else { continue };
        let hint = if attaching.required.contains(&id) { PAYLOAD_HINT } else { IMAGE_HINT };
        let failure = attachments.trouble(id).unwrap_or_else(|| no_signature(&unsigned, hint));
        expansion.lost.entry(id).or_insert(failure.of(&wanted.origin));
    }
}

/// Returns the first manifest below `root` that is not signed, and nothing above it either.
fn unsigned(expansion: &Expansion, root: &Digest, signed: &BTreeSet<&Digest>) -> Option<Digest> {
    let (mut left, mut seen) = (vec![root], BTreeSet::new());
    while let Some(digest) = left.pop() {
        if signed.contains(digest) || !seen.insert(digest) {
            continue;
        }
        let children = expansion.nodes.get(digest).map(|node| node.children.as_slice());
        match children.unwrap_or_default() {
            [] => return Some(digest.clone()),
            children => left.extend(children.iter().rev()),
        }
    }
    None
}

fn no_signature(digest: &Digest, hint: &str) -> Failure {
    let what = format!("`{digest}` is not signed: there is no signature beside it");
    Failure::without(Code::Signature, Side::Source, what).with_hint(hint)
}

impl Attachments {
    fn of(&self, id: WishId) -> impl Iterator<Item = &super::Attachment> {
        let nths = self.of.get(&id).into_iter().flatten();
        nths.filter_map(|nth| self.all.get(*nth))
    }

    /// Returns which manifests of an image have a signature that can be had.
    fn signed(&self, id: WishId) -> BTreeSet<&Digest> {
        let signatures = self.of(id).filter(|one| one.is_signature && one.lost.is_none());
        signatures.map(|one| &one.subject).collect()
    }

    /// Returns what went wrong while an image's signatures were looked for, or read.
    fn trouble(&self, id: WishId) -> Option<Failure> {
        let unheard = self.unheard.get(&id).into_iter().flatten().map(|lost| &lost.failure);
        let lost = self.of(id).filter_map(|one| one.lost.as_ref());
        unheard.chain(lost).next().cloned()
    }
}
