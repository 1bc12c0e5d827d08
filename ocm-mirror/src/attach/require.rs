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
    let required = |(id, _): &(WishId, _)| subjects.required.contains(id);
    for (id, wanted) in context.wishes.iter().filter(required) {
        let hint = if attaching.required.contains(&id) { PAYLOAD_HINT } else { IMAGE_HINT };
        let failure = match (subjects.roots.get(&id), subjects.gone.get(&id)) {
            (Some(root), _) => {
                let mut signed = attachments.signed(id);
                let held = subjects.held.get(&id);
                signed.extend(held.iter().flat_map(|held| &held.signed));
                let children = |digest: &Digest| {
                    let node = expansion.nodes.get(digest);
                    node.map_or(&[][..], |node| &node.children)
                };
                let Some(unsigned) = unsigned(root, &signed, children) else { continue };
                let trouble =
                    attachments.trouble(id).or_else(|| held.and_then(|held| held.trouble.clone()));
                trouble.unwrap_or_else(|| no_signature(unsigned, hint))
            }
            (None, Some(gone)) => out_of_reach(gone, hint),
            (None, None) => continue,
        };
        expansion.lost.entry(id).or_insert(failure.of(&wanted.origin));
    }
}

/// Returns the first manifest below `root` that is not signed, and nothing above it either.
pub(super) fn unsigned<'a>(
    root: &'a Digest,
    signed: &BTreeSet<&Digest>,
    children: impl Fn(&Digest) -> &'a [Digest],
) -> Option<&'a Digest> {
    let (mut left, mut seen) = (vec![root], BTreeSet::new());
    while let Some(digest) = left.pop() {
        if signed.contains(digest) || !seen.insert(digest) {
            continue;
        }
        match children(digest) {
            [] => return Some(digest),
            children => left.extend(children.iter().rev()),
        }
    }
    None
}

/// Tells of an image that is there, without a signature, and whose source is not.
fn out_of_reach(gone: &Failure, hint: &str) -> Failure {
    let mut failure = gone.clone().with_hint(hint);
    let what = "there is no signature beside it at the destination, and it cannot be looked for";
    failure.chain.insert(0, what.to_owned());
    failure
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
        let held = self.held.get(&id).into_iter().flatten();
        signatures.map(|one| &one.subject).chain(held).collect()
    }

    /// Returns what went wrong while an image's signatures were looked for, or read.
    fn trouble(&self, id: WishId) -> Option<Failure> {
        let unheard = self.unheard.get(&id).into_iter().flatten().map(|lost| &lost.failure);
        let lost = self.of(id).filter_map(|one| one.lost.as_ref());
        unheard.chain(lost).chain(self.hidden.get(&id)).next().cloned()
    }
}
