use std::collections::{BTreeMap, BTreeSet};

use ocm_oci::{Host, RepoName};

use crate::{
    document::{Document, OBJECT_MAX_LEN, Stamp},
    mirrored::{Category, ImageKind, Mirrored},
    yaml::Yaml,
};

mod notice;

pub use notice::{Change, Notice};

/// Bytes of an entry in JSON, besides its texts.
const ENTRY_LEN: usize = r#"{"mirrors":[],"source":},"#.len();

/// The two kinds of mirror set: what a cluster asks for by digest and what by tag are redirected
/// by objects of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MirrorKind {
    /// An `ImageDigestMirrorSet`.
    Digest,
    /// An `ImageTagMirrorSet`.
    Tag,
}

/// How much an entry covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The namespace, or the whole registry where there is none, as far as the path at the
    /// mirror ends with the path of the origin.
    #[default]
    Shortest,
    /// The repository: what paths that were shortened need, for which no namespace is moved as
    /// a whole.
    Repository,
}

/// One object, or some that are read as one: its entries are where to look (`mirrors`) for what is asked for (`source`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSet {
    /// Which kind of object it is.
    pub kind: MirrorKind,
    /// Which images it is for.
    pub category: Category,
    /// From source to mirrors, these in the order in which they were first seen.
    pub entries: BTreeMap<String, Vec<String>>,
}

/// All mirror sets of a run. None is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MirrorSets {
    sets: Vec<MirrorSet>,
    left_out: Vec<LeftOut>,
    notices: Vec<Notice>,
}

/// An image that no mirror set can speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The image, as it was written.
    pub origin: String,
    /// Why.
    pub reason: Unwritable,
}

/// A host that the cluster would refuse, and the whole object with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("host `{host}` cannot stand in a mirror set, which takes no IPv6 addresses and no `_`")]
pub struct Unwritable {
    /// The host.
    pub host: Host,
}

impl MirrorKind {
    /// Returns the `kind` of the object.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Digest => "ImageDigestMirrorSet",
            Self::Tag => "ImageTagMirrorSet",
        }
    }

    fn short(self) -> &'static str {
        match self {
            Self::Digest => "idms",
            Self::Tag => "itms",
        }
    }

    fn list_key(self) -> &'static str {
        match self {
            Self::Digest => "imageDigestMirrors",
            Self::Tag => "imageTagMirrors",
        }
    }

    /// Whether objects of this kind speak of `image`. One with tag and digest is in both; one
    /// that has another digest at the mirror cannot be found by digest.
    fn admits(self, image: &Mirrored) -> bool {
        match self {
            Self::Digest if image.is_rewritten() => false,
            Self::Digest => {
                image.origin.digest().is_some() || image.kind == ImageKind::ReleaseImage
            }
            Self::Tag => image.origin.tag().is_some(),
        }
    }
}

impl MirrorSets {
    /// Returns the mirror sets for what was mirrored: by kind, then by category.
    ///
    /// Catalogs and update graphs have no place in them: a cluster is told of those by objects of
    /// their own.
    ///
    /// A cluster looks at the entries of one source only: the longest that its image begins
    /// with, in sets of either kind. So where a repository has entries of its own, they also
    /// name the mirrors of those of its images that are covered by the namespace's.
    ///
    /// Source: <https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md>.
    pub fn of(images: &[Mirrored], scope: Scope) -> Self {
        let mut left_out = Vec::new();
        let mut written = Vec::new();
        for image in images.iter().filter(|image| image.kind.category().is_some()) {
            match unwritable_host(image) {
                Some(host) => left_out.push(LeftOut {
                    origin: image.origin.as_written().to_owned(),
                    reason: Unwritable { host: host.clone() },
                }),
                None => written.push(image),
            }
        }
        let mut sets = Sets::new();
        for image in &written {
            add(&mut sets, image, &entry(image, scope));
        }
        let sources: BTreeSet<_> = sets.values().flat_map(BTreeMap::keys).cloned().collect();
        for image in &written {
            let own = entry(image, Scope::Repository);
            if sources.contains(&own.0) {
                add(&mut sets, image, &own);
            }
        }
        let set = |((kind, category), entries)| MirrorSet { kind, category, entries };
        let sets = sets.into_iter().map(set).collect();
        Self { sets, left_out, notices: notice::notices(&written) }
    }

    /// Returns the sets: those of digests first, and among each kind releases, operators,
    /// others.
    pub fn sets(&self) -> &[MirrorSet] {
        &self.sets
    }

    /// Returns the images that none of the sets speaks of, in the order in which they were
    /// given.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Returns the images that a cluster does not find by the names they were mirrored by,
    /// whatever the sets say, in the order in which they were given.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Returns the files to write: one for each kind of which there is a set.
    pub fn documents(&self, stamp: &Stamp) -> Vec<Document> {
        let document = |kind: MirrorKind| {
            let sets = self.sets.iter().filter(|set| set.kind == kind);
            let text: String = sets.map(|set| set.render(stamp)).collect();
            let file_name = format!("{}-oc-mirror.yaml", kind.short());
            (!text.is_empty()).then_some(Document { file_name, text })
        };
        [MirrorKind::Digest, MirrorKind::Tag].into_iter().filter_map(document).collect()
    }
}

impl MirrorSet {
    /// Returns the name of the object: the same in every run, so that it is updated in place.
    pub fn name(&self) -> String {
        self.numbered_name(0)
    }

    fn numbered_name(&self, number: usize) -> String {
        format!("{}-{}-{number}", self.kind.short(), self.category)
    }

    /// Returns the object; several where `oc apply` would not take it whole, which a cluster reads
    /// as one.
    fn render(&self, stamp: &Stamp) -> String {
        let parts = self.parts();
        let parts = parts.into_iter().enumerate();
        parts.map(|(number, entries)| self.object(number, entries, stamp)).collect()
    }

    /// Returns the entries, in as many parts as it takes for none to be too large.
    fn parts(&self) -> Vec<Vec<Yaml>> {
        let mut parts = Vec::new();
        let (mut part, mut len) = (Vec::new(), 0);
        for (source, mirrors) in &self.entries {
            let texts = mirrors.iter().chain([source]).map(|text| text.len() + r#","""#.len());
            let added = ENTRY_LEN + texts.sum::<usize>();
            if len + added > OBJECT_MAX_LEN && !part.is_empty() {
                parts.push(std::mem::take(&mut part));
                len = 0;
            }
            len += added;
            let mirrors = mirrors.iter().map(Yaml::text).collect();
            part.push(Yaml::map([
                ("source", Yaml::text(source)),
                ("mirrors", Yaml::List(mirrors)),
            ]));
        }
        parts.push(part);
        parts
    }

    fn object(&self, number: usize, entries: Vec<Yaml>, stamp: &Stamp) -> String {
        Yaml::map([
            ("apiVersion", Yaml::text("config.openshift.io/v1")),
            ("kind", Yaml::text(self.kind.kind())),
            ("metadata", stamp.metadata(self.numbered_name(number), [])),
            ("spec", Yaml::map([(self.kind.list_key(), Yaml::List(entries))])),
        ])
        .to_document()
    }
}

/// Returns the first host of an image that no mirror set may name.
///
/// Everything else that can be in a source or a mirror is legal by its type: paths have the
/// same grammar in both, and neither tag nor digest is written.
///
/// Source: <https://github.com/openshift/api/blob/master/config/v1/types_image_digest_mirror_set.go>.
fn unwritable_host(image: &Mirrored) -> Option<&Host> {
    [image.origin.host(), &image.host].into_iter().find(|host| host.as_str().contains(['[', '_']))
}

/// The entries of each object.
type Sets = BTreeMap<(MirrorKind, Category), BTreeMap<String, Vec<String>>>;

/// Adds an entry to the objects that speak of `image`, unless it is there.
fn add(sets: &mut Sets, image: &Mirrored, (source, mirror): &(String, String)) {
    let Some(category) = image.kind.category() else { return };
    for kind in [MirrorKind::Digest, MirrorKind::Tag] {
        if !kind.admits(image) {
            continue;
        }
        let set = sets.entry((kind, category)).or_default();
        let mirrors = set.entry(source.clone()).or_default();
        if !mirrors.contains(mirror) {
            mirrors.push(mirror.clone());
        }
    }
}

/// Returns source and mirror.
fn entry(image: &Mirrored, scope: Scope) -> (String, String) {
    let (source, mirror) = (image.origin.repository(), &image.repository);
    let origin = image.origin.host();
    if scope == Scope::Shortest && mirror.ends_with(source) {
        (place(origin, source.parent().as_ref()), place(&image.host, mirror.parent().as_ref()))
    } else {
        (place(origin, Some(source)), place(&image.host, Some(mirror)))
    }
}

fn place(host: &Host, path: Option<&RepoName>) -> String {
    match path {
        Some(path) => format!("{host}/{path}"),
        None => host.to_string(),
    }
}

#[cfg(test)]
mod tests;
