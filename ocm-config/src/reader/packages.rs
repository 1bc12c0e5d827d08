use std::collections::BTreeMap;

use super::{advice, duplicate, item::Checked, named, required_text, v1};
use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings, Location, quoted},
    image_set::{CatalogProblem, Package, PackageChannel},
    keys::{self, Dialect},
    version::{VersionBound, VersionError},
};

/// Both ends of a range.
type Range = (Option<VersionBound>, Option<VersionBound>);

/// The packages of a catalog while they are read.
pub(super) struct Packages<'n, 'f, 'c> {
    checked: &'c mut Checked<'n, 'f, CatalogProblem>,
    full: bool,
    findings: &'c mut Findings,
}

impl<'n, 'f, 'c> Packages<'n, 'f, 'c> {
    pub(super) fn new(
        checked: &'c mut Checked<'n, 'f, CatalogProblem>,
        full: bool,
        findings: &'c mut Findings,
    ) -> Self {
        Self { checked, full, findings }
    }

    pub(super) fn read(mut self, catalog: &Fields<'_>) -> Vec<Package> {
        let items = catalog.items("packages", self.findings);
        let packages: Vec<_> = items.iter().filter_map(|item| self.package(item)).collect();
        let named = packages.iter().map(|package| (&package.name, &package.location));
        self.refuse_duplicates("package", named);
        packages
    }

    fn package(&mut self, item: &Cursor<'_>) -> Option<Package> {
        let fields = named(item, keys::PACKAGE, self.findings)?;
        let name = required_text(&fields, "name", self.findings);
        let default_channel = fields.text("defaultChannel", self.findings).map(str::to_owned);
        let (min, max) = self.range(&fields, name.unwrap_or_default());
        let items = fields.items("channels", self.findings);
        let channels: Vec<_> =
            items.iter().filter_map(|item| self.channel(item, name.unwrap_or_default())).collect();
        let channel_names = channels.iter().map(|channel| (&channel.name, &channel.location));
        self.refuse_duplicates("channel", channel_names);
        if min.is_some() || max.is_some() {
            for channel in channels.iter().filter(|c| c.min.is_some() || c.max.is_some()) {
                let message = format!(
                    "channel {} has a version, and so has its package",
                    quoted(&channel.name)
                );
                let fault = Fault::error(Code::Conflict, channel.location.clone(), message);
                let help = "move the package's bounds to its channels, or the other way round";
                self.findings.add(fault.with_help(help.to_owned()));
            }
        }
        let (name, location) = (name?.to_owned(), item.location());
        let package = Package { name, default_channel, channels, min, max, location };
        advice::on_package(&package, &fields, self.findings);
        Some(package)
    }

    fn channel(&mut self, item: &Cursor<'_>, package: &str) -> Option<PackageChannel> {
        let fields = named(item, keys::PACKAGE_CHANNEL, self.findings)?;
        let name = required_text(&fields, "name", self.findings);
        let (min, max) = self.range(&fields, package);
        Some(PackageChannel { name: name?.to_owned(), min, max, location: item.location() })
    }

    fn range(&mut self, fields: &Fields<'_>, package: &str) -> Range {
        let min = self.bound(fields, "minVersion");
        let max = self.bound(fields, "maxVersion");
        let min = min.or_else(|| v1::bundle_version(fields, self.findings));
        let (min, max) = match v1::versions(fields, self.findings) {
            Some((least, most)) if min.is_none() && max.is_none() => (Some(least), Some(most)),
            _ => (min, max),
        };
        if let (Some(min), Some(max)) = (&min, &max)
            && min.is_above(max)
        {
            let problem = CatalogProblem::EmptyRange { min: min.clone(), max: max.clone() };
            self.checked.add(fields.location_of("minVersion"), problem);
        }
        let is_v2 = self.findings.dialect() == Dialect::V2alpha1;
        if is_v2 && self.full && (min.is_some() || max.is_some()) {
            let key = if min.is_some() { "minVersion" } else { "maxVersion" };
            let problem = CatalogProblem::FullWithRange { package: package.to_owned() };
            self.checked.add(fields.location_of(key), problem);
        }
        advice::on_range((min.is_some(), max.is_some()), fields, self.findings);
        (min, max)
    }

    fn bound(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<VersionBound> {
        let text = fields.written(key, self.findings)?;
        match text.parse() {
            Ok(bound) => Some(bound),
            Err(error) => {
                let error: VersionError = error;
                let message = format!("{} is not a version", quoted(&error.text));
                let fault = Fault::error(Code::Version, fields.location_of(key), message);
                self.findings.add(fault.with_help(VersionError::HINT.to_owned()));
                None
            }
        }
    }

    fn refuse_duplicates<'i>(
        &mut self,
        sort: &str,
        items: impl Iterator<Item = (&'i String, &'i Location)>,
    ) {
        let mut seen = BTreeMap::new();
        for (name, location) in items {
            if let Some(first) = seen.insert(name, location.line) {
                let what = format!("{sort} {}", quoted(name));
                let fault = duplicate(&what, first, location.clone(), "make one of the two");
                self.findings.add(fault);
            }
        }
    }
}
