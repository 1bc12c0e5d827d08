//! Manifests: asked for by tag or digest, checked, kept as they are.

use http::{
    HeaderValue, Method, StatusCode,
    header::{ACCEPT, CONTENT_TYPE},
};
use oci_client::errors::OciErrorCode;
use ocm_oci::{Descriptor, Digest, MediaType, Tag, TagOrDigest};
use serde::Deserialize;

use super::{
    answer::Answer,
    call::Call,
    failure::Failure,
    repository::{NOTHING_LIMIT, Repository},
    scope::Scope,
    subject::unnoticed,
};
use crate::{Kind, Manifest, Referrer, Retry, Stored};

/// Largest manifest that is read where nobody said how much may be: what registries must accept.
///
/// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests>.
const MANIFEST_LIMIT: usize = 4 << 20;

impl Repository {
    pub(crate) async fn head_manifest(
        &self,
        reference: &TagOrDigest,
    ) -> Result<Option<Descriptor>, Failure> {
        let answer = self.endpoint.ask(&self.manifest_call(Method::HEAD, reference), 0).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        // Some answer GET only, and some leave out what a HEAD is for. What a refusal says of
        // itself is not about the manifest.
        if answer.status != StatusCode::METHOD_NOT_ALLOWED
            && let Some(found) = described(&answer.checked()?, reference)?
        {
            return Ok(Some(found));
        }
        match self.get_manifest(reference, MANIFEST_LIMIT).await {
            Ok(manifest) => Ok(Some(manifest.descriptor().clone())),
            Err(failure) if failure.kind() == Kind::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(crate) async fn get_manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, Failure> {
        let call = self.manifest_call(Method::GET, reference);
        let answer = self.endpoint.ask(&call, limit).await?.checked()?;
        let claimed = answer.digest();
        let media_type = media_type(&answer);
        let corrupt = |error| Failure::new(Kind::Corrupt, Retry::Again, error);
        let manifest = match reference {
            TagOrDigest::Digest(digest) => {
                Manifest::verify(media_type, answer.body.clone(), digest).map_err(corrupt)?
            }
            TagOrDigest::Tag(_) => match &claimed {
                Some(claimed) => {
                    Manifest::verify(media_type, answer.body.clone(), claimed).map_err(corrupt)?
                }
                None => Manifest::new(media_type, answer.body.clone()),
            },
        };
        Ok(manifest)
    }

    pub(crate) async fn put_manifest(
        &self,
        manifest: &Manifest,
        tag: Option<&Tag>,
    ) -> Result<Stored, Failure> {
        let digest = &manifest.descriptor().digest;
        // By its tag alone a registry would find another digest than this one.
        let mut unnoticed = None;
        if tag.is_none() || matches!(digest, Digest::Sha512(_)) {
            unnoticed = self.put_manifest_as(manifest, &digest.into()).await?;
        }
        if let Some(tag) = tag {
            unnoticed = self.put_manifest_as(manifest, &tag.into()).await?;
        }
        if let Some((subject, referrer)) = unnoticed {
            self.note(&subject, referrer).await?;
        }
        // The answer is the same whether the registry had it or not.
        Ok(Stored::New)
    }

    /// Puts a manifest; returns what it says about another, where the registry takes no note of
    /// that itself.
    pub(super) async fn put_manifest_as(
        &self,
        manifest: &Manifest,
        reference: &TagOrDigest,
    ) -> Result<Option<(Digest, Referrer)>, Failure> {
        let Descriptor { media_type, digest, .. } = manifest.descriptor();
        let path = self.path(&format!("manifests/{reference}"));
        let call = Call::new(Method::PUT, path, Scope::push(&self.name));
        let media_type = HeaderValue::from_str(&media_type.to_string())
            .map_err(|error| Failure::new(Kind::Refused, Retry::Never, error))?;
        let call = call.with_header(CONTENT_TYPE, media_type).with_body(manifest.bytes().clone());
        let answer = self.endpoint.ask(&call, NOTHING_LIMIT).await?;
        if lacks_content(&answer) {
            return Err(answer.failure().of_kind(Kind::Incomplete).with_retry(Retry::Never));
        }
        let answer = answer.checked()?;
        match answer.digest() {
            Some(stored) if contradicts(&stored, digest) => {
                Err(Failure::corrupt(&answer.request, format!("says it stored {stored}")))
            }
            _ => Ok(unnoticed(manifest, &answer)),
        }
    }

    fn manifest_call(&self, method: Method, reference: &TagOrDigest) -> Call {
        let path = self.path(&format!("manifests/{reference}"));
        let call = Call::new(method, path, self.scope.clone());
        MediaType::MANIFESTS.iter().fold(call, |call, media_type| {
            match HeaderValue::from_str(&media_type.to_string()) {
                Ok(value) => call.with_header(ACCEPT, value),
                Err(_never) => call,
            }
        })
    }
}

/// Whether the registry refused a manifest because it lacks something that this names.
fn lacks_content(answer: &Answer) -> bool {
    let is_refusal = matches!(answer.status.as_u16(), 400 | 404 | 409 | 412 | 422);
    let codes = [
        OciErrorCode::ManifestBlobUnknown,
        OciErrorCode::BlobUnknown,
        OciErrorCode::ManifestUnknown,
    ];
    is_refusal && codes.iter().any(|code| answer.says(code))
}

/// Two digests by one function that differ; two by different ones can both be right.
fn contradicts(one: &Digest, other: &Digest) -> bool {
    one.algorithm() == other.algorithm() && one != other
}

/// Reads the answer to a HEAD; `None` where it does not say everything.
fn described(answer: &Answer, reference: &TagOrDigest) -> Result<Option<Descriptor>, Failure> {
    let claimed = answer.digest();
    let digest = match (reference, claimed) {
        (TagOrDigest::Digest(asked), Some(claimed)) if contradicts(&claimed, asked) => {
            let what = format!("is about {claimed}, which was not asked for");
            return Err(Failure::corrupt(&answer.request, what));
        }
        (TagOrDigest::Digest(asked), _) => Some(asked.clone()),
        (TagOrDigest::Tag(_), claimed) => claimed,
    };
    let media_type = answer.media_type().filter(|media_type| !is_generic(media_type));
    Ok(digest.zip(answer.length()).zip(media_type).map(|((digest, size), media_type)| Descriptor {
        media_type,
        digest,
        size,
    }))
}

/// The little of a manifest that tells its type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<MediaType>,
    manifests: Option<serde::de::IgnoredAny>,
}

/// Returns the type from the header, or from the content where the header says nothing.
fn media_type(answer: &Answer) -> MediaType {
    let header = answer.media_type();
    if let Some(media_type) = header.clone().filter(|media_type| !is_generic(media_type)) {
        return media_type;
    }
    media_type_of(&answer.body).or(header).unwrap_or(MediaType::OctetStream)
}

/// Returns what a manifest's content says it is; `None` where it is none.
pub(crate) fn media_type_of(content: &[u8]) -> Option<MediaType> {
    match serde_json::from_slice(content).ok()? {
        Shape { media_type: Some(media_type), .. } => Some(media_type),
        Shape { manifests: Some(_), .. } => Some(MediaType::OciIndex),
        Shape { .. } => Some(MediaType::OciManifest),
    }
}

/// What servers say that do not know better.
fn is_generic(media_type: &MediaType) -> bool {
    match media_type {
        MediaType::OctetStream => true,
        MediaType::Other(name) => {
            matches!(name.as_str(), "application/json" | "text/plain" | "binary/octet-stream")
        }
        _ => false,
    }
}
