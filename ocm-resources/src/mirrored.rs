use std::fmt;

use ocm_oci::{Digest, Host, ImageRef, RepoName, Tag, TagOrDigest};

/// An image that was mirrored: what the cluster asks for, and where it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored {
    /// The reference that the cluster will ask for.
    pub origin: ImageRef,
    /// The registry that has it now.
    pub host: Host,
    /// The repository there.
    pub repository: RepoName,
    /// The tag it has there.
    pub tag: Tag,
    /// The digest it has there: another than that of its origin if it was rewritten.
    pub digest: Digest,
    /// What sort of image it is.
    pub kind: ImageKind,
}

/// An image by the name that it has at the mirror: what an object writes that names it there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AtMirror {
    /// The registry.
    pub host: Host,
    /// The repository there.
    pub repository: RepoName,
    /// What it is asked for by there: mostly its tag.
    pub selector: TagOrDigest,
}

/// What sort of image a [`Mirrored`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ImageKind {
    /// The image of a release. The installer looks for its mirror among the digests, whether
    /// it is named by digest or by tag.
    ReleaseImage,
    /// An image of a release's contents.
    ReleaseContent,
    /// An image of an operator: a bundle, or one that a bundle needs.
    Operator,
    /// A catalog of operators. No mirror set speaks of it: its `CatalogSource` names it at the
    /// mirror.
    Catalog,
    /// The image with the update graph. No mirror set speaks of it: the `UpdateService` names it
    /// at the mirror.
    Graph,
    /// Any other image: named by itself, or needed by a chart.
    Generic,
}

/// Which of the mirror sets of a kind an image belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Releases.
    Release,
    /// Operators.
    Operator,
    /// All the rest.
    Generic,
}

impl Mirrored {
    /// Whether the digest that the origin names is not that of the image at the mirror.
    pub(crate) fn is_rewritten(&self) -> bool {
        self.origin.digest().is_some_and(|digest| *digest != self.digest)
    }
}

impl AtMirror {
    /// Returns host and repository.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl fmt::Display for AtMirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joint = match self.selector {
            TagOrDigest::Tag(_) => ':',
            TagOrDigest::Digest(_) => '@',
        };
        write!(f, "{}/{}{joint}{}", self.host, self.repository, self.selector)
    }
}

impl ImageKind {
    /// Returns the category whose mirror sets speak of the image; `None` where none does.
    pub fn category(self) -> Option<Category> {
        match self {
            Self::ReleaseImage | Self::ReleaseContent => Some(Category::Release),
            Self::Operator => Some(Category::Operator),
            Self::Generic => Some(Category::Generic),
            Self::Catalog | Self::Graph => None,
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Release => "release",
            Self::Operator => "operator",
            Self::Generic => "generic",
        })
    }
}
