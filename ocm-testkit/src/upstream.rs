use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    sync::Arc,
};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, Host, ImageRef, ReferenceError, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Body, Destination, Kind, Listing, Manifest, Operation, Page, Referrer, Retry, Source,
    Transport, TransportError, Verb,
};

use crate::{Blob, Content, demo, shape::Shape};

/// What upstreams are called in errors.
const PLACE: &str = "synthetic upstream";

/// Content under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// In which repository.
    pub repository: RepoName,
    /// Under which tag; without one, by digest alone.
    pub tag: Option<Tag>,
    /// What.
    pub content: Content,
}

/// A registry's worth of synthetic content, as a place to read from.
///
/// No blob is held: each is made as it is read, so that a test of memory sees the mirror's alone.
#[derive(Debug, Clone, Default)]
pub struct Upstream {
    published: Vec<Published>,
    repositories: BTreeMap<RepoName, Arc<Repository>>,
}

#[derive(Debug, Default, Clone)]
struct Repository {
    manifests: BTreeMap<Digest, Manifest>,
    blobs: BTreeMap<Digest, Blob>,
    tags: BTreeMap<Tag, Digest>,
}

/// One repository, opened.
#[derive(Debug, Clone)]
struct Handle {
    name: RepoName,
    repository: Arc<Repository>,
}

impl Published {
    /// Publishes `content` as `repository:tag`.
    ///
    /// # Panics
    ///
    /// When they are not a repository's and a tag's name: that is the author's mistake.
    pub fn tagged(repository: &str, tag: &str, content: Content) -> Self {
        let repository = repository.parse().expect("the caller writes a repository's name");
        let tag = tag.parse().expect("the caller writes a tag's name");
        Self { repository, tag: Some(tag), content }
    }

    /// Returns how an image is asked for at `host`.
    ///
    /// # Errors
    ///
    /// None in practice: all parts of the reference are valid.
    pub fn reference(&self, host: &Host) -> Result<ImageRef, ReferenceError> {
        match &self.tag {
            Some(tag) => format!("{host}/{}:{tag}", self.repository).parse(),
            None => format!("{host}/{}@{}", self.repository, self.content.digest()).parse(),
        }
    }
}

impl Upstream {
    /// Publishes `published`; of two that share a tag, the last.
    pub fn new(published: Vec<Published>) -> Self {
        let mut repositories: BTreeMap<RepoName, Repository> = BTreeMap::new();
        for one in &published {
            repositories.entry(one.repository.clone()).or_default().publish(one);
        }
        let repositories =
            repositories.into_iter().map(|(name, one)| (name, Arc::new(one))).collect();
        Self { published, repositories }
    }

    /// Publishes what the demo mirrors: about 100 MB in a dozen images with shared base layers, one
    /// of them for three platforms, in OCI and docker types.
    pub fn demo() -> Self {
        Self::new(demo::published())
    }

    /// Publishes as many images of `shape` as it says.
    pub fn of(shape: &Shape, seed: u64) -> Self {
        Self::new(shape.published(seed))
    }

    /// Returns what is published, in the order given.
    pub fn published(&self) -> &[Published] {
        &self.published
    }

    /// Returns every blob once: what has to cross a network at least.
    pub fn distinct_blobs(&self) -> BTreeSet<&Descriptor> {
        let blobs = self.repositories.values().flat_map(|one| one.blobs.values());
        // The same bytes are one blob under whatever media type.
        let by_digest: BTreeMap<_, _> =
            blobs.map(|blob| (&blob.descriptor().digest, blob.descriptor())).collect();
        by_digest.into_values().collect()
    }

    /// Returns the bytes of all blobs, each counted once.
    pub fn distinct_bytes(&self) -> u64 {
        self.distinct_blobs().into_iter().map(|blob| blob.size).sum()
    }

    /// Stores everything in `place`, which must be writable.
    ///
    /// Blobs that an earlier repository has are mounted from there.
    ///
    /// # Errors
    ///
    /// The first that `place` gives; [`Kind::Unsupported`] where it is read-only.
    pub async fn fill(&self, place: &dyn Transport) -> Result<(), TransportError> {
        let mut homes: BTreeMap<Digest, RepoName> = BTreeMap::new();
        for Published { repository, tag, content } in &self.published {
            let to = place.destination(repository).ok_or_else(|| {
                let (place, reference) = (place.to_string(), repository.to_string());
                let operation = Operation { place, verb: Verb::Push, reference };
                TransportError::new(operation, Kind::Unsupported, Retry::Never)
            })?;
            content.push_mounting(&*to, tag.as_ref(), &homes).await?;
            for digest in content.all_blobs().into_keys() {
                homes.entry(digest.clone()).or_insert_with(|| repository.clone());
            }
        }
        Ok(())
    }
}

impl Repository {
    fn publish(&mut self, published: &Published) {
        let Published { repository: _, tag, content } = published;
        let manifests = content.manifests().into_iter();
        self.manifests.extend(manifests.map(|one| (one.descriptor().digest.clone(), one.clone())));
        let blobs = content.all_blobs().into_iter();
        self.blobs.extend(blobs.map(|(digest, blob)| (digest.clone(), blob.clone())));
        self.tags.extend(tag.clone().map(|tag| (tag, content.digest().clone())));
    }

    fn find(&self, reference: &TagOrDigest) -> Option<&Manifest> {
        let digest = match reference {
            TagOrDigest::Digest(digest) => digest,
            TagOrDigest::Tag(tag) => self.tags.get(tag)?,
        };
        self.manifests.get(digest)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACE)
    }
}

#[async_trait]
impl Transport for Upstream {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        let found = self.repositories.get(repository).cloned().unwrap_or_default();
        Arc::new(Handle { name: repository.clone(), repository: found })
    }

    fn destination(&self, _repository: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        Ok(list(self.repositories.keys(), page))
    }
}

impl Handle {
    fn fail(&self, what: impl fmt::Display, kind: Kind) -> TransportError {
        TransportError::new(self.operation(what), kind, Retry::Never)
    }

    fn operation(&self, what: impl fmt::Display) -> Operation {
        let reference = format!("{}@{what}", self.name);
        Operation { place: PLACE.to_owned(), verb: Verb::Fetch, reference }
    }
}

#[async_trait]
impl Source for Handle {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        Ok(self.repository.find(reference).map(|manifest| manifest.descriptor().clone()))
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let found = self.repository.find(reference).cloned();
        let manifest = found.ok_or_else(|| self.fail(reference, Kind::NotFound))?;
        let is_within = manifest.bytes().len() <= limit;
        if is_within { Ok(manifest) } else { Err(self.fail(reference, Kind::Refused)) }
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        Ok(self.repository.blobs.get(digest).map(|blob| blob.descriptor().size))
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let found = self.repository.blobs.get(digest);
        let blob = found.ok_or_else(|| self.fail(digest, Kind::NotFound))?;
        let size = blob.descriptor().size;
        let range = range.unwrap_or(0..size);
        if range.start > range.end || range.end > size {
            return Err(self.fail(digest, Kind::Refused));
        }
        Ok(blob.body(self.operation(digest), range))
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        Ok(list(self.repository.tags.keys(), page))
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        let manifests = self.repository.manifests.values();
        Ok(manifests.filter_map(|one| Referrer::of(one, subject, artifact_type)).collect())
    }
}

/// Cuts one page out of all names, which come in order.
fn list<'a, T>(names: impl Iterator<Item = &'a T>, page: &Page) -> Listing<T>
where
    T: Clone + fmt::Display + 'a,
{
    let is_after = |name: &&T| page.after.as_ref().is_none_or(|after| name.to_string() > *after);
    let mut names = names.filter(is_after);
    let items: Vec<T> = names.by_ref().take(page.limit.get()).cloned().collect();
    let after = items.last().filter(|_| names.next().is_some()).map(ToString::to_string);
    let next = after.map(|after| Page { after: Some(after), limit: page.limit });
    Listing { items, next }
}
