use std::fmt;

use ocm_oci::{NameError, PlatformFilter, Reference, ReferenceError, RepoName, Tag};

use crate::{
    archive_size::ArchiveSize,
    fault::{Code, Fault, Location},
    pattern::Pattern,
};

/// What to mirror: an `ImageSetConfiguration`, typed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// What to mirror.
    pub mirror: Mirror,
    /// How large a volume of an archive may be; `None` where the configuration does not say.
    pub archive_size: Option<ArchiveSize>,
}

/// The sources of an image set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mirror {
    /// Images named one by one, in the order of the configuration.
    pub additional_images: Vec<AdditionalImage>,
    /// Images that are left out wherever they come from.
    pub blocked_images: Vec<BlockedImage>,
}

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

/// All that is wrong with one [`AdditionalImage`]; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFaults(pub(crate) Vec<ImageFault>);

/// One thing that is wrong with an [`AdditionalImage`], and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the image's configuration at {location} cannot be used")]
pub struct ImageFault {
    /// Where it stands in the configuration.
    pub location: Location,
    /// What is wrong.
    #[source]
    pub problem: ImageProblem,
}

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

impl ImageFaults {
    /// Returns the faults, in the order of the keys.
    pub fn iter(&self) -> std::slice::Iter<'_, ImageFault> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ImageFaults {
    type Item = &'a ImageFault;
    type IntoIter = std::slice::Iter<'a, ImageFault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ImageFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [_] => f.write_str("the image is configured wrongly"),
            faults => write!(f, "the image is configured wrongly in {} places", faults.len()),
        }
    }
}

impl std::error::Error for ImageFaults {
    /// Returns the first of the faults.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.first().map(|fault| fault as _)
    }
}

impl ImageProblem {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Reference(error) => error.hint(),
            Self::TargetRepo(_) => {
                Some("write a path without host, tag and digest: `team/app`".to_owned())
            }
            Self::TargetTag(_) => Some(
                "a tag has up to 128 of `A-Za-z0-9_.-`, and begins with none of `.-`".to_owned(),
            ),
            Self::Platform { .. } => Some("write `{os: linux, architecture: amd64}`".to_owned()),
        }
    }
}

impl From<&ImageFault> for Fault {
    /// Makes of a fault of one image what a check of the whole document shows.
    fn from(fault: &ImageFault) -> Self {
        let message = match &fault.problem {
            ImageProblem::Reference(error) => format!("{error}: {}", error.fault),
            problem => problem.to_string(),
        };
        Self::error(Code::InvalidValue, fault.location.clone(), message)
            .with_help(fault.problem.hint())
    }
}
