//! What the tests of several objects need.

use crate::{AtMirror, Catalog, Stamp};

pub(crate) fn stamp() -> Stamp {
    Stamp {
        created_at: "2026-08-21T10:11:12Z".to_owned(),
        created_by: "ocm".to_owned(),
        version: "v0.1.0".to_owned(),
    }
}

/// Reads `host/path:tag` or `host/path@digest`.
pub(crate) fn at(text: &str) -> AtMirror {
    let (host, rest) = text.split_once('/').unwrap();
    let (repository, selector) = rest.split_once('@').or_else(|| rest.rsplit_once(':')).unwrap();
    AtMirror {
        host: host.parse().unwrap(),
        repository: repository.parse().unwrap(),
        selector: selector.parse().unwrap(),
    }
}

pub(crate) fn catalog(origin: &str, place: &str) -> Catalog {
    Catalog {
        origin: origin.parse().unwrap(),
        place: at(place),
        source_name: None,
        template: None,
        files: None,
    }
}
