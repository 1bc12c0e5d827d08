use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{METADATA, PayloadError};

/// Where a release says that it is for several architectures.
const ARCHITECTURE: &str = "release.openshift.io/architecture";

/// What a release says of itself.
///
/// Source: <https://github.com/openshift/oc/blob/master/pkg/cli/admin/release/new.go>,
/// `CincinnatiMetadata`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ReleaseMetadata {
    version: String,
    #[serde(default)]
    previous: Option<Vec<String>>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Value>>,
}

impl ReleaseMetadata {
    pub(super) fn of(bytes: &[u8]) -> Result<Self, PayloadError> {
        serde_json::from_slice(bytes)
            .map_err(|source| PayloadError::Json { file: METADATA, source })
    }

    /// Returns the version: `4.16.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the versions from which there is an update to this one, as it was built.
    pub fn previous(&self) -> &[String] {
        self.previous.as_deref().unwrap_or_default()
    }

    /// Returns where the release is described.
    pub fn url(&self) -> Option<&str> {
        self.text("url")
    }

    /// Returns the architecture that it says it is for: only ever `multi`.
    pub fn architecture(&self) -> Option<&str> {
        self.text(ARCHITECTURE)
    }

    /// Returns the tag of the release, `4.16.1-x86_64`, where its image is for `architecture`, as
    /// Go names that.
    pub fn tag(&self, architecture: &str) -> String {
        let suffix = self.architecture().unwrap_or_else(|| release_suffix(architecture));
        format!("{}-{suffix}", self.version)
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.metadata.as_ref()?.get(key)?.as_str()
    }
}

/// Returns how tags of releases call an architecture, which Go calls `architecture`.
pub fn release_suffix(architecture: &str) -> &str {
    match architecture {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => other,
    }
}
