use ocm_catalog::{Outline, Selection, Wanted};

use super::{
    Asked,
    read::{self, Found, read_catalog, read_files},
};
use crate::{
    CatalogImage, Failure, Group,
    resolve::{Gathered, Notice},
};

impl Gathered<'_> {
    /// Adds to a selection what its bundles require, tells of it, and reads that as well. The
    /// catalog is gone through once more to find it, unless nothing is missing.
    pub(super) async fn with_dependencies(
        &mut self,
        asked: Asked<'_>,
        image: &CatalogImage,
        (selection, found): (Selection, Found),
    ) -> Result<(Selection, Found), Failure> {
        // What is wrong with the selection is told where it is used.
        let is_complete = found
            .catalog
            .filter(&selection)
            .map_or(true, |filtered| filtered.catalog.unmet().is_empty());
        if is_complete || selection.packages.is_empty() {
            return Ok((selection, found));
        }
        let outline = Outline::assemble(read_files(image, Wanted::Outline).await?);
        let closed = outline.close(&selection);
        let closure = closed.map_err(|errors| read::refused(&errors, asked.written))?;
        for added in &closure.added {
            let text = format!("{}: {added}", asked.written);
            self.notice_once(Notice { group: Group::Operator, text, hint: None });
        }
        let found = read_catalog(image, &closure.selection).await?;
        Ok((closure.selection, found))
    }
}
