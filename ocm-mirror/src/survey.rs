use std::{collections::BTreeMap, num::NonZeroUsize};

use futures::future;
use ocm_oci::{Digest, RepoName, Tag, TagOrDigest};
use ocm_transport::Kind as Cause;

use crate::{
    Code, Failure, Place, Places, RetryPolicy, Side, Wanted, WishId, Wishes, drive::drive,
    retry::Patience,
};

/// What is there and what is not: one answer to each wish.
pub type Survey = BTreeMap<WishId, Answer>;

/// What was found out about a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is at the destination, under its tag. Children go first and tags last, so it is taken
    /// as whole.
    Present(Digest),
    /// It has to be copied.
    Missing(Digest),
    /// Nobody can say what it is.
    Lost(Failure),
}

/// What is known beforehand of the destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holdings {
    /// It is asked, image by image.
    #[default]
    Ask,
    /// It is empty: an archive that is about to be written.
    Nothing,
}

/// How to ask.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// How many images are asked for at once: a bound, not a target.
    pub at_once: NonZeroUsize,
    /// How often a request is tried.
    pub retry: RetryPolicy,
    /// What is known of the destination.
    pub holdings: Holdings,
}

impl Default for Asking {
    /// Sixteen at once, the default retries, and the destination is asked.
    fn default() -> Self {
        let at_once = NonZeroUsize::MIN.saturating_add(15);
        Self { at_once, retry: RetryPolicy::default(), holdings: Holdings::default() }
    }
}

/// Asks what is there: by digest one HEAD at the destination, by tag one HEAD a side.
///
/// A tag is turned into a digest here and nowhere else.
///
/// # Cancel safety
///
/// Dropping the future stops asking.
pub async fn survey(wishes: &Wishes, places: &Places, to: &Place, asking: Asking) -> Survey {
    survey_the_rest(Survey::new(), wishes, (places, to), asking).await
}

/// Asks as [`survey`] does for what is not known yet.
pub(crate) async fn survey_the_rest(
    mut survey: Survey,
    wishes: &Wishes,
    (places, to): (&Places, &Place),
    asking: Asking,
) -> Survey {
    let left: Vec<_> = wishes.iter().filter(|(id, _)| !survey.contains_key(id)).collect();
    let mut left = left.into_iter();
    let patience = &Patience::new(asking.retry);
    let next = || {
        let (id, wanted) = left.next()?;
        Some(Inquiry { places, to, asking, patience, wanted }.ask(id))
    };
    drive(asking.at_once, next, |(id, answer)| drop(survey.insert(id, answer))).await;
    survey
}

/// One wish's questions.
#[derive(Clone, Copy)]
struct Inquiry<'a> {
    places: &'a Places,
    to: &'a Place,
    asking: Asking,
    patience: &'a Patience,
    wanted: &'a Wanted,
}

impl Inquiry<'_> {
    async fn ask(self, id: WishId) -> (WishId, Answer) {
        let (wanted, there) = future::join(self.wanted(), self.there()).await;
        let answer = match (wanted, there) {
            // What cannot be had is told first: without it the destination does not matter.
            (Err(failure), _) | (Ok(_), Err(failure)) => Answer::Lost(failure),
            (Ok(digest), Ok(Some(found))) if found == digest => Answer::Present(digest),
            (Ok(digest), Ok(_)) => Answer::Missing(digest),
        };
        match answer {
            Answer::Lost(failure) => (id, Answer::Lost(failure.of(&self.wanted.origin))),
            answer => (id, answer),
        }
    }

    /// Returns what the source has under the wish's reference.
    async fn wanted(self) -> Result<Digest, Failure> {
        let wanted = self.wanted;
        match &wanted.reference {
            TagOrDigest::Digest(digest) => Ok(digest.clone()),
            TagOrDigest::Tag(tag) => {
                let closed = || not_open(&wanted.from.place, Side::Source);
                let source = self.places.source(&wanted.from).ok_or_else(closed)?;
                let name = TagOrDigest::from(tag);
                let found = self.patience.run(|| source.head(&name)).await;
                let found = found.map_err(|error| Failure::at(Side::Source, &error))?;
                found.map(|found| found.digest).ok_or_else(|| not_found(wanted, tag))
            }
        }
    }

    /// Returns what the destination has under the wish's tag.
    async fn there(self) -> Result<Option<Digest>, Failure> {
        match self.asking.holdings {
            Holdings::Nothing => Ok(None),
            Holdings::Ask => {
                let Wanted { repository, tag, .. } = self.wanted;
                head(self.places, self.to, (repository, tag), self.patience).await
            }
        }
    }
}

/// Asks the destination what it has under a tag.
pub(crate) async fn head(
    places: &Places,
    to: &Place,
    (repository, tag): (&RepoName, &Tag),
    patience: &Patience,
) -> Result<Option<Digest>, Failure> {
    let closed = || not_open(to, Side::Destination);
    let there = places.destination(to, repository).ok_or_else(closed)?;
    let name = TagOrDigest::from(tag);
    match patience.run(|| there.head(&name)).await {
        Ok(found) => Ok(found.map(|found| found.digest)),
        Err(error) => Err(Failure::at(Side::Destination, &error)),
    }
}

fn not_open(place: &Place, side: Side) -> Failure {
    Failure::without(Code::Place, side, format!("{place} is not open for this"))
}

fn not_found(wanted: &Wanted, tag: &Tag) -> Failure {
    let what = format!("there is no `{tag}` in {}", wanted.from);
    Failure::without(Code::Transport(Cause::NotFound), Side::Source, what)
}
