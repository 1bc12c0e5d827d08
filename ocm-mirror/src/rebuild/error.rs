use ocm_oci::{Digest, ManifestError};
use ocm_transport::TransportError;

/// Why an image could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// A place failed: that of the original, or the content store.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A manifest makes no sense.
    #[error("could not read manifest `{digest}`")]
    Manifest {
        /// Which.
        digest: Digest,
        /// Why.
        source: ManifestError,
    },
    /// A manifest or a configuration is no JSON.
    #[error("could not read `{digest}`")]
    Json {
        /// Which.
        digest: Digest,
        /// Why.
        source: serde_json::Error,
    },
    /// A manifest or a configuration is not of the shape of one of an image.
    #[error("`{0}` is no image, or does not list as many layers as it has")]
    Shape(Digest),
    /// An index lists nothing that could be built upon.
    #[error("index `{0}` lists no image")]
    NoImage(Digest),
    /// There is no end of manifests.
    #[error("`{0}` leads to more manifests than an image has")]
    TooMany(Digest),
    /// A file cannot have that name in an image.
    #[error("`{0}` is no path of a file in an image")]
    Path(String),
    /// The layer could not be written.
    #[error("could not write a layer")]
    Layer(#[source] std::io::Error),
}
