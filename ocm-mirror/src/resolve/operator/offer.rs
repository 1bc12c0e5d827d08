//! Catalogs that are offered without the bundles that cannot be had.
//!
//! ```text
//! resolve ──► prepare ──► execute
//!    │           │           │         what cannot be had, as far as it is known by then
//!    └───────────┴───────────┴───────► leave out: the catalog is built anew, without what needs it
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use ocm_catalog::{Catalog as Listing, Reduced};
use ocm_oci::{Digest, Platform, PlatformFilter, Tag, TagOrDigest};
use serde::{Deserialize, Serialize};

use super::unusable;
use crate::{
    Archived, Base, Built, CatalogImage, Code, ContentStore, Failure, Group, Kind, Location, Lost,
    Notice, Resolved, Side, WishId, Wishes, Workshop,
    rebuild::{from_files, upon},
};

/// Most bundles that are named one by one.
const MOST_NAMED: usize = 20;
/// Name of the record in which an archive says what its catalogs were left without.
const RECORD: &str = "incomplete-catalogs.json";

/// What becomes of a catalog some of whose bundles cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Incomplete {
    /// It is not offered, and the one that was there before stays.
    #[default]
    Withheld,
    /// It is offered without them, as far as OLM accepts what remains.
    Offered,
}

/// A bundle, by its package and name.
pub(super) type BundleName = (String, String);

/// The bundles of a catalog.
#[derive(Debug, Clone, Default)]
pub(super) struct Bundles {
    /// The images of each.
    pub(super) images: BTreeMap<BundleName, BTreeSet<WishId>>,
    /// Those that cannot be mirrored, as is known without asking for them, and why.
    pub(super) broken: BTreeMap<BundleName, Reason>,
}

/// Why a bundle is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reason {
    /// The image that cannot be had, or the bundle, as written.
    pub(super) image: String,
    /// Why not.
    pub(super) cause: String,
}

/// A bundle that a catalog goes without, as an archive's record has it.
#[derive(Debug, Serialize, Deserialize)]
struct LeftOut {
    package: String,
    bundle: String,
    #[serde(flatten)]
    reason: Reason,
}

/// What archives say of their catalogs, by the origin of each.
type Record = BTreeMap<String, Vec<LeftOut>>;

/// What a catalog is built upon.
#[derive(Debug, Clone)]
pub(super) struct Foundation {
    /// Where that is, or would be.
    pub(super) location: Location,
    pub(super) ground: Ground,
    /// Whether its image brings the program that serves it.
    pub(super) has_program: bool,
}

/// What is there before a catalog is built.
#[derive(Debug, Clone)]
pub(super) enum Ground {
    /// An image, in which the files of a catalog are in that directory, if it has any.
    Image { base: Base, directory: String },
    /// Nothing: the files are all that will be in it, for each of these platforms.
    Nothing { platforms: Vec<Platform> },
}

/// A catalog that goes without the bundles that cannot be had, and what it takes to build it anew.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(super) origin: String,
    pub(super) wish: WishId,
    /// Its place among the catalogs that are decided.
    pub(super) place: usize,
    pub(super) listing: Listing,
    pub(super) foundation: Foundation,
    pub(super) bundles: Bundles,
    /// Whether its tag is made of its digest.
    pub(super) is_called_by_digest: bool,
}

impl Reason {
    pub(super) fn of(image: &str, failure: &Failure) -> Self {
        let cause = failure.chain.last().cloned().unwrap_or_default();
        Self { image: image.to_owned(), cause }
    }
}

impl Bundles {
    /// Returns all images that are wished for.
    pub(super) fn needs(&self) -> BTreeSet<WishId> {
        self.images.values().flatten().copied().collect()
    }

    /// Returns which of them cannot be had, and why.
    fn missing(
        &self,
        lost: &BTreeMap<WishId, Failure>,
        wishes: &Wishes,
    ) -> BTreeMap<BundleName, Reason> {
        let mut missing = self.broken.clone();
        for (bundle, images) in &self.images {
            let mut lost = images.iter().filter_map(|id| Some((*id, lost.get(id)?)));
            // What is lost for the sake of another says nothing by itself.
            let why = lost.clone().find(|(_, why)| why.code != Code::Needs).or_else(|| lost.next());
            let Some((id, why)) = why else { continue };
            let origin = wishes.get(id).map_or("", |wanted| wanted.origin.as_str());
            missing.entry(bundle.clone()).or_insert_with(|| Reason::of(origin, why));
        }
        missing
    }
}

impl Foundation {
    /// Takes what the image of a catalog is made of, for some platforms.
    pub(super) fn of(image: &CatalogImage, platforms: &PlatformFilter, location: Location) -> Self {
        let base = Base { platforms: platforms.clone(), ..image.base() };
        let directory = image.directory().to_owned();
        Self { location, ground: Ground::Image { base, directory }, has_program: true }
    }

    /// Builds the image of a catalog; returns it, and its digest.
    pub(super) async fn build(
        &self,
        listing: &Listing,
        store: &ContentStore,
    ) -> Result<(Built, Digest), Failure> {
        let files = listing.render().map(|file| (file.path, file.bytes.into())).collect();
        let built = match &self.ground {
            Ground::Image { base, directory } => upon((base, directory), &files, store).await,
            Ground::Nothing { platforms } => from_files(platforms, &files, store).await,
        };
        let built = built.map_err(|error| unusable(&error))?;
        let root = built.root().map(|root| root.descriptor().digest.clone());
        let root = root.ok_or_else(|| {
            let what = "nothing was built of the catalog".to_owned();
            Failure::without(Code::Catalog, Side::Source, what)
        })?;
        Ok((built, root))
    }

    /// Puts what was built where it can be copied from.
    pub(super) fn shelve(&self, built: &Built, workshop: &mut Workshop) -> Location {
        let base = match &self.ground {
            Ground::Image { base, .. } => Some(Arc::clone(&base.source)),
            Ground::Nothing { .. } => None,
        };
        workshop.shelve(&self.location.repository, built, base)
    }
}

impl Offer {
    /// Takes bundles out of the catalog; returns what is to be told of it.
    fn reduce(&mut self, missing: &BTreeMap<BundleName, Reason>) -> Vec<Notice> {
        let Reduced { catalog, dropped, unmet } =
            self.listing.without(&missing.keys().cloned().collect());
        let named = missing.iter().take(MOST_NAMED).map(|((package, bundle), reason)| {
            let Reason { image, cause } = reason;
            format!("left out: bundle `{bundle}` of package `{package}`: {image}: {cause}")
        });
        let more = missing.len().saturating_sub(MOST_NAMED);
        let more = (more > 0).then(|| format!("left out: {more} more bundles"));
        let dropped = dropped.iter().map(|dropped| format!("left out: {dropped}"));
        let unmet = unmet.iter().map(|unmet| format!("{unmet}, which is left out"));
        let text = named.chain(more).chain(dropped).chain(unmet);
        let group = Group::Operator;
        let notice = |text| Notice { group, text: format!("{}: {text}", self.origin), hint: None };
        let notices = text.map(notice).collect();
        let left = |(package, bundle): &BundleName| {
            let package = catalog.packages().get(package);
            package.is_some_and(|package| package.bundles().contains_key(bundle))
        };
        self.bundles.images.retain(|name, _| left(name));
        self.bundles.broken.clear();
        self.listing = catalog;
        notices
    }

    fn has_bundles(&self) -> bool {
        self.listing.packages().values().any(|package| !package.bundles().is_empty())
    }
}

impl Resolved {
    /// Whether catalogs are offered without the bundles that cannot be had.
    pub fn offers_incomplete(&self) -> bool {
        !self.offers.is_empty()
    }

    /// Takes every bundle out of its catalog of which an image is among `lost`, where catalogs are
    /// offered without such, and builds these anew; what is lost is not asked for again.
    ///
    /// Returns what is to be told: nothing, where no catalog has changed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future can leave catalogs that are built and not offered.
    pub async fn leave_out(
        &mut self,
        lost: &BTreeMap<WishId, Failure>,
        working_dir: &Path,
    ) -> Vec<Notice> {
        let (mut notices, mut kept) = (Vec::new(), Vec::new());
        self.given_up.extend(lost.iter().map(|(id, why)| (*id, why.clone())));
        for mut offer in std::mem::take(&mut self.offers) {
            let missing = offer.bundles.missing(lost, &self.wishes);
            if missing.is_empty() {
                kept.push(offer);
                continue;
            }
            self.given_up.remove(&offer.wish);
            notices.extend(offer.reduce(&missing));
            match self.replace(&mut offer, working_dir).await {
                Ok(()) => {
                    self.note(&offer.origin, missing);
                    kept.push(offer);
                }
                Err(failure) => {
                    self.given_up.insert(offer.wish, failure.of(&offer.origin));
                }
            }
        }
        self.offers = kept;
        notices
    }

    /// Puts a catalog that was reduced in the place of what it was.
    async fn replace(&mut self, offer: &mut Offer, working_dir: &Path) -> Result<(), Failure> {
        if !offer.has_bundles() {
            let what = "nothing of it can be offered without the bundles that cannot be had";
            return Err(Failure::without(Code::Needs, Side::Source, what.to_owned()));
        }
        let workshop = self.workshop(working_dir).await?;
        let (built, root) = offer.foundation.build(&offer.listing, workshop.store()).await?;
        let from = offer.foundation.shelve(&built, workshop);
        let needs = offer.bundles.needs();
        let Some(wanted) = self.wishes.get_mut(offer.wish) else { return Ok(()) };
        (wanted.from, wanted.reference) = (from, TagOrDigest::Digest(root.clone()));
        wanted.needs.retain(|need| needs.contains(need));
        if offer.is_called_by_digest {
            wanted.tag = Tag::of_digest(&root);
            if let Some(decided) = self.decided.catalogs.get_mut(offer.place) {
                decided.destination.tag = wanted.tag.clone();
            }
        }
        Ok(())
    }

    /// Writes down for the far side of an archive what a catalog goes without.
    fn note(&mut self, origin: &str, missing: BTreeMap<BundleName, Reason>) {
        let records = &mut self.decided.records;
        let record = records.get(RECORD).and_then(|bytes| serde_json::from_slice(bytes).ok());
        let mut record: Record = record.unwrap_or_default();
        let left_out = missing.into_iter();
        let left_out =
            left_out.map(|((package, bundle), reason)| LeftOut { package, bundle, reason });
        record.entry(origin.to_owned()).or_default().extend(left_out);
        // Nothing in a record of texts cannot be written.
        let bytes = serde_json::to_vec(&record).unwrap_or_default();
        records.insert(RECORD.to_owned(), bytes.into());
    }
}

/// Returns what an archive's catalog goes without, as it was decided when the archive was made.
pub(super) async fn left_out(archived: &Archived, origin: &str) -> Result<Vec<Lost>, Failure> {
    let record = archived.record(RECORD).await;
    let record = record.map_err(|error| Failure::at(Side::Source, &error))?;
    let Some(record) = record else { return Ok(Vec::new()) };
    let record = serde_json::from_slice::<Record>(&record);
    let mut record = record.map_err(|error| Failure::new(Code::Archive, Side::Source, &error))?;
    let left_out = record.remove(origin).unwrap_or_default().into_iter();
    let lost = |LeftOut { package, bundle, reason: Reason { image, cause } }| {
        let what = format!(
            "the archive's catalog was left without bundle `{bundle}` of package `{package}`"
        );
        let mut failure = Failure::without(Code::Archive, Side::Source, what).of(&image);
        failure.chain.push(cause);
        Lost { kind: Kind::Bundle, failure }
    };
    Ok(left_out.map(lost).collect())
}
