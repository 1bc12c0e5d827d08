use std::collections::BTreeMap;

use ocm_oci::ImageRef;
use serde::Deserialize;

use super::{Component, PayloadError, REFERENCES};

/// What images are called in an `ImageStream`, if they are in a registry.
const DOCKER_IMAGE: &str = "DockerImage";

/// The file `image-references`.
#[derive(Debug)]
pub(super) struct References {
    /// What the release is called, which is its version.
    pub(super) name: Option<String>,
    /// In order of name.
    pub(super) components: Vec<Component>,
}

/// Source: <https://github.com/openshift/api/blob/master/image/v1/types.go>, `ImageStream`.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    metadata: WireMetadata,
    spec: Option<WireSpec>,
}

#[derive(Default, Deserialize)]
struct WireMetadata {
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireSpec {
    tags: Option<Vec<WireTag>>,
}

#[derive(Deserialize)]
struct WireTag {
    name: String,
    from: Option<WireFrom>,
}

#[derive(Default, Deserialize)]
struct WireFrom {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    name: String,
}

impl References {
    pub(super) fn of(bytes: &[u8]) -> Result<Self, PayloadError> {
        let wire: Wire = serde_json::from_slice(bytes)
            .map_err(|source| PayloadError::Json { file: REFERENCES, source })?;
        let mut components = BTreeMap::new();
        for WireTag { name, from } in wire.spec.and_then(|spec| spec.tags).unwrap_or_default() {
            let WireFrom { kind, name: image } = from.unwrap_or_default();
            if !kind.is_empty() && kind != DOCKER_IMAGE {
                return Err(PayloadError::Kind { name, kind });
            }
            let reference: ImageRef = match image.parse() {
                Ok(reference) => reference,
                Err(source) => return Err(PayloadError::Reference { name, source }),
            };
            if components.insert(name.clone(), reference).is_some() {
                return Err(PayloadError::Twice { name });
            }
        }
        if components.is_empty() {
            return Err(PayloadError::Empty);
        }
        let component = |(name, reference)| Component { name, reference };
        let components = components.into_iter().map(component).collect();
        Ok(Self { name: wire.metadata.name.filter(|name| !name.is_empty()), components })
    }
}
