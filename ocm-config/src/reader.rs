//! From nodes to the typed configuration.

mod advice;
mod helm;
mod images;
mod item;
mod operators;
mod packages;
mod releases;
mod v1;

use crate::{
    archive_size::ArchiveSize,
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings, Location, quoted},
    image_set::{DeleteSet, Helm, ImageSet, Mirror, Releases, Sample},
    keys::{self, Keys},
    node::Value,
    pattern::Allowance,
};

pub(crate) fn image_set(root: &Fields<'_>, findings: &mut Findings) -> ImageSet {
    let archive_size = root.get("archiveSize").and_then(|size| archive_size(size, findings));
    let mirror = root.get("mirror").and_then(|mirror| mirror.fields(keys::MIRROR, findings));
    let mirror = mirror.map(|fields| read_mirror(&fields, findings)).unwrap_or_default();
    ImageSet { mirror, archive_size }
}

pub(crate) fn delete_set(root: &Fields<'_>, findings: &mut Findings) -> DeleteSet {
    let delete = root.get("delete").and_then(|delete| delete.fields(keys::DELETE, findings));
    let delete = delete.map(|fields| read_mirror(&fields, findings)).unwrap_or_default();
    DeleteSet { delete }
}

fn read_mirror(fields: &Fields<'_>, findings: &mut Findings) -> Mirror {
    let releases = fields.get("platform").and_then(|p| p.fields(keys::RELEASES, findings));
    let mut platform = releases.map(|r| releases::releases(&r, findings)).unwrap_or_default();
    if platform != Releases::default() {
        platform.location = Some(fields.key_location("platform"));
    }
    let operators = operators::catalogs(fields, findings);
    let helm = fields.get("helm").and_then(|helm| helm.fields(keys::HELM, findings));
    let mut helm = helm.map(|helm| helm::helm(&helm, findings)).unwrap_or_default();
    if helm != Helm::default() {
        helm.location = Some(fields.key_location("helm"));
    }
    let images = fields.items("additionalImages", findings);
    let blocked = fields.items("blockedImages", findings);
    let samples = fields.items("samples", findings);
    if !samples.is_empty() {
        let message = "`samples` means nothing: none is mirrored, by oc-mirror neither";
        let fault = Fault::warning(Code::NoEffect, fields.key_location("samples"), message);
        let fault = fault.with_help("name their images in `additionalImages`".to_owned());
        findings.add(fault);
    }
    let mut memory = Allowance::default();
    let images: Vec<_> = images.iter().filter_map(|i| images::additional(i, findings)).collect();
    advice::on_images(&images, findings);
    Mirror {
        platform,
        operators,
        additional_images: images,
        helm,
        blocked_images: blocked
            .iter()
            .filter_map(|image| images::blocked(image, &mut memory, findings))
            .collect(),
        samples: samples.iter().filter_map(|sample| read_sample(sample, findings)).collect(),
    }
}

fn read_sample(sample: &Cursor<'_>, findings: &mut Findings) -> Option<Sample> {
    let fields = named(sample, keys::SAMPLE, findings)?;
    let name = fields.require("name", findings)?.text(findings)?;
    Some(Sample { name: name.to_owned(), location: sample.location() })
}

fn archive_size(size: &Cursor<'_>, findings: &mut Findings) -> Option<ArchiveSize> {
    let Value::Number(written) = &size.node().value else {
        let help = match &size.node().value {
            Value::Text(text) if text.parse::<u64>().is_ok() => "remove the quotes",
            _ => "write for example `archiveSize: 4`",
        };
        let fault = size.wrong_type("a whole number of GiB, such as `4`");
        findings.add(fault.with_help(help.to_owned()));
        return None;
    };
    let refuse = |message: String| Fault::error(Code::InvalidValue, size.location(), message);
    // A leading zero means octal to some readers and nothing to others.
    let is_plain = !written.starts_with('0') || written == "0";
    match written.parse::<u64>().ok().filter(|_| is_plain) {
        Some(0) => None,
        Some(gib) => ArchiveSize::from_gib(gib).or_else(|| {
            let message =
                format!("{gib} is too large; expected at most {} GiB", ArchiveSize::MAX.gib());
            findings.add(refuse(message).with_help("the unit is GiB, not bytes".to_owned()));
            None
        }),
        None => {
            let message = format!("expected a whole number of GiB, found {}", quoted(written));
            findings
                .add(refuse(message).with_help("write for example `archiveSize: 4`".to_owned()));
            None
        }
    }
}

/// Returns the fields of an item, which is a mapping and not, as many write it, its name.
fn named<'n>(item: &Cursor<'n>, keys: Keys, findings: &mut Findings) -> Option<Fields<'n>> {
    let key = keys.known.first().map_or("name", |key| key.name);
    let help = match &item.node().value {
        Value::Text(name) => match name.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) {
            Some(rest) => format!("write a blank after the colon: `- {key}: {rest}`"),
            None => format!("write `- {key}: {name}`"),
        },
        Value::Null => format!("write `- {key}: …`, or remove the item"),
        _ => return item.fields(keys, findings),
    };
    findings.add(item.wrong_type(&format!("a mapping with a `{key}`")).with_help(help));
    None
}

/// Returns the text of a key that must be there and say something.
fn required_text<'n>(
    fields: &Fields<'n>,
    key: &'static str,
    findings: &mut Findings,
) -> Option<&'n str> {
    let value = fields.require(key, findings)?;
    let text = value.text_or_number(findings)?;
    if text.is_empty() {
        findings.error(Code::InvalidValue, value.location(), format!("`{key}` is empty"));
        return None;
    }
    Some(text)
}

/// Says that an item is there twice; `first` is the line of the first one.
fn duplicate(what: &str, first: u32, location: Location, help: &str) -> Fault {
    let message = format!("{what} is already there, in line {first}");
    Fault::error(Code::Duplicate, location, message).with_help(help.to_owned())
}
