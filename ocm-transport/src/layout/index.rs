//! The layout's `index.json`: read tolerantly, kept whole, written in one order.

use std::collections::BTreeMap;

use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ListedImage;

/// Annotation that carries a reference.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md>.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Annotation of ours: whose a manifest without a tag is.
const REPOSITORY: &str = "dev.ocm.repository";

/// What is listed. Everything that was read is kept, known or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    rest: Map<String, Value>,
    /// By owner; nameless ones have none.
    tags: BTreeMap<Option<RepoName>, BTreeMap<Tag, Descriptor>>,
    manifests: BTreeMap<Option<RepoName>, BTreeMap<Digest, Descriptor>>,
}

#[derive(Debug, Clone)]
struct Entry {
    raw: Map<String, Value>,
    /// What of it is understood; nothing, if its digest is of a kind nobody here knows.
    image: Option<ListedImage>,
}

impl Entry {
    fn read(raw: Map<String, Value>) -> Self {
        let descriptor = Descriptor::deserialize(Value::Object(raw.clone())).ok();
        let image = descriptor.map(|descriptor| {
            let (repository, tag) = owner(&raw);
            ListedImage { descriptor, repository, tag }
        });
        Self { raw, image }
    }

    fn new(image: ListedImage) -> Self {
        let ListedImage { descriptor, repository, tag } = &image;
        let name = match (repository, tag) {
            (Some(repository), Some(tag)) => Some((REF_NAME, format!("{repository}:{tag}"))),
            (Some(repository), None) => Some((REPOSITORY, repository.to_string())),
            (None, Some(tag)) => Some((REF_NAME, tag.to_string())),
            (None, None) => None,
        };
        let mut raw = Map::new();
        raw.insert("mediaType".to_owned(), descriptor.media_type.to_string().into());
        raw.insert("digest".to_owned(), descriptor.digest.to_string().into());
        raw.insert("size".to_owned(), descriptor.size.into());
        if let Some((key, name)) = name {
            raw.insert("annotations".to_owned(), json!({ key: name }));
        }
        Self { raw, image: Some(image) }
    }

    /// Says where it stands: what is not ours keeps the order in which it was found.
    fn order(&self) -> Option<(&RepoName, Option<&Tag>, &Digest)> {
        let image = self.image.as_ref()?;
        Some((image.repository.as_ref()?, image.tag.as_ref(), &image.descriptor.digest))
    }

    fn is(&self, owner: Option<&RepoName>, tag: Option<&Tag>, digest: Option<&Digest>) -> bool {
        self.image.as_ref().is_some_and(|image| {
            image.repository.as_ref() == owner
                && tag.is_none_or(|tag| image.tag.as_ref() == Some(tag))
                && digest.is_none_or(|digest| image.descriptor.digest == *digest)
        })
    }
}

/// Reads whose an entry is, and its tag; see the [module](super) for how names are understood.
fn owner(raw: &Map<String, Value>) -> (Option<RepoName>, Option<Tag>) {
    let annotation = |key| raw.get("annotations")?.get(key)?.as_str();
    let Some(name) = annotation(REF_NAME) else {
        return (annotation(REPOSITORY).and_then(|name| name.parse().ok()), None);
    };
    let named = name.rsplit_once(':').and_then(|(repository, tag)| {
        Some((repository.parse::<RepoName>().ok()?, tag.parse::<Tag>().ok()?))
    });
    named.map_or_else(|| (None, name.parse().ok()), |(name, tag)| (Some(name), Some(tag)))
}

impl Index {
    /// Reads an `index.json`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            manifests: Vec<Map<String, Value>>,
            #[serde(flatten)]
            rest: Map<String, Value>,
        }
        let Wire { manifests, rest } = serde_json::from_slice(bytes)?;
        let entries = manifests.into_iter().map(Entry::read).collect();
        Ok(Self { entries, rest, ..Self::default() }.arranged())
    }

    /// Returns what is written to `index.json`.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut index = self.rest.clone();
        index.entry("schemaVersion").or_insert_with(|| 2.into());
        index.entry("mediaType").or_insert_with(|| MediaType::OciIndex.to_string().into());
        let entries = self.entries.iter().map(|entry| Value::Object(entry.raw.clone()));
        index.insert("manifests".to_owned(), entries.collect());
        serde_json::to_vec(&index)
    }

    /// Puts entries in order, and makes them easy to find.
    fn arranged(mut self) -> Self {
        self.entries.sort_by(|one, other| one.order().cmp(&other.order()));
        (self.tags, self.manifests) = (BTreeMap::new(), BTreeMap::new());
        for image in self.entries.iter().filter_map(|entry| entry.image.as_ref()) {
            let (owner, descriptor) = (image.repository.clone(), &image.descriptor);
            if let Some(tag) = image.tag.clone() {
                let tags = self.tags.entry(owner.clone()).or_default();
                tags.entry(tag).or_insert_with(|| descriptor.clone());
            }
            let manifests = self.manifests.entry(owner).or_default();
            manifests.entry(descriptor.digest.clone()).or_insert_with(|| descriptor.clone());
        }
        self
    }

    /// Lists all that is understood.
    pub(super) fn images(&self) -> Vec<ListedImage> {
        self.entries.iter().filter_map(|entry| entry.image.clone()).collect()
    }

    /// Lists repositories that have names.
    pub(super) fn repositories(&self) -> impl Iterator<Item = &RepoName> {
        self.manifests.keys().flatten()
    }

    /// Returns what a tag points at: the repository's own, or a nameless one.
    pub(super) fn tag(&self, repository: &RepoName, tag: &Tag) -> Option<&Descriptor> {
        let owners = [Some(repository.clone()), None];
        owners.iter().find_map(|owner| self.tags.get(owner)?.get(tag))
    }

    /// Returns the tags that a repository sees.
    pub(super) fn tags(&self, repository: &RepoName) -> BTreeMap<&Tag, &Descriptor> {
        let owners = [None, Some(repository.clone())];
        owners.iter().filter_map(|owner| self.tags.get(owner)).flatten().collect()
    }

    /// Returns a manifest that is listed for a repository, or nameless.
    pub(super) fn listed(&self, repository: &RepoName, digest: &Digest) -> Option<&Descriptor> {
        let owners = [Some(repository.clone()), None];
        owners.iter().find_map(|owner| self.manifests.get(owner)?.get(digest))
    }

    /// Returns every manifest that is listed for a repository, or nameless.
    pub(super) fn visible(&self, repository: &RepoName) -> Vec<&Descriptor> {
        let owners = [Some(repository.clone()), None];
        let manifests = owners.iter().filter_map(|owner| self.manifests.get(owner));
        manifests.flat_map(BTreeMap::values).collect()
    }

    /// Returns every manifest that is listed at all.
    pub(super) fn all(&self) -> Vec<&Descriptor> {
        self.manifests.values().flat_map(BTreeMap::values).collect()
    }

    /// Returns the index in which `repository` lists `descriptor`, under `tag` if there is one;
    /// `None` if it does already.
    pub(super) fn with(
        &self,
        repository: &RepoName,
        tag: Option<&Tag>,
        descriptor: &Descriptor,
    ) -> Option<Self> {
        let (owner, digest) = (Some(repository.clone()), &descriptor.digest);
        let own = self.manifests.get(&owner).and_then(|own| own.get(digest));
        let points_at = |tag| self.tags.get(&owner).and_then(|own| own.get(tag));
        if own == Some(descriptor) && tag.is_none_or(|tag| points_at(tag) == Some(descriptor)) {
            return None;
        }
        let mut index = self.clone();
        if let Some(tag) = tag {
            index = index.without_tag(Some(repository), tag);
            // It has a name now.
            index.entries.retain(|entry| {
                let has_tag = entry.image.as_ref().is_some_and(|image| image.tag.is_some());
                has_tag || !entry.is(Some(repository), None, Some(digest))
            });
        }
        let image =
            |tag| ListedImage { descriptor: descriptor.clone(), repository: owner.clone(), tag };
        for entry in &mut index.entries {
            // The same bytes under another type: the last word counts, for every name.
            if entry.is(Some(repository), None, Some(digest)) {
                let tag = entry.image.as_ref().and_then(|image| image.tag.clone());
                *entry = Entry::new(image(tag));
            }
        }
        let is_listed = index.entries.iter().any(|e| e.is(Some(repository), None, Some(digest)));
        if tag.is_some() || !is_listed {
            index.entries.push(Entry::new(image(tag.cloned())));
        }
        Some(index.arranged())
    }

    /// Returns the index without a tag, if the repository sees it; what it points at stays.
    pub(super) fn untagged(&self, repository: &RepoName, tag: &Tag) -> Option<Self> {
        let owners = [Some(repository.clone()), None];
        let has_it = |owner: &&Option<RepoName>| {
            self.tags.get(*owner).is_some_and(|tags| tags.contains_key(tag))
        };
        let owner = owners.iter().find(has_it)?;
        Some(self.clone().without_tag(owner.as_ref(), tag).arranged())
    }

    fn without_tag(mut self, owner: Option<&RepoName>, tag: &Tag) -> Self {
        let is_it = |entry: &Entry| entry.is(owner, Some(tag), None);
        let removed: Vec<Entry> = self.entries.extract_if(.., |entry| is_it(entry)).collect();
        for image in removed.into_iter().filter_map(|entry| entry.image) {
            let digest = &image.descriptor.digest;
            if !self.entries.iter().any(|entry| entry.is(owner, None, Some(digest))) {
                self.entries.push(Entry::new(ListedImage { tag: None, ..image }));
            }
        }
        self
    }

    /// Returns the index without a manifest and its tags, if the repository lists it.
    pub(super) fn without(&self, repository: &RepoName, digest: &Digest) -> Option<Self> {
        let owners = [Some(repository.clone()), None];
        let has_it = |owner: &&Option<RepoName>| {
            self.manifests.get(*owner).is_some_and(|own| own.contains_key(digest))
        };
        let owner = owners.iter().find(has_it)?;
        let mut index = self.clone();
        index.entries.retain(|entry| !entry.is(owner.as_ref(), None, Some(digest)));
        Some(index.arranged())
    }
}
