//! What a configuration means that its author may not: said here, before anything is mirrored.

use std::collections::BTreeMap;

use ocm_oci::{PlatformFilter, similar};
use semver::Version;

use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings, quoted},
    image_set::{AdditionalImage, Package, ReleaseChannel, ReleaseKind, Releases},
    keys::ARCHITECTURES,
    pattern::Pattern,
};

/// The name of the architecture that stands for all of them, in one payload.
const MULTI: &str = "multi";

/// What else the architectures of releases are called.
const OTHER_NAMES: [(&str, &str); 5] = [
    ("x86_64", "amd64"),
    ("x86-64", "amd64"),
    ("x64", "amd64"),
    ("aarch64", "arm64"),
    ("ppc64", "ppc64le"),
];

pub(super) fn on_architecture(item: &Cursor<'_>, name: &str, findings: &mut Findings) {
    let known = || ARCHITECTURES.into_iter().chain([MULTI]);
    if known().any(|known| known == name) {
        return;
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    let meant = other.map(|(_, known)| *known).or_else(|| similar(name, known()));
    let message = format!("there are no releases for the architecture {}", quoted(name));
    let fault = Fault::warning(Code::Architecture, item.location(), message);
    findings.add(fault.with_help(match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {} and {MULTI}", ARCHITECTURES.join(", ")),
    }));
}

pub(super) fn on_releases(releases: &Releases, fields: &Fields<'_>, findings: &mut Findings) {
    let key = |key| fields.key_location(key);
    if releases.release.is_some() {
        for ignored in ["channels", "architectures"] {
            if fields.get(ignored).is_some_and(|value| !value.node().is_empty()) {
                let message = format!("`{ignored}` is not looked at: `release` names one payload");
                let fault = Fault::warning(Code::NoEffect, key(ignored), message);
                findings.add(fault.with_help("remove one of the two".to_owned()));
            }
        }
    }
    if releases.has_releases() {
        return;
    }
    if releases.graph {
        let message = "`graph` without releases: there is nothing in the graph to update to";
        let fault = Fault::warning(Code::NoReleases, key("graph"), message);
        findings.add(fault.with_help("name `channels`, or remove `graph`".to_owned()));
    } else if !releases.architectures.is_empty() || releases.platforms != PlatformFilter::All {
        let key = if releases.architectures.is_empty() { "platforms" } else { "architectures" };
        let message = format!("`{key}` without channels: no release is asked for");
        let fault = Fault::warning(Code::NoReleases, fields.key_location(key), message);
        findings.add(fault.with_help("name `channels`, or remove the section".to_owned()));
    }
}

pub(super) fn on_release_channel(
    channel: &ReleaseChannel,
    fields: &Fields<'_>,
    findings: &mut Findings,
) {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if !channel.name.chars().all(is_legal) {
        let message = format!("no channel is called {}", quoted(&channel.name));
        let fault = Fault::warning(Code::ChannelName, fields.location_of("name"), message);
        findings.add(fault.with_help("a channel is called like `stable-4.18`".to_owned()));
    }
    if channel.kind == ReleaseKind::Ocp {
        on_minors(channel, fields, findings);
    }
    match (&channel.min, &channel.max) {
        (None, Some(max)) => {
            let message = format!(
                "without `minVersion` this is from the first version of the channel to {max}"
            );
            let fault = Fault::note(Code::FromFirst, fields.key_location("maxVersion"), message);
            findings.add_once(fault.with_help("add `minVersion`, if that is too much".to_owned()));
        }
        (None, None) if channel.shortest_path && !channel.full => {
            let message =
                "`shortestPath` means nothing without `minVersion`: only the head is mirrored";
            let fault = Fault::note(Code::NoEffect, fields.key_location("shortestPath"), message);
            findings.add(fault.with_help("add `minVersion`".to_owned()));
        }
        (Some(_), _) if channel.full => {
            let message = "`full` means nothing beside `minVersion`";
            let fault = Fault::note(Code::NoEffect, fields.key_location("full"), message);
            findings.add(fault.with_help("remove one of the two".to_owned()));
        }
        _ => {}
    }
}

/// Compares the versions of a channel with the one in its name: `stable-4.18`.
fn on_minors(channel: &ReleaseChannel, fields: &Fields<'_>, findings: &mut Findings) {
    let Some((prefix, minor)) = minor_of(&channel.name) else { return };
    let of = |version: &Version| (version.major, version.minor);
    let shown = |(major, minor): (u64, u64)| format!("{major}.{minor}");
    let (name, own) = (&channel.name, shown(minor));
    let warn = |key, version: &Version, message: String, findings: &mut Findings| {
        let fault = Fault::warning(Code::OtherMinor, fields.location_of(key), message);
        let meant = format!("{prefix}-{}", shown(of(version)));
        findings.add(fault.with_help(format!("did you mean the channel `{meant}`?")));
    };
    if let Some(min) = channel.min.as_ref().filter(|min| of(min) > minor) {
        let message = format!("no version of `{name}` is as high as {min}: it is for {own}");
        warn("minVersion", min, message, findings);
    }
    match &channel.max {
        Some(max) if of(max) < minor => {
            let message = format!("`{name}` is for {own}, of which there is nothing up to {max}");
            warn("maxVersion", max, message, findings);
        }
        Some(max) if of(max) > minor => {
            let message = format!("no version of `{name}` is as high as {max}: it is for {own}");
            warn("maxVersion", max, message, findings);
        }
        _ => {}
    }
    if let (Some(min), Some(max)) = (&channel.min, &channel.max)
        && prefix.contains("eus")
        && min.major == max.major
        && max.minor.saturating_sub(min.minor) >= 2
    {
        let message = format!(
            "from {} to {} there may be versions that an update has to pass, and that are in \
             other channels",
            shown(of(min)),
            shown(of(max))
        );
        let fault = Fault::warning(Code::ExtendedUpdate, fields.location_of("minVersion"), message);
        let page = "https://access.redhat.com/labs/ocpupgradegraph/update_path";
        findings.add_once(fault.with_help(format!("look the way up at {page}")));
    }
}

/// Splits `stable-4.18` into its name and its version.
fn minor_of(channel: &str) -> Option<(&str, (u64, u64))> {
    let (prefix, version) = channel.rsplit_once('-')?;
    let (major, minor) = version.split_once('.')?;
    Some((prefix, (major.parse().ok()?, minor.parse().ok()?)))
}

pub(super) fn on_package(package: &Package, fields: &Fields<'_>, findings: &mut Findings) {
    let named = |name: &String| package.channels.iter().any(|channel| channel.name == *name);
    if let Some(default) = package.default_channel.as_ref().filter(|name| !named(name))
        && !package.channels.is_empty()
    {
        let message = format!("{} is none of the channels that are kept", quoted(default));
        let fault =
            Fault::warning(Code::DefaultChannel, fields.location_of("defaultChannel"), message);
        findings.add(fault.with_help("list it below `channels`, or name one that is".to_owned()));
    }
}

/// Says what a filter means that does not say more.
pub(super) fn on_heads(packages: &[Package], fields: &Fields<'_>, findings: &mut Findings) {
    let is_plain = |package: &&Package| {
        package.channels.is_empty() && package.min.is_none() && package.max.is_none()
    };
    let plain = packages.iter().find(is_plain);
    if let Some(package) = plain {
        let message = "a package without channels and versions means the head of every channel";
        let fault = Fault::note(Code::HeadsOnly, package.location.clone(), message);
        let help = "name `channels` to have fewer, `minVersion` to have more of each";
        findings.add_once(fault.with_help(help.to_owned()));
    } else if packages.is_empty() {
        let message = "a catalog without packages means the head of every channel of all of them";
        let fault = Fault::note(Code::HeadsOnly, fields.key_location("catalog"), message);
        findings.add_once(fault.with_help("name `packages` to have fewer".to_owned()));
    }
}

/// Says that an upper bound alone begins at the lowest version.
pub(super) fn on_range(has: (bool, bool), fields: &Fields<'_>, findings: &mut Findings) {
    if has == (false, true) {
        let message = "without `minVersion` this is from the lowest version of the channel";
        let fault = Fault::note(Code::FromFirst, fields.key_location("maxVersion"), message);
        findings.add_once(fault.with_help("add `minVersion`, if that is too much".to_owned()));
    }
}

/// Says which images are there more than once, with the same destination.
pub(super) fn on_images(images: &[AdditionalImage], findings: &mut Findings) {
    let mut seen = BTreeMap::new();
    for image in images {
        let Ok(wanted) = &image.wanted else { continue };
        let place = (&wanted.reference, &wanted.target_repo, &wanted.target_tag, &wanted.platforms);
        match seen.get(&place) {
            None => {
                seen.insert(place, image.location.line);
            }
            Some(first) => {
                let message = format!("{} is already there, in line {first}", quoted(&image.name));
                let fault = Fault::warning(Code::Repeated, image.location.clone(), message);
                findings.add(fault.with_help("it is mirrored once: remove one".to_owned()));
            }
        }
    }
}

/// Says of a pattern that nothing is left by it.
pub(super) fn on_pattern(pattern: &Pattern, name: &Cursor<'_>, findings: &mut Findings) {
    if ["", "a", "quay.io/b/c:1"].iter().all(|text| pattern.matches(text)) {
        let message = "this matches every image, so that none is mirrored";
        let fault = Fault::warning(Code::BlocksAll, name.location(), message);
        findings.add(fault.with_help("write a part of what is to be left out".to_owned()));
    }
}
