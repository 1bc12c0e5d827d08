//! Operators: from a catalog and a selection to a smaller catalog, and every image that it needs.
//!
//! ```text
//! catalog image ─layers─► files ─read─► objects ─filter─► smaller catalog ─┬─► images of bundles
//! directory ──────────────► files                                ▲         └─► rebuilt image
//!                                                                └── without the bundles that cannot
//!                                                                    be had, if that is asked for
//! ```

use std::collections::BTreeSet;

use futures::{FutureExt as _, StreamExt as _, stream};
use ocm_catalog::{BundleImages, Catalog as Listing, ImageKind};
use ocm_config::{Catalog, WantedCatalog};
use ocm_oci::{
    Digest, DirectoryRef, ImageRef, LayoutRef, PlatformFilter, Reference, RepoName, Tag,
    TagOrDigest,
};
use ocm_resources::SourceName;

use super::{Gathered, Part, Resolving, Upstream, explained};
use crate::{
    CatalogImageError, Code, Destination, Failure, Kind, LayersError, Side, Wanted, WishId,
};

mod carried;
mod contents;
mod dependencies;
mod directory;
mod offer;
mod open;
mod read;
mod reading;
mod selection;

use contents::Contents;
pub use offer::Incomplete;
pub(crate) use offer::Offer;
use offer::{Bundles, Foundation, Reason};
pub use open::CatalogReader;
use reading::{Asked, Shaped, Told, first_of};
pub use selection::{OperatorRules, catalog_selection};

/// How many catalogs are read at once: enough that networks and processors do not wait for one
/// another, and no more than is kept in memory of so many.
const AT_ONCE: usize = 3;

impl Gathered<'_> {
    /// Adds every catalog that is wanted, and every image that it needs. What is wrong with one of
    /// them harms no other.
    pub(super) async fn operators(&mut self, resolving: &Resolving<'_>) {
        let catalogs = &resolving.image_set.mirror.operators;
        let asked: Vec<_> =
            catalogs.iter().map(|catalog| (catalog, self.ask(catalog, resolving))).collect();
        let store = match (resolving.upstream, asked.is_empty()) {
            (Upstream::Origins(_), false) => {
                self.workshop(resolving).await.map(|workshop| Some(workshop.store().clone()))
            }
            _ => Ok(None),
        };
        let reading = asked.into_iter().map(|(catalog, asked)| {
            let store = store.clone();
            let decided = asked.as_ref().ok().and_then(Option::as_ref).and_then(Asked::decided);
            let read = async move {
                let read = match (asked, store) {
                    (Ok(None), _) => None,
                    (Ok(Some(asked)), Ok(store)) => Some(asked.read(resolving, store).await),
                    (Err(failure), _) | (_, Err(failure)) => Some((Told::default(), Err(failure))),
                };
                ((catalog, decided), read)
            };
            read.boxed()
        });
        let mut failed = Vec::new();
        // Whichever is read first, what is told and planned has the configuration's order.
        let mut reading = stream::iter(reading.collect::<Vec<_>>()).buffered(AT_ONCE);
        while let Some(((catalog, decided), read)) = reading.next().await {
            let Some((told, shaped)) = read else { continue };
            self.tell(&catalog.written, told);
            let gathered = shaped.and_then(|shaped| self.catalog(shaped, resolving));
            if let Err(failure) = gathered {
                self.lose(Kind::Catalog, &catalog.written, failure);
                failed.push(catalog);
                // That of an earlier run may be there.
                self.resolved.decided.catalogs.extend(decided);
            }
        }
        for catalog in failed {
            self.carried(catalog, resolving.upstream);
        }
    }

    /// Finds out what is to be read of a catalog; `None` where a pattern blocks it.
    fn ask<'a>(
        &mut self,
        catalog: &'a Catalog,
        resolving: &Resolving<'_>,
    ) -> Result<Option<Asked<'a>>, Failure> {
        let wanted = catalog.wanted.as_ref().map_err(|faults| {
            let hint = faults.iter().find_map(ocm_config::CatalogFault::hint);
            explained(faults, hint)
        })?;
        let written = &catalog.written;
        let selection = catalog_selection(wanted, resolving.operators)?;
        // Before it is read: what was blocked is in no archive either. One that is named by its
        // digest alone is not called by that of what will be built, which no pattern can know.
        let digest = match &wanted.reference {
            Reference::Image(image) => image.digest().cloned(),
            Reference::Layout(layout) => layout.digest.clone(),
            Reference::Directory(_) => None,
        };
        let named = digest.unwrap_or_else(|| Digest::of(written.as_bytes()));
        let destination = self.catalog_destination(wanted, &named)?;
        if self.is_blocked(written, &destination) {
            return Ok(None);
        }
        let source_name = wanted.source_name.as_deref().map(str::parse::<SourceName>);
        let source_name =
            source_name.transpose().map_err(|error| explained(&error, error.hint()))?;
        let is_image = !matches!(wanted.reference, Reference::Directory(_));
        let has_program = is_image || resolving.catalog_base.is_some();
        Ok(Some(Asked { written, wanted, selection, destination, source_name, has_program }))
    }

    /// Adds a catalog that was read, and all images that it needs.
    fn catalog(&mut self, shaped: Shaped<'_>, resolving: &Resolving<'_>) -> Result<(), Failure> {
        let Shaped { asked, contents, built, root, foundation } = shaped;
        let Asked { written, wanted, .. } = asked;
        let destination = self.catalog_destination(wanted, &root)?;
        let bundles = self.bundles(&asked, &contents, resolving)?;
        let from = match (built, &mut self.resolved.workshop) {
            (Some(built), Some(workshop)) => foundation.shelve(&built, workshop),
            _ => foundation.location.clone(),
        };
        let wish = self.wish(Wanted {
            origin: written.to_owned(),
            from,
            reference: TagOrDigest::Digest(root),
            platforms: wanted.platforms.clone(),
            repository: destination.repository.clone(),
            tag: destination.tag.clone(),
            kind: Kind::Catalog,
            needs: self.waited_for(&bundles, resolving.operators),
        });
        if let (Incomplete::Offered, Contents::Whole(listing)) =
            (resolving.operators.incomplete, contents)
        {
            self.offer(&asked, (wish, bundles), (listing, foundation));
        }
        self.resolved.decided.catalogs.push(asked.decided_as(destination));
        Ok(())
    }

    /// Tells what was found out while a catalog was read.
    fn tell(&mut self, written: &str, told: Told) {
        let Told { lost, left_out, notices } = told;
        self.resolved.lost.extend(left_out);
        for failure in lost {
            self.lose(Kind::Selection, written, failure);
        }
        for notice in notices {
            self.notice_once(notice);
        }
    }

    /// Returns what a catalog is not copied without. Where catalogs are offered without what cannot
    /// be had, an archive has them in any case: the far side offers what is there then.
    fn waited_for(&self, bundles: &Bundles, rules: OperatorRules) -> BTreeSet<WishId> {
        match (rules.incomplete, self.rules) {
            (Incomplete::Offered, None) => BTreeSet::new(),
            _ => bundles.needs(),
        }
    }

    /// Remembers a catalog that is offered without the bundles that cannot be had. It is the next
    /// that is decided.
    fn offer(
        &mut self,
        asked: &Asked<'_>,
        (wish, bundles): (WishId, Bundles),
        (listing, foundation): (Listing, Foundation),
    ) {
        self.resolved.offers.push(Offer {
            origin: asked.written.to_owned(),
            wish,
            place: self.resolved.decided.catalogs.len(),
            listing,
            foundation,
            bundles,
            is_called_by_digest: asked.is_called_by_digest(),
        });
    }

    /// Adds the images of all bundles, which the catalog must not be offered without.
    fn bundles(
        &mut self,
        asked: &Asked<'_>,
        contents: &Contents,
        resolving: &Resolving<'_>,
    ) -> Result<Bundles, Failure> {
        let (mut bundles, mut unnamed) = (Bundles::default(), Vec::new());
        for bundle in contents.images() {
            unnamed.extend(bundle.unnamed.first().map(|name| {
                let BundleImages { package, bundle, .. } = &bundle;
                format!("bundle `{bundle}` of package `{package}` lists no image for `{name}`")
            }));
            let name = (bundle.package.to_owned(), bundle.bundle.to_owned());
            match self.bundle(asked, &bundle, resolving.upstream) {
                Ok(wishes) => {
                    bundles.images.insert(name, wishes);
                }
                Err((image, failure)) => {
                    let image = image.unwrap_or_else(|| bundle.bundle.to_owned());
                    bundles.broken.insert(name, Reason::of(&image, &failure));
                    self.lose(Kind::Bundle, &image, failure);
                }
            }
        }
        let what = "there are names without an image, which are passed over";
        if let Some(notice) = first_of(asked.written, what, &unnamed) {
            self.notice_once(notice);
        }
        let Bundles { images, broken } = &bundles;
        if images.is_empty() && broken.is_empty() {
            let what = "what is selected of the catalog has no bundles".to_owned();
            return Err(Failure::without(Code::Catalog, Side::Source, what));
        }
        let first = broken.keys().next();
        let withheld = first.filter(|_| resolving.operators.incomplete == Incomplete::Withheld);
        if let Some((_, first)) = withheld {
            let more = match broken.len() - 1 {
                0 => String::new(),
                1 => " and 1 other".to_owned(),
                more => format!(" and {more} others"),
            };
            let what = format!("it offers bundle `{first}`{more}, whose images cannot be had");
            return Err(Failure::without(Code::Needs, Side::Source, what));
        }
        Ok(bundles)
    }

    /// Adds the images of a bundle, its own last, since that needs the others; returns all of
    /// them, since what was wished for before does not get more needs by being wished for again.
    fn bundle(
        &mut self,
        asked: &Asked<'_>,
        BundleImages { package, bundle, images, .. }: &BundleImages<'_>,
        from: Upstream<'_>,
    ) -> Result<BTreeSet<WishId>, (Option<String>, Failure)> {
        let images = images.as_ref().map_err(|error| {
            let mut failure = Failure::new(Code::Catalog, Side::Source, error);
            let what = format!("bundle `{bundle}` of package `{package}` cannot be mirrored");
            failure.chain.insert(0, what);
            (None, failure)
        })?;
        let platforms = &asked.wanted.platforms;
        let mut needs = BTreeSet::new();
        let related = images.iter().filter(|image| image.kind == ImageKind::Related);
        for image in related {
            let wish = self.operand(
                &image.reference,
                Kind::RelatedImage,
                (platforms, from),
                BTreeSet::new(),
            );
            needs.extend(
                wish.map_err(|failure| (Some(image.reference.as_written().to_owned()), failure))?,
            );
        }
        let own = images.iter().find(|image| image.kind == ImageKind::Bundle);
        let Some(own) = own else { return Ok(needs) };
        let wish = self.operand(&own.reference, Kind::Bundle, (platforms, from), needs.clone());
        needs.extend(
            wish.map_err(|failure| (Some(own.reference.as_written().to_owned()), failure))?,
        );
        Ok(needs)
    }

    /// Adds an image that a bundle names; `None` where a pattern blocks it.
    fn operand(
        &mut self,
        image: &ImageRef,
        kind: Kind,
        (platforms, from): (&PlatformFilter, Upstream<'_>),
        needs: BTreeSet<WishId>,
    ) -> Result<Option<WishId>, Failure> {
        let Wanted { repository, tag, .. } = Wanted::image(image);
        let destination = Destination { repository: self.placed(&repository), tag };
        self.part(Part { image, kind, platforms, destination, needs }, from)
    }

    /// Says where a catalog goes. One that is named by its digest alone is called by that of the
    /// image at the destination, which may be another.
    fn catalog_destination(
        &self,
        wanted: &WantedCatalog,
        root: &Digest,
    ) -> Result<Destination, Failure> {
        let WantedCatalog { reference, target_tag, .. } = wanted;
        let path = catalog_path(wanted)?;
        let tag = match (target_tag, reference) {
            (Some(tag), _) => tag.clone(),
            (None, Reference::Layout(_) | Reference::Directory(_)) => Tag::latest(),
            (None, Reference::Image(image)) => match image.tag() {
                Some(tag) => tag.clone(),
                None => Tag::of_digest(root),
            },
        };
        Ok(Destination { repository: self.placed(&path), tag })
    }
}

/// Returns the repository that a catalog goes to, below the namespace of the destination.
fn catalog_path(wanted: &WantedCatalog) -> Result<RepoName, Failure> {
    match (&wanted.target_catalog, &wanted.reference) {
        (Some(path), _) => Ok(path.clone()),
        (None, Reference::Image(image)) => Ok(image.path().clone()),
        (
            None,
            Reference::Layout(LayoutRef { directory, .. })
            | Reference::Directory(DirectoryRef { directory, .. }),
        ) => {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let hint = "name a repository with `targetCatalog`".to_owned();
            name.parse().map_err(|error| explained(&error, Some(hint)))
        }
    }
}

/// Tells why the files of an image cannot be read: what a place said, where it was that.
fn unread(error: &LayersError) -> Failure {
    match error {
        LayersError::Transport(error) => Failure::at(Side::Source, error),
        other => unusable(other),
    }
}

fn no_catalog(error: &CatalogImageError) -> Failure {
    match error {
        CatalogImageError::Layers(error) => unread(error),
        other => unusable(other),
    }
}

fn unusable(error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::Catalog, Side::Source, error)
}
