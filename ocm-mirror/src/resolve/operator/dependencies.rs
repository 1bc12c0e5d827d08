use ocm_catalog::{Outline, Selection, Wanted};

use super::{
    read::{self, Files, Found, read_catalog, read_files},
    reading::Reading,
};
use crate::Failure;

impl Reading<'_, '_> {
    /// Adds to a selection what its bundles require, tells of it, and reads that as well. The
    /// catalog is gone through once more to find it, unless nothing is missing.
    pub(super) async fn with_dependencies(
        &mut self,
        files: &Files,
        found: Found,
    ) -> Result<(Selection, Found), Failure> {
        let selection = &self.asked.selection;
        // What is wrong with the selection is told where it is used.
        let is_complete = found
            .catalog
            .filter(selection)
            .map_or(true, |filtered| filtered.catalog.unmet().is_empty());
        if is_complete || selection.packages.is_empty() {
            return Ok((selection.clone(), found));
        }
        let (all, _) = read_files(files, Wanted::Outline).await?;
        let outline = Outline::assemble(all);
        let closed = outline.close(selection);
        let closure = closed.map_err(|errors| read::refused(&errors, self.asked.written))?;
        for added in &closure.added {
            self.notice(added, None);
        }
        let found = read_catalog(files, &closure.selection).await?;
        Ok((closure.selection, found))
    }
}
