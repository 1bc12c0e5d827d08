use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::Range,
    sync::Arc,
};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Body, Destination, Kind, Listing, Manifest, Operation, Page, Referrer, Retry, Source,
    Transport, TransportError, Verb,
};

use crate::{Built, ContentStore};

/// What errors call this place.
const PLACE: &str = "what was built here";

/// Images that were built, as a place to copy from.
///
/// Manifests are the built ones, blobs are those of the content store, and what is in neither and
/// is named by a manifest that is here is where the original is. Each repository here is that of one original or of several.
#[derive(Debug, Clone)]
pub struct Overlay {
    store: ContentStore,
    repositories: BTreeMap<RepoName, Arc<Repository>>,
}

#[derive(Debug, Clone, Default)]
struct Repository {
    manifests: BTreeMap<Digest, Manifest>,
    /// What the indexes list.
    listed: BTreeSet<Digest>,
    bases: Vec<Arc<dyn Source>>,
}

/// One repository, opened.
#[derive(Debug, Clone)]
struct Handle {
    name: RepoName,
    store: ContentStore,
    repository: Arc<Repository>,
}

impl Overlay {
    /// Begins without any image; what is new of them is in `store`.
    pub fn new(store: &ContentStore) -> Self {
        Self { store: store.clone(), repositories: BTreeMap::new() }
    }

    /// Puts an image into `repository`, whose other blobs are at `base`, if it has any.
    pub fn add(&mut self, repository: &RepoName, built: &Built, base: Option<Arc<dyn Source>>) {
        let here = self.repositories.entry(repository.clone()).or_default();
        let here = Arc::make_mut(here);
        let manifests = built.manifests().iter();
        here.manifests.extend(
            manifests.map(|manifest| (manifest.descriptor().digest.clone(), manifest.clone())),
        );
        let children = built.manifests().iter().filter_map(|manifest| manifest.children().ok());
        let entries = children.flat_map(|children| children.manifests);
        here.listed.extend(entries.map(|entry| entry.descriptor.digest));
        here.bases.extend(base);
    }
}

impl Handle {
    fn operation(&self, verb: Verb, what: impl fmt::Display) -> Operation {
        Operation { place: PLACE.to_owned(), verb, reference: format!("{}@{what}", self.name) }
    }

    fn not_found(&self, verb: Verb, what: impl fmt::Display) -> TransportError {
        TransportError::new(self.operation(verb, what), Kind::NotFound, Retry::Never)
    }

    fn find(&self, reference: &TagOrDigest) -> Option<&Manifest> {
        match reference {
            TagOrDigest::Digest(digest) => self.repository.manifests.get(digest),
            // What is built is known by its digest alone.
            TagOrDigest::Tag(_) => None,
        }
    }

    /// Returns where a manifest may be that is listed here. What has a tag there is something else.
    fn bases(&self, reference: &TagOrDigest) -> &[Arc<dyn Source>] {
        match reference {
            TagOrDigest::Digest(digest) if self.repository.listed.contains(digest) => {
                &self.repository.bases
            }
            _ => &[],
        }
    }
}

impl fmt::Display for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACE)
    }
}

#[async_trait]
impl Transport for Overlay {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        let found = self.repositories.get(repository).cloned().unwrap_or_default();
        let (name, store) = (repository.clone(), self.store.clone());
        Arc::new(Handle { name, store, repository: found })
    }

    fn destination(&self, _repository: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        let is_after = |name: &&RepoName| {
            page.after.as_ref().is_none_or(|after| name.as_str() > after.as_str())
        };
        let mut names = self.repositories.keys().filter(is_after).cloned();
        let items: Vec<_> = names.by_ref().take(page.limit.get()).collect();
        let last = items.last().filter(|_| names.next().is_some());
        let next =
            last.map(|last| Page { after: Some(last.as_str().to_owned()), limit: page.limit });
        Ok(Listing { items, next })
    }
}

#[async_trait]
impl Source for Handle {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        if let Some(found) = self.find(reference) {
            return Ok(Some(found.descriptor().clone()));
        }
        for base in self.bases(reference) {
            if let Some(found) = base.head(reference).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let Some(found) = self.find(reference) else {
            let mut error = self.not_found(Verb::Fetch, reference);
            for base in self.bases(reference) {
                match base.manifest(reference, limit).await {
                    Err(missing) if missing.kind() == Kind::NotFound => error = missing,
                    answer => return answer,
                }
            }
            return Err(error);
        };
        if found.bytes().len() > limit {
            let operation = self.operation(Verb::Fetch, reference);
            return Err(TransportError::new(operation, Kind::Refused, Retry::Never));
        }
        Ok(found.clone())
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        if let Some(size) = self.store.source().blob_size(digest).await? {
            return Ok(Some(size));
        }
        for base in &self.repository.bases {
            if let Some(size) = base.blob_size(digest).await? {
                return Ok(Some(size));
            }
        }
        Ok(None)
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let mut error = self.not_found(Verb::Fetch, digest);
        let store = self.store.source();
        for from in [&store].into_iter().chain(&self.repository.bases) {
            match from.blob(digest, range.clone()).await {
                Ok(body) => return Ok(body),
                Err(missing) if missing.kind() == Kind::NotFound => error = missing,
                Err(other) => return Err(other),
            }
        }
        Err(error)
    }

    async fn tags(&self, _page: &Page) -> Result<Listing<Tag>, TransportError> {
        Ok(Listing { items: Vec::new(), next: None })
    }

    /// Nobody has said anything about what was just built.
    async fn referrers(
        &self,
        _subject: &Digest,
        _artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        Ok(Vec::new())
    }
}
