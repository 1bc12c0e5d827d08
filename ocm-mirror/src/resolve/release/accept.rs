use std::{borrow::Cow, collections::BTreeSet, num::NonZeroUsize, path::Path};

use ocm_config::ReleaseKind;
use ocm_oci::{Digest, ImageRef, Tag};

use ocm_graph::Version;

use super::{super::Resolving, Candidate, Gathered, Releasing, explained};
use crate::{
    Code, Failure, Kind, Side,
    signature::{Asked, Filed, Lookup, Signed},
};

/// Directory of signatures, below the working directory and among an archive's records.
const SIGNATURES: &str = "signatures";
/// How many signatures are looked for at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// A payload that may be mirrored, and what it is called.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    /// What a cluster asks for.
    pub(super) origin: ImageRef,
    pub(super) digest: Digest,
    /// What it is called at the destination.
    pub(super) tag: Tag,
    pub(super) signed: Option<Signed>,
    pub(super) kind: ReleaseKind,
}

impl Gathered<'_> {
    /// Returns those of `candidates` that somebody trusted says are releases; each image once.
    pub(super) async fn accepted(
        &mut self,
        candidates: &[Candidate],
        resolving: &Resolving<'_>,
    ) -> Vec<Accepted> {
        let Releasing { trust, signatures, web, now, .. } = *resolving.releasing;
        let asked = candidates.iter().map(|candidate| Asked {
            digest: &candidate.digest,
            reference: candidate.payload.as_written(),
            trust: trust.of(candidate.kind),
            policy: candidate.policy,
        });
        let asked: Vec<_> = asked.collect();
        let digests: Vec<_> = candidates.iter().map(|one| one.digest.clone()).collect();
        let filed = match signatures.about(&digests).await {
            Ok(filed) => filed,
            // What cannot be read here may be had elsewhere.
            Err(error) => {
                self.warn_of_unkept(&error);
                Cow::Owned(Filed::default())
            }
        };
        let (retry, at_once) = (resolving.retry, AT_ONCE);
        let answers = Lookup { filed: &filed, web, retry, at_once, now }.check(&asked).await;
        let (mut accepted, mut known) = (Vec::new(), BTreeSet::new());
        for (candidate, answer) in candidates.iter().zip(answers) {
            let written = candidate.payload.as_written();
            let named = answer.map_err(|refusal| Failure::from(&refusal));
            match named.and_then(|signed| candidate.accept(signed)) {
                Ok(one) if known.insert(one.origin.as_written().to_owned()) => accepted.push(one),
                Ok(_known) => {}
                Err(failure) => self.lose(Kind::Release, written, failure),
            }
        }
        self.keep_signatures(&accepted, resolving.working_dir).await;
        accepted
    }

    /// Keeps the signatures for people, for the far side of an archive, and for the next run.
    async fn keep_signatures(&mut self, accepted: &[Accepted], working_dir: &Path) {
        let directory = working_dir.join(SIGNATURES);
        for signed in accepted.iter().filter_map(|accepted| accepted.signed.as_ref()) {
            if let Err(error) = signed.save(&directory).await {
                self.warn_of_unkept(&error);
            }
            let name = format!("{SIGNATURES}/{}", signed.file_name());
            self.resolved.decided.records.insert(name, signed.message.clone());
        }
    }
}

/// Makes sure that what was signed is what was selected: a graph can name any release that was
/// ever signed.
fn is_of(tag: &Tag, version: &Version) -> Result<(), Failure> {
    let (signed, version) = (tag.as_str(), version.to_string());
    let rest = signed.strip_prefix(version.as_str());
    if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
        return Ok(());
    }
    let what =
        format!("the update graph says that it is {version}, and it is signed as `{signed}`");
    Err(Failure::without(Code::Signature, Side::Source, what).with_hint(
        "whoever serves the graph offers another release than the one that is asked for",
    ))
}

impl Candidate {
    /// Says what the payload is called: by the tag that was signed with it, on the host and in the
    /// repository where it is.
    fn accept(&self, signed: Option<Signed>) -> Result<Accepted, Failure> {
        let named = |tag: &Tag| {
            let Self { payload, .. } = self;
            let name = format!("{}/{}:{tag}", payload.host(), payload.repository());
            name.parse::<ImageRef>().map_err(|error| explained(&error, None))
        };
        let tag_of = |text: String| text.parse::<Tag>().map_err(|error| explained(&error, None));
        let signed_tag = signed.as_ref().and_then(|signed| signed.verified.identity.tag());
        if let (Some(tag), Some(version)) = (signed_tag, &self.version) {
            is_of(tag, version)?;
        }
        let (origin, tag) = match (signed_tag, &self.version) {
            // Asked for by tag, it is called what it was asked for as.
            (Some(tag), _) if self.payload.tag().is_some() => (self.payload.clone(), tag.clone()),
            (Some(tag), _) => (named(tag)?, tag.clone()),
            // Those of OKD, which are tagged with their version.
            (None, Some(version)) => {
                let tag = tag_of(version.to_string())?;
                (named(&tag)?, tag)
            }
            (None, None) => (self.payload.clone(), tag_of(self.digest.hex())?),
        };
        Ok(Accepted { origin, digest: self.digest.clone(), tag, signed, kind: self.kind })
    }
}
