//! Where a registry keeps no list of what refers to what, whoever pushes a referrer keeps it, as
//! an index under a tag made of the subject's digest.

use http::HeaderName;
use ocm_oci::{Digest, MediaType, Tag};
use serde_json::{Value, json};

use super::{answer::Answer, failure::Failure, referrers::LIST_LIMIT, repository::Repository};
use crate::{Kind, Manifest, Referrer};

/// The answer of a registry that has taken note of the subject.
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// Returns what `manifest` says about another, if the registry that gave `answer` to it did not
/// take note of that.
pub(super) fn unnoticed(manifest: &Manifest, answer: &Answer) -> Option<(Digest, Referrer)> {
    if answer.header(&OCI_SUBJECT).is_some() {
        return None;
    }
    let subject = manifest.children().ok()?.subject?.digest;
    let referrer = Referrer::of(manifest, &subject, None)?;
    Some((subject, referrer))
}

impl Repository {
    /// Adds `referrer` to the list of what refers to `subject`, unless it is in it.
    ///
    /// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>.
    pub(super) async fn note(&self, subject: &Digest, referrer: Referrer) -> Result<(), Failure> {
        let tag = Tag::of_digest(subject);
        // Two at once would each write a list without the other.
        let _alone = self.endpoint.noting.lock().await;
        let mut list = match self.get_manifest(&(&tag).into(), LIST_LIMIT).await {
            Ok(found) => match read(&found) {
                Some(list) => list,
                // Somebody called an image so, and it stays what it is.
                None => return Ok(()),
            },
            Err(failure) if failure.kind() == Kind::NotFound => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let entry = entry(referrer);
        if list.iter().any(|one| one.get("digest") == entry.get("digest")) {
            return Ok(());
        }
        list.push(entry);
        let index = json!({
            "schemaVersion": 2,
            "mediaType": MediaType::OciIndex.to_string(),
            "manifests": list,
        });
        let index = Manifest::new(MediaType::OciIndex, index.to_string().into());
        self.put_manifest_as(&index, &(&tag).into()).await.map(drop)
    }
}

/// Returns the entries of a list; `None` where it is none.
fn read(manifest: &Manifest) -> Option<Vec<Value>> {
    let is_list = manifest.descriptor().media_type == MediaType::OciIndex;
    let mut index: Value = serde_json::from_slice(manifest.bytes()).ok().filter(|_| is_list)?;
    match index.get_mut("manifests")?.take() {
        Value::Array(entries) => Some(entries),
        _ => None,
    }
}

fn entry(referrer: Referrer) -> Value {
    let Referrer { descriptor, artifact_type, annotations } = referrer;
    let mut entry = json!({
        "mediaType": descriptor.media_type.to_string(),
        "digest": descriptor.digest.to_string(),
        "size": descriptor.size,
    });
    if let Some(object) = entry.as_object_mut() {
        object.extend(artifact_type.map(|kind| ("artifactType".to_owned(), kind.into())));
        if !annotations.is_empty() {
            object.insert("annotations".to_owned(), json!(annotations));
        }
    }
    entry
}
