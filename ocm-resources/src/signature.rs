use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ocm_oci::Digest;
use serde::Serialize;

use crate::{
    document::{Document, OBJECT_MAX_LEN, Stamp},
    yaml::Yaml,
};

/// What a cluster looks for, whatever the object is called.
///
/// Source: <https://github.com/openshift/library-go/blob/master/pkg/verify/store/configmap/configmap.go>.
const LABEL: &str = "release.openshift.io/verification-signatures";

/// Where it looks.
const NAMESPACE: &str = "openshift-config-managed";

/// The name of the object, and of further ones what they begin with.
const NAME: &str = "mirrored-release-signatures";

/// The signatures of releases, by which a cluster accepts an upgrade that it cannot look up.
///
/// The caller has verified them, and gives those of releases that are at the mirror. They are found
/// by the digest of the release image; the name of the object is the same in every run, so that it
/// is updated in place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseSignatures {
    by_digest: BTreeMap<Digest, Vec<Vec<u8>>>,
}

/// An object, in the order in which its fields stand in the JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigMap<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Metadata<'a>,
    binary_data: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct Metadata<'a> {
    name: String,
    namespace: &'static str,
    labels: BTreeMap<&'static str, &'static str>,
    annotations: BTreeMap<&'static str, &'a str>,
}

impl ReleaseSignatures {
    /// Adds a signature of the release image `digest`, as its store serves it, unless it is there.
    ///
    /// Of one release all are kept, in the order in which they come: a cluster takes the first that
    /// it can verify.
    pub fn add(&mut self, digest: Digest, content: Vec<u8>) {
        let contents = self.by_digest.entry(digest).or_default();
        if !contents.contains(&content) {
            contents.push(content);
        }
    }

    /// Returns the files to write, the same objects in both: `signature-configmap.json` and
    /// `signature-configmap.yaml`. Without a signature there is none.
    ///
    /// There is one object, or as many as it takes for none to be too large for `oc apply`: about
    /// 150 signatures fit in one.
    pub fn documents(&self, stamp: &Stamp) -> Vec<Document> {
        let objects = self.objects(stamp);
        if objects.is_empty() {
            return Vec::new();
        }
        let json: Vec<_> = objects.iter().map(ConfigMap::to_json).collect();
        let yaml: Vec<_> = objects.iter().map(|object| object.to_yaml().to_text()).collect();
        let document = |suffix: &str, text| Document {
            file_name: format!("signature-configmap.{suffix}"),
            text,
        };
        vec![document("json", json.join("\n")), document("yaml", yaml.join("---\n"))]
    }

    fn objects<'a>(&self, stamp: &'a Stamp) -> Vec<ConfigMap<'a>> {
        let signatures = self.by_digest.iter();
        let signatures = signatures
            .flat_map(|(digest, contents)| contents.iter().map(move |content| (digest, content)));
        let mut objects = Vec::new();
        let (mut data, mut len) = (BTreeMap::new(), 0);
        for (number, (digest, content)) in (1..).zip(signatures) {
            // A cluster wants the digest, oc-mirror adds a number that counts through all of them.
            let key = format!("{}-{}-{number}", digest.algorithm(), digest.hex());
            let value = STANDARD.encode(content);
            let added = key.len() + value.len();
            if len + added > OBJECT_MAX_LEN && !data.is_empty() {
                objects.push(ConfigMap::new(objects.len(), std::mem::take(&mut data), stamp));
                len = 0;
            }
            len += added;
            data.insert(key, value);
        }
        if !data.is_empty() {
            objects.push(ConfigMap::new(objects.len(), data, stamp));
        }
        objects
    }
}

impl<'a> ConfigMap<'a> {
    /// Returns the object that comes after `before` others.
    fn new(before: usize, binary_data: BTreeMap<String, String>, stamp: &'a Stamp) -> Self {
        let name = match before {
            0 => NAME.to_owned(),
            _ => format!("{NAME}-{}", before + 1),
        };
        let labels = BTreeMap::from([(LABEL, "")]);
        let annotations = stamp.annotations();
        let metadata = Metadata { name, namespace: NAMESPACE, labels, annotations };
        Self { kind: "ConfigMap", api_version: "v1", metadata, binary_data }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text and maps with text for keys are JSON")
    }

    fn to_yaml(&self) -> Yaml {
        let texts = |entries: &BTreeMap<&'static str, &str>| {
            Yaml::entries(entries.iter().map(|(key, text)| (*key, Yaml::text(*text))))
        };
        let data = self.binary_data.iter().map(|(key, value)| (key.clone(), Yaml::text(value)));
        let Metadata { name, namespace, labels, annotations } = &self.metadata;
        Yaml::map([
            ("apiVersion", Yaml::text(self.api_version)),
            ("binaryData", Yaml::Map(data.collect())),
            ("kind", Yaml::text(self.kind)),
            (
                "metadata",
                Yaml::map([
                    ("annotations", texts(annotations)),
                    ("labels", texts(labels)),
                    ("name", Yaml::text(name)),
                    ("namespace", Yaml::text(*namespace)),
                ]),
            ),
        ])
    }
}

#[cfg(test)]
mod tests;
