use std::{cmp::Ordering, collections::BTreeMap};

use ocm_oci::PlatformFilter;
use semver::Version;

use super::{advice, duplicate, item, named, required_text, v1};
use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings, quoted},
    image_set::{ReleaseChannel, ReleaseKind, ReleasePayload, Releases},
    keys,
};

pub(super) fn releases(fields: &Fields<'_>, findings: &mut Findings) -> Releases {
    let (platforms, missing) = item::platforms(fields, findings);
    for item::MissingPart { location, part } in missing {
        let fault = Fault::error(Code::MissingKey, location, format!("a platform has no `{part}`"));
        findings.add(fault.with_help("write `{os: linux, architecture: amd64}`".to_owned()));
    }
    let architectures = fields.items("architectures", findings);
    let architectures: Vec<_> =
        architectures.iter().filter_map(|item| architecture(item, findings)).collect();
    if !architectures.is_empty() && platforms != PlatformFilter::All {
        let message = "`architectures` and `platforms` exclude each other";
        let fault = Fault::error(Code::Conflict, fields.key_location("architectures"), message);
        findings.add(fault.with_help("remove `architectures`".to_owned()));
    }
    let items = fields.items("channels", findings);
    let channels: Vec<_> = items.iter().filter_map(|item| channel(item, findings)).collect();
    refuse_duplicates(&channels, findings);
    let releases = Releases {
        graph: fields.switch("graph", findings),
        channels,
        architectures,
        platforms,
        release: payload(fields, findings),
        kube_virt_container: fields.switch("kubeVirtContainer", findings),
        location: None,
    };
    advice::on_releases(&releases, fields, findings);
    releases
}

fn architecture(item: &Cursor<'_>, findings: &mut Findings) -> Option<String> {
    let name = item.text(findings)?;
    advice::on_architecture(item, name, findings);
    Some(name.to_owned())
}

fn payload(fields: &Fields<'_>, findings: &mut Findings) -> Option<ReleasePayload> {
    let written = fields.text("release", findings)?;
    let location = fields.location_of("release");
    match written.parse() {
        Ok(reference) => Some(ReleasePayload { written: written.to_owned(), reference, location }),
        Err(error) => {
            let error: ocm_oci::ReferenceError = error;
            let message = format!("{error}: {}", error.fault);
            let fault = Fault::error(Code::InvalidValue, location, message);
            findings.add(fault.with_help(error.hint()));
            None
        }
    }
}

fn refuse_duplicates(channels: &[ReleaseChannel], findings: &mut Findings) {
    let mut seen = BTreeMap::new();
    for channel in channels {
        let location = &channel.location;
        if let Some(first) = seen.insert(&channel.name, location.line) {
            let what = format!("release channel {}", quoted(&channel.name));
            let help = "make one of the two, from the lowest version to the highest";
            findings.add(duplicate(&what, first, location.clone(), help));
        }
    }
}

fn channel(item: &Cursor<'_>, findings: &mut Findings) -> Option<ReleaseChannel> {
    let fields = named(item, keys::RELEASE_CHANNEL, findings)?;
    let name = required_text(&fields, "name", findings);
    let kind = kind(&fields, findings);
    let min = version(&fields, "minVersion", findings);
    let max = version(&fields, "maxVersion", findings);
    let (min, max) = match v1::versions(&fields, findings) {
        Some((least, most)) if min.is_none() && max.is_none() => (Some(least), Some(most)),
        _ => (min, max),
    };
    if let (Some(min), Some(max)) = (&min, &max)
        && min.cmp_precedence(max) == Ordering::Greater
    {
        // What oc-mirror makes of it, which depends on the other channels, is what it is read as.
        let message =
            format!("no release is in it: `minVersion` {min} is above `maxVersion` {max}");
        let fault = Fault::warning(Code::EmptyRange, fields.location_of("minVersion"), message);
        findings.add(fault.with_help("swap the two".to_owned()));
    }
    let full = fields.switch("full", findings);
    let shortest_path = fields.switch("shortestPath", findings);
    let (name, location) = (name?.to_owned(), item.location());
    let channel = ReleaseChannel { name, kind, min, max, full, shortest_path, location };
    advice::on_release_channel(&channel, &fields, findings);
    Some(channel)
}

/// Any other word means `ocp` to oc-mirror, in silence.
fn kind(fields: &Fields<'_>, findings: &mut Findings) -> ReleaseKind {
    match fields.text("type", findings) {
        Some("okd") => ReleaseKind::Okd,
        Some("ocp") | None => ReleaseKind::Ocp,
        Some(other) => {
            let message = format!("{} is read as `ocp`", quoted(other));
            let fault = Fault::warning(Code::InvalidValue, fields.location_of("type"), message);
            findings.add(fault.with_help("write `ocp` or `okd`".to_owned()));
            ReleaseKind::Ocp
        }
    }
}

/// Servers of graphs know whole versions only, so that `4.18` would be compared with none.
fn version(fields: &Fields<'_>, key: &'static str, findings: &mut Findings) -> Option<Version> {
    let text = fields.written(key, findings)?;
    text.parse().map_err(|error: semver::Error| (text, error)).map_or_else(
        |(text, _)| {
            let message = format!("{} is not a version of a release", quoted(text));
            let fault = Fault::error(Code::Version, fields.location_of(key), message);
            findings.add(fault.with_help("write it whole, such as `4.18.1`".to_owned()));
            None
        },
        Some,
    )
}
