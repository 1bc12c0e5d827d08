use std::{
    collections::{BTreeMap, BTreeSet},
    io, mem,
    path::Path,
};

use ocm_oci::{Children, Descriptor, Digest, IndexEntry, ManifestError, PlatformFilter};
use ocm_transport::{Kind as Cause, Manifest};

use crate::{
    Answer, Asking, Code, Failure, Node, Pack, Place, Places, Side, Survey, Wanted, WishId, Wishes,
    attach::Attachments, drive::drive, plan::MAX_NESTING, retry::Patience,
};

mod rewrite;

pub(crate) use rewrite::{is_fixed, rewrite};

/// Largest manifest that is read, in bytes: what registries accept at least.
pub(crate) const MANIFEST_LIMIT: usize = 4 << 20;

/// Most manifests that one image may consist of; real ones have a few dozen.
pub(crate) const MANIFESTS_LIMIT: usize = 2000;

/// Largest blob that is believed, in bytes: 64 TiB. Sums of such sizes do not overflow.
const BLOB_LIMIT: u64 = 64 << 40;

/// Every missing manifest, and every size known.
#[derive(Debug)]
pub struct Expansion {
    pub(crate) pack: Pack,
    pub(crate) nodes: BTreeMap<Digest, Node>,
    pub(crate) sizes: BTreeMap<Digest, u64>,
    pub(crate) lost: BTreeMap<WishId, Failure>,
    /// Roots that stand for another, because an index was cut down to the platforms wanted.
    pub(crate) roots: BTreeMap<WishId, Digest>,
    /// What is said about them, and is mirrored with them.
    pub(crate) attachments: Attachments,
}

/// Why a manifest does not fit the others.
#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("could not read manifest `{digest}`")]
    Unreadable { digest: Digest, source: ManifestError },
    #[error("manifest `{digest}` gives `{blob}` {size} bytes, which another denies or nobody has")]
    Size { digest: Digest, blob: Digest, size: u64 },
}

/// The manifests of one level, and the wishes each is part of.
pub(crate) type Level = BTreeMap<Digest, BTreeSet<WishId>>;

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
    let expansion = Expansion {
        pack: Pack::create(directory)?,
        nodes: BTreeMap::new(),
        sizes: BTreeMap::new(),
        lost: BTreeMap::new(),
        roots: BTreeMap::new(),
        attachments: Attachments::default(),
    };
    let mut level = Level::new();
    for (id, answer) in survey {
        if let Answer::Missing(root) = answer {
            level.entry(root.clone()).or_default().insert(*id);
        }
    }
    Ok(expansion.read(wishes, level, (places, asking)).await)
}

struct Reading<'a> {
    wishes: BTreeMap<WishId, &'a Wanted>,
    /// How many manifests each wish has led to.
    read: BTreeMap<WishId, usize>,
    patience: Patience,
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
        let (mut jobs, mut fetched) = (jobs.into_iter(), BTreeMap::new());
        let (pack, patience) = (&mut self.expansion.pack, &self.patience);
        let next = || jobs.next().map(|(digest, from)| fetch(digest, from, places, patience));
        let keep = |(digest, result): (&Digest, Result<Manifest, Failure>)| {
            let kept = result.and_then(|manifest| keep(pack, &manifest));
            fetched.insert(digest.clone(), kept);
        };
        drive(asking.at_once, next, keep).await;
        let mut next = Level::new();
        for (digest, ids) in &level {
            // In the order of digests, so that of two that contradict each other the same is lost.
            let children = match fetched.remove(digest) {
                Some(read) => read.and_then(|read| self.expansion.admit(read)),
                None => self.again(digest),
            };
            match children {
                Ok(children) => self.descend((digest, &children), ids, is_top, &mut next),
                Err(failure) => self.lose(ids, &failure, is_top),
            }
        }
        next
    }

    /// Returns what a manifest lists that was read before, on another level.
    fn again(&self, digest: &Digest) -> Result<Vec<IndexEntry>, Failure> {
        let read = self.expansion.pack.get(digest);
        let read = read.map_err(|error| Failure::new(Code::Workspace, Side::Source, &error))?;
        let children = read.and_then(|manifest| manifest.children().ok());
        Ok(children.map(|children| children.manifests).unwrap_or_default())
    }

    /// Adds what `digest` lists, as far as the wishes that it is part of want it.
    fn descend(
        &mut self,
        (digest, entries): (&Digest, &[IndexEntry]),
        ids: &BTreeSet<WishId>,
        is_top: bool,
        next: &mut Level,
    ) {
        let mut wanted_here = BTreeSet::new();
        for id in ids {
            let Some(wanted) = self.wishes.get(id) else { continue };
            let is_wanted = |entry: &&IndexEntry| wanted.platforms.admits(entry.platform.as_ref());
            let admitted: Vec<_> = entries.iter().filter(is_wanted).collect();
            let read = self.read.entry(*id).or_default();
            *read = read.saturating_add(1 + admitted.len());
            if let Err(failure) = check(wanted, entries, is_top, *read) {
                self.expansion.lost.entry(*id).or_insert(failure);
                continue;
            }
            for child in admitted.into_iter().map(|entry| &entry.descriptor.digest) {
                wanted_here.insert(child.clone());
                next.entry(child.clone()).or_default().insert(*id);
            }
        }
        if let Some(node) = self.expansion.nodes.get_mut(digest) {
            // Another wish may have wanted others of the same index.
            wanted_here.extend(mem::take(&mut node.children));
            let listed = unique(entries.iter().map(|entry| &entry.descriptor.digest));
            let all = listed.len();
            let is_wanted = |child: &Digest| wanted_here.contains(child);
            node.children = listed.into_iter().filter(is_wanted).collect();
            node.sparse = node.children.len() < all;
        }
    }

    /// Gives up the wishes that need a manifest, unless an archive was written without it.
    fn lose(&mut self, ids: &BTreeSet<WishId>, why: &Failure, is_top: bool) {
        for id in ids {
            let Some(wanted) = self.wishes.get(id) else { continue };
            let is_archived = wanted.from.place == Place::Archive;
            let is_absent = why.code == Code::Transport(Cause::NotFound);
            let is_all = wanted.platforms == PlatformFilter::All;
            if is_top || !is_archived || !is_absent || !is_all {
                let failure = why.clone().of(&wanted.origin);
                self.expansion.lost.entry(*id).or_insert(failure);
            }
        }
    }

    /// Ends reading; what is left of the levels is nested too deep.
    fn finish(mut self, too_deep: &Level) -> Expansion {
        let what = format!("its manifests nest deeper than {MAX_NESTING}");
        let failure = Failure::without(Code::Manifest, Side::Source, what);
        for ids in too_deep.values() {
            self.lose(ids, &failure, true);
        }
        // Of an index that several want, one may lack what another has not asked for.
        let read: BTreeSet<_> = self.expansion.nodes.keys().cloned().collect();
        for node in self.expansion.nodes.values_mut() {
            let before = node.children.len();
            node.children.retain(|child| read.contains(child));
            node.sparse |= node.children.len() < before;
        }
        self.expansion
    }
}

/// Whether a wish can go on below an index that lists `entries`, after `read` manifests.
fn check(
    wanted: &Wanted,
    entries: &[IndexEntry],
    is_top: bool,
    read: usize,
) -> Result<(), Failure> {
    if read > MANIFESTS_LIMIT {
        let what = format!("the image has more than {MANIFESTS_LIMIT} manifests");
        return Err(Failure::without(Code::Manifest, Side::Source, what).of(&wanted.origin));
    }
    // What an entry without a platform leads to is seen only below.
    let is_told = is_top && entries.iter().all(|entry| entry.platform.is_some());
    let missing = wanted.platforms.missing(entries.iter().filter_map(|e| e.platform.as_ref()));
    if is_told && !entries.is_empty() && !missing.is_empty() {
        return Err(no_platform(wanted, &missing, entries));
    }
    Ok(())
}

/// Puts a manifest into the pack; returns what it is and what it names.
fn keep(pack: &mut Pack, manifest: &Manifest) -> Result<Read, Failure> {
    let content = manifest.descriptor().clone();
    let digest = content.digest.clone();
    let children = manifest.children();
    let children = children.map_err(|source| unusable(&Misfit::Unreadable { digest, source }))?;
    pack.add(manifest).map_err(|error| Failure::new(Code::Workspace, Side::Source, &error))?;
    Ok(Read { content, children })
}

/// A manifest that is in the pack.
#[derive(Debug)]
struct Read {
    content: Descriptor,
    children: Children,
}

fn unique<'a>(digests: impl Iterator<Item = &'a Digest>) -> Vec<Digest> {
    let mut seen = BTreeSet::new();
    digests.filter(|digest| seen.insert(*digest)).cloned().collect()
}

impl Expansion {
    /// Reads the roots of `wishes` in `level`, and what is below them, and adds it all.
    pub(crate) async fn read(
        self,
        wishes: &Wishes,
        mut level: Level,
        (places, asking): (&Places, Asking),
    ) -> Self {
        let (wishes, patience) = (wishes.iter().collect(), Patience::new(asking.retry));
        let mut reading = Reading { wishes, read: BTreeMap::new(), patience, expansion: self };
        for depth in 0..MAX_NESTING {
            level = reading.read(level, (places, asking), depth == 0).await;
        }
        reading.finish(&level)
    }

    /// Adds a manifest if its sizes fit those that are known; returns what it lists.
    fn admit(&mut self, read: Read) -> Result<Vec<IndexEntry>, Failure> {
        let Read { content: Descriptor { media_type, digest, size }, children } = read;
        let blobs = children.blobs.iter().map(|blob| (&blob.digest, blob.size));
        for (blob, size) in blobs.chain([(&digest, size)]) {
            let known = self.sizes.get(blob).copied().unwrap_or(size);
            if known != size || size > BLOB_LIMIT {
                let (digest, blob) = (digest.clone(), blob.clone());
                return Err(unusable(&Misfit::Size { digest, blob, size }));
            }
        }
        self.sizes.extend(children.blobs.iter().map(|blob| (blob.digest.clone(), blob.size)));
        self.sizes.insert(digest.clone(), size);
        let blobs = unique(children.blobs.iter().map(|blob| &blob.digest));
        let node = Node { size, media_type, children: Vec::new(), blobs, sparse: false };
        self.nodes.insert(digest, node);
        Ok(children.manifests)
    }

    /// Adds a manifest that was made here.
    pub(crate) fn add(&mut self, manifest: &Manifest) -> Result<Vec<IndexEntry>, Failure> {
        let read = keep(&mut self.pack, manifest)?;
        self.admit(read)
    }
}

/// Reads a manifest from the first of those who have it.
async fn fetch<'a>(
    digest: &'a Digest,
    from: Vec<&Wanted>,
    places: &Places,
    patience: &Patience,
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
        match patience.run(|| source.manifest(&reference, MANIFEST_LIMIT)).await {
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
