//! Signatures that the destination has already.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ocm_oci::{Digest, TagOrDigest};
use ocm_transport::{Destination, Kind as Cause, TransportError};

use super::{
    Context,
    find::{Found, SIGNATURE, is_absence, referring, tagged},
    require::unsigned,
    sigstore,
};
use crate::{
    Failure, Side, Wanted, WishId,
    drive::drive,
    expand::{MANIFEST_LIMIT, MANIFESTS_LIMIT},
    retry::Patience,
};

/// What the destination has of signatures of an image that is there.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Which manifests have one.
    pub(super) signed: BTreeSet<Digest>,
    /// Whether each manifest that a node can run has one, or the index above it.
    pub(super) is_enough: bool,
    /// Why the destination could not say.
    pub(super) trouble: Option<Failure>,
}

/// Looks which of these images, by their roots, are signed at the destination.
///
/// Where cosign has signed the root it is one HEAD an image. Of those in `strict`, what is called a
/// signature is looked into.
pub(super) async fn look(
    images: Vec<(WishId, &Wanted, Digest)>,
    strict: &BTreeSet<WishId>,
    context: Context<'_>,
) -> BTreeMap<WishId, Held> {
    let (mut left, mut all) = (images.into_iter(), BTreeMap::new());
    let patience = &Patience::new(context.asking.retry);
    let next = || {
        left.next().map(|image| {
            let is_strict = strict.contains(&image.0);
            held(image, is_strict, (context, patience))
        })
    };
    drive(context.asking.at_once, next, |found| all.extend(found)).await;
    all
}

async fn held(
    (id, wanted, root): (WishId, &Wanted, Digest),
    is_strict: bool,
    (context, patience): (Context<'_>, &Patience),
) -> Option<(WishId, Held)> {
    let there = context.places.destination(context.to, &wanted.repository)?;
    let (tree, held) = (BTreeMap::new(), Held::default());
    let mut looking = Looking { there, patience, wanted, is_strict, tree, held };
    looking.for_tags(&root).await;
    if looking.unsigned(&root).is_some() {
        looking.for_referrers().await;
    }
    let is_enough = looking.unsigned(&root).is_none();
    Some((id, Held { is_enough, ..looking.held }))
}

struct Looking<'a> {
    there: Arc<dyn Destination>,
    patience: &'a Patience,
    wanted: &'a Wanted,
    /// Whether a name or a type is not enough.
    is_strict: bool,
    /// What was read, as there is no signature by a tag: with what it lists.
    tree: BTreeMap<Digest, Vec<Digest>>,
    held: Held,
}

impl Looking<'_> {
    /// Looks for cosign's tags: of the root, and below what has none.
    async fn for_tags(&mut self, root: &Digest) {
        let (mut left, mut absent) = (vec![root.clone()], BTreeSet::new());
        while let Some(digest) = left.pop() {
            let is_known = self.tree.contains_key(&digest) || self.held.signed.contains(&digest);
            if is_known || self.tree.len() >= MANIFESTS_LIMIT {
                continue;
            }
            let found = tagged(&*self.there, &digest, SIGNATURE, self.patience).await;
            let found = self.hear(found).unwrap_or_default();
            if self.is_signed(&digest, found).await {
                self.held.signed.insert(digest);
                continue;
            }
            match self.children(&digest).await {
                Ok(children) => {
                    left.extend(children.iter().cloned());
                    self.tree.insert(digest, children);
                }
                // An image of a platform that was not mirrored.
                Err(error) if error.kind() == Cause::NotFound => drop(absent.insert(digest)),
                Err(error) => drop(self.hear::<()>(Err(error))),
            }
        }
        for children in self.tree.values_mut() {
            children.retain(|child| !absent.contains(child));
        }
    }

    /// Looks for signatures that say themselves what they are about.
    async fn for_referrers(&mut self) {
        let read: Vec<_> = self.tree.keys().cloned().collect();
        for digest in read {
            let found = referring(&*self.there, &digest, self.patience).await;
            let found = self.hear(found).unwrap_or_default();
            if self.is_signed(&digest, found).await {
                self.held.signed.insert(digest);
            }
        }
    }

    /// Whether something of what was found is a signature.
    async fn is_signed(&mut self, subject: &Digest, found: Vec<Found>) -> bool {
        for one in found.into_iter().filter(|one| one.is_signature) {
            if !self.is_strict {
                return true;
            }
            let what = (&one.root, subject);
            let answer = sigstore::speaks_for(&*self.there, what, self.patience).await;
            if self.hear(answer) == Some(true) {
                return true;
            }
        }
        false
    }

    /// Returns what a manifest lists, as far as it is wanted.
    async fn children(&self, digest: &Digest) -> Result<Vec<Digest>, TransportError> {
        let name = TagOrDigest::from(digest);
        let manifest = self.patience.run(|| self.there.manifest(&name, MANIFEST_LIMIT)).await?;
        let listed = manifest.children().map(|children| children.manifests).unwrap_or_default();
        let platforms = &self.wanted.platforms;
        let wanted = listed.into_iter().filter(|one| platforms.admits(one.platform.as_ref()));
        Ok(wanted.map(|one| one.descriptor.digest).collect())
    }

    /// Keeps why an answer is none, unless it means that there is nothing.
    fn hear<T>(&mut self, answer: Result<T, TransportError>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                if !is_absence(&error) {
                    self.held.trouble.get_or_insert(Failure::at(Side::Destination, &error));
                }
                None
            }
        }
    }

    fn unsigned(&self, root: &Digest) -> Option<Digest> {
        let signed = self.held.signed.iter().collect();
        let children = |digest: &Digest| self.tree.get(digest).map_or(&[][..], Vec::as_slice);
        unsigned(root, &signed, children).cloned()
    }
}
