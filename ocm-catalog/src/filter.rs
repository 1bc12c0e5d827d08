//! From a catalog and a selection to a smaller catalog.
//!
//! ```text
//! catalog ──► decide, by package ──► apply ──► validate ──► smaller catalog
//! selection        │                           as OLM does  what is missing, warnings
//!                  └─ heads, all, or a cut by range of each channel
//! ```

mod apply;
mod channel;
mod cut;
mod decide;
mod error;
mod explain;
mod finding;
mod near;
mod selection;
mod without;
mod words;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    model::{Catalog, Package},
    validate::defects,
};
use decide::Decider;
pub use error::{FilterError, FilterErrors};
pub use explain::{ChannelExplanation, EntryExplanation, Explanation, Verdict};
use finding::Findings;
pub use finding::{Instead, Missing, Warning};
pub use near::near;
pub use selection::{ChannelSelection, Extent, PackageSelection, Selection};
pub use without::{Dropped, Reduced};

/// What a selection makes of a catalog.
#[derive(Debug)]
pub struct Filtered {
    /// What remains of the catalog, which OLM accepts.
    pub catalog: Catalog,
    /// What was selected and is not there.
    pub missing: Vec<Missing>,
    /// What people should know.
    pub warnings: Vec<Warning>,
}

impl Catalog {
    /// Returns what is selected of it.
    ///
    /// # Errors
    ///
    /// When the selection contradicts itself, when a package would lose its default channel, and
    /// when OLM would not accept the result. What is selected and not there is no error: see
    /// [`Filtered::missing`].
    pub fn filter(&self, selection: &Selection) -> Result<Filtered, FilterErrors> {
        if selection.is_everything() {
            // Such a catalog is copied as it is, whatever may be wrong with it.
            let catalog = self.clone();
            return Ok(Filtered { catalog, missing: Vec::new(), warnings: Vec::new() });
        }
        let mut findings = Findings::default();
        let mut left = Self { others: self.others.clone(), ..Self::default() };
        for (name, wanted) in self.selected(selection, &mut findings) {
            let Some(package) = self.packages.get(name) else { continue };
            if !package.is_there() {
                left.packages.insert(name.to_owned(), package.clone());
                continue;
            }
            if package.definition.is_none() {
                findings.errors.extend(unaccepted(name, package));
                continue;
            }
            let decider = Decider { name, package, selection };
            let errors_before = findings.errors.len();
            let decision = decider.decide(wanted, &mut findings);
            if findings.errors.len() > errors_before || decider.has_none_of(wanted) {
                continue;
            }
            match apply::apply(name, package, &decision) {
                Ok(package) => {
                    findings.errors.extend(unaccepted(name, &package));
                    left.packages.insert(name.to_owned(), package);
                }
                Err(error) => findings.errors.push(error),
            }
        }
        let Findings { mut warnings, missing, .. } = FilterErrors::of(findings)?;
        left.known = Arc::new(left.packages.keys().cloned().collect());
        warnings.extend(left.unmet().into_iter().map(Warning::Unmet));
        Ok(Filtered { catalog: left, missing, warnings })
    }

    /// Returns the packages that are selected, and what of them is; what is not there is found.
    fn selected<'s>(
        &'s self,
        selection: &'s Selection,
        findings: &mut Findings,
    ) -> Vec<(&'s str, Option<&'s PackageSelection>)> {
        if selection.packages.is_empty() {
            return self.packages.keys().map(|name| (name.as_str(), None)).collect();
        }
        let mut seen = BTreeSet::new();
        let wanted = selection.packages.iter().filter(|package| seen.insert(&package.name));
        let mut selected = Vec::new();
        for wanted in wanted {
            if self.packages.get(&wanted.name).is_some_and(Package::is_there) {
                selected.push((wanted.name.as_str(), Some(wanted)));
            } else {
                let known = self.known.iter().map(String::as_str);
                let (package, near) = (wanted.name.clone(), near(&wanted.name, known));
                findings.missing.push(Missing::Package { package, near });
            }
        }
        selected.sort_by_key(|(name, _)| *name);
        selected
    }
}

/// Returns what OLM does not accept in what remains of a package.
fn unaccepted(name: &str, package: &Package) -> impl Iterator<Item = FilterError> {
    let defects = defects(name, package).into_iter();
    defects.filter(|defect| defect.flaw.is_refused()).map(FilterError::Invalid)
}
