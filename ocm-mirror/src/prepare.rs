use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc};

use ocm_oci::Digest;

use crate::{
    Answer, Asking, Attaching, Expansion, Failure, Holdings, Lost, Pack, Place, Places, PlanError,
    Planned, Survey, Wanted, WishId, Wishes,
    attach::{Context, attach},
    drive::drive,
    expand,
    expand::rewrite,
    plan,
    retry::Patience,
    survey::{head, survey_the_rest},
};

/// What is to be planned.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is wanted.
    pub wishes: Wishes,
    /// What cannot even be wished for: the configuration names it in a way that has no meaning.
    pub lost: Vec<Lost>,
    /// Wishes that are known not to be met; nobody is asked for them.
    pub given_up: BTreeMap<WishId, Failure>,
    /// Where it goes.
    pub to: Place,
    /// How places are asked.
    pub asking: Asking,
    /// What happens to an index of which not all images are wanted.
    pub platform_index: PlatformIndex,
    /// What travels with the images.
    pub attaching: Attaching,
    /// Directory for the manifests that are read; they have no name in it.
    pub directory: PathBuf,
}

impl Request {
    /// Asks for `wishes` at `to`, in the usual ways; manifests are kept in `directory`.
    pub fn new(wishes: Wishes, to: Place, directory: PathBuf) -> Self {
        let (lost, given_up) = Default::default();
        let (asking, platform_index, attaching) = Default::default();
        Self { wishes, lost, given_up, to, asking, platform_index, attaching, directory }
    }
}

/// What happens to an index of which not all images are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlatformIndex {
    /// It is kept as it is, so that its digest stays; it then names images that are not there.
    #[default]
    Keep,
    /// It is cut down to what is there, for registries that demand it; its digest changes. Those of
    /// releases are kept all the same: by another digest a cluster does not find them.
    Rewrite,
}

/// A plan, and the manifests that it will push.
#[derive(Debug)]
pub struct Prepared {
    /// The plan, and what to tell about how it came to be.
    pub planned: Planned,
    /// The manifests.
    pub pack: Arc<Pack>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The file for the manifests cannot be made.
    #[error("could not make a file in `{directory}`", directory = .directory.display())]
    Workspace {
        /// Where.
        directory: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What was read does not make a plan.
    #[error("could not make a plan")]
    Plan(#[from] PlanError),
}

/// Finds out what is missing, reads its manifests, and decides what to do.
///
/// # Errors
///
/// [`PrepareError`]. What is wrong with an image is in the plan, among the lost.
///
/// # Cancel safety
///
/// Dropping the future stops asking, and nothing is left.
pub async fn prepare(request: Request, places: &Places) -> Result<Prepared, PrepareError> {
    let Request { wishes, lost, to, asking, platform_index, attaching, directory, .. } = request;
    let known = request.given_up.into_iter().map(|(id, why)| (id, Answer::Lost(why)));
    let mut survey = survey_the_rest(known.collect(), &wishes, (places, &to), asking).await;
    let expansion = expand(&wishes, &survey, (places, asking), &directory).await;
    let mut expansion =
        expansion.map_err(|source| PrepareError::Workspace { directory, source })?;
    if platform_index == PlatformIndex::Rewrite {
        rewrite(&mut expansion, &wishes, &survey);
        find_rewritten(&expansion, &wishes, (places, &to), asking, &mut survey).await;
    }
    let context = Context { wishes: &wishes, survey: &survey, places, to: &to, asking };
    let expansion = attach(expansion, &attaching, context).await;
    let planned = plan(&wishes, &survey, &expansion, lost, to)?;
    Ok(Prepared { planned, pack: Arc::new(expansion.pack) })
}

/// Recognises what an earlier run rewrote: the survey could not, as it knew the old digest only.
async fn find_rewritten(
    expansion: &Expansion,
    wishes: &Wishes,
    (places, to): (&Places, &Place),
    asking: Asking,
    survey: &mut Survey,
) {
    if asking.holdings == Holdings::Nothing {
        return;
    }
    let rewritten = |(id, wanted)| Some((id, wanted, expansion.roots.get(&id)?));
    let rewritten: Vec<_> = wishes.iter().filter_map(rewritten).collect();
    let (mut left, patience) = (rewritten.into_iter(), &Patience::new(asking.retry));
    let next = || left.next().map(|wish| find(wish, (places, to), patience));
    let keep = |found: Option<(WishId, Digest)>| {
        survey.extend(found.map(|(id, root)| (id, Answer::Present(root))));
    };
    drive(asking.at_once, next, keep).await;
}

/// Asks whether the wish's tag points at the root.
async fn find(
    (id, wanted, root): (WishId, &Wanted, &Digest),
    (places, to): (&Places, &Place),
    patience: &Patience,
) -> Option<(WishId, Digest)> {
    let found = head(places, to, (&wanted.repository, &wanted.tag), patience).await;
    let is_there = found.is_ok_and(|found| found.as_ref() == Some(root));
    is_there.then(|| (id, root.clone()))
}
