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
