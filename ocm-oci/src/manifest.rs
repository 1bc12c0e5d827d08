use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::{Descriptor, MediaType, Platform};

/// Why a manifest's bytes could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The bytes are not JSON of the shape that all manifests share.
    #[error("manifest is not valid OCI JSON")]
    Json(#[from] serde_json::Error),
    /// A format that names its layers without their sizes, obsolete since 2015.
    #[error("manifest is of docker schema 1, which is not supported")]
    Schema1,
    /// It lists both manifests and layers, so that two readers could see two images.
    ///
    /// Source: <https://github.com/advisories/GHSA-77vh-xpmg-72qh>.
    #[error("manifest is ambiguous: it lists both `manifests` and `layers`")]
    Ambiguous,
}

/// What an index says of one of its manifests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IndexEntry {
    /// Which manifest.
    #[serde(flatten)]
    pub descriptor: Descriptor,
    /// What the image runs on, where the index says so.
    pub platform: Option<Platform>,
    /// Anything else, by name.
    #[serde(default, deserialize_with = "or_default")]
    pub annotations: BTreeMap<String, String>,
}

/// What a manifest names directly, in the order it names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Children {
    /// What an index lists. Each is fetched as a manifest, whatever type its descriptor claims.
    pub manifests: Vec<IndexEntry>,
    /// Configuration and layers of an image.
    pub blobs: Vec<Descriptor>,
    /// Layers with `urls`: they live elsewhere, are not fetched and have no place in an archive.
    pub foreign: Vec<Descriptor>,
    /// The manifest this one says something about. Not a child: it may be absent.
    pub subject: Option<Descriptor>,
    /// What this is, if it is not an image; referrers are filtered by it.
    pub artifact_type: Option<String>,
    /// What the manifest says of itself, by name.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema_version: Option<u32>,
    artifact_type: Option<String>,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "or_default")]
    layers: Vec<WireLayer>,
    #[serde(default, deserialize_with = "or_default")]
    manifests: Vec<IndexEntry>,
    subject: Option<Descriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WireLayer {
    #[serde(flatten)]
    descriptor: Descriptor,
    #[serde(default, deserialize_with = "or_default")]
    urls: Vec<String>,
}

/// Reads `null`, which is how Go writes what was never made, as nothing.
fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Children {
    /// Reads what the manifest in `bytes` names.
    ///
    /// The declared type decides only what is refused; the rest is read by its shape, which OCI
    /// and docker share, so that a type we have not heard of is carried whole too.
    ///
    /// # Errors
    ///
    /// [`ManifestError::Schema1`] for docker's old format, [`ManifestError::Ambiguous`] for two
    /// manifests in one, [`ManifestError::Json`] for anything that is no manifest.
    pub fn of(media_type: &MediaType, bytes: &[u8]) -> Result<Self, ManifestError> {
        if matches!(media_type, MediaType::DockerSchema1 | MediaType::DockerSchema1Signed) {
            return Err(ManifestError::Schema1);
        }
        let wire: Wire = serde_json::from_slice(bytes)?;
        if wire.schema_version == Some(1) {
            return Err(ManifestError::Schema1);
        }
        let is_image = wire.config.is_some() || !wire.layers.is_empty();
        if is_image && !wire.manifests.is_empty() {
            return Err(ManifestError::Ambiguous);
        }
        let config_type = wire.config.as_ref().map(|config| config.media_type.to_string());
        let (local, foreign): (Vec<_>, Vec<_>) =
            wire.layers.into_iter().partition(|layer| layer.urls.is_empty());
        let layers = local.into_iter().map(|layer| layer.descriptor);
        Ok(Self {
            manifests: wire.manifests,
            blobs: wire.config.into_iter().chain(layers).collect(),
            foreign: foreign.into_iter().map(|layer| layer.descriptor).collect(),
            subject: wire.subject,
            artifact_type: wire.artifact_type.or(config_type),
            annotations: wire.annotations.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Digest;

    fn entry(media_type: &str, content: &str) -> Value {
        let digest = Digest::of(content.as_bytes());
        json!({ "mediaType": media_type, "digest": digest, "size": content.len() })
    }

    fn read(media_type: &MediaType, manifest: &Value) -> Result<Children, ManifestError> {
        Children::of(media_type, manifest.to_string().as_bytes())
    }

    #[test]
    fn an_image_names_blobs_and_flags_foreign_layers() {
        let mut foreign = entry("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "far");
        foreign["urls"] = json!(["https://example.com/far"]);
        let image = json!({ "schemaVersion": 2, "config": entry("c", "config"),
            "layers": [foreign, entry("l", "near")] });
        for media_type in [MediaType::OciManifest, MediaType::DockerManifest] {
            let children = read(&media_type, &image).unwrap();
            let digests: Vec<_> = children.blobs.into_iter().map(|blob| blob.digest).collect();
            assert_eq!(digests, [Digest::of(b"config"), Digest::of(b"near")]);
            assert_eq!(children.foreign.len(), 1);
            assert_eq!(children.manifests, []);
        }
    }

    #[test]
    fn an_index_names_manifests_whatever_their_type() {
        let entries = [entry("application/vnd.example.unheard+json", "a"), entry("", "b")];
        for media_type in [MediaType::OciIndex, MediaType::DockerList] {
            let children = read(&media_type, &json!({ "manifests": entries })).unwrap();
            assert_eq!((children.manifests.len(), children.blobs.len()), (2, 0));
        }
    }

    #[test]
    fn refuses_what_is_not_one_manifest() {
        let old = read(&MediaType::OciManifest, &json!({ "schemaVersion": 1 }));
        assert!(matches!(old, Err(ManifestError::Schema1)));
        let old = read(&MediaType::DockerSchema1Signed, &json!({}));
        assert!(matches!(old, Err(ManifestError::Schema1)));
        let both = json!({ "manifests": [entry("", "a")], "layers": [entry("", "b")] });
        let both = read(&MediaType::OciIndex, &both);
        assert!(matches!(both, Err(ManifestError::Ambiguous)));
        assert!(matches!(read(&MediaType::OciIndex, &json!([])), Err(ManifestError::Json(_))));
    }

    /// Go writes `null` for a list that was never made.
    #[test]
    fn null_is_nothing() {
        let mut one = entry("m", "a");
        one["annotations"] = Value::Null;
        let index = json!({ "manifests": [one], "layers": null, "annotations": null });
        assert_eq!(read(&MediaType::OciIndex, &index).unwrap().manifests.len(), 1);
        let mut layer = entry("l", "a");
        layer["urls"] = Value::Null;
        let image = json!({ "config": entry("c", "b"), "layers": [layer], "manifests": null });
        assert_eq!(read(&MediaType::OciManifest, &image).unwrap().blobs.len(), 2);
    }

    #[test]
    fn an_entry_says_what_it_runs_on() {
        let mut one = entry("m", "a");
        one["platform"] = json!({ "os": "linux", "architecture": "arm64", "os.version": "1" });
        let index = json!({ "manifests": [one, entry("m", "b")], "annotations": { "k": "v" } });
        let children = read(&MediaType::OciIndex, &index).unwrap();
        let platforms: Vec<_> = children.manifests.iter().map(|one| &one.platform).collect();
        assert_eq!(platforms, [&Some(Platform::new("linux", "arm64")), &None]);
        assert_eq!(children.annotations["k"], "v");
    }
}
