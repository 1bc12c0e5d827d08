//! What version 1 has and version 2 has not: what it meant there, said in the words of version 2.

use std::{fmt, str::FromStr};

use ocm_oci::{Reference, ReferenceError, ReferenceFault};

use crate::{
    cursor::Fields,
    fault::{Code, Fault, Findings, quoted},
    image_set::Package,
    keys::Dialect,
    version::VersionBound,
};

/// The bound below which there is nothing. Its pre-release admits pre-releases.
const LOWEST: &str = "0.0.0-0";

/// What writes all of it as it is read.
const CONVERT: &str = "`ocm config convert FILE` writes it so";

/// Says of the value of an old key what is read instead, which is at `now`.
fn tell(
    fields: &Fields<'_>,
    (key, now): (&'static str, &str),
    what: &str,
    findings: &mut Findings,
) {
    let path = match (fields.location().path.as_str(), now) {
        (path, "") => path.to_owned(),
        (path, now) => format!("{path}.{now}"),
    };
    let fault = Fault::warning(Code::OldKey, fields.key_location(key), what);
    findings.change(fault.with_help(CONVERT.to_owned()), path);
}

fn is_v1(findings: &Findings) -> bool {
    findings.dialect() < Dialect::V2alpha1
}

/// An image without tag and digest was the one with the tag `latest`.
pub(super) fn with_tag(name: &str, fields: &Fields<'_>, findings: &mut Findings) -> String {
    let read = name.parse::<Reference>();
    let is_unpinned = matches!(&read, Err(ReferenceError { fault: ReferenceFault::Unpinned, .. }));
    if !is_v1(findings) || !is_unpinned {
        return name.to_owned();
    }
    let location = fields.location_of("name");
    let path = location.path.clone();
    let message = format!("{} is read with the tag `latest`, as version 1 did", quoted(name));
    let fault = Fault::warning(Code::OldMeaning, location, message);
    findings.change(fault.with_help(format!("write `{name}:latest`, or the tag you mean")), path);
    format!("{name}:latest")
}

/// Reads `full`, or its opposite, which was the default once.
pub(super) fn full(fields: &Fields<'_>, findings: &mut Findings) -> bool {
    let full = fields.switch("full", findings);
    for key in ["headsOnly", "latestOnly"] {
        let Some(heads) = fields.get(key) else { continue };
        let Some(is_heads) = heads.switch(findings) else { continue };
        let what = if is_heads {
            format!("`{key}: true` is left out: heads are what is mirrored unless `full` is true")
        } else {
            format!("`{key}: false` is read as `full: true`")
        };
        tell(fields, (key, if is_heads { "" } else { "full" }), &what, findings);
        return full || !is_heads;
    }
    full
}

/// Returns the `targetCatalog` that `targetName` means, which replaces only the last component of
/// the repository.
pub(super) fn target_name(
    reference: Option<&Reference>,
    fields: &Fields<'_>,
    findings: &mut Findings,
) -> Option<String> {
    let name = fields.text("targetName", findings)?;
    if fields.get("targetCatalog").is_some() {
        let what = "`targetName` is left out: `targetCatalog` says more";
        tell(fields, ("targetName", "targetCatalog"), what, findings);
        return None;
    }
    let parent = match reference {
        Some(Reference::Image(image)) => image.path().parent(),
        _ => None,
    };
    let target = parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}/{name}"));
    let what = format!("`targetName` is read as `targetCatalog: {target}`");
    tell(fields, ("targetName", "targetCatalog"), &what, findings);
    Some(target)
}

/// Beside `full`, a range of one package left the others whole; now a range excludes `full`, and
/// those others have one without an end.
pub(super) fn open_ranges(
    (full, mut packages): (bool, Vec<Package>),
    fields: &Fields<'_>,
    findings: &mut Findings,
) -> (bool, Vec<Package>) {
    let is_ranged = |package: &Package| {
        let of_channel = package.channels.iter().any(|c| c.min.is_some() || c.max.is_some());
        package.min.is_some() || package.max.is_some() || of_channel
    };
    if !is_v1(findings) || !full || !packages.iter().any(is_ranged) {
        return (full, packages);
    }
    let what = format!(
        "`full` is left out, since some packages have a range; all others have `minVersion: {LOWEST}`"
    );
    let fault = Fault::warning(Code::OldMeaning, fields.key_location("full"), what);
    findings.change(fault.with_help(CONVERT.to_owned()), fields.location().path.clone());
    let lowest = || LOWEST.parse::<VersionBound>().ok();
    for package in &mut packages {
        if !is_ranged(package) {
            package.min = lowest();
        } else if package.min.is_none() && package.max.is_none() {
            let open = package.channels.iter_mut().filter(|c| c.min.is_none() && c.max.is_none());
            for channel in open {
                channel.min = lowest();
            }
        }
    }
    (false, packages)
}

/// Dependencies came along unasked.
pub(super) fn tell_of_dependencies(fields: &Fields<'_>, findings: &mut Findings) {
    let is_filtered = fields.get("packages").is_some_and(|list| !list.node().is_empty());
    let skips = fields.get("skipDependencies").is_some_and(|skip| !skip.node().is_null());
    if is_v1(findings) && is_filtered && !skips {
        let message = "version 1 added the operators that these depend on; version 2 does not";
        let location = fields.key_location("packages");
        let fault = Fault::warning(Code::Dependencies, location, message);
        findings.add_once(fault.with_help(
            "list them below `packages`, too, or mirror with `--include-dependencies`".to_owned(),
        ));
    }
}

/// Reads the version of the lowest bundle from the bundle's name, which nearly always has it:
/// `elasticsearch-operator.v5.8.1`.
pub(super) fn bundle_version(fields: &Fields<'_>, findings: &mut Findings) -> Option<VersionBound> {
    let key = ["minBundle", "startingBundle"].into_iter().find(|key| fields.get(key).is_some())?;
    let bundle = fields.text(key, findings)?;
    let version = bundle.split_once('.').and_then(|(_, version)| version.parse().ok());
    let version = version.filter(|version: &VersionBound| version.parts() == 3);
    if let Some(version) = &version {
        let version = version.as_str().trim_start_matches('v');
        let what = format!("`{key}` is read as `minVersion: {version}`, from the bundle's name");
        tell(fields, (key, "minVersion"), &what, findings);
        return version.parse().ok();
    }
    let message = format!("{} does not tell its version", quoted(bundle));
    let fault = Fault::error(Code::OldKey, fields.location_of(key), message);
    findings.add(fault.with_help(format!("write `minVersion` instead of `{key}`")));
    None
}

/// Reads a list of versions as the range from the lowest to the highest.
pub(super) fn versions<V>(fields: &Fields<'_>, findings: &mut Findings) -> Option<(V, V)>
where
    V: FromStr + Clone + fmt::Display + Ordered,
{
    let list = fields.get("versions")?;
    let mut versions: Vec<V> = Vec::new();
    for item in list.items(findings) {
        let Some(text) = item.text_or_number(findings) else { continue };
        if let Ok(version) = text.parse() {
            versions.push(version);
        } else {
            let message = format!("{} is not a version", quoted(text));
            findings.error(Code::Version, item.location(), message);
        }
    }
    versions.sort_by(Ordered::order);
    let (least, most) = (versions.first()?.clone(), versions.last()?.clone());
    let between = if versions.len() > 1 { ", and so are those between" } else { "" };
    let what =
        format!("`versions` is read as `minVersion: {least}` and `maxVersion: {most}`{between}");
    tell(fields, ("versions", "minVersion"), &what, findings);
    Some((least, most))
}

/// Versions that are higher or lower, whatever their build.
pub(super) trait Ordered {
    /// Returns which of the two is higher.
    fn order(&self, other: &Self) -> std::cmp::Ordering;
}

impl Ordered for semver::Version {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.cmp_precedence(other)
    }
}

impl Ordered for VersionBound {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        self.version().cmp_precedence(other.version())
    }
}
