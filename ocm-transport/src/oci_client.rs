//! An embedder's `oci-client` as a place to read from.

mod failure;

use std::{fmt, ops::Range, sync::Arc};

use ::oci_client::{
    Client, Reference, client::BlobResponse, errors::OciDistributionError,
    manifest::ImageIndexEntry, secrets::RegistryAuth,
};
use async_trait::async_trait;
use futures::StreamExt as _;
use ocm_oci::{
    Descriptor, Digest, Host, ImageRef, MediaType, NameError, ReferenceError, ReferenceFault,
    RepoName, Tag, TagOrDigest,
};

use self::failure::failure;
use crate::{
    Body, Destination, Kind, Listing, Manifest, Operation, Page, Referrer, Retry, Source,
    Transport, TransportError, Verb, registry,
};

/// Says what `image` is in the words of `oci-client`.
pub fn to_oci_reference(image: &ImageRef) -> Reference {
    let (host, name) = (image.host().to_string(), image.repository().to_string());
    match (image.tag(), image.digest()) {
        (Some(tag), Some(digest)) => {
            Reference::with_tag_and_digest(host, name, tag.to_string(), digest.to_string())
        }
        (Some(tag), None) => Reference::with_tag(host, name, tag.to_string()),
        (None, Some(digest)) => Reference::with_digest(host, name, digest.to_string()),
        // No image is without both.
        (None, None) => Reference::with_tag(host, name, "latest".to_owned()),
    }
}

/// Reads what `oci-client` calls `image`.
///
/// # Errors
///
/// [`ReferenceError`] where it is more lenient than the specification: upper-case digits in a
/// digest, a registry that could also be a part of a path.
pub fn from_oci_reference(image: &Reference) -> Result<ImageRef, ReferenceError> {
    let text = image.whole();
    let read: ImageRef = text.parse()?;
    if read.host().as_str() == image.registry() {
        return Ok(read);
    }
    let name = NameError { text: image.registry().to_owned(), kind: "registry host" };
    Err(ReferenceError { text, fault: ReferenceFault::Host(name) })
}

/// A registry as an embedder's [`oci_client::Client`] reaches it, with its
/// settings and credentials. Read-only. `Display` is its host.
///
/// Its limits are those of that client: bodies of manifests and lists are not bounded, statuses
/// and `Retry-After` are lost, and tokens are fetched once per request where many begin at a time.
/// [`Client`](crate::Client) has none of them.
#[derive(Clone)]
pub struct OciClient {
    client: Client,
    host: Host,
    auth: RegistryAuth,
}

impl OciClient {
    /// Reads from `host` through `client`.
    pub fn new(client: Client, host: Host, auth: RegistryAuth) -> Self {
        Self { client, host, auth }
    }

    fn operation(&self, verb: Verb, reference: String) -> Operation {
        Operation { place: self.host.to_string(), verb, reference }
    }
}

impl fmt::Display for OciClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)
    }
}

impl fmt::Debug for OciClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OciClient").field("host", &self.host).finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for OciClient {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(Repository { registry: self.clone(), name: repository.clone() })
    }

    fn destination(&self, _repository: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        // Only its registry is looked at.
        let any = Reference::with_tag(self.host.to_string(), "any".to_owned(), "any".to_owned());
        let (limit, after) = (Some(page.limit.get()), page.after.as_deref());
        let listed = self.client.catalog(&any, &self.auth, limit, after).await;
        let operation = || self.operation(Verb::LookUp, "_catalog".to_owned());
        let listed = listed.map_err(|error| failure(error, operation()))?;
        Ok(registry::listing(listed.repositories, page))
    }
}

/// One repository, opened.
#[derive(Debug)]
struct Repository {
    registry: OciClient,
    name: RepoName,
}

impl Repository {
    async fn image(&self, reference: &TagOrDigest) -> Reference {
        let OciClient { client, host, auth } = &self.registry;
        // Some of its methods take the credentials that others stored.
        client.store_auth_if_needed(host.as_str(), auth).await;
        let (host, name) = (host.to_string(), self.name.to_string());
        match reference {
            TagOrDigest::Tag(tag) => Reference::with_tag(host, name, tag.to_string()),
            TagOrDigest::Digest(digest) => Reference::with_digest(host, name, digest.to_string()),
        }
    }

    fn on(&self, verb: Verb, reference: &TagOrDigest) -> Operation {
        let separator = if matches!(reference, TagOrDigest::Tag(_)) { ':' } else { '@' };
        self.registry.operation(verb, format!("{}{separator}{reference}", self.name))
    }

    async fn pull(&self, reference: &TagOrDigest) -> Result<Manifest, OciDistributionError> {
        let accepted = MediaType::MANIFESTS.map(|media_type| media_type.to_string());
        let accepted: Vec<&str> = accepted.iter().map(String::as_str).collect();
        let OciClient { client, auth, .. } = &self.registry;
        let image = self.image(reference).await;
        // It has verified a digest that was asked for.
        let (bytes, _digest) = client.pull_manifest_raw(&image, auth, &accepted).await?;
        let media_type = registry::media_type_of(&bytes).unwrap_or(MediaType::OciManifest);
        Ok(Manifest::new(media_type, bytes))
    }
}

#[async_trait]
impl Source for Repository {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        match self.pull(reference).await {
            Ok(manifest) => Ok(Some(manifest.descriptor().clone())),
            Err(error) => {
                let error = failure(error, self.on(Verb::LookUp, reference));
                if error.kind() == Kind::NotFound { Ok(None) } else { Err(error) }
            }
        }
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        let operation = self.on(Verb::Fetch, reference);
        let manifest = self.pull(reference).await;
        let manifest = manifest.map_err(|error| failure(error, operation.clone()))?;
        if manifest.bytes().len() > limit {
            return Err(TransportError::new(operation, Kind::Refused, Retry::Never));
        }
        let TagOrDigest::Digest(digest) = reference else { return Ok(manifest) };
        let (media_type, bytes) = (manifest.descriptor().media_type.clone(), manifest.bytes());
        Manifest::verify(media_type, bytes.clone(), digest).map_err(|mismatch| {
            TransportError::new(operation, Kind::Corrupt, Retry::Again).caused_by(mismatch)
        })
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        let operation = self.on(Verb::LookUp, &digest.into());
        let (image, text) = (self.image(&digest.into()).await, digest.to_string());
        let client = &self.registry.client;
        let found = client.blob_exists(&image, &text).await;
        if !found.map_err(|error| failure(error, operation.clone()))? {
            return Ok(None);
        }
        // It does not say the length of what exists.
        let opened = client.pull_blob_stream(&image, text.as_str()).await;
        let size = opened.map_err(|error| failure(error, operation.clone()))?.content_length;
        let unsaid = || TransportError::new(operation, Kind::Unsupported, Retry::Never);
        size.map(Some).ok_or_else(unsaid)
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let operation = self.on(Verb::Fetch, &digest.into());
        let (image, text) = (self.image(&digest.into()).await, digest.to_string());
        let (client, text) = (&self.registry.client, text.as_str());
        let opened = match range {
            None => client.pull_blob_stream(&image, text).await.map(|stream| (0, stream)),
            Some(Range { start, end }) => {
                let length = Some(end.saturating_sub(start));
                let part = client.pull_blob_stream_partial(&image, text, start, length).await;
                part.map(|part| match part {
                    BlobResponse::Full(stream) => (0, stream),
                    BlobResponse::Partial(stream) => (start, stream),
                })
            }
        };
        let (starts_at, stream) = opened.map_err(|error| failure(error, operation.clone()))?;
        let on = operation.clone();
        let bytes = stream.stream.map(move |chunk| {
            chunk.map_err(|error| failure(OciDistributionError::IoError(error), on.clone()))
        });
        Ok(Body { operation, starts_at, bytes: bytes.boxed(), kept_in: None })
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        let OciClient { client, host, auth } = &self.registry;
        let (host, name) = (host.to_string(), self.name.to_string());
        let any = Reference::with_tag(host, name, "any".to_owned());
        let (limit, after) = (Some(page.limit.get()), page.after.as_deref());
        let listed = client.list_tags(&any, auth, limit, after).await;
        let operation = || self.registry.operation(Verb::LookUp, self.name.to_string());
        let listed = listed.map_err(|error| failure(error, operation()))?;
        Ok(registry::listing(listed.tags, page))
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        let image = self.image(&subject.into()).await;
        let client = &self.registry.client;
        let listed = client.pull_referrers(&image, artifact_type).await;
        let operation = || self.on(Verb::LookUp, &subject.into());
        let listed = listed.map_err(|error| failure(error, operation()))?;
        let wanted = |entry: &ImageIndexEntry| {
            artifact_type.is_none_or(|wanted| entry.artifact_type.as_deref() == Some(wanted))
        };
        let entries = listed.manifests.into_iter().filter(wanted);
        let mut found: Vec<_> = entries.filter_map(referrer).collect();
        found.sort_by(|one, other| one.descriptor.digest.cmp(&other.descriptor.digest));
        found.dedup_by(|one, other| one.descriptor.digest == other.descriptor.digest);
        Ok(found)
    }
}

/// Leaves out what is no descriptor.
fn referrer(entry: ImageIndexEntry) -> Option<Referrer> {
    let descriptor = Descriptor {
        media_type: MediaType::from(entry.media_type),
        digest: entry.digest.parse().ok()?,
        size: entry.size.try_into().ok()?,
    };
    let annotations = entry.annotations.unwrap_or_default();
    Some(Referrer { descriptor, artifact_type: entry.artifact_type, annotations })
}
