use std::{
    collections::{BTreeMap, BTreeSet},
    io, mem,
    path::Path,
};

use ocm_oci::{Children, Descriptor, Digest, IndexEntry, ManifestError};
use ocm_transport::{Kind as Cause, Manifest};

use crate::{
    Answer, Asking, Code, Failure, Node, Pack, Place, Places, RetryPolicy, Side, Survey, Wanted,
    WishId, Wishes, drive::drive, plan::MAX_NESTING,
};

mod rewrite;

pub(crate) use rewrite::rewrite;

/// Largest manifest that is read, in bytes: what registries accept at least.
const MANIFEST_LIMIT: usize = 4 << 20;

/// Every missing manifest, and every size known.
#[derive(Debug)]
pub struct Expansion {
    pub(crate) pack: Pack,
    pub(crate) nodes: BTreeMap<Digest, Node>,
    pub(crate) sizes: BTreeMap<Digest, u64>,
    pub(crate) lost: BTreeMap<WishId, Failure>,
    /// Roots that stand for another, because an index was cut down to the platforms wanted.
    pub(crate) roots: BTreeMap<WishId, Digest>,
}

/// Why a manifest does not fit the others.
#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("could not read manifest `{digest}`")]
    Unreadable { digest: Digest, source: ManifestError },
    #[error("manifest `{digest}` gives blob `{blob}` a size that another denies")]
    Size { digest: Digest, blob: Digest },
    #[error("could not keep manifest `{digest}`")]
    Pack { digest: Digest, source: io::Error },
}

/// The manifests of one level, and the wishes each is part of.
type Level = BTreeMap<Digest, BTreeSet<WishId>>;

/// Reads the manifests of what is missing, and of what these list; each once.
///
/// They are kept in an unnamed file in `directory`.
///
/// # Errors
///
/// When that file cannot be made. What is wrong with an image is among the lost.
///
/// # Cancel safety
///
/// Dropping the future stops reading, and nothing is left.
pub async fn expand(
    wishes: &Wishes,
    survey: &Survey,
    (places, asking): (&Places, Asking),
    directory: &Path,
) -> io::Result<Expansion> {
    let mut reading = Reading {
        wishes: wishes.iter().collect(),
        left_out: BTreeSet::new(),
        expansion: Expansion {
            pack: Pack::create(directory)?,
            nodes: BTreeMap::new(),
            sizes: BTreeMap::new(),
            lost: BTreeMap::new(),
            roots: BTreeMap::new(),
        },
    };
    let mut level = Level::new();
    for (id, answer) in survey {
        if let Answer::Missing(root) = answer {
            level.entry(root.clone()).or_default().insert(*id);
        }
    }
    for depth in 0..MAX_NESTING {
        level = reading.read(level, (places, asking), depth == 0).await;
    }
    Ok(reading.finish(&level))
}

struct Reading<'a> {
    wishes: BTreeMap<WishId, &'a Wanted>,
    /// Manifests that an archive was written without, by choice.
    left_out: BTreeSet<Digest>,
    expansion: Expansion,
}

impl Reading<'_> {
    /// Reads one level; returns the next.
    async fn read(
        &mut self,
        level: Level,
        (places, asking): (&Places, Asking),
        is_top: bool,
    ) -> Level {
        let unread = level.iter().filter(|(digest, _)| !self.expansion.nodes.contains_key(*digest));
        let wanting = |ids: &BTreeSet<WishId>| -> Vec<&Wanted> {
            ids.iter().filter_map(|id| self.wishes.get(id).copied()).collect()
        };
        let jobs: Vec<_> = unread.map(|(digest, ids)| (digest, wanting(ids))).collect();
        let (mut jobs, mut failed) = (jobs.into_iter(), BTreeMap::new());
        let (expansion, retry) = (&mut self.expansion, asking.retry);
        let next = || jobs.next().map(|(digest, from)| fetch(digest, from, places, retry));
        let keep = |(digest, result): (&Digest, Result<Manifest, Failure>)| {
            let kept = result
                .and_then(|manifest| expansion.add(&manifest).map_err(|misfit| unusable(&misfit)));
            failed.extend(kept.err().map(|failure| (digest.clone(), failure)));
        };
        drive(asking.at_once, next, keep).await;
        let mut next = Level::new();
        for (digest, ids) in &level {
            match failed.remove(digest) {
                Some(failure) => self.lose(digest, ids, &failure, is_top),
                None => self.descend(digest, ids, is_top, &mut next),
            }
        }
        next
    }

    /// Adds what `digest` lists, as far as the wishes that it is part of want it.
    fn descend(&mut self, digest: &Digest, ids: &BTreeSet<WishId>, is_top: bool, next: &mut Level) {
        let Ok(Some(manifest)) = self.expansion.pack.get(digest) else { return };
        let Ok(Children { manifests, .. }) = manifest.children() else { return };
        let mut wanted_here = BTreeSet::new();
        for id in ids {
            let Some(wanted) = self.wishes.get(id) else { continue };
            let offered = manifests.iter().filter_map(|entry| entry.platform.as_ref());
            let missing = wanted.platforms.missing(offered);
            if is_top && !manifests.is_empty() && !missing.is_empty() {
                let failure = no_platform(wanted, &missing, &manifests);
                self.expansion.lost.entry(*id).or_insert(failure);
                continue;
            }
            let is_wanted = |entry: &&IndexEntry| wanted.platforms.admits(entry.platform.as_ref());
            for entry in manifests.iter().filter(is_wanted) {
                let child = &entry.descriptor.digest;
                wanted_here.insert(child.clone());
                next.entry(child.clone()).or_default().insert(*id);
            }
        }
        if let Some(node) = self.expansion.nodes.get_mut(digest) {
            // Another wish may have wanted others of the same index.
            wanted_here.extend(mem::take(&mut node.children));
            let listed = manifests.iter().map(|entry| &entry.descriptor.digest);
            node.children = unique(listed.filter(|child| wanted_here.contains(*child)));
            node.sparse =
                node.children.len() < unique(manifests.iter().map(|e| &e.descriptor.digest)).len();
        }
    }

    /// Gives up the wishes that need `digest`, unless an archive was written without it.
    fn lose(&mut self, digest: &Digest, ids: &BTreeSet<WishId>, why: &Failure, is_top: bool) {
        for id in ids {
            let Some(wanted) = self.wishes.get(id) else { continue };
            let is_archived = wanted.from.place == Place::Archive;
            let is_absent = why.code == Code::Transport(Cause::NotFound);
            if !is_top
                && is_archived
                && is_absent
                && wanted.platforms == ocm_oci::PlatformFilter::All
            {
                self.left_out.insert(digest.clone());
            } else {
                let failure = why.clone().of(&wanted.origin);
                self.expansion.lost.entry(*id).or_insert(failure);
            }
        }
    }

    /// Ends reading; what is left of the levels is nested too deep.
    fn finish(mut self, too_deep: &Level) -> Expansion {
        for ids in too_deep.values() {
            for id in ids {
                let what = format!("its manifests nest deeper than {MAX_NESTING}");
                let failure = Failure::without(Code::Manifest, Side::Source, what);
                let origin = self.wishes.get(id).map_or("", |wanted| wanted.origin.as_str());
                self.expansion.lost.entry(*id).or_insert(failure.of(origin));
            }
        }
        for node in self.expansion.nodes.values_mut() {
            let before = node.children.len();
            node.children.retain(|child| !self.left_out.contains(child));
            node.sparse |= node.children.len() < before;
        }
        self.expansion
    }
}

fn unique<'a>(digests: impl Iterator<Item = &'a Digest>) -> Vec<Digest> {
    let mut seen = BTreeSet::new();
    digests.filter(|digest| seen.insert(*digest)).cloned().collect()
}

impl Expansion {
    pub(crate) fn add(
        &mut self,
        manifest: &Manifest,
    ) -> Result<(), impl std::error::Error + use<>> {
        let Descriptor { media_type, digest, size } = manifest.descriptor().clone();
        let unreadable = |source| Misfit::Unreadable { digest: digest.clone(), source };
        let children = manifest.children().map_err(unreadable)?;
        for blob in &children.blobs {
            let known = self.sizes.get(&blob.digest).copied().unwrap_or(blob.size);
            if known != blob.size {
                return Err(Misfit::Size { digest, blob: blob.digest.clone() });
            }
        }
        self.sizes.extend(children.blobs.iter().map(|blob| (blob.digest.clone(), blob.size)));
        let blobs = unique(children.blobs.iter().map(|blob| &blob.digest));
        let kept = self.pack.add(manifest);
        kept.map_err(|source| Misfit::Pack { digest: digest.clone(), source })?;
        let node = Node { size, media_type, children: Vec::new(), blobs, sparse: false };
        self.nodes.insert(digest, node);
        Ok(())
    }
}

/// Reads a manifest from the first of those who have it.
async fn fetch<'a>(
    digest: &'a Digest,
    from: Vec<&Wanted>,
    places: &Places,
    retry: RetryPolicy,
) -> (&'a Digest, Result<Manifest, Failure>) {
    let nowhere = format!("`{digest}` has no source");
    let mut failure = Failure::without(Code::Place, Side::Source, nowhere);
    let mut asked = BTreeSet::new();
    for location in from.iter().map(|wanted| &wanted.from) {
        if !asked.insert(location) {
            continue;
        }
        let Some(source) = places.source(location) else {
            let what = format!("{} is not open", location.place);
            failure = Failure::without(Code::Place, Side::Source, what);
            continue;
        };
        let reference = digest.into();
        match retry.run(|| source.manifest(&reference, MANIFEST_LIMIT)).await {
            Ok(manifest) => return (digest, Ok(manifest)),
            Err(error) => failure = Failure::at(Side::Source, &error),
        }
    }
    (digest, Err(failure))
}

fn no_platform(wanted: &Wanted, missing: &[&ocm_oci::Platform], offered: &[IndexEntry]) -> Failure {
    let list = |platforms: Vec<String>| platforms.join(", ");
    let missing = list(missing.iter().map(ToString::to_string).collect());
    let offered = offered.iter().filter_map(|entry| entry.platform.as_ref());
    let offered = list(offered.map(ToString::to_string).collect());
    let what = format!("the image is not made for {missing}");
    Failure::without(Code::Platform, Side::Source, what)
        .with_hint(format!("its `platforms` can be of: {offered}"))
        .of(&wanted.origin)
}

fn unusable(misfit: &dyn std::error::Error) -> Failure {
    Failure::new(Code::Manifest, Side::Source, misfit)
}
