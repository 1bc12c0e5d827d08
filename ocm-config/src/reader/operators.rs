use std::collections::BTreeMap;

use ocm_oci::Reference;

use super::{duplicate, item::Checked, named, required_text};
use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings, Location, quoted},
    image_set::{Catalog, CatalogProblem, Package, PackageChannel, WantedCatalog},
    keys,
    version::{VersionBound, VersionError},
};

/// Both ends of a range.
type Range = (Option<VersionBound>, Option<VersionBound>);

pub(super) fn catalogs(fields: &Fields<'_>, findings: &mut Findings) -> Vec<Catalog> {
    let items = fields.items("operators", findings);
    let catalogs: Vec<_> = items.iter().filter_map(|item| catalog(item, findings)).collect();
    let mut seen = BTreeMap::new();
    for catalog in &catalogs {
        let Ok(wanted) = &catalog.wanted else { continue };
        if let Some(first) = seen.insert(place(wanted), catalog.location.line) {
            let what = format!("catalog {}", quoted(&place(wanted)));
            let help = "list its packages in one place, or give one a `targetCatalog`";
            findings.add(duplicate(&what, first, catalog.location.clone(), help));
        }
    }
    catalogs
}

/// Returns the name under which a catalog is put, which must be its own.
fn place(wanted: &WantedCatalog) -> String {
    let target = wanted.target_catalog.as_ref();
    let tag = wanted.target_tag.as_ref();
    match &wanted.reference {
        Reference::Image(image) => {
            let repository = target.unwrap_or(image.repository());
            let name = format!("{}/{repository}", image.host());
            match (tag, image.digest(), image.tag()) {
                (Some(tag), _, _) | (None, None, Some(tag)) => format!("{name}:{tag}"),
                (None, Some(digest), _) => format!("{name}@{digest}"),
                (None, None, None) => name,
            }
        }
        Reference::Layout(layout) => {
            let name = target.map_or_else(
                || layout.directory.display().to_string(),
                |target| format!("/{target}"),
            );
            tag.map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"))
        }
    }
}

fn catalog(item: &Cursor<'_>, findings: &mut Findings) -> Option<Catalog> {
    let fields = named(item, keys::CATALOG, findings)?;
    let written = fields.require("catalog", findings).and_then(|text| text.text(findings));
    let target_catalog = fields.text("targetCatalog", findings);
    let target_tag = fields.get("targetTag").and_then(|tag| tag.text_or_number(findings));
    let source_name = fields.text("catalogSourceName", findings);
    let full = fields.switch("full", findings);

    let mut checked = Checked::new(&fields);
    let reference = written
        .and_then(|text| checked.keep("catalog", text.parse().map_err(CatalogProblem::Reference)));
    let target_catalog = target_catalog.and_then(|text| {
        checked.keep("targetCatalog", text.parse().map_err(CatalogProblem::TargetCatalog))
    });
    let target_tag = target_tag.filter(|text| !text.is_empty()).and_then(|text| {
        checked.keep("targetTag", text.parse().map_err(CatalogProblem::TargetTag))
    });
    let source_name = source_name.and_then(|name| {
        let name = name.to_owned();
        let named =
            if is_object_name(&name) { Ok(name) } else { Err(CatalogProblem::SourceName { name }) };
        checked.keep("catalogSourceName", named)
    });
    let platforms = checked.platforms(|missing| CatalogProblem::Platform { missing }, findings);
    let mut packages = Packages { checked: &mut checked, full, findings };
    let packages = packages.read(&fields);
    let wanted = reference.map(|reference| WantedCatalog {
        reference,
        target_catalog,
        target_tag,
        source_template: fields.text("targetCatalogSourceTemplate", findings).map(str::to_owned),
        source_name,
        full,
        skip_dependencies: fields.switch("skipDependencies", findings),
        platforms,
        packages,
    });
    let wanted = checked.settle(wanted);
    Some(Catalog { written: written?.to_owned(), location: item.location(), wanted })
}

/// The packages of a catalog while they are read.
struct Packages<'n, 'f, 'c> {
    checked: &'c mut Checked<'n, 'f, CatalogProblem>,
    full: bool,
    findings: &'c mut Findings,
}

impl Packages<'_, '_, '_> {
    fn read(&mut self, catalog: &Fields<'_>) -> Vec<Package> {
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
        Some(Package { name, default_channel, channels, min, max, location })
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
        if let (Some(min), Some(max)) = (&min, &max)
            && min.is_above(max)
        {
            let problem = CatalogProblem::EmptyRange { min: min.clone(), max: max.clone() };
            self.checked.add(fields.location_of("minVersion"), problem);
        }
        if self.full && (min.is_some() || max.is_some()) {
            let key = if min.is_some() { "minVersion" } else { "maxVersion" };
            let problem = CatalogProblem::FullWithRange { package: package.to_owned() };
            self.checked.add(fields.location_of(key), problem);
        }
        (min, max)
    }

    fn bound(&mut self, fields: &Fields<'_>, key: &'static str) -> Option<VersionBound> {
        let value = fields.get(key)?;
        let text = value.text_or_number(self.findings).filter(|text| !text.is_empty())?;
        match text.parse() {
            Ok(bound) => Some(bound),
            Err(error) => {
                let error: VersionError = error;
                let message = format!("{} is not a version", quoted(&error.text));
                let fault = Fault::error(Code::Version, value.location(), message);
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

/// Whether the API server takes `name` for an object.
///
/// Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
fn is_object_name(name: &str) -> bool {
    let is_legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(is_legal)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}
