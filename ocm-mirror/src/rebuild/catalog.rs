use std::collections::BTreeMap;

use bytes::Bytes;
use ocm_oci::Platform;

use super::{Base, Built, Change, LayerContent, NewLayer, RebuildError, rebuild, scratch};
use crate::{CatalogImage, ContentStore, catalog_image::CONFIGS_LABEL};

/// Where a rebuilt catalog has its files.
pub(crate) const CONFIGS: &str = "configs";
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
    upon((&catalog.base(), catalog.directory()), files, store).await
}

/// Builds a catalog of `files` upon an image that has had its own in a directory, if it has any.
pub(crate) async fn upon(
    (base, old): (&Base, &str),
    files: &BTreeMap<String, Bytes>,
    store: &ContentStore,
) -> Result<Built, RebuildError> {
    let mut hidden = LayerContent::default();
    hidden.gone(CONFIGS)?;
    hidden.gone(CACHE)?;
    if ![CONFIGS, CACHE].contains(&old) && !old.starts_with("configs/") {
        hidden.gone(old)?;
    }
    let layers = vec![
        hidden.build(store, "ocm: the original's files are hidden").await?,
        selected(files, store).await?,
    ];
    let command = ["serve", "/configs"].map(str::to_owned).to_vec();
    let change = Change { layers, command: Some(command), labels: labels(), ..Change::default() };
    rebuild(base, &change, store).await
}

/// Builds a catalog of `files` upon nothing: there is no program in it that serves them.
pub(crate) async fn from_files(
    platforms: &[Platform],
    files: &BTreeMap<String, Bytes>,
    store: &ContentStore,
) -> Result<Built, RebuildError> {
    let layers = vec![selected(files, store).await?];
    let change = Change { layers, command: None, labels: labels(), ..Change::default() };
    let platforms: Vec<_> =
        platforms.iter().map(|platform| (platform.clone(), change.clone())).collect();
    scratch(&platforms, store).await
}

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([(CONFIGS_LABEL.to_owned(), format!("/{CONFIGS}"))])
}

async fn selected(
    files: &BTreeMap<String, Bytes>,
    store: &ContentStore,
) -> Result<NewLayer, RebuildError> {
    let mut new = LayerContent::default();
    new.directory(CONFIGS)?;
    for (path, bytes) in files {
        new.file(&format!("{CONFIGS}/{path}"), bytes.clone())?;
    }
    new.build(store, "ocm: selected packages").await
}
