//! What travels with images: signatures, attestations, bills of materials.
//!
//! ```text
//! image ─┬─► cosign: tags made of its digest, `sha256-….sig`, `.att`, `.sbom`
//!        └─► referrers: manifests that name it as their subject
//! ```
//!
//! They are asked for where an image is to be copied: of its root, and of each manifest below that
//! is copied too. Most images have none, and registries say so in many ways; none of them is an
//! error. Where a signature is required, an image that stands at the destination already is looked
//! at as well: it may have come before anybody insisted.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use ocm_oci::{Digest, Tag, TagOrDigest};

use crate::{
    Asking, Code, Expansion, Failure, Kind, Location, Lost, Place, Places, Survey, Wanted, WishId,
    Wishes, expand::Level,
};

mod archived;
mod find;
mod require;
mod sigstore;
mod subjects;
mod there;

pub use archived::ArchivedAttachments;
use find::{Found, Heard};
use subjects::Subjects;

/// Whether signatures and other statements about images are mirrored with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signatures {
    /// Those that there are.
    #[default]
    Copy,
    /// An image without a signature is not mirrored: each of its manifests must have one, or the
    /// index above it.
    Require,
    /// None, and nobody is asked.
    Skip,
}

/// Which attachments are wanted.
#[derive(Debug, Clone, Default)]
pub struct Attaching {
    /// Of all images.
    pub signatures: Signatures,
    /// Images of which a sigstore signature is required, whatever is wanted of the others: nodes
    /// look for one.
    pub required: BTreeSet<WishId>,
    /// Of which images.
    pub scope: AttachingScope,
    /// What an archive holds; without it places are asked.
    pub archived: Option<ArchivedAttachments>,
}

/// Of which images attachments are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttachingScope {
    /// Of those that are to be copied: what is there has its attachments already.
    #[default]
    Missing,
    /// Of those that are there too, in case they were signed since.
    All,
}

/// What was found, and which images it is about.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    pub(crate) all: Vec<Attachment>,
    /// Positions in `all`, by image.
    pub(crate) of: BTreeMap<WishId, Vec<usize>>,
    /// Images that get no tags without theirs.
    pub(crate) required: BTreeSet<WishId>,
    /// Where nobody could say whether there is something, by image.
    pub(crate) unheard: BTreeMap<WishId, Vec<Lost>>,
    /// Where a signature may be that we are not let at, by image.
    hidden: BTreeMap<WishId, Failure>,
    /// Which manifests have a signature that the destination has as well, by image.
    held: BTreeMap<WishId, BTreeSet<Digest>>,
}

/// Something that is said about a manifest.
#[derive(Debug)]
pub(crate) struct Attachment {
    /// Where it is read and written; its tag means nothing where `tag` is `None`.
    pub(crate) wanted: Wanted,
    pub(crate) tag: Option<Tag>,
    pub(crate) root: Digest,
    pub(crate) subject: Digest,
    pub(crate) is_signature: bool,
    /// Why it cannot be had, if it cannot.
    pub(crate) lost: Option<Failure>,
}

/// What is known of a run when attachments are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) wishes: &'a Wishes,
    pub(crate) survey: &'a Survey,
    pub(crate) places: &'a Places,
    pub(crate) to: &'a Place,
    pub(crate) asking: Asking,
}

/// Finds what is said about the images of `expansion`, and reads it.
///
/// # Cancel safety
///
/// Dropping the future stops asking.
pub(crate) async fn attach(
    expansion: Expansion,
    attaching: &Attaching,
    context: Context<'_>,
) -> Expansion {
    if attaching.signatures == Signatures::Skip && attaching.required.is_empty() {
        return expansion;
    }
    let (mut expansion, subjects) = Subjects::of(expansion, attaching, context).await;
    let mut heard = match &attaching.archived {
        Some(archived) => archived.about(&subjects),
        None => find::ask(&subjects, context).await,
    };
    sigstore::confirm(&mut heard, (&subjects, &attaching.required), context).await;
    let mut attachments = gather(&subjects, heard, context.wishes);
    attachments.required = subjects.required.clone();
    find::forget_present(&mut attachments, context).await;
    expansion = read(expansion, &mut attachments, context).await;
    require::check(&mut expansion, &subjects, &attachments, (attaching, context));
    expansion.attachments = attachments;
    expansion
}

/// Puts what was heard in order: each attachment once for each repository that it goes to.
fn gather(subjects: &Subjects, heard: Heard, wishes: &Wishes) -> Attachments {
    let wishes: BTreeMap<_, _> = wishes.iter().collect();
    let (mut attachments, mut known) = (Attachments::default(), BTreeMap::new());
    let Heard { mut found, mut failed, mut hidden } = heard;
    for (subject, ids) in &subjects.wanted_by {
        let (found, failed) = (found.remove(subject), failed.remove(subject));
        let hidden = hidden.remove(subject);
        for id in ids {
            let Some(wanted) = wishes.get(id) else { continue };
            for one in found.iter().flatten() {
                let attachment = Attachment::of(one, subject, wanted);
                let (repository, tag) = (wanted.repository.clone(), one.tag.clone());
                let key = (repository, tag, one.root.clone(), subject.0.place.clone());
                let nth = *known.entry(key).or_insert_with(|| {
                    attachments.all.push(attachment);
                    attachments.all.len() - 1
                });
                let of = attachments.of.entry(*id).or_default();
                if !of.contains(&nth) {
                    of.push(nth);
                }
            }
            if let Some(failure) = &failed {
                let (kind, origin) = (attachment_of(wanted), origin(&subject.0, None, &subject.1));
                let lost = Lost { kind, failure: failure.clone().of(&origin) };
                attachments.unheard.entry(*id).or_default().push(lost);
            }
            if let Some(failure) = &hidden {
                attachments.hidden.entry(*id).or_insert_with(|| failure.clone());
            }
        }
    }
    attachments
}

/// Reads the manifests of attachments, as those of images are read.
async fn read(
    mut expansion: Expansion,
    attachments: &mut Attachments,
    context: Context<'_>,
) -> Expansion {
    let needed: BTreeSet<_> = attachments.of.values().flatten().copied().collect();
    let (mut wishes, mut level, mut ids) = (Wishes::default(), Level::new(), Vec::new());
    for (nth, attachment) in attachments.all.iter().enumerate() {
        let id = wishes.add(attachment.wanted.clone());
        if needed.contains(&nth) {
            level.entry(attachment.root.clone()).or_default().insert(id);
        }
        ids.push(id);
    }
    let lost = mem::take(&mut expansion.lost);
    expansion = expansion.read(&wishes, level, (context.places, context.asking)).await;
    let mut lost_here = mem::replace(&mut expansion.lost, lost);
    let mut nothing = BTreeSet::new();
    for ((nth, attachment), id) in attachments.all.iter_mut().enumerate().zip(&ids) {
        let lost = lost_here.remove(id);
        let is_read = expansion.nodes.contains_key(&attachment.root);
        if lost.as_ref().is_some_and(|why| !is_read && is_nothing(why)) {
            nothing.insert(nth);
        } else {
            attachment.lost = lost;
        }
    }
    attachments.of.values_mut().for_each(|of| of.retain(|nth| !nothing.contains(nth)));
    expansion
}

/// Whether there was a name only: some answer whatever they are asked, and with something that is
/// no manifest.
fn is_nothing(why: &Failure) -> bool {
    let is_gone = matches!(why.code, Code::Transport(cause) if find::is_absent(cause));
    is_gone || why.code == Code::Manifest
}

impl Attachment {
    fn of(found: &Found, (from, subject): &(Location, Digest), about: &Wanted) -> Self {
        let Found { root, tag, is_signature, .. } = found;
        let name = || origin(from, tag.as_ref(), root);
        let wanted = Wanted {
            origin: found.origin.clone().unwrap_or_else(name),
            from: from.clone(),
            reference: TagOrDigest::Digest(root.clone()),
            platforms: ocm_oci::PlatformFilter::All,
            repository: about.repository.clone(),
            tag: tag.clone().unwrap_or_else(|| Tag::of_digest(root)),
            kind: attachment_of(about),
            needs: BTreeSet::new(),
        };
        let (tag, root, subject) = (tag.clone(), root.clone(), subject.clone());
        Self { wanted, tag, root, subject, is_signature: *is_signature, lost: None }
    }
}

fn attachment_of(about: &Wanted) -> Kind {
    Kind::Attachment(about.kind.group())
}

/// Returns the reference of something at its source.
fn origin(from: &Location, tag: Option<&Tag>, digest: &Digest) -> String {
    let repository = match &from.place {
        Place::Registry(host) => format!("{host}/{}", from.repository),
        _ => from.repository.to_string(),
    };
    match tag {
        Some(tag) => format!("{repository}:{tag}"),
        None => format!("{repository}@{digest}"),
    }
}
