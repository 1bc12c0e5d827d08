use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, Reference, TagOrDigest};
use ocm_transport::{
    TransportError,
    archive::{ArchiveReader, Contents},
};

use crate::{Code, Failure, Image, ImageId, Kind, Location, Place, Plan, PlanError, Side};

/// Name of the record that holds the plan by which an archive was written.
const PLAN_RECORD: &str = "plan.json";

/// What helps where an archive lacks something.
const MIRROR_AGAIN: &str =
    "mirror to disk again with this configuration, and carry that archive over";

/// What an archive was written for, and what it lacks.
#[derive(Debug)]
pub struct Archived {
    plan: Plan,
    absent: BTreeSet<Digest>,
    reader: ArchiveReader,
    /// By what each reference means, so that `nginx:1` finds `docker.io/library/nginx:1`.
    origins: BTreeMap<String, ImageId>,
    /// By the same, those that could not be had.
    lost: BTreeMap<String, usize>,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchivedError {
    /// It was written by something else.
    #[error("archive has no record `{PLAN_RECORD}`")]
    NoPlan,
    /// The record cannot be read.
    #[error("could not read the plan in the archive")]
    Unreadable(#[from] TransportError),
    /// It holds no plan, or one that breaks the laws of plans.
    #[error("the plan in the archive makes no sense")]
    Plan(#[from] serde_json::Error),
}

/// Says what an archive of `plan` will hold: the plan itself, and `records` beside it.
///
/// # Errors
///
/// [`PlanError::Unwritable`], when the plan cannot be written as JSON.
pub fn contents(plan: &Plan, mut records: BTreeMap<String, Bytes>) -> Result<Contents, PlanError> {
    let json = serde_json::to_vec(plan)
        .map_err(|error| PlanError::Unwritable { reason: error.to_string() })?;
    records.insert(PLAN_RECORD.to_owned(), json.into());
    let manifests = plan.manifests_in_order().into_iter().map(|(digest, node)| Descriptor {
        media_type: node.media_type.clone(),
        digest: digest.clone(),
        size: node.size,
    });
    let blobs = plan.blobs_in_order().into_iter().map(|(digest, blob)| (digest.clone(), blob.size));
    let mut contents = Contents::new(plan.name().clone());
    contents.records = records;
    contents.manifests = manifests.collect();
    contents.blobs = blobs.collect();
    for (_, image) in plan.images() {
        for tag in &image.tags {
            let name = (image.repository.clone(), tag.clone());
            contents.names.insert(name, image.root.clone());
        }
    }
    Ok(contents)
}

impl Archived {
    /// Reads what `archive` was written for.
    ///
    /// # Errors
    ///
    /// [`ArchivedError`], when it holds no plan, or one that breaks the laws of plans.
    pub async fn read(archive: &ArchiveReader) -> Result<Self, ArchivedError> {
        let record = archive.record(PLAN_RECORD).await?.ok_or(ArchivedError::NoPlan)?;
        let plan: Plan = serde_json::from_slice(&record)?;
        let absent = archive.absent().cloned().collect();
        Ok(Self::new(plan, absent, archive.clone()))
    }

    fn new(plan: Plan, absent: BTreeSet<Digest>, reader: ArchiveReader) -> Self {
        let mut origins = BTreeMap::new();
        for (id, image) in plan.images() {
            for name in &image.names {
                origins.entry(meaning(&name.origin)).or_insert(id);
            }
        }
        let lost = plan.lost().iter().enumerate();
        // What a catalog does not have says nothing of the catalog's image.
        let lost = lost.filter(|(_, lost)| lost.kind != Kind::Selection);
        let lost = lost.map(|(nth, lost)| (meaning(&lost.failure.image), nth)).collect();
        Self { plan, absent, reader, origins, lost }
    }

    /// Returns the plan by which the archive was written.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Returns the image that was asked for as `origin`, or by another text of the same meaning.
    pub fn image(&self, origin: &str) -> Option<&Image> {
        self.plan.image(*self.origins.get(&meaning(origin))?)
    }

    /// Whether everything of `image` is in the archive.
    pub fn is_whole(&self, image: &Image) -> bool {
        let mut tree = self.plan.tree(&image.root).into_iter();
        tree.all(|(digest, node)| {
            !self.absent.contains(digest)
                && node.blobs.iter().all(|blob| !self.absent.contains(blob))
        })
    }

    /// Returns a file that was carried along, if there is one of that name.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what was written.
    pub async fn record(&self, name: &str) -> Result<Option<Bytes>, TransportError> {
        self.reader.record(name).await
    }

    /// Returns the files that were carried along whose names begin with `prefix`, without it.
    ///
    /// # Errors
    ///
    /// When one cannot be read, or is not what was written.
    pub async fn records_below(
        &self,
        prefix: &str,
    ) -> Result<BTreeMap<String, Bytes>, TransportError> {
        let names = self.reader.records().filter(|name| name.starts_with(prefix));
        let mut records = BTreeMap::new();
        for name in names {
            if let Some(bytes) = self.record(name).await? {
                let name = name.strip_prefix(prefix).unwrap_or(name);
                records.insert(name.to_owned(), bytes);
            }
        }
        Ok(records)
    }

    /// Returns where in the archive an image is that was asked for as `origin`.
    ///
    /// # Errors
    ///
    /// A [`Failure`] with [`Code::Archive`], when it is not there, or not whole.
    pub(crate) fn find(&self, origin: &str) -> Result<(Location, TagOrDigest), Failure> {
        let missing = |what: &str| {
            Failure::without(Code::Archive, Side::Source, what.to_owned()).with_hint(MIRROR_AGAIN)
        };
        let Some(found) = self.image(origin) else {
            return Err(match self.lost(origin) {
                Some(why) => {
                    let mut failure =
                        missing("the image could not be had when the archive was written");
                    failure.chain.extend(why.chain.iter().cloned());
                    failure
                }
                None => missing("the image is not in the archive"),
            });
        };
        if !self.is_whole(found) {
            return Err(missing("the image is not whole in the archive: copying it failed"));
        }
        let location = Location { place: Place::Archive, repository: found.repository.clone() };
        Ok((location, TagOrDigest::Digest(found.root.clone())))
    }

    /// Returns why the image that was asked for as `origin` could not be had, if that was known
    /// before the archive was written.
    pub fn lost(&self, origin: &str) -> Option<&Failure> {
        let nth = *self.lost.get(&meaning(origin))?;
        self.plan.lost().get(nth).map(|lost| &lost.failure)
    }
}

/// Returns what a reference means, whatever it was written as.
fn meaning(origin: &str) -> String {
    origin.parse::<Reference>().map_or_else(|_unread| origin.to_owned(), |read| read.to_string())
}
