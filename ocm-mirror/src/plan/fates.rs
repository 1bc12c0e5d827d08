use std::collections::BTreeMap;

use super::{ImageId, Lost, Plan};
use crate::{Code, Failure, Report, Side, WishId};

/// What becomes of wishes that are not met by what is there already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fates {
    /// Those that images of the plan are to meet.
    pub planned: BTreeMap<WishId, ImageId>,
    /// Those that cannot be met.
    pub lost: BTreeMap<WishId, Failure>,
}

impl Fates {
    /// Returns the wishes that are not met after `plan` was carried out, and why not.
    pub fn missed(&self, plan: &Plan, report: &Report) -> BTreeMap<WishId, Failure> {
        let missed = self.planned.iter().filter_map(|(wish, image)| {
            let skipped = || {
                let because = plan.image(*report.skipped.get(image)?)?;
                let what = format!("it needs {}, which is not there", because.origin());
                Some(Failure::without(Code::Needs, Side::Source, what))
            };
            let failure = report.failed.get(image).cloned().or_else(skipped)?;
            Some((*wish, failure))
        });
        self.lost.iter().map(|(wish, failure)| (*wish, failure.clone())).chain(missed).collect()
    }
}

impl Plan {
    /// Returns the signatures and the like that are not there after it was carried out.
    pub fn missed_attachments(&self, report: &Report) -> Vec<Lost> {
        let lost = self.lost().iter().filter(|lost| lost.kind.is_attachment()).cloned();
        let failed = self.images().filter(|(_, image)| image.is_attachment());
        let failed = failed.filter_map(|(id, image)| {
            let failure = report.failed.get(&id)?.clone();
            Some(Lost { kind: image.kind, failure: failure.of(image.origin()) })
        });
        lost.chain(failed).collect()
    }
}
