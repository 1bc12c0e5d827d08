use std::collections::BTreeSet;

use ocm_oci::{Digest, RepoName, Tag};

use super::{Content, Image, ImageId, Plan};

/// The only format there is.
pub(super) const VERSION: u32 = 1;

/// How deep manifests may nest: an index of indexes of images is 3; the rest is for the future.
pub(crate) const MAX_NESTING: usize = 8;

/// Why some content is not a plan: which law it breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It was written by something newer, or by nothing of ours.
    #[error("plan is of version {found}, not {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// Manifests name each other in a circle, or one that is not there, or nest too deep.
    #[error("manifest `{manifest}` does not come down to blobs")]
    Nesting {
        /// The first such manifest.
        manifest: Digest,
    },
    /// A manifest, blob or place that an image needs is missing, or one that none needs is there.
    #[error("`{what}` is missing, or of no use")]
    Closed {
        /// Its digest, or its name.
        what: String,
    },
    /// An image needs one, or is attached to one, that does not come before it.
    #[error("image `{origin}` needs one that does not come before it")]
    Order {
        /// The image.
        origin: String,
    },
    /// One image is listed twice.
    #[error("image `{repository}@{root}` is listed twice")]
    Twice {
        /// Its repository.
        repository: RepoName,
        /// Its root.
        root: Digest,
    },
    /// The path of a place is not Unicode, so the plan cannot be written and has no name.
    #[error("plan cannot be written as JSON: {reason}")]
    Unwritable {
        /// What the serialiser says.
        reason: String,
    },
    /// Two images claim one tag.
    #[error("tag `{repository}:{tag}` is claimed twice")]
    TagTwice {
        /// The tag's repository.
        repository: RepoName,
        /// The tag.
        tag: Tag,
    },
}

impl TryFrom<Content> for Plan {
    type Error = PlanError;

    /// The one gate: for plans that are made and for plans that are read.
    fn try_from(content: Content) -> Result<Self, PlanError> {
        if content.version != VERSION {
            return Err(PlanError::Version { found: content.version });
        }
        // First, because the others walk down the manifests.
        check_nesting(&content)?;
        check_closed(&content)?;
        check_images(&content)?;
        let name = content.name().map_err(|error| unwritable(&error))?;
        Ok(Self { content, name })
    }
}

fn unwritable(error: &serde_json::Error) -> PlanError {
    PlanError::Unwritable { reason: error.to_string() }
}

/// Builds up from the manifests that list none; what is left over after that is not grounded.
fn check_nesting(content: &Content) -> Result<(), PlanError> {
    let mut grounded = BTreeSet::new();
    let mut floating: Vec<_> = content.manifests.iter().collect();
    for _ in 0..MAX_NESTING {
        let (ground, rest): (Vec<_>, Vec<_>) = floating
            .into_iter()
            .partition(|(_, node)| node.children.iter().all(|child| grounded.contains(child)));
        grounded.extend(ground.into_iter().map(|(digest, _)| digest));
        floating = rest;
    }
    match floating.first() {
        None => Ok(()),
        Some((digest, _)) => Err(PlanError::Nesting { manifest: (*digest).clone() }),
    }
}

fn check_closed(content: &Content) -> Result<(), PlanError> {
    let roots = content.images.iter().map(|image| &image.root);
    let named: BTreeSet<_> = content.tree(roots.clone()).into_iter().map(|(one, _)| one).collect();
    same(roots.chain(content.manifests.keys()), |digest| named.contains(digest))?;
    let wanted = content.wanted_by();
    same(wanted.keys().copied(), |digest| content.blobs.contains_key(digest))?;
    for (digest, blob) in &content.blobs {
        let is_wanted = wanted.get(digest) == Some(&blob.wanted_by);
        let mut places = blob.sources.iter().map(|source| &source.place);
        let is_readable = !blob.sources.is_empty() && places.all(|p| content.places.contains(p));
        if !(is_wanted && is_readable) {
            return Err(PlanError::Closed { what: digest.to_string() });
        }
    }
    let used = content.blobs.values().flat_map(|blob| &blob.sources).map(|source| &source.place);
    let used: BTreeSet<_> = used.chain([&content.destination]).collect();
    match content.places.iter().find(|place| !used.contains(place)) {
        Some(place) => Err(PlanError::Closed { what: place.to_string() }),
        None => Ok(()),
    }
}

fn same<'a>(
    mut digests: impl Iterator<Item = &'a Digest>,
    is_there: impl Fn(&Digest) -> bool,
) -> Result<(), PlanError> {
    match digests.find(|digest| !is_there(digest)) {
        Some(digest) => Err(PlanError::Closed { what: digest.to_string() }),
        None => Ok(()),
    }
}

/// Whether an attachment, if it is one, is of an image beside it that is none itself.
fn is_well_attached(image: &Image, content: &Content, is_late: impl Fn(&ImageId) -> bool) -> bool {
    let Some(to) = image.attached_to() else { return true };
    let subject = content.images.get(to.0).filter(|_| !is_late(&to));
    subject.is_some_and(|one| one.repository == image.repository && one.attached.is_none())
}

fn check_images(content: &Content) -> Result<(), PlanError> {
    let (mut images, mut tags) = (BTreeSet::new(), BTreeSet::new());
    for (index, image) in content.images.iter().enumerate() {
        let (Image { root, repository, .. }, origin) = (image, image.origin().to_owned());
        let is_late = |other: &ImageId| *other >= ImageId(index);
        if image.needs.iter().any(is_late) || !is_well_attached(image, content, is_late) {
            return Err(PlanError::Order { origin });
        }
        if !images.insert((repository, root)) {
            return Err(PlanError::Twice { repository: repository.clone(), root: root.clone() });
        }
        if let Some(tag) = image.tags.iter().find(|tag| !tags.insert((repository, *tag))) {
            return Err(PlanError::TagTwice { repository: repository.clone(), tag: tag.clone() });
        }
    }
    Ok(())
}
