use std::{collections::BTreeSet, fmt};

use ocm_oci::ImageRef;
use serde::Deserialize;
use serde_json::Value;

use super::{BOOT_IMAGES, Component, PayloadError};

/// What the image is called in a mirror.
const NAME: &str = "kube-virt-container";

/// What stands for all architectures in a configuration.
const MULTI: &str = "multi";

/// The architectures that have such an image, as Go and as a stream calls them.
const KEYS: [(&str, &str); 2] = [("amd64", "x86_64"), ("s390x", "s390x")];

/// Which architectures' images to boot from are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootKeys {
    keys: BTreeSet<&'static str>,
    unknown: Vec<String>,
}

/// Images that virtual machines boot from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVirt {
    /// The images, as parts of the release.
    pub components: Vec<Component>,
    /// Architectures that were looked for, and have none in this release.
    pub absent: Vec<String>,
}

/// The file with all images to boot from: of its stream, most is about others.
///
/// Source: <https://github.com/coreos/stream-metadata-go/blob/main/stream/stream.go>.
#[derive(Debug, Default)]
pub(super) struct BootImages {
    stream: Value,
}

#[derive(Deserialize)]
struct ConfigMap {
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    stream: Option<String>,
}

impl BootKeys {
    /// Decides by what the configuration says: the architectures of its `platforms`, or else its
    /// `architectures`, or else amd64.
    pub fn new<'a>(
        platforms: impl IntoIterator<Item = &'a str>,
        architectures: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let all = || KEYS.map(|(_, key)| key).into_iter().collect();
        let amd64 = || KEYS.map(|(_, key)| key).into_iter().take(1).collect();
        let platforms: Vec<_> = platforms.into_iter().collect();
        let architectures: Vec<_> = architectures.into_iter().collect();
        if !platforms.is_empty() {
            Self::named(&platforms, all)
        } else if architectures.contains(&MULTI) {
            Self { keys: all(), unknown: Vec::new() }
        } else {
            Self::named(&architectures, amd64)
        }
    }

    /// Returns the keys of those that have one, or else what stands for them.
    fn named(wanted: &[&str], otherwise: impl FnOnce() -> BTreeSet<&'static str>) -> Self {
        let key = |one: &str| KEYS.iter().find(|(name, _)| *name == one).map(|(_, key)| *key);
        let keys: BTreeSet<_> = wanted.iter().filter_map(|one| key(one)).collect();
        let unknown = wanted.iter().filter(|one| key(one).is_none());
        let unknown = unknown.map(|one| (*one).to_owned()).collect();
        Self { keys: if keys.is_empty() { otherwise() } else { keys }, unknown }
    }

    /// Returns what was asked for and never has such an image: worth a warning.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }
}

impl fmt::Display for BootKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.keys.iter().copied().collect::<Vec<_>>().join(", "))
    }
}

impl BootImages {
    pub(super) fn of(bytes: &[u8]) -> Result<Self, PayloadError> {
        let file = BOOT_IMAGES;
        let map: ConfigMap = serde_saphyr::from_slice(bytes)
            .map_err(|source| PayloadError::Yaml { file, source: Box::new(source) })?;
        match map.data.and_then(|data| data.stream) {
            Some(stream) => serde_json::from_str(&stream)
                .map(|stream| Self { stream })
                .map_err(|source| PayloadError::Json { file, source }),
            None => Ok(Self::default()),
        }
    }

    pub(super) fn kube_virt(&self, wanted: &BootKeys) -> Result<KubeVirt, PayloadError> {
        let mut found = KubeVirt { components: Vec::new(), absent: Vec::new() };
        for key in &wanted.keys {
            let path = format!("/architectures/{key}/images/kubevirt/digest-ref");
            let image = self.stream.pointer(&path).and_then(Value::as_str);
            let Some(image) = image.filter(|image| !image.is_empty()) else {
                found.absent.push((*key).to_owned());
                continue;
            };
            // By what was asked for, not by what was found: so that a tag is always the same.
            let name =
                if wanted.keys.len() == 1 { NAME.to_owned() } else { format!("{NAME}-{key}") };
            let reference: ImageRef = match image.parse() {
                Ok(reference) => reference,
                Err(source) => return Err(PayloadError::Reference { name, source }),
            };
            found.components.push(Component { name, reference });
        }
        Ok(found)
    }
}
