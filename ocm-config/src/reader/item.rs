use std::{collections::BTreeSet, str::FromStr};

use ocm_oci::{Platform, PlatformFilter};

use crate::{
    cursor::{Cursor, Fields},
    fault::{Findings, Location},
    image_set::{ItemFault, ItemFaults},
    keys,
    tree::{self, Tree},
};

/// What is being found out about one item.
pub(super) struct Checked<'n, 'f, P> {
    fields: &'f Fields<'n>,
    faults: Vec<ItemFault<P>>,
}

/// A part of a platform that is not there, and where the platform is.
pub(super) struct MissingPart {
    pub(super) location: Location,
    pub(super) part: &'static str,
}

impl<'n, 'f, P> Checked<'n, 'f, P> {
    pub(super) fn new(fields: &'f Fields<'n>) -> Self {
        Self { fields, faults: Vec::new() }
    }

    /// Reads the text of a key as a value of some type.
    pub(super) fn keep<T: FromStr>(
        &mut self,
        key: &'static str,
        text: Option<&str>,
        problem: impl FnOnce(T::Err) -> P,
    ) -> Option<T> {
        match text?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(key, problem(error));
                None
            }
        }
    }

    /// Says what is wrong with the value of a key.
    pub(super) fn refuse(&mut self, key: &'static str, problem: P) {
        self.add(self.fields.location_of(key), problem);
    }

    pub(super) fn add(&mut self, location: Location, problem: P) {
        self.faults.push(ItemFault { location, problem });
    }

    /// Reads `platforms`; `problem` makes one of a part that is missing.
    pub(super) fn platforms(
        &mut self,
        problem: impl Fn(&'static str) -> P,
        findings: &mut Findings,
    ) -> PlatformFilter {
        let (platforms, missing) = platforms(self.fields, findings);
        for MissingPart { location, part } in missing {
            self.add(location, problem(part));
        }
        platforms
    }

    /// Returns `value`, or what is wrong with the item that is `written`.
    pub(super) fn settle<T>(
        self,
        value: Option<T>,
        written: impl FnOnce() -> Tree,
    ) -> Result<T, ItemFaults<P>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(ItemFaults::new(self.faults, written())),
        }
    }
}

/// Returns the platforms of an item with which something is wrong, as they are written.
pub(super) fn written_platforms(fields: &Fields<'_>) -> Option<Tree> {
    let items = fields.items("platforms", &mut Findings::default());
    let written = |item: &Cursor<'_>| {
        let fields = item.fields(keys::PLATFORM, &mut Findings::default())?;
        let part = |key| fields.text(key, &mut Findings::default());
        let written = tree::Fields::default();
        Some(written.with_some("os", part("os")).with_some("architecture", part("architecture")))
    };
    let platforms: Vec<_> = items.iter().filter_map(written).map(tree::Fields::done).collect();
    Some(Tree::List(platforms)).filter(|_| !items.is_empty())
}

/// Reads the platforms of `fields`, and what is missing in them.
pub(super) fn platforms(
    fields: &Fields<'_>,
    findings: &mut Findings,
) -> (PlatformFilter, Vec<MissingPart>) {
    let items = fields.items("platforms", findings);
    let (mut platforms, mut missing) = (BTreeSet::new(), Vec::new());
    let mut is_filtered = false;
    for item in &items {
        let Some(fields) = item.fields(keys::PLATFORM, findings) else { continue };
        is_filtered = true;
        let part = |key, findings: &mut Findings| fields.text(key, findings);
        let (os, architecture) = (part("os", findings), part("architecture", findings));
        if let (Some(os), Some(architecture)) = (os, architecture) {
            platforms.insert(Platform::new(os, architecture));
            continue;
        }
        let part = if os.is_none() { "os" } else { "architecture" };
        missing.push(MissingPart { location: fields.location().clone(), part });
    }
    let filter = if is_filtered { PlatformFilter::Only(platforms) } else { PlatformFilter::All };
    (filter, missing)
}
