use ocm_oci::{Digest, ImageRef};
use serde::Deserialize;

use super::SignatureError;

/// What the text must say it is.
pub(super) const TYPE: &str = "atomic container signature";

/// What was said of an image, by whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) digest: Digest,
    pub(super) identity: ImageRef,
}

#[derive(Deserialize)]
struct Text {
    critical: Critical,
}

/// All of it must be understood, as its name says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: SignedImage,
    identity: Identity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SignedImage {
    docker_manifest_digest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

impl Statement {
    /// Reads what was signed. Call it on nothing else.
    pub(super) fn read(text: &[u8]) -> Result<Self, SignatureError> {
        let text: Text =
            serde_json::from_slice(text).map_err(|source| SignatureError::Statement { source })?;
        let Critical { kind, image, identity } = text.critical;
        if kind != TYPE {
            return Err(SignatureError::WrongType { found: kind });
        }
        let identity = identity.docker_reference.parse();
        let identity = identity.map_err(|source| SignatureError::Identity { source })?;
        Ok(Self { digest: image.docker_manifest_digest, identity })
    }
}
