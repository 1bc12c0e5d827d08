//! Releases of OpenShift: what is in one.
//!
//! A release is an image, the *payload*, whose directory `release-manifests` says which images
//! make up that version:
//!
//! ```text
//! release-manifests/
//!   image-references                                an ImageStream: name and image of each component
//!   release-metadata                                version, what may be updated to it, where it is described
//!   0000_50_installer_coreos-bootimages.yaml        where virtual machines and hosts boot from
//! ```
//!
//! The directory is written by one layer, the last of a payload, since it names images that are
//! built before. So what lies below that layer is not fetched.

mod boot_images;
mod error;
mod metadata;
mod references;

use std::collections::BTreeMap;

use bytes::Bytes;
use ocm_oci::{Digest, ImageRef};

use self::{boot_images::BootImages, references::References};
pub use self::{
    boot_images::{BootKeys, KubeVirt},
    error::PayloadError,
    metadata::{ReleaseMetadata, release_suffix},
};
use crate::{Below, Collected, ImageFiles, Seen};

/// Where a payload says what is in it.
const DIRECTORY: &str = "release-manifests";
const REFERENCES: &str = "image-references";
const METADATA: &str = "release-metadata";
const BOOT_IMAGES: &str = "0000_50_installer_coreos-bootimages.yaml";

/// Most bytes of these three files. Real ones have 0.3 MB.
const FILES_LIMIT: u64 = 16 << 20;

/// What a release consists of.
#[derive(Debug, Clone)]
pub struct Payload {
    components: Vec<Component>,
    name: Option<String>,
    metadata: Option<ReleaseMetadata>,
    boot_images: Option<Bytes>,
    image: Digest,
}

/// An image of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// What it is called in the release: `etcd`, `cli`.
    pub name: String,
    /// Where it is.
    pub reference: ImageRef,
}

impl Payload {
    /// Reads what is in a release out of its payload.
    ///
    /// # Errors
    ///
    /// [`PayloadError`], where it is none, or it cannot be read.
    ///
    /// # Cancel safety
    ///
    /// As [`ImageFiles::read`].
    pub async fn read(files: &ImageFiles) -> Result<Self, PayloadError> {
        let wanted = Below::new(DIRECTORY).until_layer_with(REFERENCES);
        let visitor = Collected::only([REFERENCES, METADATA, BOOT_IMAGES], FILES_LIMIT);
        let Seen { visitor, .. } = files.read(&wanted, visitor).await?;
        let image = files.manifest().descriptor().digest.clone();
        Self::of(image, visitor.into_files())
    }

    /// Reads what is in the release whose payload is `image` out of its files, by their name.
    ///
    /// # Errors
    ///
    /// [`PayloadError`], where one is missing, or makes no sense.
    pub fn of(image: Digest, mut files: BTreeMap<String, Bytes>) -> Result<Self, PayloadError> {
        let references = files.remove(REFERENCES);
        let references = references.ok_or_else(|| PayloadError::NoRelease(image.clone()))?;
        let References { name, components } = References::of(&references)?;
        let metadata = files.remove(METADATA).map(|bytes| ReleaseMetadata::of(&bytes));
        let (metadata, boot_images) = (metadata.transpose()?, files.remove(BOOT_IMAGES));
        Ok(Self { components, name, metadata, boot_images, image })
    }

    /// Returns the digest of the image that it was read from.
    pub fn image(&self) -> &Digest {
        &self.image
    }

    /// Returns the images, in order of their name.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// Returns the version: `4.16.1`.
    pub fn version(&self) -> Option<&str> {
        let version = self.metadata.as_ref().map(ReleaseMetadata::version);
        version.or(self.name.as_deref())
    }

    /// Returns what the release says of itself; custom ones may say nothing.
    pub fn metadata(&self) -> Option<&ReleaseMetadata> {
        self.metadata.as_ref()
    }

    /// Finds the images that virtual machines of `OpenShift` Virtualization boot from.
    ///
    /// # Errors
    ///
    /// [`PayloadError`], where there is none for any architecture in `keys`.
    pub fn kube_virt(&self, keys: &BootKeys) -> Result<KubeVirt, PayloadError> {
        let none = || PayloadError::NoBootImages { image: self.image.clone(), file: BOOT_IMAGES };
        let images = BootImages::of(self.boot_images.as_ref().ok_or_else(none)?)?;
        images.kube_virt(keys).and_then(|found| {
            let image = self.image.clone();
            let keys = keys.to_string();
            if found.components.is_empty() {
                Err(PayloadError::NoKubeVirt { image, keys })
            } else {
                Ok(found)
            }
        })
    }
}
