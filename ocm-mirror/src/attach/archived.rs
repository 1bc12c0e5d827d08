use std::collections::BTreeMap;

use ocm_oci::{Digest, RepoName};

use super::{
    Subjects,
    find::{Found, Heard},
};
use crate::{Archived, Attached};

/// What an archive holds of what is said about its images.
#[derive(Debug, Clone, Default)]
pub struct ArchivedAttachments(BTreeMap<(RepoName, Digest), Vec<Found>>);

impl ArchivedAttachments {
    /// Returns what is said about these, by the plan that the archive was written by.
    pub(super) fn about(&self, subjects: &Subjects) -> Heard {
        let mut heard = Heard::default();
        for subject in subjects.wanted_by.keys() {
            let (location, digest) = subject;
            let held = self.0.get(&(location.repository.clone(), digest.clone()));
            heard.found.extend(held.map(|held| (subject.clone(), held.clone())));
        }
        heard
    }
}

impl Archived {
    /// Returns what the archive holds of what is said about its images. What is not whole in it
    /// was told of when it was written.
    pub fn attachments(&self) -> ArchivedAttachments {
        let mut held: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (_, image) in self.plan().images() {
            let Some(attached) = image.attached.as_deref().filter(|_| self.is_whole(image)) else {
                continue;
            };
            let Attached { subject, origin, is_signature, .. } = attached;
            let found = |tag| Found {
                tag,
                root: image.root.clone(),
                is_signature: *is_signature,
                origin: Some(origin.clone()),
            };
            let about = held.entry((image.repository.clone(), subject.clone())).or_default();
            if image.tags.is_empty() {
                about.push(found(None));
            }
            about.extend(image.tags.iter().cloned().map(Some).map(found));
        }
        ArchivedAttachments(held)
    }
}
