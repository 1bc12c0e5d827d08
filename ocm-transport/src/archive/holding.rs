//! What the indexes of all volumes say together.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use ocm_oci::{Descriptor, Digest, RepoName, Tag};
use tokio::sync::OnceCell;

use super::{
    ArchiveError,
    index::{Entry, Image, Images, REF_NAME},
    scan::VolumeSet,
    source::{Extent, Found, Holdings, Statements, scan},
    volume::{Checked, Medium},
};

/// Everything a reader knows without reading content.
#[derive(Debug)]
pub(super) struct Holding {
    name: String,
    pub(super) set: Digest,
    pub(super) created: Option<String>,
    pub(super) records: BTreeMap<String, Digest>,
    pub(super) contents: BTreeMap<Digest, Content>,
    pub(super) tags: BTreeMap<RepoName, BTreeMap<Tag, Digest>>,
    pub(super) media: Vec<Medium>,
    statements: OnceCell<Arc<Statements>>,
}

/// Content that has a place, whether or not it came.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) found: Found,
    pub(super) absent: bool,
}

/// The parts of some content, as far as volumes were looked at.
struct Parts {
    first: Entry,
    extents: Vec<Extent>,
    end: u64,
}

impl Holding {
    /// Takes together what each volume says, and refuses what does not fit together.
    pub(super) fn new(name: String, set: VolumeSet) -> Result<Self, ArchiveError> {
        let VolumeSet { media, checked } = set;
        let contents = contents(&media, &checked)?;
        let (Some(medium), Some(Checked { index, images, .. })) =
            (media.first(), checked.into_iter().next())
        else {
            return Err(ArchiveError::NoArchive { directory: name.into() });
        };
        let damaged =
            |fault: String| ArchiveError::Damaged { path: medium.path.clone(), offset: 0, fault };
        for (name, digest) in &index.records {
            if contents.get(digest).is_none_or(|content| content.absent) {
                let name = name.escape_default();
                return Err(damaged(format!("its record `{name}` is not there")));
            }
        }
        let images: Images = serde_json::from_slice(&images)
            .map_err(|error| damaged(format!("`index.json` is unreadable: {error}")))?;
        let mut tags = BTreeMap::<RepoName, BTreeMap<Tag, Digest>>::new();
        for image in images.manifests {
            let (repository, tag) = name_of(&image, &contents).ok_or_else(|| {
                damaged(format!("`index.json` lists {} wrongly", image.descriptor.digest))
            })?;
            tags.entry(repository).or_default().insert(tag, image.descriptor.digest);
        }
        let (set, created, records) = (index.set, index.created, index.records);
        let statements = OnceCell::new();
        Ok(Self { name, set, created, records, contents, tags, media, statements })
    }
}

/// Returns the name of a listed manifest, if it is one that is there.
fn name_of(image: &Image, contents: &BTreeMap<Digest, Content>) -> Option<(RepoName, Tag)> {
    let Descriptor { media_type, digest, size } = &image.descriptor;
    let content = contents.get(digest).filter(|content| !content.absent)?;
    let is_same = content.found.media_type.as_ref() == Some(media_type);
    let (repository, tag) = image.annotations.get(REF_NAME)?.rsplit_once(':')?;
    (is_same && content.found.size == *size)
        .then(|| Some((repository.parse().ok()?, tag.parse().ok()?)))?
}

/// Joins members to contents.
fn contents(
    media: &[Medium],
    volumes: &[Checked],
) -> Result<BTreeMap<Digest, Content>, ArchiveError> {
    let mut parts = BTreeMap::<Digest, Parts>::new();
    for (volume, (medium, checked)) in media.iter().zip(volumes).enumerate() {
        let frame = if volume == 0 { 2 } else { 0 };
        for entry in checked.index.members.iter().skip(frame) {
            if !add(&mut parts, volume, entry) {
                let (path, offset) = (medium.path.clone(), entry.offset);
                let fault = format!("{} is here twice, or in parts that do not join", entry.digest);
                return Err(ArchiveError::Damaged { path, offset, fault });
            }
        }
    }
    let mut contents = BTreeMap::new();
    for (digest, Parts { first, extents, end }) in parts {
        if first.part.is_some_and(|part| part.of != end) {
            let path = media.last().map(|medium| medium.path.clone()).unwrap_or_default();
            let fault = format!("a part of {digest} is in no volume");
            return Err(ArchiveError::Damaged { path, offset: 0, fault });
        }
        let found = Found { size: end, media_type: first.media_type, extents: extents.into() };
        contents.insert(digest, Content { found, absent: first.absent });
    }
    Ok(contents)
}

/// Adds a member to its content; `false` if it does not belong there.
fn add(parts: &mut BTreeMap<Digest, Parts>, volume: usize, entry: &Entry) -> bool {
    let at = entry.part.map_or(0, |part| part.at);
    let extent = Extent { volume, offset: entry.offset, at, len: entry.size };
    let Some(known) = parts.get_mut(&entry.digest) else {
        let (first, extents, end) = (entry.clone(), vec![extent], entry.size);
        parts.insert(entry.digest.clone(), Parts { first, extents, end });
        return at == 0;
    };
    let of = |entry: &Entry| entry.part.map(|part| part.of);
    let is_next = entry.part.is_some()
        && at == known.end
        && of(entry) == of(&known.first)
        && entry.absent == known.first.absent
        && entry.media_type == known.first.media_type;
    known.extents.push(extent);
    known.end = known.end.saturating_add(entry.size);
    is_next
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[async_trait]
impl Holdings for Holding {
    fn find(&self, digest: &Digest) -> Option<Found> {
        let content = self.contents.get(digest).filter(|content| !content.absent)?;
        Some(content.found.clone())
    }

    fn manifests(&self) -> Vec<Descriptor> {
        let present = self.contents.iter().filter(|(_, content)| !content.absent);
        let descriptor = |(digest, content): (&Digest, &Content)| {
            let media_type = content.found.media_type.clone()?;
            Some(Descriptor { media_type, digest: digest.clone(), size: content.found.size })
        };
        present.filter_map(descriptor).collect()
    }

    fn tags(&self, repository: &RepoName) -> BTreeMap<Tag, Digest> {
        self.tags.get(repository).cloned().unwrap_or_default()
    }

    fn tag(&self, repository: &RepoName, tag: &Tag) -> Option<Digest> {
        self.tags.get(repository)?.get(tag).cloned()
    }

    fn media(&self) -> &[Medium] {
        &self.media
    }

    async fn statements(&self) -> Arc<Statements> {
        let scanned = self.statements.get_or_init(|| async { Arc::new(scan(self).await) }).await;
        Arc::clone(scanned)
    }
}
