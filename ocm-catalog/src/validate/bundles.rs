use std::collections::{BTreeMap, BTreeSet};

use ocm_oci::{ImageRef, ReferenceFault};

use super::Flaw;
use crate::model::{Bundle, Package};

/// Checks the bundles of a package.
pub(super) fn check(package_name: &str, package: &Package, flaws: &mut Vec<Flaw>) {
    let channels = package.channels().values();
    let in_channels: BTreeSet<_> = channels.flat_map(|c| c.entries().names()).collect();
    for (name, bundle) in package.bundles() {
        if !in_channels.contains(name.as_str()) {
            flaws.push(Flaw::NoChannel { bundle: name.clone() });
        }
        check_identity(name, bundle, package_name, flaws);
        let (image, bundle) = (bundle.image(), name.clone());
        if image.is_empty() {
            flaws.push(Flaw::NoImage { bundle });
        } else if !is_pull_spec(image) {
            flaws.push(Flaw::Image { bundle, image: image.to_owned() });
        }
    }
    check_versions(package, flaws);
}

/// Whether it can be pulled by that. A name alone can: of its tag `latest`.
fn is_pull_spec(image: &str) -> bool {
    let unpinned = |fault| matches!(fault, ReferenceFault::Unpinned);
    image.parse::<ImageRef>().map_or_else(|error| unpinned(error.fault), |_| true)
}

fn check_identity(name: &str, bundle: &Bundle, package: &str, flaws: &mut Vec<Flaw>) {
    let bundle_name = name.to_owned();
    let [identity] = bundle.identities() else {
        let count = bundle.identities().len();
        flaws.push(Flaw::Identities { bundle: bundle_name, count });
        return;
    };
    if identity.package != package {
        let says = identity.package.clone();
        flaws.push(Flaw::OtherPackage { bundle: bundle_name.clone(), says });
    }
    if let Err(reason) = &identity.version {
        flaws.push(Flaw::Version { bundle: bundle_name, reason: reason.clone() });
    }
}

/// No two bundles may be of the same version and release, as they are written.
fn check_versions(package: &Package, flaws: &mut Vec<Flaw>) {
    let mut seen = BTreeMap::new();
    for (name, bundle) in package.bundles() {
        let Some(version) = bundle.version() else { continue };
        let release = bundle.identities().first().map(|identity| &identity.release);
        if let Some(first) = seen.insert((version.to_string(), release), name) {
            let (version, first, second) = (version.clone(), first.clone(), name.clone());
            flaws.push(Flaw::SameVersion { version, first, second });
        }
    }
}
