use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

use ocm_oci::{Digest, Tag, TagOrDigest};
use ocm_transport::{Kind as Cause, Referrer, Retry, Source, TransportError};

use super::{Attachment, Attachments, Context, Subjects, subjects::Subject};
use crate::{
    Answer, Code, Failure, Place, Places, RetryPolicy, Side, WishId, drive::drive, retry::Patience,
};

/// How cosign's tags end, after the digest.
///
/// Source: <https://github.com/sigstore/cosign/blob/v2.4.1/specs/SIGNATURE_SPEC.md#tag-based-discovery>.
const ENDINGS: [&str; 3] = [".att", ".sbom", SIGNATURE];
pub(super) const SIGNATURE: &str = ".sig";

/// How the types of referrers begin that are signatures: of cosign, sigstore and notation.
const SIGNATURE_TYPES: [&str; 3] = [
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.cncf.notary.signature",
];

/// How often a place is waited for in vain, before it is waited for no more.
const VAIN_LIMIT: usize = 3;

/// Something that is said about a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// Its tag, if it has one: those with a tag come first.
    pub(super) tag: Option<Tag>,
    pub(super) root: Digest,
    pub(super) is_signature: bool,
    /// What it is called, where that is known.
    pub(super) origin: Option<String>,
}

/// What is said about which manifest; and where nobody could be asked.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) found: BTreeMap<Subject, Vec<Found>>,
    pub(super) failed: BTreeMap<Subject, Failure>,
    /// Where we are not let at a signature, if there is one.
    pub(super) hidden: BTreeMap<Subject, Failure>,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    Tag(&'static str),
    Referrers,
}

/// Asks the sources of all subjects, each for all kinds of attachments.
pub(super) async fn ask(subjects: &Subjects, context: Context<'_>) -> Heard {
    let mut questions = Vec::new();
    for subject in subjects.wanted_by.keys() {
        questions.extend(ENDINGS.map(|ending| (subject, Question::Tag(ending))));
        questions.push((subject, Question::Referrers));
    }
    let mut left = questions.into_iter();
    let (mut heard, waiting) = (Heard::default(), &Waiting::new(context.asking.retry));
    let next = || left.next().map(|(subject, one)| answer(subject, one, context.places, waiting));
    let keep = |(subject, answer): (&Subject, Result<Vec<Found>, Failure>)| match answer {
        Ok(found) if found.is_empty() => {}
        Ok(found) => heard.found.entry(subject.clone()).or_default().extend(found),
        // Most who say so have nothing either: it counts only where a signature is required.
        Err(failure) if failure.code == Code::Transport(Cause::Auth) => {
            heard.hidden.insert(subject.clone(), failure);
        }
        // Of several the first in order, whichever came first.
        Err(failure) => {
            let first = heard.failed.entry(subject.clone()).or_insert_with(|| failure.clone());
            if failure.chain < first.chain {
                *first = failure;
            }
        }
    };
    drive(context.asking.at_once, next, keep).await;
    // In an order that does not depend on who answered first.
    heard.found.values_mut().for_each(|found| found.sort_by(with_tags_first));
    heard
}

fn with_tags_first(one: &Found, other: &Found) -> Ordering {
    (one.tag.is_none(), one).cmp(&(other.tag.is_none(), other))
}

/// How long is waited for places that fail.
///
/// Some proxies answer that they are out of order for whatever does not exist: with a thousand
/// images, waiting each time would take hours.
#[derive(Debug)]
struct Waiting {
    patient: Patience,
    impatient: Patience,
    /// How often a place was waited for in vain.
    vain: Mutex<BTreeMap<Place, usize>>,
}

impl Waiting {
    fn new(retry: RetryPolicy) -> Self {
        let (patient, impatient) = (Patience::new(retry), Patience::new(retry.with_retries(0)));
        Self { patient, impatient, vain: Mutex::default() }
    }

    fn of(&self, place: &Place) -> &Patience {
        let vain = self.vain.lock().unwrap_or_else(PoisonError::into_inner);
        let is_lost = vain.get(place).is_some_and(|times| *times >= VAIN_LIMIT);
        if is_lost { &self.impatient } else { &self.patient }
    }

    fn was_vain(&self, place: &Place) {
        let mut vain = self.vain.lock().unwrap_or_else(PoisonError::into_inner);
        *vain.entry(place.clone()).or_default() += 1;
    }
}

async fn answer<'a>(
    subject: &'a Subject,
    question: Question,
    places: &Places,
    waiting: &Waiting,
) -> (&'a Subject, Result<Vec<Found>, Failure>) {
    let (location, digest) = subject;
    let Some(source) = places.source(location) else {
        let what = format!("{} is not open", location.place);
        return (subject, Err(Failure::without(Code::Place, Side::Source, what)));
    };
    let patience = waiting.of(&location.place);
    let found = match question {
        Question::Tag(ending) => tagged(&*source, digest, ending, patience).await,
        Question::Referrers => referring(&*source, digest, patience).await,
    };
    let found = match found {
        Ok(found) => Ok(found),
        Err(error) if question == Question::Tag(SIGNATURE) && error.kind() == Cause::Auth => {
            Err(hidden(digest, &error))
        }
        Err(error) if is_absence(&error) => Ok(Vec::new()),
        Err(error) => {
            waiting.was_vain(&location.place);
            Err(Failure::at(Side::Source, &error))
        }
    };
    // Whoever says that about itself would go round in a circle.
    let is_other = |one: &Found| one.root != *digest;
    (subject, found.map(|found| found.into_iter().filter(is_other).collect()))
}

/// Says that somebody may have signed it, whom we are not let at.
fn hidden(digest: &Digest, error: &TransportError) -> Failure {
    let mut failure = Failure::at(Side::Source, error);
    failure.chain.insert(0, format!("could not look whether `{digest}` is signed"));
    failure.hint = failure.hint.map(|hint| {
        format!("{hint}; some registries answer so, too, where there is no signature at all")
    });
    failure
}

/// Looks for a tag made of the digest.
pub(super) async fn tagged(
    source: &dyn Source,
    subject: &Digest,
    ending: &str,
    patience: &Patience,
) -> Result<Vec<Found>, TransportError> {
    let tag = format!("{}-{}{ending}", subject.algorithm(), subject.hex());
    // A sha512 digest is too long for one.
    let Ok(tag) = tag.parse::<Tag>() else { return Ok(Vec::new()) };
    let name = TagOrDigest::from(&tag);
    let found = patience.run(|| source.head(&name)).await?;
    // Some answer whatever is asked, with nothing in it.
    let found = found.filter(|found| found.size > 0).map(|found| Found {
        tag: Some(tag),
        root: found.digest,
        is_signature: ending == SIGNATURE,
        origin: None,
    });
    Ok(found.into_iter().collect())
}

/// Asks for the manifests that name the digest as their subject.
pub(super) async fn referring(
    source: &dyn Source,
    subject: &Digest,
    patience: &Patience,
) -> Result<Vec<Found>, TransportError> {
    let referrers = patience.run(|| source.referrers(subject, None)).await?;
    let found = |one: Referrer| Found {
        tag: None,
        is_signature: one.artifact_type.as_deref().is_some_and(is_signature),
        root: one.descriptor.digest,
        origin: None,
    };
    Ok(referrers.into_iter().map(found).collect())
}

fn is_signature(artifact_type: &str) -> bool {
    SIGNATURE_TYPES.iter().any(|begin| artifact_type.starts_with(begin))
}

/// Whether an answer means that there is nothing, in whatever words: unknown names, tags that only
/// others may see, requests that are not understood.
pub(super) fn is_absence(error: &TransportError) -> bool {
    is_absent(error.kind()) || (error.kind() == Cause::Refused && error.retry() == Retry::Never)
}

/// Whether the kind alone says so.
pub(super) fn is_absent(cause: Cause) -> bool {
    matches!(cause, Cause::NotFound | Cause::Auth | Cause::Unsupported)
}

/// Leaves out what the destination has of images that are there already.
pub(super) async fn forget_present(attachments: &mut Attachments, context: Context<'_>) {
    let is_present = |id: &WishId| matches!(context.survey.get(id), Some(Answer::Present(_)));
    let of_present = attachments.of.iter().filter(|(id, _)| is_present(id));
    let asked: BTreeSet<usize> = of_present.flat_map(|(_, nths)| nths.iter().copied()).collect();
    let (mut left, mut there) = (asked.into_iter(), BTreeSet::new());
    let (all, patience) = (&attachments.all, &Patience::new(context.asking.retry));
    let next = || left.next().map(|nth| held(nth, all, context, patience));
    drive(context.asking.at_once, next, |nth| there.extend(nth)).await;
    let Attachments { all, of, held, .. } = attachments;
    for (id, nths) in of.iter_mut().filter(|(id, _)| is_present(id)) {
        let signatures = nths.iter().filter(|nth| there.contains(nth));
        let signatures = signatures.filter_map(|nth| all.get(*nth)).filter(|one| one.is_signature);
        held.entry(*id).or_default().extend(signatures.map(|one| one.subject.clone()));
        nths.retain(|nth| !there.contains(nth));
    }
}

/// Returns the position of an attachment that the destination has.
async fn held(
    nth: usize,
    all: &[Attachment],
    context: Context<'_>,
    patience: &Patience,
) -> Option<usize> {
    let Attachment { wanted, tag, root, .. } = all.get(nth)?;
    let there = context.places.destination(context.to, &wanted.repository)?;
    let name = tag.as_ref().map_or_else(|| root.into(), TagOrDigest::from);
    let found = patience.run(|| there.head(&name)).await.ok()??;
    (found.digest == *root).then_some(nth)
}
