use ocm_oci::{Digest, ReferenceError};

use crate::LayersError;

/// Why it is not known what a release consists of.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The image could not be read.
    #[error(transparent)]
    Layers(#[from] LayersError),
    /// It is another image.
    #[error("image `{0}` is no release: it has no file `release-manifests/image-references`")]
    NoRelease(Digest),
    /// A file of it is damaged.
    #[error("could not read `{file}` of the release")]
    Json {
        /// Which.
        file: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// A file of it is damaged.
    #[error("could not read `{file}` of the release")]
    Yaml {
        /// Which.
        file: &'static str,
        /// Why.
        source: Box<serde_saphyr::Error>,
    },
    /// It consists of nothing.
    #[error("the release names no images")]
    Empty,
    /// A component is no image of a registry.
    #[error("component `{name}` of the release is a `{kind}`, and no image of a registry")]
    Kind {
        /// Which.
        name: String,
        /// What it is.
        kind: String,
    },
    /// Of a component it is not said where it is.
    #[error("component `{name}` of the release has no usable image")]
    Reference {
        /// Which.
        name: String,
        /// Why.
        source: ReferenceError,
    },
    /// Two images have one name.
    #[error("the release has two components `{name}`")]
    Twice {
        /// Which.
        name: String,
    },
    /// It is older than images for virtual machines, or a custom one.
    #[error("release `{image}` names no images to boot from: it has no file `{file}`")]
    NoBootImages {
        /// Which release.
        image: Digest,
        /// What it lacks.
        file: &'static str,
    },
    /// There are images to boot from, for others.
    #[error("release `{image}` has no `KubeVirt` image for {keys}")]
    NoKubeVirt {
        /// Which release.
        image: Digest,
        /// What was looked for.
        keys: String,
    },
}
