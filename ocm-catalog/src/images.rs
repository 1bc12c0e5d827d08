//! The images that the bundles of a catalog need.

use std::{borrow::Cow, collections::BTreeSet};

use ocm_oci::{ImageRef, Reference, ReferenceError};
use serde_json::value::RawValue;

use crate::{
    fbc::{Body, CatalogFile, Format, Members, ObjectFault},
    model::{BrokenCatalog, Bundle, Catalog, assemble},
};

/// The key under which a bundle lists the images that its operator needs.
const RELATED: &str = "relatedImages";

/// What an image is to a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageKind {
    /// It is the bundle.
    Bundle,
    /// It is one of those that the operator needs.
    Related,
}

/// An image that a bundle needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleImage {
    /// What it is to the bundle.
    pub kind: ImageKind,
    /// What the bundle calls it; often nothing.
    pub name: String,
    /// Which one it is.
    pub reference: ImageRef,
}

/// The images of one bundle.
#[derive(Debug)]
pub struct BundleImages<'c> {
    /// The package.
    pub package: &'c str,
    /// The bundle.
    pub bundle: &'c str,
    /// The bundle's own image and those it needs, each once; or why it cannot be mirrored.
    pub images: Result<Vec<BundleImage>, ImagesError>,
    /// Names under which the bundle lists no image at all. There are catalogs in use that have
    /// such, where the operator asks for nothing by that name.
    pub unnamed: Vec<String>,
}

/// Why the images of a bundle cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImagesError {
    /// The bundle cannot be read that far.
    #[error("the list of its images cannot be read")]
    Unreadable(#[source] ObjectFault),
    /// It has no image of its own.
    #[error("it has no image")]
    NoImage,
    /// An image is in a directory, which only who made the bundle has.
    #[error("it needs an image in a directory: `{image}`")]
    Directory {
        /// The image, as it is written.
        image: String,
    },
    /// An image is written as nothing that can be pulled.
    #[error("it needs an image that cannot be pulled")]
    Reference(#[source] ReferenceError),
}

/// An image that a bundle names: what it calls it, and its reference.
type RelatedImage<'a> = (Cow<'a, str>, Cow<'a, str>);

/// What a whole catalog leads to: its packages, and the images of their bundles. It holds nothing
/// else of the catalog, which has perhaps a hundred times as many bytes.
#[derive(Debug, Clone)]
pub struct ImageList(Catalog);

impl ImageList {
    /// Makes a list of files that were read with [`Wanted::Images`](crate::Wanted::Images).
    ///
    /// # Errors
    ///
    /// As [`assemble`].
    pub fn assemble(files: impl IntoIterator<Item = CatalogFile>) -> Result<Self, BrokenCatalog> {
        Ok(Self(assemble(files)?.catalog))
    }

    /// Whether the catalog has a package of this name.
    pub fn has_package(&self, name: &str) -> bool {
        self.0.packages().contains_key(name)
    }

    /// Returns the images, as [`Catalog::images`] does.
    pub fn images(&self) -> impl Iterator<Item = BundleImages<'_>> {
        self.0.images()
    }
}

impl From<Catalog> for ImageList {
    fn from(catalog: Catalog) -> Self {
        Self(catalog)
    }
}

impl Catalog {
    /// Returns the images that its bundles need, by package and bundle. A bundle of which one
    /// cannot be told is one that cannot be mirrored; the others are not concerned.
    pub fn images(&self) -> impl Iterator<Item = BundleImages<'_>> {
        self.packages.iter().flat_map(|(package, content)| {
            content.bundles.iter().map(move |(name, bundle)| {
                let mut unnamed = Vec::new();
                let images = images(bundle, &mut unnamed);
                BundleImages { package, bundle: name, images, unnamed }
            })
        })
    }
}

fn images(bundle: &Bundle, unnamed: &mut Vec<String>) -> Result<Vec<BundleImage>, ImagesError> {
    if bundle.image.is_empty() {
        return Err(ImagesError::NoImage);
    }
    let parse = |text: &str| match text.parse::<Reference>() {
        Ok(Reference::Image(image)) => Ok(image),
        Ok(other) => Err(ImagesError::Directory { image: other.as_written().to_owned() }),
        Err(error) => Err(ImagesError::Reference(error)),
    };
    let reference = parse(&bundle.image)?;
    let mut found = vec![BundleImage { kind: ImageKind::Bundle, name: String::new(), reference }];
    let json = bundle.body.json().map_err(ImagesError::Unreadable)?;
    let mut seen = BTreeSet::from([bundle.image.clone()]);
    for (name, image) in related(&json).map_err(ImagesError::Unreadable)? {
        if image.is_empty() {
            unnamed.push(name.into_owned());
        } else if seen.insert(image.clone().into_owned()) {
            let (kind, name) = (ImageKind::Related, name.into_owned());
            found.push(BundleImage { kind, name, reference: parse(&image)? });
        }
    }
    Ok(found)
}

/// Returns of a bundle what tells of the images that its operator needs.
pub(crate) fn related_images(members: &Members<'_>) -> Body {
    let list = members.get(RELATED).map_or("null", RawValue::get);
    Body::new(Format::Json, format!("{{\"{RELATED}\":{list}}}").into_bytes())
}

fn named<'a>(image: &Members<'a>) -> Result<RelatedImage<'a>, serde_json::Error> {
    let text = |key| image.text(key).map(Option::unwrap_or_default);
    Ok((text("name")?, text("image")?))
}

fn related(json: &[u8]) -> Result<Vec<RelatedImage<'_>>, ObjectFault> {
    let members = Members::of(json).map_err(ObjectFault::Json)?;
    let list = members.list(RELATED).and_then(|list| list.iter().map(named).collect());
    list.map_err(|source| ObjectFault::Part { key: RELATED, source })
}
