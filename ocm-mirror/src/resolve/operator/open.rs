use std::{collections::BTreeSet, sync::Arc};

use ocm_catalog::{Catalog, Extent, PackageSelection, Selection};
use ocm_oci::{Descriptor, IndexEntry, Reference, TagOrDigest};
use ocm_transport::{Manifest, Source};

use super::{
    Resolving, Upstream, no_catalog,
    read::{Files, read_catalog},
    unread,
};
use crate::{
    CatalogImage, Failure, ImageFiles, LayersError, Location, Places, RetryPolicy,
    expand::MANIFEST_LIMIT, gather,
};

/// Where catalogs are read.
#[derive(Debug, Clone, Copy)]
pub struct CatalogReader<'a> {
    /// What references lead to.
    pub upstream: Upstream<'a>,
    /// Those places, opened.
    pub places: &'a Places,
    /// How often a request is tried.
    pub retry: RetryPolicy,
}

/// The image of a catalog, opened by the digest that it has now: what is read is what is copied.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) location: Location,
    pub(super) files: ImageFiles,
    /// Whether its index is not there, but made of the images that are.
    pub(super) is_gathered: bool,
}

impl<'a> CatalogReader<'a> {
    pub(super) fn of(resolving: &Resolving<'a>) -> Self {
        let Resolving { upstream, places, retry, .. } = *resolving;
        Self { upstream, places, retry }
    }

    /// Reads the catalog that is called `origin` in the configuration, and that `reference` means:
    /// all of it, or one package. What cannot be read of other packages is passed over.
    ///
    /// # Errors
    ///
    /// A [`Failure`], when there is no such image, or it is no catalog.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops reading, and nothing is left.
    pub async fn read(
        self,
        origin: &str,
        reference: &Reference,
        package: Option<&str>,
    ) -> Result<Catalog, Failure> {
        let files = if let (Upstream::Origins(layouts), Reference::Directory(directory)) =
            (self.upstream, reference)
        {
            Files::find(layouts, directory).await?
        } else {
            let Opened { files, .. } = self.open(origin, reference).await?;
            let image = CatalogImage::open(files).await;
            Files::Image(Box::new(image.map_err(|error| no_catalog(&error))?))
        };
        let named = |name: &str| PackageSelection { name: name.to_owned(), ..Default::default() };
        let packages = package.into_iter().map(named).collect();
        let selection = Selection { extent: Extent::Full, packages, ..Selection::default() };
        Ok(read_catalog(&files, &selection).await?.catalog)
    }

    /// Opens the image of a catalog. A directory may list it in parts, one for each platform.
    pub(super) async fn open(self, origin: &str, reference: &Reference) -> Result<Opened, Failure> {
        if let (Upstream::Origins(layouts), Reference::Layout(layout)) = (self.upstream, reference)
            && let Some((location, listed)) = layouts.find_parts(layout)?
        {
            let source = self.places.open(&location)?;
            let files = self.one_of(&source, listed).await.map_err(|error| unread(&error))?;
            if let Some((files, is_gathered)) = files {
                return Ok(Opened { location, files, is_gathered });
            }
        }
        let (location, reference) = self.upstream.find(origin, reference)?;
        let source = self.places.open(&location)?;
        let files = ImageFiles::open(source, &reference, self.retry).await;
        let files = files.map_err(|error| unread(&error))?;
        Ok(Opened { location, files, is_gathered: false })
    }

    /// Makes one image of all that a directory lists, if it is one: an index beside its images, or
    /// images that run on different platforms. Tells whether there was no index.
    async fn one_of(
        self,
        source: &Arc<dyn Source>,
        mut listed: Vec<Descriptor>,
    ) -> Result<Option<(ImageFiles, bool)>, LayersError> {
        let mut inner = BTreeSet::new();
        for index in listed.iter().filter(|one| one.media_type.is_index()) {
            let reference = TagOrDigest::from(&index.digest);
            let index = source.manifest(&reference, MANIFEST_LIMIT).await?;
            inner.extend(children(&index)?.into_iter().map(|entry| entry.descriptor.digest));
        }
        listed.retain(|one| !inner.contains(&one.digest));
        if let [only] = listed.as_slice() {
            let reference = TagOrDigest::from(&only.digest);
            let files = ImageFiles::open(Arc::clone(source), &reference, self.retry).await?;
            return Ok(Some((files, false)));
        }
        if listed.iter().any(|one| one.media_type.is_index()) {
            return Ok(None);
        }
        let index = gather(source, &listed, self.retry).await?;
        let mut seen = BTreeSet::new();
        if !children(&index)?.into_iter().all(|entry| seen.insert(entry.platform)) {
            return Ok(None);
        }
        let files = ImageFiles::of(Arc::clone(source), index, self.retry).await?;
        Ok(Some((files, true)))
    }
}

fn children(index: &Manifest) -> Result<Vec<IndexEntry>, LayersError> {
    let digest = &index.descriptor().digest;
    let children = index.children();
    let fault = |source| LayersError::Manifest { digest: digest.clone(), source };
    Ok(children.map_err(fault)?.manifests)
}
