//! `ocm catalog filter`: a smaller catalog.

use ocm_catalog::{Catalog, Filtered, Package};
use serde_json::{Map, Value, json};

use super::{
    find,
    selecting::{filtered, selected, selection},
};
use crate::{
    args::{FilterArgs, FilterFormat},
    exit::Exit,
    files,
    halt::Halt,
    session::Session,
    table,
};

/// Writes what remains, or shows it, or both.
pub(super) fn run(args: &FilterArgs, session: &mut Session) -> Result<Exit, Halt> {
    let rules = args.operator.rules();
    let selection = selection(&args.config, rules, &mut session.console)?;
    let files = find(&args.catalog)?;
    let output = args.output.as_deref().map(files::vacant).transpose()?;
    let (selection, catalog) = selected(&files, selection, rules, &mut session.console)?;
    let (Filtered { catalog, .. }, exit) = filtered(&catalog, &selection, rules, session)?;
    if let Some(directory) = output {
        let written = catalog.render().map(|file| (file.path, file.bytes));
        let path = files::replace_directory(&directory, written)?;
        session.console.info(format!("written to {}", path.display()));
    }
    match args.format {
        Some(FilterFormat::Summary) => session.console.print_json(&summary(&catalog)),
        Some(FilterFormat::Text) => session.console.print_lines(&table::lines(&rows(&catalog))),
        None => {}
    }
    Ok(exit)
}

/// Returns packages, channels and bundles by name, and nothing of their contents.
fn summary(catalog: &Catalog) -> Value {
    let channels = |package: &Package| -> Map<String, Value> {
        let channels = package.channels().iter();
        channels
            .map(|(name, channel)| {
                let mut entries: Vec<_> = channel.entries().names().collect();
                entries.sort_unstable();
                (name.clone(), entries.into())
            })
            .collect()
    };
    let package = |(name, package): (&String, &Package)| {
        let bundles: Vec<_> = package.bundles().keys().collect();
        let value = json!({
            "defaultChannel": package.default_channel(),
            "channels": channels(package),
            "bundles": bundles,
        });
        (name.clone(), value)
    };
    let packages: Map<String, Value> = catalog.packages().iter().map(package).collect();
    json!({ "packages": packages })
}

fn rows(catalog: &Catalog) -> Vec<[String; 4]> {
    let heads = ["PACKAGE", "CHANNEL", "DEFAULT", "ENTRIES"].map(str::to_owned);
    let rows = catalog.packages().iter().flat_map(|(name, package)| {
        package.channels().iter().map(move |(channel, content)| {
            let is_default = channel == package.default_channel();
            let default = if is_default { "*" } else { "" };
            let entries: Vec<_> = content.entries().names().collect();
            [name.clone(), channel.clone(), default.to_owned(), entries.join(" ")]
        })
    });
    std::iter::once(heads).chain(rows).collect()
}
