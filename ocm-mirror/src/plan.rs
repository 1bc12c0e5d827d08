use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use ocm_oci::{Digest, Hasher, MediaType, RepoName, Tag};
use serde::{Deserialize, Serialize};

use crate::{Failure, Kind, Location, Place};

mod build;
mod check;
mod fates;
mod summary;

pub use build::{Planned, Warning, plan};
pub(crate) use check::MAX_NESTING;
pub use check::PlanError;
pub use fates::Fates;
pub use summary::Summary;

/// Everything one run will do, and nothing about how.
///
/// Equal input gives an equal plan, byte for byte when serialised, so that the digest of these
/// bytes names the run. Every plan, made here or read back, keeps these laws:
///
/// 1. *Closed*: what a manifest names, an image needs, or a blob can be read from is in the plan;
///    and nothing is in it that no image needs.
/// 2. *Grounded*: manifests nest, and images need earlier images only; there are no circles.
/// 3. *Single*: an image is in it once, and a tag belongs to one image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Content")]
pub struct Plan {
    content: Content,
    name: Digest,
}

/// A plan that nobody has checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    destination: Place,
    places: BTreeSet<Place>,
    manifests: BTreeMap<Digest, Node>,
    blobs: BTreeMap<Digest, Blob>,
    images: Vec<Image>,
    present: Vec<Present>,
    lost: Vec<Lost>,
}

/// One manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Length in bytes.
    pub size: u64,
    /// Media type.
    pub media_type: MediaType,
    /// Manifests it lists that are wanted, in order.
    pub children: Vec<Digest>,
    /// Blobs it lists, in order, each once.
    pub blobs: Vec<Digest>,
    /// Whether it lists manifests that are not wanted. Some registries refuse such an index.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sparse: bool,
}

/// One blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Length in bytes.
    pub size: u64,
    /// Where it can be read, the preferred first.
    pub sources: Vec<Location>,
    /// The images that need it. The first leads: it fetches, and the others mount from it.
    pub wanted_by: BTreeSet<ImageId>,
}

/// One image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its top manifest.
    pub root: Digest,
    /// Repository it is written to.
    pub repository: RepoName,
    /// What it was asked for by, in order; each with the tag that stands for it.
    pub names: Vec<Name>,
    /// Tags set last, once everything else is there.
    pub tags: BTreeSet<Tag>,
    /// What it is part of.
    pub kind: Kind,
    /// Images that must be there first, all earlier in the plan.
    pub needs: BTreeSet<ImageId>,
    /// What it is about, if nobody asked for it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached: Option<Box<Attached>>,
}

/// What makes an image an attachment: a signature, or another statement about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// An earlier image, whose content is there before this one, and whose tags are set after it;
    /// `None` where that image was there before the run.
    pub to: Option<ImageId>,
    /// The manifest that it is about: that image's root, or one below.
    pub subject: Digest,
    /// The reference by which it is read.
    pub origin: String,
    /// Whether it is a signature.
    pub is_signature: bool,
    /// Whether that image gets no tags without it.
    pub is_required: bool,
}

/// What an image is called on either side.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name {
    /// The reference as it was written.
    pub origin: String,
    /// The tag at the destination.
    pub tag: Tag,
}

/// An image that is at the destination already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Present {
    /// What it is called.
    pub name: Name,
    /// Its top manifest.
    pub root: Digest,
    /// Its repository at the destination.
    pub repository: RepoName,
    /// What it is part of.
    pub kind: Kind,
}

/// An image that cannot be had at all; or what is selected of a catalog that does not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// What it would be part of.
    pub kind: Kind,
    /// Why, and which image; of what is selected, that of the catalog.
    pub failure: Failure,
}

/// An image's position in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageId(usize);

impl Image {
    /// Returns the reference by which people know the image: the first it was asked for by, or
    /// that by which it is read.
    pub fn origin(&self) -> &str {
        let attached = self.attached.as_ref().map_or("", |attached| attached.origin.as_str());
        self.names.first().map_or(attached, |name| name.origin.as_str())
    }

    /// Whether nobody asked for it by itself.
    pub fn is_attachment(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the image that it is attached to, if that is to be copied as well.
    pub(crate) fn attached_to(&self) -> Option<ImageId> {
        self.attached.as_ref().and_then(|attached| attached.to)
    }
}

impl Plan {
    /// Returns the digest of the serialised plan, which names the run and the archive set.
    pub fn name(&self) -> &Digest {
        &self.name
    }

    /// Returns where content goes.
    pub fn destination(&self) -> &Place {
        &self.content.destination
    }

    /// Returns the images, in order: what is needed before what needs it.
    pub fn images(&self) -> impl ExactSizeIterator<Item = (ImageId, &Image)> {
        self.content.images.iter().enumerate().map(|(index, image)| (ImageId(index), image))
    }

    /// Returns an image.
    pub fn image(&self, id: ImageId) -> Option<&Image> {
        self.content.images.get(id.0)
    }

    /// Returns the images that are at the destination already.
    pub fn present(&self) -> &[Present] {
        &self.content.present
    }

    /// Returns the images that cannot be had.
    pub fn lost(&self) -> &[Lost] {
        &self.content.lost
    }

    /// Returns a manifest.
    pub fn manifest(&self, digest: &Digest) -> Option<&Node> {
        self.content.manifests.get(digest)
    }

    /// Returns a blob.
    pub fn blob(&self, digest: &Digest) -> Option<&Blob> {
        self.content.blobs.get(digest)
    }

    /// Returns the manifests under `root`, itself included, children before parents.
    pub fn tree(&self, root: &Digest) -> Vec<(&Digest, &Node)> {
        self.content.tree([root])
    }

    /// Returns all manifests, children before parents, in the order of the images.
    pub fn manifests_in_order(&self) -> Vec<(&Digest, &Node)> {
        self.content.tree(self.content.images.iter().map(|image| &image.root))
    }

    /// Returns all blobs in the one order there is: leaders first, which is that of an archive.
    pub fn blobs_in_order(&self) -> Vec<(&Digest, &Blob)> {
        let mut seen = BTreeSet::new();
        let manifests = self.manifests_in_order();
        let named = manifests.into_iter().flat_map(|(_, node)| &node.blobs);
        let first = named.filter(|digest| seen.insert(*digest));
        first.filter_map(|digest| self.content.blobs.get_key_value(digest)).collect()
    }
}

impl Serialize for Plan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.content.serialize(serializer)
    }
}

/// Hashes what is written to it: a plan's text is long, and only its digest is wanted here.
struct HashWriter(Hasher);

impl io::Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Content {
    fn name(&self) -> Result<Digest, serde_json::Error> {
        // The serialiser writes a few bytes at a time, which hashing alone does not like.
        let mut writer = io::BufWriter::new(HashWriter(Hasher::default()));
        serde_json::to_writer(&mut writer, self)?;
        let writer =
            writer.into_inner().map_err(|error| serde_json::Error::io(error.into_error()))?;
        Ok(writer.0.finish())
    }

    fn tree<'a>(&self, roots: impl IntoIterator<Item = &'a Digest>) -> Vec<(&Digest, &Node)> {
        let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
        for root in roots {
            self.visit(root, &mut seen, &mut order);
        }
        order
    }

    /// Recursion ends because manifests nest at most [`MAX_NESTING`] deep.
    fn visit<'a>(
        &'a self,
        digest: &Digest,
        seen: &mut BTreeSet<&'a Digest>,
        order: &mut Vec<(&'a Digest, &'a Node)>,
    ) {
        if let Some((digest, node)) = self.manifests.get_key_value(digest)
            && seen.insert(digest)
        {
            for child in &node.children {
                self.visit(child, seen, order);
            }
            order.push((digest, node));
        }
    }

    /// Returns which images need each blob.
    fn wanted_by(&self) -> BTreeMap<&Digest, BTreeSet<ImageId>> {
        let mut wanted: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (index, image) in self.images.iter().enumerate() {
            for blob in self.tree([&image.root]).into_iter().flat_map(|(_, node)| &node.blobs) {
                wanted.entry(blob).or_default().insert(ImageId(index));
            }
        }
        wanted
    }
}
