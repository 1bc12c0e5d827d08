use ocm_oci::{PlatformFilter, Reference};
use semver::Version;

use crate::fault::Location;

/// Releases of OpenShift and OKD: `platform`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Releases {
    /// Whether to build the image of the update graph.
    pub graph: bool,
    /// Channels, in the order of the configuration, no name twice.
    pub channels: Vec<ReleaseChannel>,
    /// Architectures, as written; whoever asks a server for them takes `amd64` where there is
    /// none. Empty where [`platforms`](Self::platforms) says something.
    pub architectures: Vec<String>,
    /// Which images of the multi payload are wanted.
    pub platforms: PlatformFilter,
    /// One payload, instead of channels and architectures, which are not looked at then.
    pub release: Option<ReleasePayload>,
    /// Whether to mirror the disk image for KubeVirt, too.
    pub kube_virt_container: bool,
    /// Where the section stands; `None` where there is nothing in it.
    pub location: Option<Location>,
}

/// A channel of releases, and what of it is wanted.
///
/// | `min` | `max` | `full` | wanted |
/// |---|---|---|---|
/// | – | – | false | the head alone |
/// | – | – | true | all |
/// | set | – | any | from `min` to the head |
/// | – | set | any | from the first to `max` |
/// | set | set | any | from `min` to `max` |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseChannel {
    /// Its name: `stable-4.18`.
    pub name: String,
    /// Whose releases they are.
    pub kind: ReleaseKind,
    /// The lowest version.
    pub min: Option<Version>,
    /// The highest version.
    pub max: Option<Version>,
    /// Whether all of the channel is wanted.
    pub full: bool,
    /// Whether only what an upgrade needs is wanted.
    pub shortest_path: bool,
    /// Where it stands in the configuration.
    pub location: Location,
}

/// Whose releases a channel has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum ReleaseKind {
    /// Those of Red Hat OpenShift.
    #[default]
    Ocp,
    /// Those of OKD.
    Okd,
}

/// A payload, named by its reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasePayload {
    /// The text as it is written.
    pub written: String,
    /// The image.
    pub reference: Reference,
    /// Where it stands in the configuration.
    pub location: Location,
}

impl Releases {
    /// Whether any release is asked for.
    pub fn has_releases(&self) -> bool {
        self.release.is_some() || !self.channels.is_empty()
    }
}

impl ReleaseKind {
    /// Returns the word for it in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ocp => "ocp",
            Self::Okd => "okd",
        }
    }
}
