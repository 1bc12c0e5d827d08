//! Reading what an archive holds: one way for a finished one and for one that is being written.

use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag, TagOrDigest};

use super::volume::Medium;
use crate::{
    Body, Kind, Listing, Manifest, Operation, Page, Referrer, Retry, Source, TransportError, Verb,
    error::Altered, memory::list, store::chunks,
};

/// Largest manifest that is read to see what it says about others, in bytes.
const MANIFEST_MAX: u64 = 4 << 20;

/// Content that is there.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) size: u64,
    pub(super) media_type: Option<MediaType>,
    pub(super) extents: Arc<[Extent]>,
}

/// Where a part of some content lies; parts follow one another without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Which volume, from 0.
    pub(super) volume: usize,
    /// Offset in the volume, in bytes.
    pub(super) offset: u64,
    /// Offset in the content, in bytes.
    pub(super) at: u64,
    /// Length in bytes.
    pub(super) len: u64,
}

/// What an archive has. `Display` names it for people.
#[async_trait]
pub(super) trait Holdings: fmt::Debug + fmt::Display + Send + Sync + 'static {
    /// Returns where content lies, if it is there.
    fn find(&self, digest: &Digest) -> Option<Found>;

    /// Returns every manifest that is there.
    fn manifests(&self) -> Vec<Descriptor>;

    /// Returns what the tags of a repository point at.
    fn tags(&self, repository: &RepoName) -> BTreeMap<Tag, Digest>;

    /// Returns what one of them points at.
    fn tag(&self, repository: &RepoName, tag: &Tag) -> Option<Digest>;

    /// Returns the volumes.
    fn media(&self) -> &[Medium];

    /// Returns what says something, by what it is said about.
    async fn statements(&self) -> Arc<Statements>;
}

/// What says something about which manifest.
pub(super) type Statements = BTreeMap<Digest, Vec<Referrer>>;

/// One repository. All of them share what is there; tags are their own.
#[derive(Debug)]
pub(super) struct Repository<H> {
    pub(super) held: Arc<H>,
    pub(super) name: RepoName,
}

impl<H> Clone for Repository<H> {
    fn clone(&self) -> Self {
        Self { held: Arc::clone(&self.held), name: self.name.clone() }
    }
}

impl<H: Holdings> Repository<H> {
    pub(super) fn operation(&self, verb: Verb, what: impl fmt::Display) -> Operation {
        Operation { place: self.held.to_string(), verb, reference: format!("{}@{what}", self.name) }
    }

    pub(super) fn fail(&self, verb: Verb, what: impl fmt::Display, kind: Kind) -> TransportError {
        TransportError::new(self.operation(verb, what), kind, Retry::Never)
    }

    /// Finds a manifest.
    fn look_up(&self, reference: &TagOrDigest) -> Option<(Descriptor, Found)> {
        let digest = match reference {
            TagOrDigest::Digest(digest) => digest.clone(),
            TagOrDigest::Tag(tag) => self.held.tag(&self.name, tag)?,
        };
        let found = self.held.find(&digest)?;
        let media_type = found.media_type.clone()?;
        Some((Descriptor { media_type, digest, size: found.size }, found))
    }
}

#[async_trait]
impl<H: Holdings> Source for Repository<H> {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        Ok(self.look_up(reference).map(|(descriptor, _)| descriptor))
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let fail = |kind| self.fail(Verb::Fetch, reference, kind);
        let (descriptor, found) = self.look_up(reference).ok_or_else(|| fail(Kind::NotFound))?;
        if found.size > limit as u64 {
            return Err(fail(Kind::Refused));
        }
        read_manifest(
            self.held.media(),
            &descriptor,
            &found,
            self.operation(Verb::Fetch, reference),
        )
        .await
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        Ok(self.held.find(digest).map(|found| found.size))
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let fail = |kind| self.fail(Verb::Fetch, digest, kind);
        let found = self.held.find(digest).ok_or_else(|| fail(Kind::NotFound))?;
        let range = range.unwrap_or(0..found.size);
        if range.start > range.end || range.end > found.size {
            return Err(fail(Kind::Refused));
        }
        Ok(body(self.held.media(), &found, range, self.operation(Verb::Fetch, digest)))
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        Ok(list(self.held.tags(&self.name).keys(), page))
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        let statements = self.held.statements().await;
        let about = statements.get(subject).into_iter().flatten();
        let is_wanted = |one: &&Referrer| {
            artifact_type.is_none_or(|wanted| one.artifact_type.as_deref() == Some(wanted))
        };
        Ok(about.filter(is_wanted).cloned().collect())
    }
}

/// Reads every manifest, one at a time, for what it says about others.
///
/// One that cannot be read says nothing here; whoever asks for it by digest is told why.
pub(super) async fn scan(held: &impl Holdings) -> Statements {
    let mut statements = Statements::new();
    for descriptor in held.manifests() {
        let Some(found) = held.find(&descriptor.digest).filter(|one| one.size <= MANIFEST_MAX)
        else {
            continue;
        };
        let (place, reference) = (held.to_string(), descriptor.digest.to_string());
        let operation = Operation { place, verb: Verb::Fetch, reference };
        let read = read_manifest(held.media(), &descriptor, &found, operation).await;
        let Ok(manifest) = read else { continue };
        let Some(subject) = manifest.children().ok().and_then(|children| children.subject) else {
            continue;
        };
        let referrer = Referrer::of(&manifest, &subject.digest, None);
        statements.entry(subject.digest).or_default().extend(referrer);
    }
    for about in statements.values_mut() {
        about.sort_by(|one, other| one.descriptor.digest.cmp(&other.descriptor.digest));
    }
    statements
}

/// Reads a manifest whose size the caller has bounded.
async fn read_manifest(
    media: &[Medium],
    descriptor: &Descriptor,
    found: &Found,
    operation: Operation,
) -> Result<Manifest, TransportError> {
    let body = body(media, found, 0..found.size, operation.clone());
    let chunks: Vec<Bytes> = body.bytes.try_collect().await?;
    Manifest::verify(descriptor.media_type.clone(), chunks.concat().into(), &descriptor.digest)
        .map_err(|source| {
            let altered = Altered { files: names(media, found), source };
            TransportError::new(operation, Kind::Corrupt, Retry::Never).caused_by(altered)
        })
}

/// Names the volumes that hold some of it.
fn names(media: &[Medium], found: &Found) -> String {
    let volumes = found.extents.iter().filter_map(|extent| media.get(extent.volume));
    let mut names: Vec<_> = volumes.map(|it| format!("`{}`", it.path.display())).collect();
    names.dedup();
    names.join(" or ")
}

/// Reads `range`, in which `found` has bytes.
pub(super) fn body(
    media: &[Medium],
    found: &Found,
    range: Range<u64>,
    operation: Operation,
) -> Body {
    let part = |extent: &Extent| {
        let start = range.start.max(extent.at);
        let end = range.end.min(extent.at.saturating_add(extent.len));
        let medium = media.get(extent.volume).filter(|_| start < end)?.clone();
        let offset = extent.offset.saturating_add(start - extent.at);
        Some((medium, (offset, end - start)))
    };
    let parts: Vec<_> = found.extents.iter().filter_map(part).collect();
    let (reading, kept_in) = (operation.clone(), names(media, found));
    let bytes = stream::iter(parts)
        .map(move |(medium, part)| chunks(move || medium.open(), part, reading.clone()))
        .flatten()
        .boxed();
    Body { operation, starts_at: range.start, bytes, kept_in: Some(kept_in) }
}
