//! Which images a configuration means: what decides that is read here, and nothing else.
//!
//! ```text
//! ImageSet ──► releases ──► operators ──► additional images ──► Resolved: wishes, what is lost,
//!              graphs,      catalogs      pure                  what to tell people, and what the
//!              payloads                                         far side of an archive will need
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::Path,
    sync::Arc,
};

use ocm_config::ImageSet;
use ocm_oci::{Digest, ImageRef, PlatformFilter, Reference, RepoName, Tag, TagOrDigest};
use ocm_transport::{Kind as Cause, Source};

use crate::{
    Archived, ArchivedAttachments, Code, Destination, DestinationRules, Failure, Kind, Layouts,
    Location, Lost, Place, Places, RetryPolicy, Side, Wanted, WishId, Wishes, retry::Patience,
    signature,
};

mod additional;
mod decided;
mod graph_data;
mod operator;
mod release;
mod update_graph;
mod workshop;

pub use additional::additional_images;
pub use decided::{Decided, DecidedCatalog, DecidedRelease, Notice};
pub use graph_data::{GraphDataOrigin, GraphDataOriginError};
use operator::Offer;
pub use operator::{CatalogReader, Incomplete, OperatorRules, catalog_selection};
pub use release::{AtHand, ReleaseTrust, Releasing};
pub use update_graph::{GraphBase, GraphImage};
pub use workshop::Workshop;

/// What is to be resolved, and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct Resolving<'a> {
    /// The configuration.
    pub image_set: &'a ImageSet,
    /// How images are named at the destination; `None` for an archive, which has neither host nor
    /// namespace.
    pub rules: Option<&'a DestinationRules>,
    /// Where images are read.
    pub upstream: Upstream<'a>,
    /// Those places, opened.
    pub places: &'a Places,
    /// How releases are found.
    pub releasing: &'a Releasing<'a>,
    /// How the image of the update graph is built.
    pub graph_image: &'a GraphImage,
    /// What is made of selections of operators that are not to the letter.
    pub operators: OperatorRules,
    /// What catalogs are built upon that are directories with files; nothing, if nothing is said.
    pub catalog_base: Option<&'a ImageRef>,
    /// Working directory in which graphs and signatures are kept for people to look at.
    pub working_dir: &'a Path,
    /// How often a request is tried.
    pub retry: RetryPolicy,
}

impl Resolving<'_> {
    /// Opens a location for reading.
    fn source(&self, at: &Location) -> Result<Arc<dyn Source>, Failure> {
        self.places.open(at)
    }

    /// Asks what `reference` means now.
    async fn head(&self, at: &Location, reference: &TagOrDigest) -> Result<Digest, Failure> {
        let source = self.source(at)?;
        let found = Patience::new(self.retry).run(|| source.head(reference)).await;
        let found = found.map_err(|error| Failure::at(Side::Source, &error))?;
        found.map(|found| found.digest).ok_or_else(|| {
            let what = format!("there is no `{reference}` in {at}");
            Failure::without(Code::Transport(Cause::NotFound), Side::Source, what)
        })
    }
}

/// Finds out which images a configuration means.
///
/// # Cancel safety
///
/// Dropping the future stops asking.
pub async fn resolve(resolving: Resolving<'_>) -> Resolved {
    let mut gathered = Gathered::new(resolving.image_set, resolving.rules);
    gathered.releases(&resolving).await;
    gathered.update_graph(&resolving).await;
    gathered.operators(&resolving).await;
    gathered.additional_images(resolving.upstream);
    let mut resolved = gathered.resolved;
    resolved.attachments = resolving.upstream.attachments();
    let left_out = resolved.leave_out(&BTreeMap::new(), resolving.working_dir).await;
    resolved.notices.extend(left_out);
    resolved
}

/// What a configuration amounts to: what is wanted, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// What is wanted, in the order of the configuration.
    pub wishes: Wishes,
    /// What is named in a way that has no meaning, or is not in the archive.
    pub lost: Vec<Lost>,
    /// Origins that a pattern of `blockedImages` matches, in order.
    pub blocked: Vec<String>,
    /// What people should know, in the order of the configuration.
    pub notices: Vec<Notice>,
    /// Images that are of no use to a cluster without a signature beside them.
    pub need_signature: BTreeSet<WishId>,
    /// What an archive holds of what is said about images; `None` where places are asked.
    pub attachments: Option<ArchivedAttachments>,
    /// What is needed of all this when the images are there.
    pub decided: Decided,
    /// What was built, if anything was: [`Place::Built`], as long as it lives.
    pub workshop: Option<Workshop>,
    /// Wishes that are known not to be met.
    pub given_up: BTreeMap<WishId, Failure>,
    /// Catalogs that are offered without the bundles that cannot be had.
    offers: Vec<Offer>,
}

impl Resolved {
    /// Returns where images are built.
    async fn workshop(&mut self, working_dir: &Path) -> Result<&mut Workshop, Failure> {
        let workshop = match self.workshop.take() {
            Some(workshop) => workshop,
            None => Workshop::create(working_dir)
                .await
                .map_err(|error| Failure::new(Code::Workspace, Side::Source, &error))?,
        };
        Ok(self.workshop.insert(workshop))
    }
}

/// Where the images of a configuration are read.
#[derive(Debug, Clone, Copy)]
pub enum Upstream<'a> {
    /// Where their references say, these directories among them.
    Origins(&'a Layouts),
    /// In an archive, by what they are called in the configuration.
    Archive(&'a Archived),
}

impl Upstream<'_> {
    /// Returns what is said about its images, where that is known without asking.
    fn attachments(self) -> Option<ArchivedAttachments> {
        match self {
            Self::Archive(archived) => Some(archived.attachments()),
            Self::Origins(_) => None,
        }
    }

    /// Returns where an image is read that is asked for as `origin`, which means `reference`. A
    /// tag beside a digest is only a name.
    fn find(self, origin: &str, reference: &Reference) -> Result<(Location, TagOrDigest), Failure> {
        match (self, reference) {
            (Self::Archive(archived), _) => archived.find(origin),
            (Self::Origins(layouts), Reference::Layout(layout)) => layouts.find(layout),
            (Self::Origins(_), Reference::Directory(directory)) => {
                let what = format!("`{}` is a directory of files, no image", directory.written);
                Err(Failure::without(Code::Reference, Side::Source, what))
            }
            (Self::Origins(_), Reference::Image(image)) => {
                let place = Place::Registry(image.host().clone());
                Ok((Location { place, repository: image.repository().clone() }, image.selector()))
            }
        }
    }
}

/// An image that another one leads to, and that is mirrored with it.
#[derive(Debug, Clone)]
struct Part<'a> {
    image: &'a ImageRef,
    kind: Kind,
    platforms: &'a PlatformFilter,
    destination: Destination,
    needs: BTreeSet<WishId>,
}

/// What has been found out so far.
#[derive(Debug)]
struct Gathered<'a> {
    image_set: &'a ImageSet,
    rules: Option<&'a DestinationRules>,
    resolved: Resolved,
    /// Whether payloads must have the signature that nodes ask for.
    sigstore: signature::Policy,
    /// Wishes by what tells them apart.
    known: BTreeMap<(String, RepoName, Tag, PlatformFilter), WishId>,
    /// What has been given up, and why.
    told: BTreeSet<(String, Vec<String>)>,
}

impl<'a> Gathered<'a> {
    fn new(image_set: &'a ImageSet, rules: Option<&'a DestinationRules>) -> Self {
        let (resolved, sigstore, known, told) = Default::default();
        Self { image_set, rules, resolved, sigstore, known, told }
    }

    /// Adds a wish; the same once more is the one that is there.
    fn wish(&mut self, wanted: Wanted) -> WishId {
        let Wanted { origin, repository, tag, platforms, .. } = &wanted;
        let key = (origin.clone(), repository.clone(), tag.clone(), platforms.clone());
        let wishes = &mut self.resolved.wishes;
        *self.known.entry(key).or_insert_with(|| wishes.add(wanted))
    }

    /// Adds a part of something; `None` where a pattern blocks it.
    fn part(&mut self, part: Part<'_>, from: Upstream<'_>) -> Result<Option<WishId>, Failure> {
        let Part { image, kind, platforms, destination, needs } = part;
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

    /// Gives up what is asked for as `origin`; the same once more is said once.
    fn lose(&mut self, kind: Kind, origin: &str, failure: Failure) {
        if self.told.insert((origin.to_owned(), failure.chain.clone())) {
            self.resolved.lost.push(Lost { kind, failure: failure.of(origin) });
        }
    }

    /// Returns the repository that stands for `path` at the destination.
    fn placed(&self, path: &RepoName) -> RepoName {
        self.rules.map_or_else(|| path.clone(), |rules| rules.repository(path))
    }

    /// Returns where images are built.
    async fn workshop(&mut self, resolving: &Resolving<'_>) -> Result<&mut Workshop, Failure> {
        self.resolved.workshop(resolving.working_dir).await
    }

    /// Tells people something; the same once more is said once.
    fn notice_once(&mut self, notice: Notice) {
        if !self.resolved.notices.contains(&notice) {
            self.resolved.notices.push(notice);
        }
    }

    /// Whether a pattern matches the image's origin or its destination, both without transport;
    /// if so, it is written down.
    fn is_blocked(&mut self, origin: &str, Destination { repository, tag }: &Destination) -> bool {
        let name = origin.split_once("://").map_or(origin, |(_, name)| name);
        let destination = match self.rules {
            Some(rules) => format!("{}/{repository}:{tag}", rules.host()),
            None => format!("{repository}:{tag}"),
        };
        let mut patterns = self.image_set.mirror.blocked_images.iter();
        let is_blocked =
            patterns.any(|pattern| pattern.matches(name) || pattern.matches(&destination));
        if is_blocked {
            self.resolved.blocked.push(origin.to_owned());
        }
        is_blocked
    }
}

fn explained(error: &dyn Error, hint: Option<String>) -> Failure {
    let failure = Failure::new(Code::Reference, Side::Source, error);
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}
