use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Built, Change, LayerContent, RebuildError, rebuild};
use crate::{CatalogImage, ContentStore, catalog_image::CONFIGS_LABEL};

/// Where a rebuilt catalog has its files.
const CONFIGS: &str = "configs";
/// Where catalogs are built to keep what they have made of their files; it fits the old ones.
const CACHE: &str = "tmp/cache";

/// Builds `catalog` anew with `files`, by their path below its directory, in place of its own.
///
/// Two layers are added. The first hides the old files and what was made of them, the second
/// brings the new: were both in one, podman's overlay would mix the old with the new. The files
/// are in `/configs` then, wherever the original has them, and the label says so; the command is
/// `serve /configs`, so that what is made of the files is made anew.
///
/// # Errors
///
/// [`RebuildError`].
///
/// # Cancel safety
///
/// As [`rebuild`].
pub async fn rebuild_catalog(
    catalog: &CatalogImage,
    files: &BTreeMap<String, Bytes>,
    store: &ContentStore,
) -> Result<Built, RebuildError> {
    let mut hidden = LayerContent::default();
    hidden.gone(CONFIGS)?;
    hidden.gone(CACHE)?;
    let old = catalog.directory();
    if old != CONFIGS && !old.starts_with("configs/") {
        hidden.gone(old)?;
    }
    let mut new = LayerContent::default();
    new.directory(CONFIGS)?;
    for (path, bytes) in files {
        new.file(&format!("{CONFIGS}/{path}"), bytes.clone())?;
    }
    let layers = vec![
        hidden.build(store, "ocm: the original's files are hidden").await?,
        new.build(store, "ocm: selected packages").await?,
    ];
    let command = ["serve", "/configs"].map(str::to_owned).to_vec();
    let labels = BTreeMap::from([(CONFIGS_LABEL.to_owned(), format!("/{CONFIGS}"))]);
    let change = Change { layers, command: Some(command), labels, ..Change::default() };
    rebuild(&catalog.base(), &change, store).await
}
