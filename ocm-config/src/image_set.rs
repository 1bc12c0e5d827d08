use crate::{
    archive_size::ArchiveSize,
    fault::{Fault, Location},
};

mod catalog;
mod depth;
mod helm;
mod image;
mod item;
mod release;

pub use catalog::{
    Catalog, CatalogFault, CatalogFaults, CatalogProblem, Package, PackageChannel, WantedCatalog,
};
pub use helm::{Chart, Charts, Helm, HelmRepository};
pub use image::{
    AdditionalImage, BlockedImage, ImageFault, ImageFaults, ImageProblem, WantedImage,
};
pub use item::{ItemFault, ItemFaults, Problem};
pub use release::{ReleaseChannel, ReleaseKind, ReleasePayload, Releases};

/// What to mirror: an `ImageSetConfiguration`, typed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSet {
    /// What to mirror.
    pub mirror: Mirror,
    /// How large a volume of an archive may be; `None` where the configuration does not say.
    pub archive_size: Option<ArchiveSize>,
}

/// What to delete: a `DeleteImageSetConfiguration`, typed and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteSet {
    /// What to delete, named as in an image set. It has no blocked images.
    pub delete: Mirror,
}

/// The sources of an image set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mirror {
    /// Releases of OpenShift and OKD.
    pub platform: Releases,
    /// Catalogs of operators, in the order of the configuration.
    pub operators: Vec<Catalog>,
    /// Images named one by one, in the order of the configuration.
    pub additional_images: Vec<AdditionalImage>,
    /// Charts.
    pub helm: Helm,
    /// Images that are left out wherever they come from.
    pub blocked_images: Vec<BlockedImage>,
    /// Samples, which mean nothing: oc-mirror reads them and mirrors none.
    pub samples: Vec<Sample>,
}

/// A sample, which is read and means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Where it stands in the configuration.
    pub location: Location,
}

impl Mirror {
    /// Returns all that is wrong with single catalogs and images, in the order of the lines. The
    /// others can be mirrored.
    pub fn item_faults(&self) -> Vec<Fault> {
        let catalogs = self.operators.iter().filter_map(|catalog| catalog.wanted.as_ref().err());
        let images = self.additional_images.iter().filter_map(|image| image.wanted.as_ref().err());
        let of_catalogs = catalogs.flatten().map(Fault::from);
        let mut faults: Vec<_> = of_catalogs.chain(images.flatten().map(Fault::from)).collect();
        faults.sort_by_key(|fault| (fault.location.line, fault.location.column));
        faults
    }
}
