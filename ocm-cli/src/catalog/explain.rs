//! `ocm catalog explain`: why a bundle is in or out, and which bundles need an image.

use std::{collections::BTreeSet, path::Path};

use ocm_catalog::{
    BundleVersion, Catalog, EntryExplanation, Explanation, ImageKind, Missing, Selection, Wanted,
    near,
};
use ocm_mirror::CatalogFiles;
use serde_json::{Value, json};

use super::{
    assembled, find,
    selecting::{absent, refused, selected, selection},
};
use crate::{
    args::{ExplainArgs, ResultFormat},
    exit::Exit,
    halt::Halt,
    report::Complaint,
    session::Session,
    table,
};

/// Explains a package, or finds an image.
pub(super) fn run(args: &ExplainArgs, session: &mut Session) -> Result<Exit, Halt> {
    let (package, catalog) = match args.words.as_slice() {
        [package, catalog] => (Some(package.as_str()), Path::new(catalog)),
        [catalog] => (None, Path::new(catalog)),
        _ => (None, Path::new("")),
    };
    match (package, &args.image) {
        (_, Some(image)) if image.trim().is_empty() => {
            let hint = "write `explain --image DIGEST CATALOG`; a part of a name does as well";
            let text = "`--image` is empty, and every image has that in its name".to_owned();
            Err(Complaint::told([text], Some(hint.to_owned())).into())
        }
        (package, Some(image)) => {
            find_image(package, image, (&find(catalog)?, args.format), session)
        }
        (Some(package), None) => explain(package, args, &find(catalog)?, session),
        (None, None) => {
            let hint = "write `explain PACKAGE CATALOG`, or `explain --image DIGEST CATALOG`";
            let text = "neither a package of a catalog nor an image is asked for".to_owned();
            Err(Complaint::told([text], Some(hint.to_owned())).into())
        }
    }
}

fn explain(
    name: &str,
    args: &ExplainArgs,
    files: &CatalogFiles,
    session: &mut Session,
) -> Result<Exit, Halt> {
    let console = &mut session.console;
    let rules = args.operator.rules();
    let wanted = match &args.config {
        Some(config) => selection(config, rules, console)?,
        None => Selection { pre_releases: rules.pre_releases, ..Selection::default() },
    };
    let version = args.version.as_ref().map(|version| version.parse::<BundleVersion>());
    let version = version.transpose().map_err(|error| Halt::from(Complaint::of(&error)))?;
    let (wanted, _) = selected(files, wanted, rules, console)?;
    // What is not selected is explained as well, so it has to be read.
    let catalog = assembled(files, &Wanted::Named([name.to_owned()].into()), console)?;
    let Some(mut explanation) = catalog.explain(name, &wanted) else {
        let missing = missing(&catalog, name);
        return Err(absent(missing.to_string(), missing.hint(), console));
    };
    let only = Only { channel: args.channel.as_deref(), version: version.as_ref() };
    if let Err((what, hint)) = only.narrow(name, &mut explanation) {
        return Err(absent(what, hint, console));
    }
    match args.format {
        ResultFormat::Text => console.print_lines(&text(name, &explanation)),
        ResultFormat::Json => console.print_json(&object(name, &explanation)),
    }
    match &explanation.errors {
        Some(errors) => Err(refused(errors, console)),
        None => Ok(Exit::SUCCESS),
    }
}

/// What of a package is explained.
#[derive(Debug, Clone, Copy)]
struct Only<'a> {
    channel: Option<&'a str>,
    version: Option<&'a BundleVersion>,
}

impl Only<'_> {
    /// Takes away what was not asked about; says what is not there, and what may have been meant.
    fn narrow(
        &self,
        package: &str,
        explanation: &mut Explanation,
    ) -> Result<(), (String, Option<String>)> {
        let channels = &mut explanation.channels;
        if let Some(name) = self.channel {
            let near = near(name, channels.iter().map(|channel| channel.name.as_str()));
            channels.retain(|channel| channel.name == name);
            if channels.is_empty() {
                let (package, channel) = (package.to_owned(), name.to_owned());
                let missing = Missing::Channel { package, channel, near };
                return Err((missing.to_string(), missing.hint()));
            }
        }
        if let Some(version) = self.version {
            let known = channels.iter().flat_map(|channel| &channel.entries);
            let known: BTreeSet<_> = known.filter_map(|entry| entry.version.as_ref()).collect();
            if !known.contains(version) {
                let known: Vec<_> = known.iter().map(ToString::to_string).collect();
                let near = near(&version.to_string(), known.iter().map(String::as_str));
                let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
                let hint =
                    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(" or ")));
                let place = self.channel.map(|name| format!("channel `{name}` of "));
                let place = place.unwrap_or_default();
                return Err((format!("{place}package `{package}` has no version {version}"), hint));
            }
            for channel in &mut *channels {
                channel.entries.retain(|entry| entry.version.as_ref() == Some(version));
            }
        }
        channels.retain(|channel| !channel.entries.is_empty());
        Ok(())
    }
}

/// Finds out what may have been meant by a package that is not there.
fn missing(catalog: &Catalog, name: &str) -> Missing {
    let package = ocm_catalog::PackageSelection { name: name.to_owned(), ..Default::default() };
    let selection = Selection { packages: vec![package], ..Selection::default() };
    let missing = catalog.filter(&selection).map(|filtered| filtered.missing).unwrap_or_default();
    let unknown = Missing::Package { package: name.to_owned(), near: Vec::new() };
    missing.into_iter().next().unwrap_or(unknown)
}

fn text(name: &str, explanation: &Explanation) -> Vec<String> {
    let Explanation { is_selected, default_channel, .. } = explanation;
    let state = if *is_selected { "selected" } else { "not selected" };
    let mut lines = vec![format!("package `{name}`: {state}, default channel `{default_channel}`")];
    for channel in &explanation.channels {
        let versions = match &channel.versions {
            Some(range) => format!("versions {range}"),
            None => "no versions given".to_owned(),
        };
        let kept = channel.entries.iter().filter(|entry| entry.verdict.is_kept()).count();
        let (name, all) = (&channel.name, channel.entries.len());
        lines.push(String::new());
        lines.push(format!("channel `{name}`: {versions}, {kept} of {all} kept"));
        let rows: Vec<_> = channel.entries.iter().map(row).collect();
        lines.extend(table::lines(&rows).iter().map(|line| format!("  {line}")));
    }
    lines
}

fn row(entry: &EntryExplanation) -> [String; 4] {
    let state = if entry.verdict.is_kept() { "in" } else { "out" };
    let version = entry.version.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    [state.to_owned(), version, entry.name.clone(), entry.verdict.to_string()]
}

fn object(name: &str, explanation: &Explanation) -> Value {
    let entry = |entry: &EntryExplanation| {
        json!({
            "name": entry.name,
            "version": entry.version.as_ref().map(ToString::to_string),
            "replaces": entry.replaces,
            "kept": entry.verdict.is_kept(),
            "reason": entry.verdict.to_string(),
        })
    };
    let channels = explanation.channels.iter().map(|channel| {
        json!({
            "name": channel.name,
            "selected": channel.is_selected,
            "versions": channel.versions.as_ref().map(ToString::to_string),
            "entries": channel.entries.iter().map(entry).collect::<Vec<_>>(),
        })
    });
    json!({
        "package": name,
        "selected": explanation.is_selected,
        "defaultChannel": explanation.default_channel,
        "channels": channels.collect::<Vec<_>>(),
    })
}

/// Shows which bundles need an image.
fn find_image(
    package: Option<&str>,
    image: &str,
    (files, format): (&CatalogFiles, ResultFormat),
    session: &mut Session,
) -> Result<Exit, Halt> {
    let wanted = package.map_or(Wanted::All, |name| Wanted::Named([name.to_owned()].into()));
    let catalog = assembled(files, &wanted, &mut session.console)?;
    let mut found = Vec::new();
    for bundle in catalog.images() {
        for needed in bundle.images.iter().flatten() {
            let written = needed.reference.as_written();
            if written.contains(image) {
                let kind = match needed.kind {
                    ImageKind::Bundle => "bundle",
                    ImageKind::Related => "related",
                };
                found.push([bundle.package, bundle.bundle, kind, written].map(str::to_owned));
            }
        }
    }
    if found.is_empty() {
        let what = format!("no bundle needs an image `{image}`");
        return Err(absent(what, None, &mut session.console));
    }
    match format {
        ResultFormat::Json => {
            let one = |[package, bundle, kind, image]: &[String; 4]| json!({ "package": package, "bundle": bundle, "kind": kind, "image": image });
            let all: Vec<_> = found.iter().map(one).collect();
            session.console.print_json(&json!({ "bundles": all }));
        }
        ResultFormat::Text => {
            let heads = ["PACKAGE", "BUNDLE", "KIND", "IMAGE"].map(str::to_owned);
            let rows: Vec<_> = std::iter::once(heads).chain(found.iter().cloned()).collect();
            session.console.print_lines(&table::lines(&rows));
        }
    }
    Ok(Exit::SUCCESS)
}
