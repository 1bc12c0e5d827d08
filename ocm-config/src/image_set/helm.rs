use ocm_oci::PlatformFilter;

use crate::{fault::Location, image_path::ImagePath};

/// Helm charts, and with them the images they name: `helm`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Helm {
    /// Repositories of charts, in the order of the configuration.
    pub repositories: Vec<HelmRepository>,
    /// Charts on this machine.
    pub local: Vec<Chart>,
    /// Where the section stands; `None` where there is nothing in it.
    pub location: Option<Location>,
}

/// A repository of charts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelmRepository {
    /// What it is called.
    pub name: String,
    /// Where its index is, as written.
    pub url: String,
    /// Which charts are wanted.
    pub charts: Charts,
    /// Where it stands in the configuration.
    pub location: Location,
}

/// Which charts of a repository are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charts {
    /// All that its index has.
    All,
    /// These.
    Only(Vec<Chart>),
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// Its name; empty where only the path is said.
    pub name: String,
    /// Its version, as written; the latest where there is none.
    pub version: Option<String>,
    /// Where it is on this machine, as written: a directory or an archive.
    pub path: Option<String>,
    /// More places of images in its manifests.
    pub image_paths: Vec<ImagePath>,
    /// Which of the images of an index are wanted.
    pub platforms: PlatformFilter,
    /// Where it stands in the configuration.
    pub location: Location,
}
