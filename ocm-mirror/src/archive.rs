use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, Reference};
use ocm_transport::{
    TransportError,
    archive::{ArchiveReader, Contents},
};

use crate::{Image, ImageId, Plan, PlanError};

/// Name of the record that holds the plan by which an archive was written.
const PLAN_RECORD: &str = "plan.json";

/// What an archive was written for, and what it lacks.
#[derive(Debug)]
pub struct Archived {
    plan: Plan,
    absent: BTreeSet<Digest>,
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
        Ok(Self::new(plan, absent))
    }

    fn new(plan: Plan, absent: BTreeSet<Digest>) -> Self {
        let mut origins = BTreeMap::new();
        for (id, image) in plan.images() {
            for name in &image.names {
                origins.entry(meaning(&name.origin)).or_insert(id);
            }
        }
        let lost = plan.lost().iter().enumerate();
        let lost = lost.map(|(nth, lost)| (meaning(&lost.failure.image), nth)).collect();
        Self { plan, absent, origins, lost }
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

    /// Returns why the image that was asked for as `origin` could not be had, if that was known
    /// before the archive was written.
    pub fn lost(&self, origin: &str) -> Option<&crate::Failure> {
        let nth = *self.lost.get(&meaning(origin))?;
        self.plan.lost().get(nth).map(|lost| &lost.failure)
    }
}

/// Returns what a reference means, whatever it was written as.
fn meaning(origin: &str) -> String {
    origin.parse::<Reference>().map_or_else(|_unread| origin.to_owned(), |read| read.to_string())
}
