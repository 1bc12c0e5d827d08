use std::collections::BTreeMap;

use ocm_oci::{Descriptor, Platform};
use serde::Deserialize;

/// Longest configuration that is read, in bytes. Real ones have some kilobytes.
pub(crate) const CONFIGURATION_LIMIT: u64 = 8 << 20;

/// What an image says of itself, as far as we act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageConfiguration {
    /// What the image runs on.
    pub platform: Platform,
    /// What else it says, by name.
    pub labels: BTreeMap<String, String>,
    /// The program that it runs, with what comes before its command.
    pub entrypoint: Vec<String>,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationFault {
    /// It is too long to be one.
    #[error("it has {size} bytes, and {CONFIGURATION_LIMIT} are read at most")]
    TooLarge {
        /// Its length in bytes.
        size: u64,
    },
    /// It is no JSON of that shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md>.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    variant: Option<String>,
    config: Option<WireConfig>,
}

#[derive(Deserialize)]
struct WireConfig {
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, String>>,
    #[serde(rename = "Entrypoint")]
    entrypoint: Option<Vec<String>>,
}

impl ImageConfiguration {
    /// Checks that `content` can be read.
    pub(crate) fn check(content: &Descriptor) -> Result<(), ConfigurationFault> {
        let size = content.size;
        if size <= CONFIGURATION_LIMIT {
            Ok(())
        } else {
            Err(ConfigurationFault::TooLarge { size })
        }
    }

    /// Reads a configuration.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, ConfigurationFault> {
        let Wire { architecture, os, variant, config } = serde_json::from_slice(bytes)?;
        let variant = variant.filter(|variant| !variant.is_empty());
        let (labels, entrypoint) =
            config.map(|config| (config.labels, config.entrypoint)).unwrap_or_default();
        Ok(Self {
            platform: Platform { os, architecture, variant },
            labels: labels.unwrap_or_default(),
            entrypoint: entrypoint.unwrap_or_default(),
        })
    }
}
