//! Catalogs that are directories with files on this machine: an image is built of them.
//!
//! ```text
//! dir:// ─► files ─read─► objects ─filter─► smaller catalog ─┬─► upon `opm`, which serves it
//!                                                            └─► upon nothing: the cluster does
//! ```

use std::{path::Path, sync::Arc};

use ocm_catalog::{Catalog as Listing, validate};
use ocm_oci::{DirectoryRef, ImageRef, Platform, PlatformFilter, Reference};
use tokio::task::spawn_blocking;

use super::{
    Contents, Foundation, Resolving, catalog_path,
    offer::Ground,
    read::Files,
    reading::{Read, Reading},
    unread, unusable,
};
use crate::{
    Base, CatalogFiles, Code, ContentStore, Failure, ImageFiles, Layouts, Location, Place, Side,
    rebuild::CONFIGS,
};

/// What clusters run on: there is an image for each, which differ in nothing else.
const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "ppc64le", "s390x"];

impl Files {
    /// Finds the files of a catalog on this machine.
    pub(super) async fn find(
        layouts: &Layouts,
        DirectoryRef { directory, .. }: &DirectoryRef,
    ) -> Result<Self, Failure> {
        let path = layouts.beside(directory);
        let found = spawn_blocking(move || CatalogFiles::find(&path)).await;
        let found = found.map_err(|error| unusable(&error))?;
        Ok(Self::Directory(Arc::new(found.map_err(|error| unusable(&error))?)))
    }
}

impl Reading<'_, '_> {
    /// Reads a catalog that is a directory, and builds an image of what is wanted of it.
    pub(super) async fn directory(
        &mut self,
        (layouts, directory): (&Layouts, &DirectoryRef),
        store: &ContentStore,
    ) -> Result<Read, Failure> {
        let Self { asked, resolving, .. } = *self;
        let files = Files::find(layouts, directory).await?;
        let listing = self.selected(&files).await?;
        if asked.selection.is_everything() {
            check(&listing, &directory.directory)?;
        }
        let foundation = match resolving.catalog_base {
            Some(image) => foundation(image, &asked.wanted.platforms, resolving, store).await?,
            None => self.nothing()?,
        };
        let (built, root) = foundation.build(&listing, store).await?;
        Ok((Contents::Whole(listing), Some(built), root, foundation))
    }

    /// Tells that there will be no program that serves the catalog.
    fn nothing(&mut self) -> Result<Foundation, Failure> {
        let what = "its image has no program that serves it; OLM v1 brings one, as does OLM v0 \
                    since summer 2025";
        let hint = "`--catalog-base-image` builds it upon an image that has one";
        self.notice(&what, Some(hint.to_owned()));
        let wanted = self.asked.wanted;
        let location = Location { place: Place::Built, repository: catalog_path(wanted)? };
        let ground = Ground::Nothing { platforms: platforms(&wanted.platforms) };
        Ok(Foundation { location, ground, has_program: false })
    }
}

/// Opens the image that catalogs are built upon.
async fn foundation(
    image: &ImageRef,
    platforms: &PlatformFilter,
    resolving: &Resolving<'_>,
    store: &ContentStore,
) -> Result<Foundation, Failure> {
    let written = image.as_written();
    let reference = Reference::Image(image.clone());
    let (location, reference) = resolving.upstream.find(written, &reference)?;
    let source = resolving.source(&location)?;
    let files = ImageFiles::open(source, &reference, resolving.retry).await;
    let files = files.map_err(|error| unread(&error))?.kept_in(store);
    let configuration = files.configuration().await.map_err(|error| unread(&error))?;
    if configuration.entrypoint.is_empty() {
        let what = format!("`{written}` has no program that could serve a catalog");
        let failure = Failure::without(Code::Catalog, Side::Source, what);
        return Err(failure.with_hint("name an image of `opm` with `--catalog-base-image`"));
    }
    let base = Base { platforms: platforms.clone(), ..files.base() };
    let ground = Ground::Image { base, directory: CONFIGS.to_owned() };
    Ok(Foundation { location, ground, has_program: true })
}

/// Returns what the image is built for.
fn platforms(wanted: &PlatformFilter) -> Vec<Platform> {
    match wanted {
        PlatformFilter::All => ARCHITECTURES.map(|arch| Platform::new("linux", arch)).to_vec(),
        PlatformFilter::Only(platforms) => platforms.iter().cloned().collect(),
    }
}

/// Refuses what OLM would: nobody has published it yet.
fn check(listing: &Listing, directory: &Path) -> Result<(), Failure> {
    let refused = validate(listing).into_iter().filter(|defect| defect.flaw.is_refused());
    let refused: Vec<_> = refused.map(|defect| unusable(&defect).chain.join(": ")).collect();
    if refused.is_empty() {
        return Ok(());
    }
    let what = format!("the files in `{}` are no catalog that OLM accepts", directory.display());
    let mut failure = Failure::without(Code::Catalog, Side::Source, what);
    failure.chain.extend(refused);
    Err(failure)
}
