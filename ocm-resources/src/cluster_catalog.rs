use ocm_oci::{Host, TagOrDigest};

use crate::{catalog::NamedCatalog, document::Stamp, mirrored::AtMirror, yaml::Yaml};

/// Most characters that the API server takes as a reference.
const REF_MAX_LEN: usize = 1000;

/// Most characters that it takes behind the first colon of a reference by tag. It means the tag,
/// but a host's port has a colon too.
const BEHIND_COLON_MAX_LEN: usize = 127;

/// Why the API server would refuse a `ClusterCatalog` with some image.
///
/// Source: the validation rules of `ref` in
/// <https://github.com/operator-framework/operator-controller/blob/main/api/v1/clustercatalog_types.go>.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unaddressable {
    /// Its host is none to the server.
    #[error("it takes no IPv6 addresses and no `_` in hosts, and this one is `{host}`")]
    Host {
        /// The host.
        host: Host,
    },
    /// Its name is too long.
    #[error(
        "it takes {REF_MAX_LEN} characters and, with a tag, {BEHIND_COLON_MAX_LEN} behind the first \
         colon, and this one is `{place}`"
    )]
    Length {
        /// The image.
        place: AtMirror,
    },
}

/// Whether a `ClusterCatalog` can name the image.
pub(crate) fn is_addressable(place: &AtMirror) -> Result<(), Unaddressable> {
    if place.host.as_str().contains(['[', '_']) {
        return Err(Unaddressable::Host { host: place.host.clone() });
    }
    let text = place.to_string();
    let behind = match place.selector {
        TagOrDigest::Tag(_) => text.split_once(':').map_or(0, |(_, behind)| behind.len()),
        TagOrDigest::Digest(_) => 0,
    };
    if text.len() > REF_MAX_LEN || behind > BEHIND_COLON_MAX_LEN {
        return Err(Unaddressable::Length { place: place.clone() });
    }
    Ok(())
}

/// Returns the object that has OLM v1 offer the operators of a catalog; `None` where the API
/// server would refuse it. It belongs to no namespace.
pub(crate) fn object(named: &NamedCatalog, stamp: &Stamp) -> Option<Yaml> {
    let place = &named.catalog().place;
    is_addressable(place).ok()?;
    let image = Yaml::map([("ref", Yaml::text(place.to_string()))]);
    let source = Yaml::map([("image", image), ("type", Yaml::text("Image"))]);
    Some(Yaml::map([
        ("apiVersion", Yaml::text("olm.operatorframework.io/v1")),
        ("kind", Yaml::text("ClusterCatalog")),
        ("metadata", stamp.metadata(named.cluster_name(), [])),
        ("spec", Yaml::map([("priority", Yaml::Plain("0".to_owned())), ("source", source)])),
    ]))
}
