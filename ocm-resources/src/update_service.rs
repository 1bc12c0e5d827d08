use crate::{
    document::{Document, Stamp},
    mirrored::AtMirror,
    yaml::Yaml,
};

/// How many of its pods the update service runs: as many as may not be lost in a restart of one.
const REPLICAS: &str = "2";

/// The object that has a cluster's update service answer from the mirror: which releases there
/// are, and how one is upgraded to another.
///
/// It can only be made of two images that are at the mirror. Both are written as they are called
/// there, so they are right wherever a destination rule put them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateService {
    /// Any release image. What is written is its repository: the service lists the tags there.
    pub release_image: AtMirror,
    /// The image with the update graph.
    pub graph_data: AtMirror,
}

impl UpdateService {
    /// Returns the file to write, `updateService.yaml`.
    ///
    /// Source: <https://github.com/openshift/cincinnati-operator/blob/master/api/v1/updateservice_types.go>.
    pub fn document(&self, stamp: &Stamp) -> Document {
        let namespace = ("namespace", Yaml::text("openshift-update-service"));
        let spec = Yaml::map([
            ("graphDataImage", Yaml::text(self.graph_data.to_string())),
            ("releases", Yaml::text(self.release_image.place())),
            ("replicas", Yaml::Plain(REPLICAS.to_owned())),
        ]);
        let object = Yaml::map([
            ("apiVersion", Yaml::text("updateservice.operator.openshift.io/v1")),
            ("kind", Yaml::text("UpdateService")),
            ("metadata", stamp.metadata("update-service-oc-mirror", [namespace])),
            ("spec", spec),
        ]);
        // In this very case, as oc-mirror writes it.
        Document { file_name: "updateService.yaml".to_owned(), text: object.to_text() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, stamp};

    #[test]
    fn names_both_images_where_they_are() {
        let service = UpdateService {
            release_image: at(
                "registry.example.com:5000/ns/openshift/release-images:4.15.1-x86_64",
            ),
            graph_data: at("registry.example.com:5000/ns/openshift/graph-image:latest"),
        };
        let document = service.document(&stamp());
        assert_eq!(document.file_name, "updateService.yaml");
        let expected = "\
apiVersion: updateservice.operator.openshift.io/v1
kind: UpdateService
metadata:
  annotations:
    createdAt: \"2026-08-21T10:11:12Z\"
    createdBy: ocm
    oc-mirror_version: v0.1.0
  name: update-service-oc-mirror
  namespace: openshift-update-service
spec:
  graphDataImage: registry.example.com:5000/ns/openshift/graph-image:latest
  releases: registry.example.com:5000/ns/openshift/release-images
  replicas: 2
";
        assert_eq!(document.text, expected);
    }

    /// Paths that were shortened, and releases that are named by digest: what oc-mirror writes
    /// then leads nowhere.
    #[test]
    fn follows_the_images_wherever_they_went() {
        let service = UpdateService {
            release_image: at(&format!(
                "h/g2/ns-deep-openshift-release-images@sha256:{}",
                "a".repeat(64)
            )),
            graph_data: at("h/g2/ns-deep-openshift-graph-image:latest"),
        };
        let text = service.document(&stamp()).text;
        assert!(text.contains("  graphDataImage: h/g2/ns-deep-openshift-graph-image:latest\n"));
        assert!(text.contains("  releases: h/g2/ns-deep-openshift-release-images\n"));
    }
}
