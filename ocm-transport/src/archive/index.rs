//! The JSON files inside a volume, and the names of its members.

use std::collections::BTreeMap;

use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag};
use serde::{Deserialize, Serialize};

/// Version of the format; a reader refuses any other.
pub(super) const FORMAT: u32 = 1;
/// Length of `volume.json`, in bytes: a set named by SHA-512 and the largest numbers fit.
pub(super) const VOLUME_LEN: u64 = 512;
/// Longest index of a volume, and longest `index.json`, in bytes: both are read whole.
pub(super) const INDEX_MAX: u64 = 64 << 20;

pub(super) const VOLUME_NAME: &str = ".ocm/volume.json";
pub(super) const OCI_LAYOUT_NAME: &str = "oci-layout";
pub(super) const IMAGES_NAME: &str = "index.json";
pub(super) const INDEX_NAME: &str = ".ocm/index.json";
/// What the file `oci-layout` holds.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file>.
pub(super) const OCI_LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// Annotation that carries a reference.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md>.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What `.ocm/volume.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VolumeRecord {
    pub(super) format: u32,
    pub(super) set: Digest,
    pub(super) volume: u32,
    pub(super) volumes: u32,
    /// Length of the whole file in bytes.
    pub(super) length: u64,
    pub(super) index: Pointer,
}

/// Where the volume's index lies, and what it must hash to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pointer {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) digest: Digest,
}

/// What `.ocm/index.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct VolumeIndex<M = Vec<Entry>> {
    pub(super) set: Digest,
    pub(super) volume: u32,
    pub(super) volumes: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    /// Digests of the records by name; in the first volume only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) records: BTreeMap<String, Digest>,
    /// Every member, as it lies in the tar, but `.ocm/volume.json` and this index.
    pub(super) members: M,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where its content begins in the file, in bytes.
    pub(super) offset: u64,
    pub(super) size: u64,
    /// Of the content; of a part, of the whole blob.
    pub(super) digest: Digest,
    /// Of a manifest.
    #[serde(default, rename = "mediaType", skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<MediaType>,
    /// Of a part: where in which length it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Part>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) absent: bool,
}

/// Which part of a blob a member holds, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) at: u64,
    pub(super) of: u64,
}

/// Returns the name of a member that holds content, or a part of it, or the place of what is
/// absent.
pub(super) fn content_name(digest: &Digest, at: Option<u64>, absent: bool) -> String {
    let (algorithm, hex) = (digest.algorithm(), digest.hex());
    match (at, absent) {
        (None, false) => format!("blobs/{algorithm}/{hex}"),
        (Some(at), false) => format!(".ocm/parts/{algorithm}-{hex}/{at:016}"),
        (None, true) => format!(".ocm/absent/{digest}"),
        (Some(at), true) => format!(".ocm/absent/{digest}/{at:016}"),
    }
}

/// An OCI index, as far as one is written here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Images {
    pub(super) schema_version: u32,
    #[serde(default)]
    pub(super) media_type: Option<MediaType>,
    pub(super) manifests: Vec<Image>,
}

/// A manifest that the layout lists.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Image {
    #[serde(flatten)]
    pub(super) descriptor: Descriptor,
    pub(super) annotations: BTreeMap<String, String>,
}

impl Images {
    /// Lists names in their order.
    pub(super) fn of<'a>(names: impl Iterator<Item = (&'a (RepoName, Tag), Descriptor)>) -> Self {
        let image = |((repository, tag), descriptor): (&(RepoName, Tag), Descriptor)| {
            let name = format!("{repository}:{tag}");
            Image { descriptor, annotations: BTreeMap::from([(REF_NAME.to_owned(), name)]) }
        };
        let (schema_version, media_type) = (2, Some(MediaType::OciIndex));
        Self { schema_version, media_type, manifests: names.map(image).collect() }
    }
}

/// Returns `value` as JSON, followed by spaces up to `len` bytes; `None` if it is longer.
pub(super) fn padded_json(value: &impl Serialize, len: u64) -> Option<Vec<u8>> {
    let len = usize::try_from(len).ok()?;
    let mut json = Vec::with_capacity(len);
    serde_json::to_writer(&mut json, value).ok()?;
    if json.len() >= len {
        return None;
    }
    json.resize(len - 1, b' ');
    json.push(b'\n');
    Some(json)
}

/// Returns the length of `value` as JSON, with the line feed that [`padded_json`] adds.
pub(super) fn json_len(value: &impl Serialize) -> u64 {
    serde_json::to_vec(value).map_or(u64::MAX, |json| json.len() as u64 + 1)
}
