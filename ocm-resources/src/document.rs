use std::collections::BTreeMap;

use crate::yaml::Yaml;

/// Most bytes of text in one object. `oc apply` repeats an object in an annotation of it, and all
/// annotations together have at most 256 KiB.
///
/// Source: <https://github.com/kubernetes/kubectl/issues/712>.
pub(crate) const OBJECT_MAX_LEN: usize = 200 << 10;

/// A file to write, its text included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name of the file, without a directory. No two documents of a run have the same.
    pub file_name: String,
    /// Its text: YAML, or JSON where the name says so.
    pub text: String,
}

/// Who made the resources, when, with what: the annotations that all of them carry, so that
/// support can tell where they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When, by RFC 3339 and in UTC: `2026-11-21T10:11:12Z`.
    pub created_at: String,
    /// Name of the program.
    pub created_by: String,
    /// Version of the program.
    pub version: String,
}

impl Stamp {
    /// Returns the annotations.
    pub(crate) fn annotations(&self) -> BTreeMap<&'static str, &str> {
        BTreeMap::from([
            ("createdAt", self.created_at.as_str()),
            ("createdBy", &self.created_by),
            // The key is oc-mirror's: scripts and support look for it.
            ("oc-mirror_version", &self.version),
        ])
    }

    /// Returns the value of `metadata` of a resource, with what else is said there.
    pub(crate) fn metadata<const N: usize>(
        &self,
        name: impl Into<String>,
        rest: [(&'static str, Yaml); N],
    ) -> Yaml {
        let annotations = self.annotations().into_iter().map(|(key, text)| (key, Yaml::text(text)));
        let mut metadata = BTreeMap::from(rest);
        metadata.insert("annotations", Yaml::entries(annotations));
        metadata.insert("name", Yaml::text(name));
        Yaml::entries(metadata)
    }
}
