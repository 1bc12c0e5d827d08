use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::Arc,
};

use ocm_catalog::{
    Assembled, BrokenCatalog, Catalog, CatalogFile, FilterError, FilterErrors, ImageList,
    Selection, Wanted, assemble, read,
};

use tokio::task::spawn_blocking;

use super::{no_catalog, unusable};
use crate::{
    CatalogFiles, CatalogImage, Code, Failure, Limits, Seen, Side, Visitor,
    catalog_files::FILES_LIMIT,
};

/// A catalog is larger than any.
#[derive(Debug, thiserror::Error)]
#[error("the catalog's files have more than {} GiB", FILES_LIMIT >> 30)]
struct Endless;

/// Where the files of a catalog are.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// In its image.
    Image(Box<CatalogImage>),
    /// In a directory of this machine.
    Directory(Arc<CatalogFiles>),
}

/// What was found in a catalog.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) catalog: Catalog,
    /// What cannot be read and belongs to nothing that was selected.
    pub(super) ignored: Vec<String>,
    /// How many links were passed over.
    pub(super) links: u64,
}

/// Reads files as they come; what is not selected is not kept.
#[derive(Debug)]
struct Reader {
    wanted: Wanted,
    files: Vec<CatalogFile>,
    /// How many more bytes of files are read.
    left: u64,
}

impl Visitor for Reader {
    fn file(&mut self, path: &str, size: u64, content: &mut dyn Read) -> io::Result<()> {
        self.left = self.left.checked_sub(size).ok_or_else(|| io::Error::other(Endless))?;
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(1 << 20)).unwrap_or_default());
        content.read_to_end(&mut bytes)?;
        self.files.push(read(path, &bytes, &self.wanted));
        Ok(())
    }
}

/// Reads the files of a catalog; what is not wanted of them is not kept. Returns how many links
/// were passed over, too: those of a directory are followed.
pub(super) async fn read_files(
    files: &Files,
    wanted: Wanted,
) -> Result<(Vec<CatalogFile>, u64), Failure> {
    let image = match files {
        Files::Image(image) => image,
        Files::Directory(files) => {
            let files = Arc::clone(files);
            let read = spawn_blocking(move || files.read(&wanted)).await;
            let read = read.map_err(|error| unusable(&error))?;
            return Ok((read.map_err(|error| unusable(&error))?, 0));
        }
    };
    let reader = Reader { wanted, files: Vec::new(), left: FILES_LIMIT };
    let read = image.read(Limits::default(), reader).await;
    let Seen { visitor, links, .. } = read.map_err(|error| no_catalog(&error))?;
    Ok((visitor.files, links))
}

/// Reads what `selection` needs of a catalog.
pub(super) async fn read_catalog(files: &Files, selection: &Selection) -> Result<Found, Failure> {
    let (files, links) = read_files(files, selection.wanted()).await?;
    let Assembled { catalog, ignored } = assemble(files).map_err(|error| broken(&error))?;
    let ignored = ignored.iter().map(|error| unusable(error).chain.join(": ")).collect();
    Ok(Found { catalog, ignored, links })
}

/// Reads what a catalog leads to, whatever of it is selected, and no more than that.
pub(super) async fn read_images(files: &Files) -> Result<(ImageList, u64), Failure> {
    let (files, links) = read_files(files, Wanted::Images).await?;
    Ok((ImageList::assemble(files).map_err(|error| broken(&error))?, links))
}

fn broken(catalog: &BrokenCatalog) -> Failure {
    let mut failure = unusable(catalog);
    let all = catalog.errors().iter().skip(1);
    failure.chain.extend(all.map(|error| unusable(error).chain.join(": ")));
    failure
}

/// Tells why a selection cannot be had: all that is wrong with it.
pub(super) fn refused(errors: &FilterErrors, catalog: &str) -> Failure {
    let told: Vec<_> =
        errors.errors().iter().map(|error| unusable(error).chain.join(": ")).collect();
    let hints: BTreeSet<_> = errors.errors().iter().filter_map(FilterError::hint).collect();
    let mut failure = Failure::without(
        Code::Catalog,
        Side::Source,
        format!("what is selected of `{catalog}` cannot be had"),
    );
    failure.chain.push(told.join("; "));
    failure.hint = (!hints.is_empty()).then(|| Vec::from_iter(hints).join("; "));
    failure
}
