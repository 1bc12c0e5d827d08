use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// What a piece of content is, how long it is, and what it hashes to.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Media type, as the referrer declares it.
    pub media_type: MediaType,
    /// Identity of the content.
    pub digest: Digest,
    /// Length of the content in bytes. A claim until the bytes have been counted.
    pub size: u64,
}

/// The media types we act on; any other is carried as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum MediaType {
    /// An OCI list of manifests.
    OciIndex,
    /// An OCI image or artifact.
    OciManifest,
    /// Docker's list of manifests.
    DockerList,
    /// Docker's image, schema 2.
    DockerManifest,
    /// Docker's image, schema 1, unsigned.
    DockerSchema1,
    /// Docker's image, schema 1, signed.
    DockerSchema1Signed,
    /// Bytes of a kind nobody named: what a blob is called where only its digest is known.
    OctetStream,
    /// Any other type, kept verbatim.
    Other(String),
}

/// The one table of names, read both ways.
const NAMES: [(MediaType, &str); 7] = [
    (MediaType::OciIndex, "application/vnd.oci.image.index.v1+json"),
    (MediaType::OciManifest, "application/vnd.oci.image.manifest.v1+json"),
    (MediaType::DockerList, "application/vnd.docker.distribution.manifest.list.v2+json"),
    (MediaType::DockerManifest, "application/vnd.docker.distribution.manifest.v2+json"),
    (MediaType::DockerSchema1, "application/vnd.docker.distribution.manifest.v1+json"),
    (MediaType::DockerSchema1Signed, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    (MediaType::OctetStream, "application/octet-stream"),
];

impl MediaType {
    /// The types that a client offers when it asks for a manifest.
    ///
    /// Schema 1 is not among them, so that a registry which can convert does not choose it.
    pub const MANIFESTS: [Self; 4] =
        [Self::OciIndex, Self::OciManifest, Self::DockerList, Self::DockerManifest];

    /// Whether content of this type lists other manifests.
    pub fn is_index(&self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }
}

impl From<String> for MediaType {
    fn from(text: String) -> Self {
        let known = NAMES.into_iter().find(|(_, name)| *name == text);
        known.map_or(Self::Other(text), |(media_type, _)| media_type)
    }
}

impl From<MediaType> for String {
    fn from(media_type: MediaType) -> Self {
        media_type.to_string()
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, NAMES.iter().find(|(known, _)| known == self)) {
            (Self::Other(text), _) => f.write_str(text),
            (_, Some((_, name))) => f.write_str(name),
            (_, None) => Err(fmt::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_both_ways() {
        for (media_type, name) in NAMES {
            assert_eq!(media_type.to_string(), name);
            assert_eq!(MediaType::from(name.to_owned()), media_type);
        }
    }
}
