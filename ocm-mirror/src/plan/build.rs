use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
};

use ocm_oci::{Digest, RepoName, Tag};

use super::{
    Attached, Blob, Content, Fates, Image, ImageId, Lost, Name, Plan, PlanError, Present,
    check::VERSION,
};
use crate::{
    Answer, Code, Expansion, Failure, Kind, Location, Place, Side, Survey, Wanted, WishId, Wishes,
    attach::{Attachment, Attachments},
};

/// A plan, and what to tell about how it came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// What to do.
    pub plan: Plan,
    /// What may surprise.
    pub warnings: Vec<Warning>,
    /// What becomes of each wish.
    pub fates: Fates,
}

/// Something decided that may surprise who wrote the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// Two wishes claim one tag for different content; the last has it. Both are copied.
    #[error(
        "tag `{repository}:{tag}` goes to `{to}`; `{from}`, which it was meant for too, can be \
         had there by its digest only"
    )]
    TagMoved {
        /// The tag's repository.
        repository: RepoName,
        /// The tag.
        tag: Tag,
        /// The image that would have it without the later wish, as written.
        from: String,
        /// The image that has it, as written.
        to: String,
    },
    /// An image wished for twice needs another only the second time, and so does not wait for it.
    #[error("image `{origin}` is copied before what it needs")]
    LateNeed {
        /// The image.
        origin: String,
    },
}

/// Decides what to copy and in which order. Pure: no clock, no disk, no network.
///
/// Each wish is met by an image of the plan, or by what is there already, or is among the lost;
/// a wish that needs a lost one is lost with it. `lost` are those that were no wishes even: the
/// configuration names them in a way that has no meaning.
///
/// # Errors
///
/// [`PlanError::Closed`], when `expansion` was not made for these wishes and this survey. Nothing
/// else can happen: the other laws are kept by how wishes are built.
pub fn plan(
    wishes: &Wishes,
    survey: &Survey,
    expansion: &Expansion,
    lost: Vec<Lost>,
    to: Place,
) -> Result<Planned, PlanError> {
    let mut draft = Draft { lost, ..Draft::default() };
    for (id, wanted) in wishes.iter() {
        let answer = match (survey.get(&id), expansion.roots.get(&id)) {
            (Some(Answer::Missing(_)), Some(root)) => Some(Answer::Missing(root.clone())),
            (answer, _) => answer.cloned(),
        };
        let lost = match &answer {
            Some(Answer::Lost(failure)) => Some(failure),
            _ => None,
        };
        let lost = expansion.lost.get(&id).or(lost).cloned();
        let fate = match lost.or_else(|| draft.lacks(wanted, wishes)) {
            Some(failure) => draft.give_up((id, wanted), failure),
            None => draft.decide((id, wanted), answer.as_ref()),
        };
        draft.fates.insert(id, fate);
        match fate {
            Fate::There => draft.attach(None, id, &expansion.attachments),
            Fate::Planned(image) => {
                draft.told_fates.planned.insert(id, image);
                draft.attach(Some(image), id, &expansion.attachments);
            }
            Fate::Lost => {}
        }
    }
    let (warnings, fates) = (mem::take(&mut draft.warnings), mem::take(&mut draft.told_fates));
    let plan = draft.fill(expansion, to).try_into()?;
    Ok(Planned { plan, warnings, fates })
}

/// What becomes of a wish.
#[derive(Debug, Clone, Copy)]
enum Fate {
    There,
    Planned(ImageId),
    Lost,
}

#[derive(Default)]
struct Draft {
    images: Vec<Image>,
    known: BTreeMap<(RepoName, Digest), ImageId>,
    sources: Vec<Vec<Location>>,
    fates: BTreeMap<WishId, Fate>,
    /// The same, with why.
    told_fates: Fates,
    tags: BTreeMap<(RepoName, Tag), (Digest, String)>,
    present: Vec<Present>,
    lost: Vec<Lost>,
    /// What is among the present or the lost.
    told: BTreeSet<(String, RepoName, Tag)>,
    warnings: Vec<Warning>,
}

impl Draft {
    /// Says which of the images that a wish needs are lost, if any is.
    fn lacks(&self, wish: &Wanted, wishes: &Wishes) -> Option<Failure> {
        let is_lost = |need: &&WishId| matches!(self.fates.get(need), Some(Fate::Lost) | None);
        let mut lost = wish.needs.iter().filter(is_lost);
        let first = wishes.get(*lost.next()?).map_or("an image", |needed| &needed.origin);
        let what = match lost.count() {
            0 => format!("it needs {first}, which cannot be had"),
            others => format!("it needs {first} and {others} more, which cannot be had"),
        };
        Some(Failure::without(Code::Needs, Side::Source, what))
    }

    fn give_up(&mut self, (id, wish): (WishId, &Wanted), failure: Failure) -> Fate {
        let lost = Lost { kind: wish.kind, failure: failure.of(&wish.origin) };
        self.told_fates.lost.insert(id, lost.failure.clone());
        // The same image twice in a configuration is one image.
        if self.told.insert((wish.origin.clone(), wish.repository.clone(), wish.tag.clone())) {
            self.lost.push(lost);
        }
        Fate::Lost
    }

    fn decide(&mut self, (id, wish): (WishId, &Wanted), found: Option<&Answer>) -> Fate {
        match found {
            Some(Answer::Missing(root)) => {
                self.claim_tag(wish, root);
                Fate::Planned(self.image(wish, root))
            }
            Some(Answer::Present(root)) => {
                self.claim_tag(wish, root);
                let name = Name { origin: wish.origin.clone(), tag: wish.tag.clone() };
                let (root, repository) = (root.clone(), wish.repository.clone());
                let present = Present { name, root, repository, kind: wish.kind };
                let told = (wish.origin.clone(), wish.repository.clone(), wish.tag.clone());
                if self.told.insert(told) {
                    self.present.push(present);
                }
                Fate::There
            }
            Some(Answer::Lost(_)) | None => {
                let what = "never asked for".to_owned();
                self.give_up((id, wish), Failure::without(Code::Place, Side::Source, what))
            }
        }
    }

    /// The last wish for a tag has it, even if its image is there already.
    fn claim_tag(&mut self, wish: &Wanted, root: &Digest) {
        let (repository, tag, to) =
            (wish.repository.clone(), wish.tag.clone(), wish.origin.clone());
        let key = (repository.clone(), tag.clone());
        let before = self.tags.insert(key, (root.clone(), to.clone()));
        let Some((_, from)) = before.filter(|(digest, _)| digest != root) else { return };
        for image in self.images.iter_mut().filter(|image| image.repository == repository) {
            image.tags.remove(&tag);
        }
        self.warnings.push(Warning::TagMoved { repository, tag, from, to });
    }

    /// Adds what is said about an image, behind it.
    fn attach(&mut self, to: Option<ImageId>, id: WishId, attachments: &Attachments) {
        let is_required = attachments.required.contains(&id);
        for nth in attachments.of.get(&id).into_iter().flatten() {
            let Some(attachment) = attachments.all.get(*nth) else { continue };
            match &attachment.lost {
                None => self.attachment(to, attachment, is_required),
                Some(why) => self.miss(attachment.wanted.kind, why),
            }
        }
        for lost in attachments.unheard.get(&id).into_iter().flatten() {
            self.miss(lost.kind, &lost.failure);
        }
    }

    fn miss(&mut self, kind: Kind, why: &Failure) {
        let lost = Lost { kind, failure: why.clone() };
        if !self.lost.contains(&lost) {
            self.lost.push(lost);
        }
    }

    fn attachment(&mut self, to: Option<ImageId>, attachment: &Attachment, is_required: bool) {
        let Attachment { wanted, tag, root, subject, is_signature, .. } = attachment;
        if tag.is_some() {
            self.claim_tag(wanted, root);
        }
        let key = (wanted.repository.clone(), root.clone());
        let id = *self.known.entry(key).or_insert_with(|| {
            // What somebody asked for, and is attached to something, has no attachments itself.
            let to = to.filter(|to| self.images.get(to.0).is_some_and(|to| to.attached.is_none()));
            let (subject, origin) = (subject.clone(), wanted.origin.clone());
            let attached =
                Attached { to, subject, origin, is_signature: *is_signature, is_required };
            self.sources.push(Vec::new());
            self.images.push(Image {
                root: root.clone(),
                repository: wanted.repository.clone(),
                names: Vec::new(),
                tags: BTreeSet::new(),
                kind: wanted.kind,
                needs: BTreeSet::new(),
                attached: Some(Box::new(attached)),
            });
            ImageId(self.images.len() - 1)
        });
        if let Some(image) = self.images.get_mut(id.0) {
            image.tags.extend(tag.clone());
        }
        self.sources.get_mut(id.0).into_iter().for_each(|from| from.push(wanted.from.clone()));
        // One that came with an earlier image is waited for like any other.
        let needing = to.filter(|to| is_required && id < *to);
        if let Some(image) = needing.and_then(|to| self.images.get_mut(to.0)) {
            image.needs.insert(id);
        }
    }

    /// Finds or makes the image: two wishes for the same content in the same repository are one.
    fn image(&mut self, wish: &Wanted, root: &Digest) -> ImageId {
        let key = (wish.repository.clone(), root.clone());
        let id = *self.known.entry(key).or_insert_with(|| {
            self.sources.push(Vec::new());
            self.images.push(Image {
                root: root.clone(),
                repository: wish.repository.clone(),
                names: Vec::new(),
                tags: BTreeSet::new(),
                kind: wish.kind,
                needs: BTreeSet::new(),
                attached: None,
            });
            ImageId(self.images.len() - 1)
        });
        let planned = |need| match self.fates.get(need) {
            Some(Fate::Planned(image)) => Some(*image),
            Some(Fate::There | Fate::Lost) | None => None,
        };
        let needs = wish.needs.iter().filter_map(planned);
        let (needs, late): (Vec<_>, Vec<_>) = needs.partition(|need| *need < id);
        if !late.is_empty() {
            self.warnings.push(Warning::LateNeed { origin: wish.origin.clone() });
        }
        if let Some(image) = self.images.get_mut(id.0) {
            let name = Name { origin: wish.origin.clone(), tag: wish.tag.clone() };
            image.tags.insert(wish.tag.clone());
            if !image.names.contains(&name) {
                image.names.push(name);
            }
            image.needs.extend(needs);
        }
        self.sources.get_mut(id.0).into_iter().for_each(|from| from.push(wish.from.clone()));
        id
    }

    /// Adds what the images consist of.
    fn fill(self, expansion: &Expansion, destination: Place) -> Content {
        let (version, places) = (VERSION, BTreeSet::from([destination.clone()]));
        let Self { images, sources, present, lost, .. } = self;
        let (manifests, blobs) = (expansion.nodes.clone(), BTreeMap::new());
        let mut content =
            Content { version, destination, places, manifests, blobs, images, present, lost };
        // An image that was lost while it was read leaves manifests behind.
        let roots = content.images.iter().map(|image| &image.root);
        let tree = content.tree(roots).into_iter();
        let wanted: BTreeSet<_> = tree.map(|(digest, _)| digest.clone()).collect();
        content.manifests.retain(|digest, _| wanted.contains(digest));
        let blob = |(digest, wanted_by): (&Digest, BTreeSet<ImageId>)| {
            let from = wanted_by.iter().filter_map(|image| sources.get(image.0)).flatten();
            let mut seen = BTreeSet::new();
            let sources = from.filter(|from| seen.insert(*from)).cloned().collect();
            let size = expansion.sizes.get(digest).copied().unwrap_or_default();
            (digest.clone(), Blob { size, sources, wanted_by })
        };
        content.blobs = content.wanted_by().into_iter().map(blob).collect();
        let locations = content.blobs.values().flat_map(|blob| &blob.sources);
        content.places.extend(locations.map(|location| location.place.clone()));
        content
    }
}
