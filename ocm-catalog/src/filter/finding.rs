use super::error::FilterError;
use crate::{closure::Unmet, version::BundleVersion};

/// What turns up while it is decided what remains.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) errors: Vec<FilterError>,
    pub(super) warnings: Vec<Warning>,
    pub(super) missing: Vec<Missing>,
}

/// Something that was selected and is not in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// A package.
    Package {
        /// Its name.
        package: String,
        /// Names that are there, and that may have been meant.
        near: Vec<String>,
    },
    /// A channel of a package that is there.
    Channel {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// Names that are there, and that may have been meant.
        near: Vec<String>,
    },
}

/// What would select pre-releases that a range leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instead {
    /// A range that has them in it.
    pub range: String,
    /// Whether the range that there is has all of them, if pre-releases are admitted.
    pub is_same_range: bool,
}

/// Something that people should know of what was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A bundle is not in the range and is kept: without it, there would be no way from those
    /// before it to those after it.
    OutOfRange {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// The bundle.
        bundle: String,
        /// Its version, if it has one.
        version: Option<BundleVersion>,
        /// The versions that are wanted.
        range: String,
    },
    /// A channel has none of the versions, and is left out.
    ChannelEmptied {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// The versions that are wanted.
        range: String,
    },
    /// Pre-releases are left out, because no bound of the range is one.
    PreReleasesHidden {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// The versions that are wanted.
        range: String,
        /// Those that are left out, in ascending order.
        versions: Vec<BundleVersion>,
        /// What would have them in it.
        instead: Instead,
    },
    /// A bundle of a channel that is cut has no version that can be read. It is taken for one
    /// that is not in the range.
    NoVersion {
        /// The package.
        package: String,
        /// The bundle.
        bundle: String,
    },
    /// Bundles require something that is not selected.
    Unmet(Unmet),
}
