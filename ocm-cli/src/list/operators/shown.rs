//! What is in a catalog, for people and for programs.

use std::borrow::Cow;

use ocm_catalog::{Bundle, Catalog, Channel, Package};
use serde_json::{Value, json};

use crate::console::printable;

/// What is shown of a catalog.
#[derive(Debug)]
pub(super) enum Shown<'c> {
    /// Its packages.
    Packages(&'c Catalog),
    /// The channels of a package.
    Channels(&'c str, &'c Package),
    /// The versions of a channel.
    Versions(&'c Package, &'c Channel),
}

/// Blanks between the columns of a table.
const GAP: usize = 2;

impl Shown<'_> {
    /// Returns it in lines.
    pub(super) fn text(&self) -> Vec<String> {
        let packages = ["NAME", "DISPLAY NAME", "DEFAULT CHANNEL"];
        match self {
            Self::Packages(catalog) => {
                let all = catalog.packages().iter();
                table(packages, all.map(|(name, package)| row(name, package)))
            }
            Self::Channels(name, package) => {
                let mut lines = Vec::new();
                if !package.default_channel().is_empty() {
                    lines = table(packages, [row(name, package)]);
                    lines.push(String::new());
                }
                let channels = package.channels().iter().map(|(channel, content)| {
                    let head = content.head().map_or_else(|error| error.to_string(), str::to_owned);
                    [(*name).to_owned(), channel.clone(), head]
                });
                lines.extend(table(["PACKAGE", "CHANNEL", "HEAD"], channels));
                lines
            }
            Self::Versions(package, channel) => {
                let versions = versions(package, channel).into_iter();
                let lines = versions.map(|(version, _)| printable(&version).into_owned());
                ["VERSIONS".to_owned()].into_iter().chain(lines).collect()
            }
        }
    }

    /// Returns it as one object.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Packages(catalog) => {
                let all = catalog.packages().iter();
                let packages: Vec<_> = all.map(|(name, package)| object(name, package)).collect();
                json!({ "packages": packages })
            }
            Self::Channels(name, package) => {
                let channels =
                    package.channels().iter().map(|(channel, content)| match content.head() {
                        Ok(head) => json!({ "name": channel, "head": head }),
                        Err(error) => json!({ "name": channel, "error": error.to_string() }),
                    });
                let channels: Vec<_> = channels.collect();
                json!({ "package": object(name, package), "channels": channels })
            }
            Self::Versions(package, channel) => {
                let versions = versions(package, channel).into_iter();
                let versions: Vec<_> = versions
                    .map(|(version, bundle)| json!({ "version": version, "bundle": bundle }))
                    .collect();
                json!({ "versions": versions })
            }
        }
    }
}

fn row(name: &str, package: &Package) -> [String; 3] {
    let display = package.display_name().unwrap_or_default();
    [name.to_owned(), display, package.default_channel().to_owned()]
}

fn object(name: &str, package: &Package) -> Value {
    let [name, display, default] = row(name, package);
    json!({ "name": name, "displayName": display, "defaultChannel": default })
}

/// Returns the versions of a channel, from the lowest on, each with its bundle. One that has none
/// is called by its bundle, before all others.
fn versions<'c>(package: &'c Package, channel: &'c Channel) -> Vec<(String, &'c str)> {
    let names = channel.entries().edges().map(|edges| edges.name());
    let known = names.filter_map(|name| Some((package.bundles().get(name)?, name)));
    let mut versions: Vec<_> =
        known.map(|(bundle, name)| (bundle.version(), text(bundle, name), name)).collect();
    versions.sort();
    versions.into_iter().map(|(_, text, name)| (text.into_owned(), name)).collect()
}

fn text<'c>(bundle: &Bundle, name: &'c str) -> Cow<'c, str> {
    bundle.version().map_or(Cow::Borrowed(name), |version| Cow::Owned(version.to_string()))
}

/// Sets rows under their heads, each column as wide as it has to be.
fn table<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Vec<String> {
    let clean = |row: [String; N]| row.map(|cell| printable(&cell).into_owned());
    let rows: Vec<_> =
        [heads.map(str::to_owned)].into_iter().chain(rows.into_iter().map(clean)).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:0$}", width + GAP));
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
