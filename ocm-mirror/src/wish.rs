use std::collections::BTreeSet;

use ocm_oci::{ImageRef, PlatformFilter, RepoName, Tag, TagOrDigest};
use serde::{Deserialize, Serialize};

use crate::{Location, Place};

/// An image that should be at the destination when the run is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The reference as it was written: what reports and resources name the image by.
    pub origin: String,
    /// Where it is read.
    pub from: Location,
    /// What it is there.
    pub reference: TagOrDigest,
    /// Which images of an index are wanted.
    pub platforms: PlatformFilter,
    /// Repository it is written to.
    pub repository: RepoName,
    /// Tag it receives there.
    pub tag: Tag,
    /// What it is part of.
    pub kind: Kind,
    /// Images without which this one is of no use: a bundle needs its related images.
    pub needs: BTreeSet<WishId>,
}

impl Wanted {
    /// Wants an image under the path and the tag that it has; one without a tag under a tag made
    /// of its digest.
    pub fn image(image: &ImageRef) -> Self {
        let tag = match (image.tag(), image.digest()) {
            (Some(tag), _) => tag.clone(),
            (None, Some(digest)) => Tag::of_digest(digest),
            (None, None) => Tag::latest(),
        };
        let place = Place::Registry(image.host().clone());
        Self {
            origin: image.as_written().to_owned(),
            from: Location { place, repository: image.repository().clone() },
            reference: image.selector(),
            platforms: PlatformFilter::All,
            repository: image.path().clone(),
            tag,
            kind: Kind::Additional,
            needs: BTreeSet::new(),
        }
    }
}

/// What an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The payload of a release, by which a cluster names it.
    Release,
    /// A component of a release.
    ReleaseContent,
    /// The image that brings the update graph to a cluster.
    UpdateGraph,
    /// A catalog of operators.
    Catalog,
    /// One version of one operator.
    Bundle,
    /// An image that a bundle names.
    RelatedImage,
    /// Named in the configuration by itself.
    Additional,
    /// Found in a chart.
    Helm,
    /// A signature, or another statement, about an image of that group.
    Attachment(Group),
    /// A package or a channel that is selected, and that the catalog does not have: no image.
    Selection,
}

impl Kind {
    /// Whether nobody asked for it by itself.
    pub fn is_attachment(self) -> bool {
        matches!(self, Self::Attachment(_))
    }

    /// Whether it is an image that somebody asked for, and is counted as one.
    pub fn is_counted(self) -> bool {
        !matches!(self, Self::Attachment(_) | Self::Selection)
    }

    /// Returns the group that it is counted in.
    pub fn group(self) -> Group {
        match self {
            Self::Release | Self::ReleaseContent | Self::UpdateGraph => Group::Release,
            Self::Catalog | Self::Bundle | Self::RelatedImage | Self::Selection => Group::Operator,
            Self::Additional => Group::Additional,
            Self::Helm => Group::Helm,
            Self::Attachment(group) => group,
        }
    }
}

/// What images are counted by, and exit codes tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Group {
    /// Releases, and what they consist of.
    Release,
    /// Catalogs, and what they list.
    Operator,
    /// Named in the configuration by themselves.
    Additional,
    /// Found in charts.
    Helm,
}

/// A wish's position among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WishId(usize);

/// Everything wanted, in the order of the configuration, what is needed before what needs it.
///
/// A [`WishId`] is had only by adding a wish, so a wish can need earlier ones only: there are no
/// circles, by construction.
#[derive(Debug, Clone, Default)]
pub struct Wishes(Vec<Wanted>);

impl Wishes {
    /// Adds a wish.
    pub fn add(&mut self, wanted: Wanted) -> WishId {
        self.0.push(wanted);
        WishId(self.0.len() - 1)
    }

    /// Returns a wish, to be changed; it must not get needs that it did not have.
    pub(crate) fn get_mut(&mut self, id: WishId) -> Option<&mut Wanted> {
        self.0.get_mut(id.0)
    }

    /// Returns all, in order.
    pub fn iter(&self) -> impl Iterator<Item = (WishId, &Wanted)> {
        self.0.iter().enumerate().map(|(index, wanted)| (WishId(index), wanted))
    }

    /// Returns the wish of that position.
    pub fn get(&self, id: WishId) -> Option<&Wanted> {
        self.0.get(id.0)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
