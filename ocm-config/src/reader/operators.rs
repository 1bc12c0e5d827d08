use std::collections::BTreeMap;

use ocm_oci::{DirectoryRef, LayoutRef, Reference};

use super::{
    advice, duplicate,
    item::{self, Checked},
    named,
    packages::Packages,
    v1,
};
use crate::{
    cursor::{Cursor, Fields},
    fault::{Findings, quoted},
    image_set::{Catalog, CatalogProblem, WantedCatalog},
    keys, render, tree,
};

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
        Reference::Layout(LayoutRef { directory, .. })
        | Reference::Directory(DirectoryRef { directory, .. }) => {
            let name = target
                .map_or_else(|| directory.display().to_string(), |target| format!("/{target}"));
            tag.map_or_else(|| name.clone(), |tag| format!("{name}:{tag}"))
        }
    }
}

/// Reads the name of a catalog, which may be a directory with its files.
fn reference(
    written: Option<&str>,
    checked: &mut Checked<'_, '_, CatalogProblem>,
) -> Option<Reference> {
    let read = Reference::of_catalog(written?);
    read.map_err(|error| checked.refuse("catalog", CatalogProblem::Reference(error))).ok()
}

fn catalog(item: &Cursor<'_>, findings: &mut Findings) -> Option<Catalog> {
    let fields = named(item, keys::CATALOG, findings)?;
    let written = fields.require("catalog", findings).and_then(|text| text.text(findings));
    let target_tag = fields.written("targetTag", findings);
    let source_template = fields.text("targetCatalogSourceTemplate", findings);
    let source_name = fields.text("catalogSourceName", findings);
    let skip_dependencies = fields.switch("skipDependencies", findings);
    let full = v1::full(&fields, findings);

    let mut checked = Checked::new(&fields);
    let reference = reference(written, &mut checked);
    let target_name = v1::target_name(reference.as_ref(), &fields, findings);
    let (key, target_catalog) = match fields.text("targetCatalog", findings) {
        Some(text) => ("targetCatalog", Some(text.to_owned())),
        None => ("targetName", target_name),
    };
    let target = checked.keep(key, target_catalog.as_deref(), CatalogProblem::TargetCatalog);
    let tag = checked.keep("targetTag", target_tag, CatalogProblem::TargetTag);
    check_source_name(source_name, &mut checked);
    let platforms = checked.platforms(|missing| CatalogProblem::Platform { missing }, findings);
    let packages = Packages::new(&mut checked, full, findings).read(&fields);
    let (full, packages) = v1::open_ranges((full, packages), &fields, findings);
    v1::tell_of_dependencies(&fields, findings);
    if !full {
        advice::on_heads(&packages, &fields, findings);
    }
    let written = written?;
    let as_written = tree::Fields::default()
        .with_text("catalog", written)
        .with_some("targetCatalog", target_catalog.as_ref())
        .with_some("targetTag", target_tag)
        .with_some("targetCatalogSourceTemplate", source_template)
        .with_some("catalogSourceName", source_name)
        .with_switch("full", full)
        .with_switch("skipDependencies", skip_dependencies)
        .with("platforms", item::written_platforms(&fields));
    let trees = packages.iter().map(render::package).collect();
    let wanted = reference.map(|reference| WantedCatalog {
        reference,
        target_catalog: target,
        target_tag: tag,
        source_template: source_template.map(str::to_owned),
        source_name: source_name.map(str::to_owned),
        full,
        skip_dependencies,
        platforms,
        packages,
    });
    let wanted = checked.settle(wanted, || as_written.with_list("packages", trees).done());
    Some(Catalog { written: written.to_owned(), location: item.location(), wanted })
}

fn check_source_name(name: Option<&str>, checked: &mut Checked<'_, '_, CatalogProblem>) {
    if let Some(name) = name.filter(|name| !is_object_name(name)) {
        checked.refuse("catalogSourceName", CatalogProblem::SourceName { name: name.to_owned() });
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
