use std::{borrow::Cow, num::NonZeroUsize, path::Path};

use ocm_config::ReleaseKind;
use ocm_oci::{Digest, ImageRef, Tag};

use ocm_graph::{Minor, Version};

use super::{super::Resolving, Candidate, Gathered, Releasing, SelectedAs, explained};
use crate::{
    Code, Failure, Kind, Payload, Side, release_suffix,
    signature::{Asked, Filed, Lookup, Signed},
};

/// Directory of signatures, below the working directory and among an archive's records.
const SIGNATURES: &str = "signatures";
/// How many signatures are looked for at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// What the policy covers by which nodes refuse payloads without a sigstore signature, whichever
/// mirror they pull them from.
///
/// Source: <https://github.com/openshift/enhancements/pull/1633>.
const POLICY_SCOPE: &str = "quay.io/openshift-release-dev/ocp-release";

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
    /// What it was selected as.
    pub(super) selected: Option<SelectedAs>,
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
        let mut accepted = Vec::new();
        for (candidate, answer) in candidates.iter().zip(answers) {
            let written = candidate.payload.as_written();
            let named = answer.map_err(|refusal| Failure::from(&refusal));
            let one = named.and_then(|signed| candidate.accept(signed));
            match one.and_then(|one| Ok(one.is_new_among(&accepted)?.then_some(one))) {
                Ok(one) => accepted.extend(one),
                Err(failure) => self.lose(Kind::Release, written, candidate.named(failure)),
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
fn is_of(tag: &Tag, selected: &SelectedAs) -> Result<(), Failure> {
    let signed = tag.as_str();
    let rest = signed.strip_prefix(without_build(&selected.version).as_str());
    let suffix = release_suffix(&selected.architecture);
    if rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-') == Some(suffix)) {
        return Ok(());
    }
    let what =
        format!("the update graph says that it is {selected}, and it is signed as `{signed}`");
    Err(Failure::without(Code::Signature, Side::Source, what).with_hint(DECEIVED))
}

/// What it means that a payload is not what the graph says.
const DECEIVED: &str =
    "whoever serves the graph offers another release than the one that is asked for";

/// Returns a version without its build metadata, which no tag can have.
fn without_build(version: &Version) -> String {
    let text = version.to_string();
    text.split_once('+').map_or(text.as_str(), |(core, _)| core).to_owned()
}

/// Returns the line that a version, or a tag, begins with.
fn line(text: &str) -> Option<Minor> {
    let mut numbers = text.split(['.', '-', '+']).map(str::parse);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(Minor { major, minor })
}

impl Accepted {
    /// Whether none of `others` is the same payload under the same name.
    ///
    /// A version can have two payloads, in two channels. Only one can have the tag.
    fn is_new_among(&self, others: &[Self]) -> Result<bool, Failure> {
        let mut namesakes = others.iter().filter(|other| other.tag == self.tag);
        let Some(other) = namesakes.clone().find(|other| other.digest != self.digest) else {
            return Ok(!namesakes.any(|other| other.origin == self.origin));
        };
        let of = |one: &Self| match &one.selected {
            Some(SelectedAs { channel, .. }) => format!("`{}` of `{channel}`", one.digest),
            None => format!("`{}`", one.digest),
        };
        let what = format!(
            "two payloads have the tag `{}`: {} is mirrored by it, and {} would replace it",
            self.tag,
            of(other),
            of(self)
        );
        Err(Failure::without(Code::Release, Side::Source, what).with_hint(
            "ask for that version in one channel only, or mirror the other payload by itself \
             (`platform.release`) to another place",
        ))
    }

    /// Makes sure that the payload says of itself what the graph says of it, if it says anything.
    pub(super) fn agrees_with(&self, payload: &Payload) -> Result<(), Failure> {
        let (Some(selected), Some(metadata)) = (&self.selected, payload.metadata()) else {
            return Ok(());
        };
        let version = metadata.version();
        if version.parse::<Version>().is_ok_and(|version| version == selected.version) {
            return Ok(());
        }
        let what = format!(
            "the update graph says that it is {selected}, and the payload itself that it is \
             `{version}`"
        );
        Err(Failure::without(Code::Release, Side::Source, what).with_hint(DECEIVED))
    }

    /// Whether nodes look for a sigstore signature of the payload, if it is new enough: by what it
    /// is called where it comes from, or by what Red Hat has signed it as.
    pub(super) fn is_under_policy(&self) -> bool {
        let identity = self.signed.as_ref().map(|signed| &signed.verified.identity);
        let name = |image: &ImageRef| format!("{}/{}", image.host(), image.repository());
        let mut names = identity.into_iter().chain([&self.origin]).map(name);
        self.kind == ReleaseKind::Ocp && names.any(|name| name == POLICY_SCOPE)
    }

    /// Returns the newest line of releases that anybody says the payload is of.
    pub(super) fn line(&self, payload: &Payload) -> Option<Minor> {
        let selected = self.selected.as_ref().map(|selected| selected.version.line());
        let identity = self.signed.as_ref().and_then(|signed| signed.verified.identity.tag());
        let signed = identity.and_then(|tag| line(tag.as_str()));
        selected.max(signed).max(payload.version().and_then(line))
    }
}

impl Candidate {
    /// Says of a failure which release it is about, as people know it.
    fn named(&self, mut failure: Failure) -> Failure {
        if let (Some(selected), Some(first)) = (&self.selected, failure.chain.first_mut()) {
            *first = format!("{selected}: {first}");
        }
        failure
    }

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
        if let (Some(tag), Some(selected)) = (signed_tag, &self.selected) {
            is_of(tag, selected)?;
        }
        let (origin, tag) = match (signed_tag, &self.selected) {
            // Asked for by tag, it is called what it was asked for as.
            (Some(tag), _) if self.payload.tag().is_some() => (self.payload.clone(), tag.clone()),
            (Some(tag), _) => (named(tag)?, tag.clone()),
            // Those of OKD, which are tagged with their version.
            (None, Some(selected)) => {
                let tag = tag_of(selected.tag())?;
                (named(&tag)?, tag)
            }
            (None, None) => (self.payload.clone(), tag_of(self.digest.hex())?),
        };
        let (digest, kind, selected) = (self.digest.clone(), self.kind, self.selected.clone());
        Ok(Accepted { origin, digest, tag, signed, kind, selected })
    }
}

impl SelectedAs {
    /// Returns a tag for a payload that nobody has signed under one: its version, and what it runs
    /// on, unless that is what most run on.
    fn tag(&self) -> String {
        match (without_build(&self.version), self.architecture.as_str()) {
            (version, "amd64") => version,
            (version, architecture) => format!("{version}-{}", release_suffix(architecture)),
        }
    }
}

#[cfg(test)]
mod tests;
