use std::collections::BTreeMap;

use crate::{catalog::NamedCatalog, document::Stamp, template::Template, yaml::Yaml};

pub(crate) const API_VERSION: &str = "operators.coreos.com/v1alpha1";
pub(crate) const KIND: &str = "CatalogSource";

/// Where a cluster looks for catalogs whose operators can be installed in all namespaces.
const NAMESPACE: &str = "openshift-marketplace";

/// Returns the object that has OLM v0 offer the operators of a catalog, with what its template
/// says besides.
///
/// Source: <https://github.com/operator-framework/api/blob/master/pkg/operators/v1alpha1/catalogsource_types.go>.
pub(crate) fn object(named: &NamedCatalog, stamp: &Stamp) -> Yaml {
    let text = |key: &str, text: &str| (key.to_owned(), Yaml::text(text));
    let template = named.catalog().template.clone().unwrap_or_default();
    let Template { mut annotations, mut metadata, mut spec, mut rest, .. } = template;
    annotations.extend(stamp.annotations().into_iter().map(|(key, value)| text(key, value)));
    metadata.extend([
        ("annotations".to_owned(), Yaml::Map(annotations)),
        text("name", named.source_name()),
        text("namespace", NAMESPACE),
    ]);
    if let Some(files) = &named.catalog().files {
        extract(&mut spec, files);
    }
    let image = named.catalog().place.to_string();
    spec.extend([text("image", &image), text("sourceType", "grpc")]);
    rest.extend([
        text("apiVersion", API_VERSION),
        text("kind", KIND),
        ("metadata".to_owned(), Yaml::Map(metadata)),
        ("spec".to_owned(), Yaml::Map(spec)),
    ]);
    Yaml::Map(rest)
}

/// Has the cluster's own program serve the files of a catalog, unless the template says how it is
/// to be served. What is made of them has no directory: OLM takes one for granted until summer
/// 2025, and does not start a catalog that lacks it.
///
/// Source: <https://github.com/operator-framework/operator-lifecycle-manager/pull/3589>.
fn extract(spec: &mut BTreeMap<String, Yaml>, files: &str) {
    let none = || Yaml::map([]);
    let config = spec.entry("grpcPodConfig".to_owned()).or_insert_with(none);
    if matches!(config, Yaml::Plain(text) if text == "null") {
        *config = none();
    }
    if let Yaml::Map(config) = config {
        let content = || Yaml::map([("catalogDir", Yaml::text(files))]);
        config.entry("extractContent".to_owned()).or_insert_with(content);
    }
}
