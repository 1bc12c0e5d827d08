use super::{
    advice,
    item::{self, Checked},
    named, v1,
};
use crate::{
    cursor::Cursor,
    fault::{Code, Fault, Findings},
    image_set::{AdditionalImage, BlockedImage, ImageProblem, WantedImage},
    keys,
    pattern::Allowance,
    tree,
};

pub(super) fn additional(image: &Cursor<'_>, findings: &mut Findings) -> Option<AdditionalImage> {
    let fields = named(image, keys::ADDITIONAL_IMAGE, findings)?;
    let name = fields.require("name", findings).and_then(|name| name.text(findings));
    let name = name.map(|name| v1::with_tag(name, &fields, findings));
    let target_repo = fields.text("targetRepo", findings);
    let target_tag = fields.written("targetTag", findings);

    let mut checked = Checked::new(&fields);
    let reference = checked.keep("name", name.as_deref(), ImageProblem::Reference);
    let repo = checked.keep("targetRepo", target_repo, ImageProblem::TargetRepo);
    let tag = checked.keep("targetTag", target_tag, ImageProblem::TargetTag);
    let platforms = checked.platforms(|missing| ImageProblem::Platform { missing }, findings);
    let name = name?;
    let wanted = reference.map(|reference| WantedImage {
        reference,
        target_repo: repo,
        target_tag: tag,
        platforms,
    });
    let wanted = checked.settle(wanted, || {
        tree::Fields::default()
            .with_text("name", &name)
            .with_some("targetRepo", target_repo)
            .with_some("targetTag", target_tag)
            .with("platforms", item::written_platforms(&fields))
            .done()
    });
    Some(AdditionalImage { name, location: image.location(), wanted })
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
        Ok(pattern) => {
            advice::on_pattern(&pattern, name, findings);
            Some(BlockedImage { pattern, location: name.location() })
        }
        Err(error) => {
            let message = format!("{error}: {}", error.fault);
            let fault = Fault::error(Code::Pattern, name.location(), message);
            findings.add(fault.with_help(error.hint()));
            None
        }
    }
}
