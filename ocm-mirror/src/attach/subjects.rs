use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use ocm_oci::Digest;

use super::{Attaching, Context, Signatures, is_wanted};
use crate::{Answer, Expansion, Location, Node, Place, WishId, expand::Level};

/// A manifest, where it is read.
pub(super) type Subject = (Location, Digest);

/// What attachments are asked for.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    /// Each once, with the images that it is part of.
    pub(super) wanted_by: BTreeMap<Subject, BTreeSet<WishId>>,
    /// The roots of those images, at the source.
    pub(super) roots: BTreeMap<WishId, Digest>,
    /// Images that need a signature.
    pub(super) required: BTreeSet<WishId>,
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
        for (id, wanted) in context.wishes.iter() {
            let signatures = match attaching.signatures {
                _ if attaching.required.contains(&id) => Signatures::Require,
                signatures => signatures,
            };
            // What we built is signed by nobody.
            let is_built = wanted.from.place == Place::Built;
            if signatures == Signatures::Skip || is_built || expansion.lost.contains_key(&id) {
                continue;
            }
            let answer = context.survey.get(&id);
            let Some(root) = is_wanted(answer, attaching.scope) else { continue };
            subjects.roots.insert(id, root.clone());
            if let Some(Answer::Present(root)) = answer {
                level.entry(root.clone()).or_default().insert(id);
            } else if signatures == Signatures::Require {
                subjects.required.insert(id);
            }
        }
        let lost = mem::take(&mut expansion.lost);
        expansion = expansion.read(context.wishes, level, (context.places, context.asking)).await;
        // An image that is there does not get lost because its source is gone.
        let gone = mem::replace(&mut expansion.lost, lost);
        subjects.roots.retain(|id, _| !gone.contains_key(id));
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
