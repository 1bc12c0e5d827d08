use super::{item::Checked, named};
use crate::{
    cursor::Cursor,
    fault::{Code, Fault, Findings},
    image_set::{AdditionalImage, BlockedImage, ImageProblem, WantedImage},
    keys,
    pattern::Allowance,
};

pub(super) fn additional(image: &Cursor<'_>, findings: &mut Findings) -> Option<AdditionalImage> {
    let fields = named(image, keys::ADDITIONAL_IMAGE, findings)?;
    let name = fields.require("name", findings).and_then(|name| name.text(findings));
    let target_repo = fields.text("targetRepo", findings);
    let target_tag = fields.get("targetTag").and_then(|tag| tag.text_or_number(findings));

    let mut checked = Checked::new(&fields);
    let reference =
        name.and_then(|name| checked.keep("name", name.parse().map_err(ImageProblem::Reference)));
    let target_repo = target_repo.and_then(|text| {
        checked.keep("targetRepo", text.parse().map_err(ImageProblem::TargetRepo))
    });
    let target_tag = target_tag
        .filter(|text| !text.is_empty())
        .and_then(|text| checked.keep("targetTag", text.parse().map_err(ImageProblem::TargetTag)));
    let platforms = checked.platforms(|missing| ImageProblem::Platform { missing }, findings);
    let wanted = checked.settle(reference.map(|reference| WantedImage {
        reference,
        target_repo,
        target_tag,
        platforms,
    }));
    Some(AdditionalImage { name: name?.to_owned(), location: image.location(), wanted })
}

pub(super) fn blocked(
    image: &Cursor<'_>,
    memory: &mut Allowance,
    findings: &mut Findings,
) -> Option<BlockedImage> {
    let fields = named(image, keys::BLOCKED_IMAGE, findings)?;
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
