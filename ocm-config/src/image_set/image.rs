use ocm_oci::{NameError, PlatformFilter, Reference, ReferenceError, RepoName, Tag};

use super::item::{ItemFault, ItemFaults, Problem, page_hint};
use crate::{fault::Location, pattern::Pattern};

/// An image named in the configuration.
///
/// What is wrong with one image is no fault of the document: the others are mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdditionalImage {
    /// The name as it is written; what the cluster will ask for.
    pub name: String,
    /// Where it stands in the configuration.
    pub location: Location,
    /// What is wanted, or all that is wrong with it.
    pub wanted: Result<WantedImage, ImageFaults>,
}

/// What is wanted of an [`AdditionalImage`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedImage {
    /// The image.
    pub reference: Reference,
    /// The repository to put it in, instead of the one it comes from.
    pub target_repo: Option<RepoName>,
    /// The tag to give it, instead of the one it has.
    pub target_tag: Option<Tag>,
    /// Which of the images of an index are wanted.
    pub platforms: PlatformFilter,
}

/// One thing that is wrong with an [`AdditionalImage`], and where.
pub type ImageFault = ItemFault<ImageProblem>;

/// All that is wrong with one [`AdditionalImage`]; at least one thing.
pub type ImageFaults = ItemFaults<ImageProblem>;

/// What can be wrong with an [`AdditionalImage`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageProblem {
    /// `name` is no reference to an image.
    #[error(transparent)]
    Reference(ReferenceError),
    /// `targetRepo` is no repository name.
    #[error(transparent)]
    TargetRepo(NameError),
    /// `targetTag` is no tag.
    #[error(transparent)]
    TargetTag(NameError),
    /// An entry of `platforms` lacks one of its two parts.
    #[error("a platform has no `{missing}`")]
    Platform {
        /// The part that is not there.
        missing: &'static str,
    },
}

/// A pattern; images that it matches are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedImage {
    /// The pattern.
    pub pattern: Pattern,
    /// Where it stands in the configuration.
    pub location: Location,
}

impl BlockedImage {
    /// Whether an image is left out. `name` is its origin or its destination, without
    /// `docker://`; it is left out where either matches.
    pub fn matches(&self, name: &str) -> bool {
        self.pattern.matches(name)
    }
}

impl Problem for ImageProblem {
    const ITEM: &'static str = "image";

    fn hint(&self) -> Option<String> {
        match self {
            Self::Reference(error) => reference_hint(error),
            Self::TargetRepo(_) => Some(REPOSITORY_HINT.to_owned()),
            Self::TargetTag(_) => Some(TAG_HINT.to_owned()),
            Self::Platform { .. } => Some(PLATFORM_HINT.to_owned()),
        }
    }
}

pub(super) const REPOSITORY_HINT: &str = "write a path without host, tag and digest: `team/app`";
pub(super) const TAG_HINT: &str =
    "a tag has up to 128 of `A-Za-z0-9_.-`, and begins with none of `.-`";
pub(super) const PLATFORM_HINT: &str = "write `{os: linux, architecture: amd64}`";

/// Returns what to write instead of text that is no reference.
pub(super) fn reference_hint(error: &ReferenceError) -> Option<String> {
    let usual = || Some("write `registry/repository:tag`".to_owned());
    page_hint(&error.text).or_else(|| error.hint()).or_else(usual)
}
