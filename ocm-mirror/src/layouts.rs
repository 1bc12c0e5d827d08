use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    sync::Arc,
};

use ocm_config::{ImageSet, Mirror};
use ocm_oci::{Descriptor, LayoutRef, Reference, RepoName, TagOrDigest};
use ocm_transport::{
    TransportError,
    layout::{ListedImage, OciLayout, OciLayoutError},
};

use crate::{Code, Failure, Location, Place, Places, Side};

/// The directories that a configuration names with `oci://`, opened.
#[derive(Debug, Default)]
pub struct Layouts {
    directory: PathBuf,
    opened: BTreeMap<PathBuf, Result<Opened, Failure>>,
}

#[derive(Debug)]
struct Opened {
    layout: OciLayout,
    images: Vec<ListedImage>,
}

/// Why a directory could not be looked into.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error(transparent)]
    Open(OciLayoutError),
    #[error(transparent)]
    List(TransportError),
}

impl Layouts {
    /// Opens every directory that `image_set` names; a relative one is relative to `directory`,
    /// where the configuration lies.
    ///
    /// What cannot be opened fails the images that are in it.
    pub async fn open(image_set: &ImageSet, directory: &Path) -> Self {
        let Mirror { additional_images, operators, .. } = &image_set.mirror;
        let images = additional_images.iter().filter_map(|image| image.wanted.as_ref().ok());
        let catalogs = operators.iter().filter_map(|catalog| catalog.wanted.as_ref().ok());
        let images = images.map(|wanted| &wanted.reference);
        let references: Vec<_> = images.chain(catalogs.map(|wanted| &wanted.reference)).collect();
        Self::named(&references, directory).await
    }

    /// Opens every directory among `references`, as [`open`](Self::open) does.
    pub async fn named(references: &[&Reference], directory: &Path) -> Self {
        let mut layouts = Self { directory: directory.to_owned(), opened: BTreeMap::new() };
        for reference in references {
            let Reference::Layout(layout) = reference else { continue };
            let path = layouts.path(layout);
            if let Entry::Vacant(entry) = layouts.opened.entry(path) {
                let opened = Opened::at(entry.key()).await;
                let opened = opened.map_err(|why| Failure::new(Code::Place, Side::Source, &why));
                entry.insert(opened);
            }
        }
        layouts
    }

    /// Adds the directories to the places that are read.
    #[must_use]
    pub fn in_places(&self, places: Places) -> Places {
        self.opened.iter().fold(places, |places, (path, opened)| match opened {
            Ok(opened) => {
                let layout = Arc::new(opened.layout.clone());
                places.with_source(Place::Layout(path.clone()), layout)
            }
            Err(_) => places,
        })
    }

    /// Finds the image that is meant: the one with that digest, or the only one.
    pub(crate) fn find(&self, wanted: &LayoutRef) -> Result<(Location, TagOrDigest), Failure> {
        let path = self.path(wanted);
        let (digest, repository) = match (&wanted.digest, self.listed(wanted)?) {
            (Some(digest), listed) => {
                let found = listed.iter().find(|image| image.descriptor.digest == *digest);
                (digest.clone(), found.and_then(|image| image.repository.clone()))
            }
            (None, [only]) => (only.descriptor.digest.clone(), only.repository.clone()),
            (None, listed) => return Err(ambiguous(&path, listed)),
        };
        // What has no repository is seen by all.
        let repository = repository.unwrap_or_else(nameless);
        Ok((Location { place: Place::Layout(path), repository }, TagOrDigest::Digest(digest)))
    }

    /// Finds what may be one image in parts, one for each platform: everything that is listed,
    /// where there is more than one, and nothing says which is meant or that they differ.
    pub(crate) fn find_parts(
        &self,
        wanted: &LayoutRef,
    ) -> Result<Option<(Location, Vec<Descriptor>)>, Failure> {
        let listed = self.listed(wanted)?;
        let (None, [first, _, ..]) = (&wanted.digest, listed) else { return Ok(None) };
        if listed.iter().any(|image| image.repository != first.repository) {
            return Ok(None);
        }
        let repository = first.repository.clone().unwrap_or_else(nameless);
        let location = Location { place: Place::Layout(self.path(wanted)), repository };
        let parts = listed.iter().map(|image| image.descriptor.clone());
        Ok(Some((location, parts.collect())))
    }

    /// Returns what a directory lists.
    fn listed(&self, wanted: &LayoutRef) -> Result<&[ListedImage], Failure> {
        let path = self.path(wanted);
        let not_asked = || {
            let what = format!("directory `{}` was not opened", path.display());
            Failure::without(Code::Place, Side::Source, what)
        };
        let opened = self.opened.get(&path).ok_or_else(not_asked)?;
        Ok(&opened.as_ref().map_err(Clone::clone)?.images)
    }

    /// Returns where a directory is that the configuration names.
    pub(crate) fn beside(&self, directory: &Path) -> PathBuf {
        self.directory.join(directory)
    }

    fn path(&self, layout: &LayoutRef) -> PathBuf {
        self.beside(&layout.directory)
    }
}

impl Opened {
    async fn at(path: &Path) -> Result<Self, Closed> {
        let layout = OciLayout::open(path).await.map_err(Closed::Open)?;
        let images = layout.images().await.map_err(Closed::List)?;
        Ok(Self { layout, images })
    }
}

fn nameless() -> RepoName {
    "layout".parse().expect("the constant is a repository's name")
}

fn ambiguous(path: &Path, listed: &[ListedImage]) -> Failure {
    let what = format!("directory `{}` holds {} images", path.display(), listed.len());
    let failure = Failure::without(Code::Reference, Side::Source, what);
    let named = listed.iter().map(|image| {
        let tag = image.tag.as_ref().map(|tag| format!(" ({tag})")).unwrap_or_default();
        format!("`@{}`{tag}", image.descriptor.digest)
    });
    let named: Vec<_> = named.collect();
    if named.is_empty() {
        failure
    } else {
        failure.with_hint(format!("say which one is meant: {}", named.join(", ")))
    }
}
