use crate::{catalog::NamedCatalog, document::Stamp, yaml::Yaml};

/// Where the console and `oc get packagemanifests` look for catalogs for all namespaces.
const NAMESPACE: &str = "openshift-marketplace";

/// Returns the object that has OLM v0 offer the operators of a catalog.
///
/// Source: <https://github.com/operator-framework/api/blob/master/pkg/operators/v1alpha1/catalogsource_types.go>.
pub(crate) fn object(named: &NamedCatalog, stamp: &Stamp) -> Yaml {
    let namespace = ("namespace", Yaml::text(NAMESPACE));
    Yaml::map([
        ("apiVersion", Yaml::text("operators.coreos.com/v1alpha1")),
        ("kind", Yaml::text("CatalogSource")),
        ("metadata", stamp.metadata(named.source_name(), [namespace])),
        (
            "spec",
            Yaml::map([
                ("image", Yaml::text(named.catalog().place.to_string())),
                ("sourceType", Yaml::text("grpc")),
            ]),
        ),
    ])
}
