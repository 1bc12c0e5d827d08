use crate::yaml::Yaml;

/// A file to write, its text included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name of the file, without a directory.
    pub file_name: String,
    /// Its text: one or more YAML documents, each begun by `---`.
    pub yaml: String,
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
    /// Returns the value of `metadata` of a resource.
    pub(crate) fn metadata(&self, name: String) -> Yaml {
        let annotations = Yaml::map([
            ("createdAt", Yaml::text(&self.created_at)),
            ("createdBy", Yaml::text(&self.created_by)),
            // The key is oc-mirror's: scripts and support look for it.
            ("oc-mirror_version", Yaml::text(&self.version)),
        ]);
        Yaml::map([("annotations", annotations), ("name", Yaml::text(name))])
    }
}
