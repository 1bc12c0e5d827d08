//! From nodes to the typed configuration.

use std::collections::BTreeSet;

use ocm_oci::{Platform, PlatformFilter};

use crate::{
    archive_size::ArchiveSize,
    cursor::{Cursor, Fields, Keys},
    fault::{Code, Fault, Findings, quoted},
    image_set::{
        AdditionalImage, BlockedImage, ImageFault, ImageFaults, ImageProblem, ImageSet, Mirror,
        WantedImage,
    },
    node::Value,
    pattern::Allowance,
};

/// Keys of an `ImageSetConfiguration`.
pub(crate) const ROOT: Keys = Keys {
    known: &["kind", "apiVersion", "mirror", "archiveSize"],
    old: &[(
        "storageConfig",
        "remove it: what was mirrored is remembered in the workspace, no store is configured",
    )],
};

const MIRROR: Keys = Keys {
    known: &["platform", "operators", "additionalImages", "helm", "blockedImages", "samples"],
    old: &[("ocp", "`ocp` of v1alpha1 is `platform` now")],
};

/// Sections of `mirror` that are known and cannot be mirrored yet.
const NOT_IMPLEMENTED: [&str; 4] = ["platform", "operators", "helm", "samples"];

const ADDITIONAL_IMAGE: Keys =
    Keys { known: &["name", "targetRepo", "targetTag", "platforms"], old: &[] };

const BLOCKED_IMAGE: Keys = Keys { known: &["name"], old: &[] };

const PLATFORM: Keys = Keys { known: &["os", "architecture"], old: &[] };

pub(crate) fn image_set(root: &Fields<'_>, findings: &mut Findings) -> ImageSet {
    let archive_size = root.get("archiveSize").and_then(|size| archive_size(size, findings));
    let mirror = root.get("mirror").and_then(|mirror| mirror.fields(MIRROR, findings));
    let mirror = mirror.map(|fields| read_mirror(&fields, findings)).unwrap_or_default();
    ImageSet { mirror, archive_size }
}

fn read_mirror(fields: &Fields<'_>, findings: &mut Findings) -> Mirror {
    for section in NOT_IMPLEMENTED {
        if fields.get(section).is_some_and(|value| !value.node().is_empty()) {
            let message = format!("`{section}` cannot be mirrored yet");
            let fault = Fault::error(Code::NotImplemented, fields.key_location(section), message);
            findings.add(fault.with_help("remove it, or mirror it with another tool".to_owned()));
        }
    }
    let images = fields.items("additionalImages", findings);
    let blocked = fields.items("blockedImages", findings);
    let mut memory = Allowance::default();
    let blocked_images =
        blocked.iter().filter_map(|image| blocked_image(image, &mut memory, findings)).collect();
    Mirror {
        additional_images: images.iter().filter_map(|image| additional(image, findings)).collect(),
        blocked_images,
    }
}

fn archive_size(size: &Cursor<'_>, findings: &mut Findings) -> Option<ArchiveSize> {
    let Value::Number(written) = &size.node().value else {
        findings.add(size.wrong_type("a whole number of GiB, such as `4`"));
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

/// Returns the fields of an image, which is a mapping and not, as many write it, its name.
fn image_fields<'n>(image: &Cursor<'n>, keys: Keys, findings: &mut Findings) -> Option<Fields<'n>> {
    let help = match &image.node().value {
        Value::Text(name) => format!("write `- name: {name}`"),
        Value::Null => "write `- name: …`, or remove the item".to_owned(),
        _ => return image.fields(keys, findings),
    };
    findings.add(image.wrong_type("a mapping with a `name`").with_help(help));
    None
}

fn additional(image: &Cursor<'_>, findings: &mut Findings) -> Option<AdditionalImage> {
    let fields = image_fields(image, ADDITIONAL_IMAGE, findings)?;
    let name = fields.require("name", findings).and_then(|name| name.text(findings));
    let target_repo = fields.text("targetRepo", findings);
    let target_tag = fields.get("targetTag").and_then(|tag| tag.text_or_number(findings));
    let platforms = fields.items("platforms", findings);
    let platforms: Vec<_> =
        platforms.iter().filter_map(|platform| platform.fields(PLATFORM, findings)).collect();

    let mut checked = Checked { fields: &fields, faults: Vec::new() };
    let name = name?;
    let reference = checked.keep("name", name.parse().map_err(ImageProblem::Reference));
    let target_repo = target_repo
        .map(|text| checked.keep("targetRepo", text.parse().map_err(ImageProblem::TargetRepo)));
    let target_tag = target_tag
        .filter(|text| !text.is_empty())
        .map(|text| checked.keep("targetTag", text.parse().map_err(ImageProblem::TargetTag)));
    let platforms = checked.platforms(&platforms, findings);
    let wanted = match reference {
        Some(reference) if checked.faults.is_empty() => Ok(WantedImage {
            reference,
            target_repo: target_repo.flatten(),
            target_tag: target_tag.flatten(),
            platforms,
        }),
        _ => Err(ImageFaults(checked.faults)),
    };
    Some(AdditionalImage { name: name.to_owned(), location: image.location(), wanted })
}

/// What is being found out about one image.
struct Checked<'n, 'f> {
    fields: &'f Fields<'n>,
    faults: Vec<ImageFault>,
}

impl Checked<'_, '_> {
    fn keep<T>(&mut self, key: &'static str, read: Result<T, ImageProblem>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(problem) => {
                let location = self.fields.location_of(key);
                self.faults.push(ImageFault { location, problem });
                None
            }
        }
    }

    fn platforms(&mut self, wanted: &[Fields<'_>], findings: &mut Findings) -> PlatformFilter {
        let mut platforms = BTreeSet::new();
        for fields in wanted {
            let part = |key, findings: &mut Findings| fields.text(key, findings);
            let (os, architecture) = (part("os", findings), part("architecture", findings));
            if let (Some(os), Some(architecture)) = (os, architecture) {
                platforms.insert(Platform::new(os, architecture));
                continue;
            }
            let missing = if os.is_none() { "os" } else { "architecture" };
            let location = fields.location().clone();
            self.faults.push(ImageFault { location, problem: ImageProblem::Platform { missing } });
        }
        if wanted.is_empty() { PlatformFilter::All } else { PlatformFilter::Only(platforms) }
    }
}

fn blocked_image(
    image: &Cursor<'_>,
    memory: &mut Allowance,
    findings: &mut Findings,
) -> Option<BlockedImage> {
    let fields = image_fields(image, BLOCKED_IMAGE, findings)?;
    let name = fields.require("name", findings)?;
    let text = name.text(findings)?;
    match memory.compile(text) {
        Ok(pattern) => Some(BlockedImage { pattern, location: name.location() }),
        Err(error) => {
            let message = format!("{error}: {}", error.fault);
            let fault = Fault::error(Code::Pattern, name.location(), message);
            findings.add(fault.with_help(error.hint()));
            None
        }
    }
}
