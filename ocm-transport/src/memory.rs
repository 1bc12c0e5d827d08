use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::poll_fn,
    mem,
    num::NonZeroUsize,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, Hasher, RepoName, Tag, TagOrDigest};

use crate::{
    Begun, BlobStream, Body, Destination, Interrupted, Kind, Listing, Manifest, Mismatch,
    Operation, Page, Referrer, Retry, Source, Stored, Transport, TransportError, Upload, Verb,
};

/// Bytes in one chunk of a body, unless asked for otherwise.
const CHUNK: NonZeroUsize = NonZeroUsize::MIN.saturating_add((64 << 10) - 1);

/// A place in memory: the reference for what the contract means, and the double that tests use.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    shared: Arc<Mutex<Contents>>,
    chunk: Option<NonZeroUsize>,
}

/// What a [`Memory`] was asked to do with blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Reads begun, ranges included.
    pub read: usize,
    /// Bytes sent by reads.
    pub bytes_read: u64,
    /// Blobs that arrived as bytes.
    pub stored: usize,
    /// Blobs that were mounted.
    pub mounted: usize,
}

#[derive(Debug, Default)]
struct Contents {
    repositories: BTreeMap<RepoName, Repository>,
    tally: Tally,
    cut: Option<usize>,
}

#[derive(Debug, Default)]
struct Repository {
    blobs: BTreeMap<Digest, Bytes>,
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<Tag, Digest>,
    /// What was ever pushed about a manifest, which is asked for once for each image of a run.
    about: BTreeMap<Digest, BTreeSet<Digest>>,
}

impl Repository {
    fn insert(&mut self, manifest: &Manifest) -> Stored {
        let digest = &manifest.descriptor().digest;
        if let Some(subject) = manifest.children().ok().and_then(|children| children.subject) {
            self.about.entry(subject.digest).or_default().insert(digest.clone());
        }
        match self.manifests.insert(digest.clone(), manifest.clone()) {
            None => Stored::New,
            Some(_) => Stored::Already,
        }
    }

    /// Returns the manifests that say something about `subject`.
    fn about(&self, subject: &Digest) -> impl Iterator<Item = &Manifest> {
        let digests = self.about.get(subject).into_iter().flatten();
        digests.filter_map(|digest| self.manifests.get(digest))
    }
}

/// One repository, opened.
#[derive(Debug, Clone)]
struct Handle {
    name: RepoName,
    shared: Arc<Mutex<Contents>>,
    chunk: NonZeroUsize,
}

/// The bytes are the upload's own, so that dropping it drops them.
#[derive(Debug)]
struct Part {
    into: Handle,
    bytes: Vec<u8>,
}

impl Memory {
    /// Sends blobs in chunks of `len` bytes: small ones let every test see several.
    #[must_use]
    pub fn with_chunks_of(self, len: NonZeroUsize) -> Self {
        Self { chunk: Some(len), ..self }
    }

    /// Returns what was asked so far.
    pub fn tally(&self) -> Tally {
        self.lock(|contents| contents.tally)
    }

    /// Breaks the next read of a blob after `len` bytes.
    pub fn cut_next_read(&self, len: usize) {
        self.lock(|contents| contents.cut = Some(len));
    }

    fn lock<T>(&self, act: impl FnOnce(&mut Contents) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn open(&self, name: &RepoName) -> Handle {
        let chunk = self.chunk.unwrap_or(CHUNK);
        Handle { name: name.clone(), shared: Arc::clone(&self.shared), chunk }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("memory")
    }
}

#[async_trait]
impl Transport for Memory {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(self.open(repository))
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        Some(Arc::new(self.open(repository)))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        let holds_some = |repository: &Repository| !repository.manifests.is_empty();
        Ok(self.lock(|contents| {
            let names = contents.repositories.iter().filter(|(_, held)| holds_some(held));
            list(names.map(|(name, _)| name), page)
        }))
    }
}

impl Handle {
    fn lock<T>(&self, act: impl FnOnce(&mut Contents) -> T) -> T {
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Repository) -> T) -> T {
        self.lock(|contents| act(contents.repositories.entry(self.name.clone()).or_default()))
    }

    fn operation(&self, verb: Verb, what: impl fmt::Display) -> Operation {
        let reference = format!("{}@{what}", self.name);
        Operation { place: "memory".to_owned(), verb, reference }
    }

    fn fail(&self, verb: Verb, what: impl fmt::Display, kind: Kind) -> TransportError {
        TransportError::new(self.operation(verb, what), kind, Retry::Never)
    }

    fn find(&self, reference: &TagOrDigest) -> Option<Manifest> {
        self.with(|repository| {
            let digest = match reference {
                TagOrDigest::Digest(digest) => Some(digest),
                TagOrDigest::Tag(tag) => repository.tags.get(tag),
            };
            digest.and_then(|digest| repository.manifests.get(digest).cloned())
        })
    }

    fn store(&self, digest: &Digest, bytes: Bytes) -> Stored {
        self.lock(|contents| contents.tally.stored += 1);
        match self.with(|repository| repository.blobs.insert(digest.clone(), bytes)) {
            None => Stored::New,
            Some(_) => Stored::Already,
        }
    }

    /// Links the blob from `other`; `None` where it is not there.
    fn mount(&self, digest: &Digest, other: &RepoName) -> Option<()> {
        let bytes = self.lock(|all| all.repositories.get(other)?.blobs.get(digest).cloned())?;
        self.with(|repository| repository.blobs.insert(digest.clone(), bytes));
        self.lock(|contents| contents.tally.mounted += 1);
        Some(())
    }

    /// Everything `manifest` names must be here first.
    fn check_order(&self, manifest: &Manifest) -> Result<(), TransportError> {
        let refused = || self.fail(Verb::Push, &manifest.descriptor().digest, Kind::Refused);
        let incomplete = || self.fail(Verb::Push, &manifest.descriptor().digest, Kind::Incomplete);
        let children = manifest.children().map_err(|error| refused().caused_by(error))?;
        let is_whole = self.with(|repository| {
            children
                .manifests
                .iter()
                .all(|child| repository.manifests.contains_key(&child.descriptor.digest))
                && children.blobs.iter().all(|blob| repository.blobs.contains_key(&blob.digest))
        });
        if is_whole { Ok(()) } else { Err(incomplete()) }
    }
}

#[async_trait]
impl Source for Handle {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        Ok(self.find(reference).map(|manifest| manifest.descriptor().clone()))
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let fail = |kind| self.fail(Verb::Fetch, reference, kind);
        let manifest = self.find(reference).ok_or_else(|| fail(Kind::NotFound))?;
        if manifest.bytes().len() > limit { Err(fail(Kind::Refused)) } else { Ok(manifest) }
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        Ok(self.with(|repository| repository.blobs.get(digest).map(|bytes| bytes.len() as u64)))
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let fail = |kind| self.fail(Verb::Fetch, digest, kind);
        let bytes = self.with(|repository| repository.blobs.get(digest).cloned());
        let bytes = bytes.ok_or_else(|| fail(Kind::NotFound))?;
        let Range { start, end } = range.unwrap_or(0..bytes.len() as u64);
        let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
        let part = bytes.get(index(start)..index(end)).ok_or_else(|| fail(Kind::Refused))?;
        let cut = self.lock(|contents| contents.cut.take());
        let sent = part.get(..cut.unwrap_or(part.len())).unwrap_or(part);
        self.lock(|contents| {
            contents.tally.read += 1;
            contents.tally.bytes_read += sent.len() as u64;
        });
        let operation = self.operation(Verb::Fetch, digest);
        let reset = cut.map(|_| TransportError::new(operation.clone(), Kind::Reset, Retry::Again));
        let starts = (0..sent.len()).step_by(self.chunk.get());
        let sent = bytes.slice_ref(sent);
        let chunk = |at: usize| Ok(sent.slice(at..sent.len().min(at + self.chunk.get())));
        let chunks = stream::iter(starts.map(chunk).chain(reset.map(Err)).collect::<Vec<_>>());
        let bytes = chunks.then(after_others).boxed();
        Ok(Body { operation, starts_at: start, bytes, kept_in: None })
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        Ok(self.with(|repository| list(repository.tags.keys(), page)))
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        Ok(self.with(|repository| {
            let manifests = repository.about(subject);
            manifests.filter_map(|one| Referrer::of(one, subject, artifact_type)).collect()
        }))
    }
}

#[async_trait]
impl Destination for Handle {
    async fn begin(
        &self,
        digest: &Digest,
        _size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, TransportError> {
        if self.with(|repository| repository.blobs.contains_key(digest)) {
            Ok(Begun::Present)
        } else if mount_from.and_then(|other| self.mount(digest, other)).is_some() {
            Ok(Begun::Mounted)
        } else {
            Ok(Begun::Open(Box::new(Part { into: self.clone(), bytes: Vec::new() })))
        }
    }

    async fn push_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, TransportError> {
        self.check_order(manifest)?;
        let digest = &manifest.descriptor().digest;
        self.with(|repository| {
            repository.tags.extend(tag.map(|tag| (tag.clone(), digest.clone())));
            Ok(repository.insert(manifest))
        })
    }

    async fn delete_tag(&self, tag: &Tag) -> Result<(), TransportError> {
        let removed = self.with(|repository| repository.tags.remove(tag));
        removed.map(drop).ok_or_else(|| self.fail(Verb::Delete, tag, Kind::NotFound))
    }

    async fn delete_manifest(&self, digest: &Digest) -> Result<(), TransportError> {
        let removed = self.with(|repository| {
            repository.tags.retain(|_, target| target != digest);
            repository.manifests.remove(digest)
        });
        removed.map(drop).ok_or_else(|| self.fail(Verb::Delete, digest, Kind::NotFound))
    }

    async fn delete_blob(&self, digest: &Digest) -> Result<(), TransportError> {
        let removed = self.with(|repository| repository.blobs.remove(digest));
        removed.map(drop).ok_or_else(|| self.fail(Verb::Delete, digest, Kind::NotFound))
    }
}

#[async_trait]
impl Upload for Part {
    fn offset(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn append(&mut self, part: Bytes) -> Result<(), TransportError> {
        self.bytes.extend_from_slice(&part);
        Ok(())
    }

    async fn finish(mut self: Box<Self>, mut rest: BlobStream) -> Result<Stored, Interrupted> {
        let digest = rest.descriptor().digest.clone();
        if rest.offset() != self.offset() {
            let cause = self.into.fail(Verb::Push, &digest, Kind::Refused);
            return Err(Interrupted { upload: Some(self), cause });
        }
        let is_resumed = self.offset() > 0;
        loop {
            match rest.try_next().await {
                Ok(Some(part)) => self.bytes.extend_from_slice(&part),
                // What was kept before was not verified by this stream.
                Ok(None) if is_resumed => {
                    let broken = |cause| Interrupted { upload: None, cause };
                    return self.commit(&digest).await.map_err(broken);
                }
                Ok(None) => return Ok(self.into.store(&digest, self.bytes.into())),
                Err(cause) => {
                    let upload = (cause.kind() != Kind::Corrupt).then_some(self);
                    return Err(Interrupted { upload: upload.map(|part| part as _), cause });
                }
            }
        }
    }

    async fn commit(self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError> {
        let mut hasher = Hasher::new(digest.algorithm());
        hasher.update(&self.bytes);
        let (received, actual) = (hasher.offset(), hasher.finish());
        if actual == *digest {
            return Ok(self.into.store(digest, self.bytes.into()));
        }
        let mismatch = Mismatch { expected: digest.clone(), actual, received };
        Err(self.into.fail(Verb::Push, digest, Kind::Corrupt).caused_by(mismatch))
    }

    async fn abort(self: Box<Self>) -> Result<(), TransportError> {
        Ok(())
    }
}

/// Lets other tasks run first, as they would while a network is waited for.
async fn after_others<T>(value: T) -> T {
    let mut waited = false;
    poll_fn(|cx| {
        if mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    value
}

/// Cuts one page out of all names, which come in order.
pub(crate) fn list<'a, T, N>(names: N, page: &Page) -> Listing<T>
where
    T: Clone + Ord + fmt::Display + 'a,
    N: Iterator<Item = &'a T>,
{
    let is_after = |name: &&T| page.after.as_ref().is_none_or(|after| name.to_string() > *after);
    let mut names = names.filter(is_after).cloned();
    let items: Vec<T> = names.by_ref().take(page.limit.get()).collect();
    let after = items.last().filter(|_| names.next().is_some()).map(ToString::to_string);
    let next = after.map(|after| Page { after: Some(after), limit: page.limit });
    Listing { items, next }
}
