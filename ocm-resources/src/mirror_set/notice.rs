use std::collections::BTreeSet;

use ocm_oci::{Digest, Host, RepoName, Tag};

use crate::mirrored::Mirrored;

/// An image that is at the mirror, and that a cluster does not find there by the name it was
/// mirrored by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The image, as it was written.
    pub origin: String,
    /// Why it is not found.
    pub change: Change,
}

/// What is different at the mirror: entries replace the beginning of a name, never its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Change {
    /// The tag is another.
    #[error(
        "is at the mirror under another tag, which no mirror set can bring about: a cluster finds \
         it only as `{place}`, or there by its digest"
    )]
    Tag {
        /// Host, repository and tag.
        place: String,
    },
    /// The digest is another, as platforms were taken out of the index: no entry is written.
    #[error(
        "has another digest at the mirror, as its index was rewritten: a cluster finds it only as \
         `{place}@{digest}`, or there by its tag `{tag}`"
    )]
    Digest {
        /// Host and repository.
        place: String,
        /// The digest there.
        digest: Digest,
        /// The tag there.
        tag: Tag,
    },
}

/// Returns a notice for each of `images` that needs one, in their order.
pub(super) fn notices(images: &[&Mirrored]) -> Vec<Notice> {
    let kept: BTreeSet<_> = images.iter().filter_map(|image| kept_tag(image)).collect();
    let change = |image: &Mirrored| {
        let (host, repository, tag) = (&image.host, &image.repository, &image.tag);
        if image.is_rewritten() {
            let place = format!("{host}/{repository}");
            return Some(Change::Digest { place, digest: image.digest.clone(), tag: tag.clone() });
        }
        // The same image may be there under its own tag too.
        let is_lost = image.origin.digest().is_none()
            && asked_tag(image).is_some_and(|asked| !kept.contains(&asked));
        is_lost.then(|| Change::Tag { place: format!("{host}/{repository}:{tag}") })
    };
    let notice = |image: &&Mirrored| {
        let origin = image.origin.as_written().to_owned();
        change(image).map(|change| Notice { origin, change })
    };
    images.iter().filter_map(notice).collect()
}

type Asked<'a> = (&'a Host, &'a RepoName, &'a Tag);

fn asked_tag(image: &Mirrored) -> Option<Asked<'_>> {
    Some((image.origin.host(), image.origin.repository(), image.origin.tag()?))
}

fn kept_tag(image: &Mirrored) -> Option<Asked<'_>> {
    asked_tag(image).filter(|(_, _, tag)| **tag == image.tag)
}
