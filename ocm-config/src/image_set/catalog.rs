use ocm_oci::{NameError, PlatformFilter, Reference, ReferenceError, RepoName, Tag};

use super::{
    image::{PLATFORM_HINT, REPOSITORY_HINT, TAG_HINT, reference_hint},
    item::{ItemFault, ItemFaults, Problem},
};
use crate::{fault::Location, version::VersionBound};

/// A catalog of operators, and what of it is wanted.
///
/// What is wrong with one catalog is no fault of the document: the others are mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The reference as it is written.
    pub written: String,
    /// Where it stands in the configuration.
    pub location: Location,
    /// What is wanted, or all that is wrong with it.
    pub wanted: Result<WantedCatalog, CatalogFaults>,
}

/// What is wanted of a [`Catalog`].
///
/// Without `packages`, `full` means the catalog as it is, and no `full` the heads of all
/// channels of all packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedCatalog {
    /// The catalog's image.
    pub reference: Reference,
    /// The repository to put it in, instead of the one it comes from.
    pub target_catalog: Option<RepoName>,
    /// The tag to give it, instead of the one it has.
    pub target_tag: Option<Tag>,
    /// Path of a file with a `CatalogSource`, as written, into which the generated one is merged.
    pub source_template: Option<String>,
    /// Name of the `CatalogSource`, instead of one made of the catalog's: `catalogSourceName`.
    pub source_name: Option<String>,
    /// Whether all versions are wanted, instead of the heads of channels.
    pub full: bool,
    /// Whether dependencies are left out.
    pub skip_dependencies: bool,
    /// Which of the images of an index are wanted: of the catalog and of all that it names.
    pub platforms: PlatformFilter,
    /// Which packages are wanted, in the order of the configuration, no name twice; all if empty.
    pub packages: Vec<Package>,
}

/// A package, which is what a catalog calls an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// The default channel, where the catalog's own is left out.
    pub default_channel: Option<String>,
    /// Which channels are wanted, in the order of the configuration, no name twice; all if empty.
    pub channels: Vec<PackageChannel>,
    /// The lowest version, in every channel. Where there is one here, none of `channels` has any.
    pub min: Option<VersionBound>,
    /// The highest version, in every channel.
    pub max: Option<VersionBound>,
    /// Where it stands in the configuration.
    pub location: Location,
}

/// A channel of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChannel {
    /// Its name.
    pub name: String,
    /// The lowest version.
    pub min: Option<VersionBound>,
    /// The highest version.
    pub max: Option<VersionBound>,
    /// Where it stands in the configuration.
    pub location: Location,
}

/// One thing that is wrong with a [`Catalog`], and where.
pub type CatalogFault = ItemFault<CatalogProblem>;

/// All that is wrong with one [`Catalog`]; at least one thing.
pub type CatalogFaults = ItemFaults<CatalogProblem>;

/// What can be wrong with a [`Catalog`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogProblem {
    /// `catalog` is no reference to an image.
    #[error(transparent)]
    Reference(ReferenceError),
    /// `targetCatalog` is no repository name.
    #[error(transparent)]
    TargetCatalog(NameError),
    /// `targetTag` is no tag.
    #[error(transparent)]
    TargetTag(NameError),
    /// `catalogSourceName` is no name of a cluster's object.
    #[error("`{name}` is not a name that a cluster takes")]
    SourceName {
        /// What was given.
        name: String,
    },
    /// An entry of `platforms` lacks one of its two parts.
    #[error("a platform has no `{missing}`")]
    Platform {
        /// The part that is not there.
        missing: &'static str,
    },
    /// Everything is wanted, and a range of it.
    #[error("`full` and a version of `{package}` exclude each other")]
    FullWithRange {
        /// The package that has a bound.
        package: String,
    },
    /// A range is empty.
    #[error("`minVersion` {min} is above `maxVersion` {max}")]
    EmptyRange {
        /// The lower bound.
        min: VersionBound,
        /// The upper bound.
        max: VersionBound,
    },
}

impl Problem for CatalogProblem {
    const ITEM: &'static str = "catalog";

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Reference(error) => return reference_hint(error),
            Self::TargetCatalog(_) => REPOSITORY_HINT.to_owned(),
            Self::TargetTag(_) => TAG_HINT.to_owned(),
            Self::SourceName { .. } => {
                "up to 253 of `a-z0-9.-`, first and last a letter or a digit".to_owned()
            }
            Self::Platform { .. } => PLATFORM_HINT.to_owned(),
            Self::FullWithRange { .. } => {
                "remove `full: true` for the range alone, or the bounds for all versions".to_owned()
            }
            Self::EmptyRange { .. } => "swap the two".to_owned(),
        })
    }
}
