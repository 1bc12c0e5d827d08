use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use ocm_oci::Digest;

use super::{Attaching, AttachingScope, Context, Signatures, there, there::Held};
use crate::{Answer, Expansion, Failure, Location, Node, Place, Wanted, WishId, expand::Level};

/// A manifest, where it is read.
pub(super) type Subject = (Location, Digest);

/// What attachments are asked for.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// Each once, with the images that it is part of.
    pub(super) wanted_by: BTreeMap<Subject, BTreeSet<WishId>>,
    /// The roots of those images, at the source.
    pub(super) roots: BTreeMap<WishId, Digest>,
    /// Images that need a signature: of those that are there, the ones that have none yet.
    pub(super) required: BTreeSet<WishId>,
    /// What the destination has of signatures, of images that are there and need one.
    pub(super) held: BTreeMap<WishId, Held>,
    /// Why images that are there could not be read where they come from.
    pub(super) gone: BTreeMap<WishId, Failure>,
}

impl Subjects {
    /// Collects the manifests of all images that are looked at. Of those that are there, they are
    /// read first.
    pub(super) async fn of(
        mut expansion: Expansion,
        attaching: &Attaching,
        context: Context<'_>,
    ) -> (Expansion, Self) {
        let (mut subjects, mut level) = (Self::default(), Level::new());
        let looked_at = looked_at(&expansion, attaching, context);
        let standing = looked_at.iter().filter_map(|(id, wanted, answer, is_required)| {
            let Answer::Present(root) = answer else { return None };
            is_required.then(|| (*id, *wanted, root.clone()))
        });
        let strict = &attaching.required;
        subjects.held = there::look(standing.collect(), strict, context).await;
        for (id, _, answer, is_required) in looked_at {
            let is_signed = subjects.held.get(&id).is_some_and(|held| held.is_enough);
            let is_unsigned = is_required && !is_signed;
            let root = match answer {
                Answer::Missing(root) => root,
                Answer::Present(root) if is_unsigned || attaching.scope == AttachingScope::All => {
                    level.entry(root.clone()).or_default().insert(id);
                    root
                }
                Answer::Present(_) | Answer::Lost(_) => continue,
            };
            subjects.roots.insert(id, root.clone());
            if is_unsigned {
                subjects.required.insert(id);
            }
        }
        let lost = mem::take(&mut expansion.lost);
        expansion = expansion.read(context.wishes, level, (context.places, context.asking)).await;
        // An image that is there does not get lost because its source is gone.
        subjects.gone = mem::replace(&mut expansion.lost, lost);
        subjects.roots.retain(|id, _| !subjects.gone.contains_key(id));
        subjects.collect(&expansion, context);
        (expansion, subjects)
    }

    fn collect(&mut self, expansion: &Expansion, context: Context<'_>) {
        for (id, wanted) in context.wishes.iter() {
            let Some(root) = self.roots.get(&id) else { continue };
            let mut tree = tree(&expansion.nodes, root);
            // Nobody has signed an index that we cut down.
            if expansion.roots.contains_key(&id) {
                tree.remove(root);
            }
            for digest in tree {
                let subject = (wanted.from.clone(), digest);
                self.wanted_by.entry(subject).or_default().insert(id);
            }
        }
    }
}

/// Returns the images of which something may be wanted, where each stands, and whether it needs a
/// signature.
fn looked_at<'a>(
    expansion: &Expansion,
    attaching: &Attaching,
    context: Context<'a>,
) -> Vec<(WishId, &'a Wanted, &'a Answer, bool)> {
    let look = |(id, wanted): (WishId, &'a Wanted)| {
        let is_required =
            attaching.required.contains(&id) || attaching.signatures == Signatures::Require;
        let is_skipped = attaching.signatures == Signatures::Skip && !is_required;
        // What we built is signed by nobody.
        let is_built = wanted.from.place == Place::Built;
        if is_skipped || is_built || expansion.lost.contains_key(&id) {
            return None;
        }
        Some((id, wanted, context.survey.get(&id)?, is_required))
    };
    context.wishes.iter().filter_map(look).collect()
}

/// Returns the manifests under `root`, itself included.
fn tree(nodes: &BTreeMap<Digest, Node>, root: &Digest) -> BTreeSet<Digest> {
    let (mut seen, mut left) = (BTreeSet::new(), vec![root]);
    while let Some(digest) = left.pop() {
        if let Some(node) = nodes.get(digest)
            && seen.insert(digest.clone())
        {
            left.extend(&node.children);
        }
    }
    seen
}
