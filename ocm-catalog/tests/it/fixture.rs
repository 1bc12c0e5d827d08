//! Small catalogs and selections, written on a line.

use std::{collections::BTreeMap, error::Error, fmt::Write as _};

use ocm_catalog::{
    Bound, Catalog, ChannelSelection, FilterErrors, Filtered, Package, PackageSelection, Selection,
    VersionRange, Wanted, assemble, read,
};
use serde_json::{Value, json};

/// Writes a package as a stream of JSON objects.
///
/// A channel is a name and entries: `b<a{x,y}` is entry b, which replaces a and skips x and y. Each
/// entry is a bundle; `version` says of which version, if of any.
pub(crate) fn package(
    name: &str,
    default: &str,
    channels: &[(&str, &str)],
    version: impl Fn(&str) -> Option<String>,
) -> String {
    let mut objects = vec![json!({
        "schema": "olm.package", "name": name, "defaultChannel": default, "icon": {
            "base64data": "not base64!", "mediatype": "image/svg+xml",
        },
    })];
    let mut bundles = BTreeMap::new();
    for (channel, text) in channels {
        let entries: Vec<_> = text.split_whitespace().map(entry).collect();
        for entry in &entries {
            let name = entry["name"].as_str().unwrap().to_owned();
            bundles.insert(name.clone(), bundle(&name, version(&name)));
        }
        objects.push(json!({ "schema": "olm.channel", "name": channel, "entries": entries }));
    }
    objects.extend(bundles.into_values());
    for object in &mut objects {
        object["package"] = name.into();
        if let Some(identity) = object.pointer_mut("/properties/0/value") {
            identity["packageName"] = name.into();
        }
    }
    objects.iter().fold(String::new(), |mut text, object| {
        writeln!(text, "{object:#}").unwrap();
        text
    })
}

fn entry(text: &str) -> Value {
    let (text, skips) = text.split_once('{').unwrap_or((text, "}"));
    let skips: Vec<_> = skips.trim_end_matches('}').split(',').filter(|s| !s.is_empty()).collect();
    let (name, replaces) = text.split_once('<').unwrap_or((text, ""));
    match replaces {
        "" => json!({ "name": name, "skips": skips }),
        _ => json!({ "name": name, "replaces": replaces, "skips": skips }),
    }
}

fn bundle(name: &str, version: Option<String>) -> Value {
    let version = version.unwrap_or_else(|| "none".to_owned());
    let image = format!("registry.example/{}-bundle:v1", name.to_lowercase());
    json!({
        "schema": "olm.bundle", "name": name, "image": image,
        "properties": [{ "type": "olm.package", "value": { "version": version } }],
    })
}

/// Reads a catalog out of files that stand one after the other.
pub(crate) fn catalog(files: &[&str]) -> Catalog {
    let paths = (0..).map(|nth| format!("file{nth}"));
    let files = paths.zip(files).map(|(path, text)| read(&path, text.as_bytes(), &Wanted::All));
    assemble(files).unwrap().catalog
}

/// Reads bounds: `1.0..2.0`, `1.0..`, `..2.0`, `1.0`, which is that version alone.
pub(crate) fn range(text: &str) -> VersionRange {
    let (minimum, maximum) = text.split_once("..").unwrap_or((text, text));
    let bound = |text: &str| (!text.is_empty()).then(|| text.parse::<Bound>().unwrap());
    VersionRange::new(bound(minimum), bound(maximum))
}

/// Reads packages: `name[1.0..] default=stable; name channel[..2.0] channel`.
pub(crate) fn selection(text: &str) -> Selection {
    let split = |word: &str| {
        let (name, bounds) = word.split_once('[').unwrap_or((word, ".."));
        (name.to_owned(), range(bounds.trim_end_matches(']')))
    };
    let package = |text: &str| {
        let mut words = text.split_whitespace();
        let (name, versions) = split(words.next().unwrap());
        let mut package = PackageSelection { name, versions, ..PackageSelection::default() };
        for word in words {
            if let Some(channel) = word.strip_prefix("default=") {
                package.default_channel = Some(channel.to_owned());
            } else {
                let (name, versions) = split(word);
                package.channels.push(ChannelSelection { name, versions });
            }
        }
        package
    };
    let packages = text.split(';').filter(|text| !text.trim().is_empty()).map(package).collect();
    Selection { packages, ..Selection::default() }
}

pub(crate) fn filtered(catalog: &Catalog, text: &str) -> Filtered {
    catalog.filter(&selection(text)).unwrap_or_else(|errors| panic!("{text}: {}", words(&errors)))
}

/// Returns why a selection is refused.
pub(crate) fn refused(catalog: &Catalog, text: &str) -> String {
    let refused = catalog.filter(&selection(text));
    words(&refused.map(|_| ()).expect_err(text))
}

/// Returns each error with its causes.
pub(crate) fn words(errors: &FilterErrors) -> String {
    errors.errors().iter().map(|error| chain(error)).collect::<Vec<_>>().join("; ")
}

/// Returns an error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Returns the bundles that are left, sorted.
pub(crate) fn bundles(catalog: &Catalog) -> Vec<&str> {
    let packages = catalog.packages().values();
    let mut names: Vec<_> =
        packages.flat_map(|package| package.bundles().keys().map(String::as_str)).collect();
    names.sort_unstable();
    names
}

/// Returns the channels that are left and the entries of each: `stable: b a; fast: c`.
pub(crate) fn channels(catalog: &Catalog) -> String {
    let packages = catalog.packages().values();
    let channels = packages.flat_map(Package::channels);
    let channels = channels.map(|(name, channel)| {
        format!("{name}: {}", channel.entries().names().collect::<Vec<_>>().join(" "))
    });
    channels.collect::<Vec<_>>().join("; ")
}
