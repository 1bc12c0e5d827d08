use std::{collections::BTreeSet, fmt};

use super::finding::{Findings, Instead, Missing, Warning};
use crate::{
    channel_graph::GraphFaults, fbc::ObjectFault, validate::Defect, version::BundleVersion,
};

/// Why a selection cannot be had of a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// All of the channels and a part of their versions are wanted at once.
    #[error("package `{package}` is selected by versions `{range}`, but the catalog is `full`")]
    FullWithVersions {
        /// The package.
        package: String,
        /// The versions.
        range: String,
    },
    /// Versions are given for a package and for one of its channels.
    #[error("package `{package}` is selected by versions, and so is its channel `{channel}`")]
    VersionsTwice {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
    },
    /// No version can be in the range.
    #[error("package `{package}`: no version is both {range}")]
    CrossedBounds {
        /// The package.
        package: String,
        /// The versions.
        range: String,
    },
    /// The default channel that is asked for is none of those that are selected.
    #[error("package `{package}` cannot have the default channel `{channel}`: it is not selected")]
    NoSuchDefault {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
    },
    /// The default channel of the catalog was not selected, and none is asked for instead.
    #[error("package `{package}` would lose its default channel `{channel}`")]
    DefaultNotSelected {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
    },
    /// The default channel has none of the versions.
    #[error("package `{package}`: its default channel `{channel}` has no version {range}")]
    DefaultEmptied {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// The versions.
        range: String,
        /// A range in which it has some: one with a pre-release for a bound.
        instead: Option<Instead>,
    },
    /// The only version that is wanted is in none of the bundles.
    #[error("package `{package}` has no bundle of version {version}")]
    NoSuchVersion {
        /// The package.
        package: String,
        /// The version.
        version: BundleVersion,
        /// Versions of bundles that have the same three numbers, in ascending order.
        near: Vec<BundleVersion>,
    },
    /// The upgrades of a channel make no sense.
    #[error("channel `{channel}` of package `{package}` cannot be filtered")]
    Channel {
        /// The package.
        package: String,
        /// The channel.
        channel: String,
        /// What is wrong with it.
        #[source]
        faults: GraphFaults,
    },
    /// An object cannot be written with a part of it only.
    #[error("could not take entries out of {object}")]
    Rewrite {
        /// The object.
        object: String,
        /// Why not.
        #[source]
        fault: ObjectFault,
    },
    /// OLM would not accept the result.
    #[error("what remains of the catalog is nothing that OLM accepts")]
    Invalid(#[source] Defect),
}

impl FilterError {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::FullWithVersions { .. } => "leave out `full`, or the versions".to_owned(),
            Self::VersionsTwice { .. } => {
                "give versions to the package, or to its channels".to_owned()
            }
            Self::CrossedBounds { .. } => "exchange `minVersion` and `maxVersion`".to_owned(),
            Self::NoSuchDefault { channel, .. } => {
                format!("add `{channel}` to `channels`, if there is such a channel")
            }
            Self::DefaultNotSelected { channel, .. } => format!(
                "add `{channel}` to `channels`, or say with `defaultChannel` which of the others \
                 takes its place"
            ),
            Self::DefaultEmptied { instead: Some(instead), .. } => format!(
                "it has pre-releases, such as `-rhodf` or `-5` at the end make one: {instead}"
            ),
            Self::NoSuchVersion { near, .. } if !near.is_empty() => {
                let near: Vec<_> = near.iter().map(|version| format!("`{version}`")).collect();
                format!("write it whole, with what follows the numbers: {}", near.join(", "))
            }
            Self::DefaultEmptied { .. } => {
                "choose other versions, or another `defaultChannel`".to_owned()
            }
            _ => return None,
        })
    }
}

/// Why a selection cannot be had: everything that is wrong; at least one thing.
#[derive(Debug)]
pub struct FilterErrors {
    errors: Vec<FilterError>,
    missing: Vec<Missing>,
    warnings: Vec<Warning>,
}

impl FilterErrors {
    /// Returns what was found, if that is anything to refuse.
    pub(super) fn of(findings: Findings) -> Result<Findings, Self> {
        let Findings { errors, mut warnings, missing } = findings;
        // Each channel finds it out anew, and it is no matter of the channel.
        let mut seen = BTreeSet::new();
        warnings.retain(|warning| match warning {
            Warning::NoVersion { package, bundle } => {
                seen.insert((package.clone(), bundle.clone()))
            }
            _ => true,
        });
        if errors.is_empty() {
            return Ok(Findings { errors, warnings, missing });
        }
        Err(Self { errors, missing, warnings })
    }

    /// Returns the errors, in the order of the selection.
    pub fn errors(&self) -> &[FilterError] {
        &self.errors
    }

    /// Returns what was selected and is not there, which may be why.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// Returns what else people should know.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl fmt::Display for FilterErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [_] => f.write_str("the selection cannot be had"),
            errors => write!(f, "the selection cannot be had, for {} reasons", errors.len()),
        }
    }
}

impl std::error::Error for FilterErrors {
    /// Returns the first of the errors.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.errors.first().map(|error| error as _)
    }
}
