use ocm_catalog::{BundleImages, Catalog, ImageList, Selection};

use super::{
    Incomplete, OperatorRules,
    read::{Files, Found, read_catalog, read_images},
};
use crate::Failure;

/// What is in a catalog as it will be at the destination.
#[derive(Debug)]
pub(super) enum Contents {
    /// All of it: it was built here, or may have to be.
    Whole(Catalog),
    /// The images that it leads to: it is copied as it is.
    Images(ImageList),
}

impl Contents {
    /// Reads a catalog of which nothing is taken out, unless an image cannot be had. Returns how
    /// many links were passed over, too.
    pub(super) async fn read(files: &Files, rules: OperatorRules) -> Result<(Self, u64), Failure> {
        Ok(match rules.incomplete {
            Incomplete::Offered => {
                let Found { catalog, links, .. } =
                    read_catalog(files, &Selection::default()).await?;
                (Self::Whole(catalog), links)
            }
            Incomplete::Withheld => {
                let (list, links) = read_images(files).await?;
                (Self::Images(list), links)
            }
        })
    }

    pub(super) fn has_package(&self, name: &str) -> bool {
        match self {
            Self::Whole(catalog) => catalog.packages().contains_key(name),
            Self::Images(list) => list.has_package(name),
        }
    }

    pub(super) fn images(&self) -> Box<dyn Iterator<Item = BundleImages<'_>> + Send + '_> {
        match self {
            Self::Whole(catalog) => Box::new(catalog.images()),
            Self::Images(list) => Box::new(list.images()),
        }
    }
}
