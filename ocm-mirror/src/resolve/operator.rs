//! Operators: from a catalog and a selection to a smaller catalog, and every image that it needs.
//!
//! ```text
//! catalog image ─layers─► files ─read─► objects ─filter─► smaller catalog ─┬─► images of bundles
//!                                                                          └─► rebuilt image
//! ```

use std::collections::BTreeSet;

use ocm_catalog::{BundleImages, Catalog as Listing, ImageKind, Selection};
use ocm_config::{Catalog, Package, WantedCatalog};
use ocm_oci::{Digest, ImageRef, PlatformFilter, Reference, RepoName, Tag, TagOrDigest};
use ocm_resources::SourceName;

use super::{DecidedCatalog, Gathered, Notice, Resolving, Upstream, explained};
use crate::{
    Built, CatalogImage, CatalogImageError, Code, Destination, Failure, Group, Kind, LayersError,
    Location, Place, Side, Wanted, WishId,
};

mod carried;
mod contents;
mod dependencies;
mod offer;
mod open;
mod read;
mod selection;

use contents::Contents;
pub use offer::Incomplete;
pub(crate) use offer::Offer;
use offer::{Bundles, Foundation, Reason};
pub use open::CatalogReader;
use open::Opened;
use read::{Found, read_catalog};
pub use selection::{OperatorRules, catalog_selection};

/// A catalog as it will be at the destination.
#[derive(Debug)]
struct Shaped {
    contents: Contents,
    /// Where its image is read.
    from: Location,
    root: Digest,
    foundation: Foundation,
}

/// A catalog that is being looked at.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    written: &'a str,
    wanted: &'a WantedCatalog,
}

impl Gathered<'_> {
    /// Adds every catalog that is wanted, and every image that it needs. What is wrong with one of
    /// them harms no other.
    pub(super) async fn operators(&mut self, resolving: &Resolving<'_>) {
        for catalog in &resolving.image_set.mirror.operators {
            if let Err(failure) = self.catalog(catalog, resolving).await {
                self.lose(Kind::Catalog, &catalog.written, failure);
                self.carried(catalog, resolving.upstream);
            }
        }
    }

    async fn catalog(
        &mut self,
        catalog: &Catalog,
        resolving: &Resolving<'_>,
    ) -> Result<(), Failure> {
        let wanted = catalog.wanted.as_ref().map_err(|faults| {
            let hint = faults.iter().find_map(ocm_config::CatalogFault::hint);
            explained(faults, hint)
        })?;
        let asked = Asked { written: &catalog.written, wanted };
        let selection = catalog_selection(wanted, resolving.operators)?;
        // Before it is read: what was blocked is in no archive either. One that is named by its
        // digest alone is not called by that of what will be built, which no pattern can know.
        let digest = match &wanted.reference {
            Reference::Image(image) => image.digest().cloned(),
            Reference::Layout(layout) => layout.digest.clone(),
        };
        let named = digest.unwrap_or_else(|| Digest::of(asked.written.as_bytes()));
        let destination = self.catalog_destination(asked, &named)?;
        if self.is_blocked(asked.written, &destination) {
            return Ok(());
        }
        let source_name = wanted.source_name.as_deref().map(str::parse::<SourceName>);
        let source_name =
            source_name.transpose().map_err(|error| explained(&error, error.hint()))?;
        let shaped = match resolving.upstream {
            Upstream::Archive(archived) => {
                let left_out = offer::left_out(archived, asked.written).await?;
                self.resolved.lost.extend(left_out);
                self.archived(asked, resolving).await?
            }
            Upstream::Origins(_) => self.shaped(asked, selection, resolving).await?,
        };
        let destination = self.catalog_destination(asked, &shaped.root)?;
        let bundles = self.bundles(asked, &shaped.contents, resolving)?;
        let wish = self.wish(Wanted {
            origin: asked.written.to_owned(),
            from: shaped.from.clone(),
            reference: TagOrDigest::Digest(shaped.root.clone()),
            platforms: wanted.platforms.clone(),
            repository: destination.repository.clone(),
            tag: destination.tag.clone(),
            kind: Kind::Catalog,
            needs: self.waited_for(&bundles, resolving.operators),
        });
        if resolving.operators.incomplete == Incomplete::Offered {
            self.offer(asked, (wish, bundles), shaped);
        }
        self.resolved.decided.catalogs.push(DecidedCatalog {
            origin: asked.written.to_owned(),
            reference: wanted.reference.clone(),
            destination,
            source_template: wanted.source_template.clone(),
            source_name,
        });
        Ok(())
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
    fn offer(&mut self, asked: Asked<'_>, (wish, bundles): (WishId, Bundles), shaped: Shaped) {
        let Shaped { contents: Contents::Whole(listing), foundation, .. } = shaped else { return };
        let is_tagged = match &asked.wanted.reference {
            Reference::Image(image) => image.tag().is_some(),
            Reference::Layout(_) => true,
        };
        self.resolved.offers.push(Offer {
            origin: asked.written.to_owned(),
            wish,
            place: self.resolved.decided.catalogs.len(),
            listing,
            foundation,
            bundles,
            is_called_by_digest: asked.wanted.target_tag.is_none() && !is_tagged,
        });
    }

    /// Reads a catalog that an archive has, as it was selected when the archive was made.
    async fn archived(
        &mut self,
        asked: Asked<'_>,
        resolving: &Resolving<'_>,
    ) -> Result<Shaped, Failure> {
        let reader = CatalogReader::of(resolving);
        let opened = reader.open(asked.written, &asked.wanted.reference).await?;
        let Opened { location: from, files, .. } = opened;
        let root = files.root().descriptor().digest.clone();
        let image = CatalogImage::open(files).await.map_err(|error| no_catalog(&error))?;
        let contents = Contents::read(&image, resolving.operators).await?;
        let absent = |package: &&Package| !contents.has_package(&package.name);
        for package in asked.wanted.packages.iter().filter(absent) {
            let what = format!("the archive's catalog has no package `{}`", package.name);
            if resolving.operators.allow_missing {
                let text = format!("{}: {what}", asked.written);
                self.notice_once(Notice { group: Group::Operator, text, hint: None });
            } else {
                let failure = Failure::without(Code::Archive, Side::Source, what);
                let failure = failure.with_hint(
                    "mirror to disk again with this configuration, and carry that archive over",
                );
                self.lose(Kind::Catalog, asked.written, failure);
            }
        }
        let (location, source) = (from.clone(), resolving.source(&from)?);
        let foundation = Foundation { image, location, source };
        Ok(Shaped { contents, from, root, foundation })
    }

    /// Reads a catalog where it is published, and makes of it what is wanted.
    async fn shaped(
        &mut self,
        asked: Asked<'_>,
        selection: Selection,
        resolving: &Resolving<'_>,
    ) -> Result<Shaped, Failure> {
        let reader = CatalogReader::of(resolving);
        let opened = reader.open(asked.written, &asked.wanted.reference).await?;
        let Opened { location, files, is_gathered } = opened;
        let store = self.workshop(resolving).await?.store().clone();
        let index = files.root().clone();
        // What lies on this machine crosses no network.
        let is_near = matches!(location.place, Place::Layout(_));
        let files = if is_near { files } else { files.kept_in(&store) };
        let image = CatalogImage::open(files).await.map_err(|error| no_catalog(&error))?;
        let source = resolving.source(&location)?;
        let foundation = Foundation { image: image.clone(), location, source };
        if selection.is_everything() {
            let contents = Contents::read(&image, resolving.operators).await?;
            let root = index.descriptor().digest.clone();
            let Foundation { location, source, .. } = foundation.clone();
            let mut from = location;
            if is_gathered {
                let workshop = self.workshop(resolving).await?;
                from = workshop.shelve(&from.repository, &Built::over(index), Some(source));
            }
            return Ok(Shaped { contents, from, root, foundation });
        }
        let found = read_catalog(&image, &selection).await?;
        let (selection, Found { catalog, ignored }) = match resolving.operators {
            OperatorRules { include_dependencies: true, .. } => {
                self.with_dependencies(asked, &image, (selection, found)).await?
            }
            _ => (selection, found),
        };
        self.tell_of(asked, "objects that nobody selected cannot be read", &ignored);
        let listing = self.filtered(asked, &catalog, &selection, resolving.operators)?;
        drop(catalog);
        let workshop = self.workshop(resolving).await?;
        let (from, root) = foundation.build(&listing, workshop).await?;
        Ok(Shaped { contents: Contents::Whole(listing), from, root, foundation })
    }

    /// Takes what is selected out of a catalog, and tells what is missing in it.
    fn filtered(
        &mut self,
        asked: Asked<'_>,
        catalog: &Listing,
        selection: &Selection,
        rules: OperatorRules,
    ) -> Result<Listing, Failure> {
        let filtered = catalog.filter(selection);
        let filtered = filtered.map_err(|errors| read::refused(&errors, asked.written))?;
        for missing in &filtered.missing {
            let failure = Failure::without(Code::Catalog, Side::Source, missing.to_string());
            let failure = Failure { hint: missing.hint(), ..failure };
            if rules.allow_missing {
                let text = format!("{}: {missing}", asked.written);
                let hint = failure.hint;
                self.notice_once(Notice { group: Group::Operator, text, hint });
            } else {
                self.lose(Kind::Catalog, asked.written, failure);
            }
        }
        for warning in &filtered.warnings {
            let text = format!("{}: {warning}", asked.written);
            self.notice_once(Notice { group: Group::Operator, text, hint: None });
        }
        if filtered.catalog.packages().is_empty() {
            let what = "nothing of the catalog is selected".to_owned();
            return Err(Failure::without(Code::Catalog, Side::Source, what));
        }
        Ok(filtered.catalog)
    }

    /// Tells of the first of some things that do no harm.
    fn tell_of(&mut self, asked: Asked<'_>, what: &str, things: &[String]) {
        if let Some(first) = things.first() {
            let others = things.len() - 1;
            let others = if others > 0 { format!("; and {others} more") } else { String::new() };
            let text = format!("{}: {what}: {first}{others}", asked.written);
            self.notice_once(Notice { group: Group::Operator, text, hint: None });
        }
    }

    /// Adds the images of all bundles, which the catalog must not be offered without.
    fn bundles(
        &mut self,
        asked: Asked<'_>,
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
        self.tell_of(asked, "there are names without an image, which are passed over", &unnamed);
        let Bundles { images, broken } = &bundles;
        if images.is_empty() && broken.is_empty() {
            let what = "what is selected of the catalog has no bundles".to_owned();
            return Err(Failure::without(Code::Catalog, Side::Source, what));
        }
        let first = broken.keys().next();
        let withheld = first.filter(|_| resolving.operators.incomplete == Incomplete::Withheld);
        if let Some((_, first)) = withheld {
            let more = broken.len() - 1;
            let more = if more > 0 { format!(" and {more} others") } else { String::new() };
            let what = format!("it offers bundle `{first}`{more}, whose images cannot be had");
            return Err(Failure::without(Code::Needs, Side::Source, what));
        }
        Ok(bundles)
    }

    /// Adds the images of a bundle, its own last, since that needs the others; returns all of
    /// them, since what was wished for before does not get more needs by being wished for again.
    fn bundle(
        &mut self,
        asked: Asked<'_>,
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
            let wish = self.operand(&image.reference, Kind::RelatedImage, (platforms, from));
            needs.extend(
                wish.map_err(|failure| (Some(image.reference.as_written().to_owned()), failure))?,
            );
        }
        let own = images.iter().find(|image| image.kind == ImageKind::Bundle);
        let Some(own) = own else { return Ok(needs) };
        let wish =
            self.operand_with(&own.reference, Kind::Bundle, (platforms, from), needs.clone());
        needs.extend(
            wish.map_err(|failure| (Some(own.reference.as_written().to_owned()), failure))?,
        );
        Ok(needs)
    }

    fn operand(
        &mut self,
        image: &ImageRef,
        kind: Kind,
        how: (&PlatformFilter, Upstream<'_>),
    ) -> Result<Option<WishId>, Failure> {
        self.operand_with(image, kind, how, BTreeSet::new())
    }

    /// Adds an image that a bundle names; `None` where a pattern blocks it.
    fn operand_with(
        &mut self,
        image: &ImageRef,
        kind: Kind,
        (platforms, from): (&PlatformFilter, Upstream<'_>),
        needs: BTreeSet<WishId>,
    ) -> Result<Option<WishId>, Failure> {
        let Wanted { repository, tag, .. } = Wanted::image(image);
        let destination = Destination { repository: self.placed(&repository), tag };
        let written = image.as_written();
        if self.is_blocked(written, &destination) {
            return Ok(None);
        }
        let (from, reference) = from.find(written, &Reference::Image(image.clone()))?;
        Ok(Some(self.wish(Wanted {
            origin: written.to_owned(),
            from,
            reference,
            platforms: platforms.clone(),
            repository: destination.repository,
            tag: destination.tag,
            kind,
            needs,
        })))
    }

    /// Says where a catalog goes. One that is named by its digest alone is called by that of the
    /// image at the destination, which may be another.
    fn catalog_destination(&self, asked: Asked<'_>, root: &Digest) -> Result<Destination, Failure> {
        let WantedCatalog { reference, target_catalog, target_tag, .. } = asked.wanted;
        let path: RepoName = match (target_catalog, reference) {
            (Some(path), _) => path.clone(),
            (None, Reference::Image(image)) => image.path().clone(),
            (None, Reference::Layout(layout)) => {
                let name = layout.directory.file_name().unwrap_or_default().to_string_lossy();
                let hint = "name a repository with `targetCatalog`".to_owned();
                name.parse().map_err(|error| explained(&error, Some(hint)))?
            }
        };
        let tag = match (target_tag, reference) {
            (Some(tag), _) => tag.clone(),
            (None, Reference::Layout(_)) => Tag::latest(),
            (None, Reference::Image(image)) => match image.tag() {
                Some(tag) => tag.clone(),
                None => Tag::of_digest(root),
            },
        };
        Ok(Destination { repository: self.placed(&path), tag })
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
