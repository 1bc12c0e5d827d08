//! What OLM demands of a catalog before it serves it.
//!
//! Source: <https://github.com/operator-framework/operator-registry/blob/v1.60.0/alpha/model/model.go>.

mod bundles;
mod channel;
mod flaw;

use std::collections::BTreeSet;

use crate::model::{Catalog, Package};
pub use flaw::{Defect, Flaw};

/// Returns everything in a catalog that OLM would not accept, or could not use, by package.
pub fn validate(catalog: &Catalog) -> Vec<Defect> {
    let packages = catalog.packages();
    packages.iter().flat_map(|(name, package)| defects(name, package)).collect()
}

/// Returns everything in a package that OLM would not accept.
pub(crate) fn defects(name: &str, package: &Package) -> Vec<Defect> {
    let mut flaws = Vec::new();
    if !package.is_there() {
        return Vec::new();
    }
    check_default_channel(package, &mut flaws);
    for (channel_name, channel) in package.channels() {
        channel::check(channel_name, channel, package, &mut flaws);
    }
    bundles::check(name, package, &mut flaws);
    check_deprecations(package, &mut flaws);
    flaws.into_iter().map(|flaw| Defect { package: name.to_owned(), flaw }).collect()
}

fn check_default_channel(package: &Package, flaws: &mut Vec<Flaw>) {
    if package.definition().is_none() {
        flaws.push(Flaw::NotIntroduced);
        return;
    }
    let default = package.default_channel();
    if package.channels().is_empty() {
        flaws.push(Flaw::NoChannels);
    } else if default.is_empty() {
        flaws.push(Flaw::NoDefaultChannel);
    } else if !package.channels().contains_key(default) {
        flaws.push(Flaw::DefaultChannelAbsent { channel: default.to_owned() });
    }
}

fn check_deprecations(package: &Package, flaws: &mut Vec<Flaw>) {
    if package.deprecations().len() > 1 {
        flaws.push(Flaw::SeveralDeprecations);
    }
    let mut seen = BTreeSet::new();
    for deprecated in package.deprecations().iter().flat_map(|list| list.entries()) {
        let is_there = match deprecated.schema.as_str() {
            "olm.package" => deprecated.name.is_empty(),
            "olm.channel" => package.channels().contains_key(&deprecated.name),
            "olm.bundle" => package.bundles().contains_key(&deprecated.name),
            _ => false,
        };
        if !is_there {
            flaws.push(Flaw::DeprecatedAbsent { deprecated: deprecated.clone() });
        } else if deprecated.message.is_empty() {
            flaws.push(Flaw::NoMessage { deprecated: deprecated.clone() });
        } else if !seen.insert((&deprecated.schema, &deprecated.name)) {
            flaws.push(Flaw::DeprecatedTwice { deprecated: deprecated.clone() });
        }
    }
}
