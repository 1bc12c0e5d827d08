use ocm_catalog::{
    Bound, ChannelSelection, Extent, PackageSelection, PreReleases, Selection, VersionRange,
};
use ocm_config::{Package, VersionBound, WantedCatalog};

use super::{explained, offer::Incomplete};
use crate::Failure;

/// What is made of selections that are not to the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperatorRules {
    /// Whether packages and channels that are not in a catalog are worth a warning only.
    pub allow_missing: bool,
    /// Whether pre-releases are in ranges that name none.
    pub pre_releases: PreReleases,
    /// Whether what the bundles require is added.
    pub include_dependencies: bool,
    /// What becomes of a catalog some of whose bundles cannot be had.
    pub incomplete: Incomplete,
}

/// Says in the words of catalogs what the configuration wants of one.
///
/// # Errors
///
/// When a bound is no version.
pub fn catalog_selection(
    wanted: &WantedCatalog,
    rules: OperatorRules,
) -> Result<Selection, Failure> {
    let packages = wanted.packages.iter().map(package).collect::<Result<_, _>>()?;
    let extent = if wanted.full { Extent::Full } else { Extent::Heads };
    Ok(Selection { extent, packages, pre_releases: rules.pre_releases })
}

fn package(wanted: &Package) -> Result<PackageSelection, Failure> {
    let channels = wanted.channels.iter().map(|channel| {
        let versions = range(channel.min.as_ref(), channel.max.as_ref())?;
        Ok::<_, Failure>(ChannelSelection { name: channel.name.clone(), versions })
    });
    Ok(PackageSelection {
        name: wanted.name.clone(),
        default_channel: wanted.default_channel.clone(),
        versions: range(wanted.min.as_ref(), wanted.max.as_ref())?,
        channels: channels.collect::<Result<_, _>>()?,
        ..PackageSelection::default()
    })
}

fn range(min: Option<&VersionBound>, max: Option<&VersionBound>) -> Result<VersionRange, Failure> {
    let bound = |bound: Option<&VersionBound>| {
        let parsed = bound.map(|bound| bound.as_str().parse::<Bound>()).transpose();
        parsed.map_err(|error| explained(&error, None))
    };
    Ok(VersionRange::new(bound(min)?, bound(max)?))
}
