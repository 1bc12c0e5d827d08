//! What says something about a manifest: from the API, or from the list that clients keep under a
//! tag where there is none.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use http::{Method, StatusCode};
use oci_client::errors::OciErrorCode;
use ocm_oci::{Descriptor, Digest, Tag};
use serde::Deserialize;

use super::{
    answer::Answer,
    call::{Call, Target},
    failure::Failure,
    pages::{PAGE_LIMIT, next_page},
    repository::Repository,
    url::query,
};
use crate::{Kind, Referrer};

/// Largest list of referrers that is read from a tag.
pub(super) const LIST_LIMIT: usize = 4 << 20;
/// Most pages of the API that are followed.
const PAGES_LIMIT: usize = 100;

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    descriptor: Descriptor,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

impl Repository {
    pub(crate) async fn list_referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, Failure> {
        let entries = match self.api_referrers(subject, artifact_type).await? {
            Some(entries) => entries,
            None => self.tagged_referrers(subject).await?,
        };
        // The API may ignore the type, and a list may name one manifest twice.
        let wanted = |entry: &Entry| {
            artifact_type.is_none_or(|wanted| entry.artifact_type.as_deref() == Some(wanted))
        };
        let found: BTreeMap<Digest, Referrer> = entries
            .into_iter()
            .filter(wanted)
            .map(|entry| (entry.descriptor.digest.clone(), entry.into()))
            .collect();
        Ok(found.into_values().collect())
    }

    /// Asks the API; `None` where there is none. A registry that says so is believed for all of
    /// its repositories, and not asked again.
    async fn api_referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Entry>>, Failure> {
        if self.endpoint.has_no_referrers.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let query = query(artifact_type.map(|wanted| ("artifactType", wanted)));
        let path = self.path(&format!("referrers/{subject}{query}"));
        let mut call = Call::new(Method::GET, path, self.scope.clone());
        let mut entries = Vec::new();
        for page in 0..PAGES_LIMIT {
            let answer = self.endpoint.ask(&call, PAGE_LIMIT).await?;
            if page == 0 && is_absent(&answer) {
                self.endpoint.has_no_referrers.fetch_or(is_unknown(&answer), Ordering::Relaxed);
                return Ok(None);
            }
            let answer = answer.checked()?;
            match serde_json::from_slice::<List>(&answer.body) {
                Ok(list) => entries.extend(list.manifests),
                // Some answer any path with a page for people.
                Err(_content) if page == 0 => {
                    self.endpoint.has_no_referrers.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
                Err(_content) => return Err(Failure::odd(&answer.request, "is no list")),
            }
            match next_page(&self.endpoint, &answer).await? {
                Some(next) => call.target = Target::At(next),
                None => return Ok(Some(entries)),
            }
        }
        Ok(Some(entries))
    }

    /// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>.
    async fn tagged_referrers(&self, subject: &Digest) -> Result<Vec<Entry>, Failure> {
        let tag = Tag::of_digest(subject);
        let list = match self.get_manifest(&(&tag).into(), LIST_LIMIT).await {
            Err(failure) if failure.kind() == Kind::NotFound => return Ok(Vec::new()),
            list => list?,
        };
        // A tag of that form can be an image that somebody called so.
        let list: Result<List, _> = serde_json::from_slice(list.bytes());
        Ok(list.map(|list| list.manifests).unwrap_or_default())
    }
}

/// Whether there is no such list, as far as a status can tell.
fn is_absent(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 400 | 404 | 405 | 501)
        || (!answer.status.is_success() && answer.says(&OciErrorCode::Unsupported))
}

/// Whether there is no such API at all: who has it says what it is that is not there.
fn is_unknown(answer: &Answer) -> bool {
    let missing = [OciErrorCode::NameUnknown, OciErrorCode::ManifestUnknown];
    answer.status != StatusCode::BAD_REQUEST && !missing.iter().any(|code| answer.says(code))
}

impl From<Entry> for Referrer {
    fn from(entry: Entry) -> Self {
        let Entry { descriptor, artifact_type, annotations } = entry;
        Self { descriptor, artifact_type, annotations: annotations.unwrap_or_default() }
    }
}
