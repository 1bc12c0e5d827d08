use std::collections::BTreeMap;

use bytes::Bytes;
use ocm_oci::{Descriptor, Digest, RepoName, Tag};

/// What an archive is to hold. All of it has a size before any of it is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Names the set: the digest of the plan.
    pub set: Digest,
    /// When it was planned, as text; the one date in an archive, and a part of its bytes.
    pub created: Option<String>,
    /// Files of the engine's own, by name: the plan, the configuration.
    pub records: BTreeMap<String, Bytes>,
    /// Manifests, children before parents, with the types under which they are served.
    pub manifests: Vec<Descriptor>,
    /// Blobs and their sizes in bytes, in the order in which they shall lie. Those named twice, or
    /// also as a manifest, are kept once.
    pub blobs: Vec<(Digest, u64)>,
    /// Which tags the layout's `index.json` may list, and the manifest each points at. A tag whose
    /// manifest never comes is not listed.
    pub names: BTreeMap<(RepoName, Tag), Digest>,
}

impl Contents {
    /// Begins with nothing in the set of that name.
    pub fn new(set: Digest) -> Self {
        Self {
            set,
            created: None,
            records: BTreeMap::new(),
            manifests: Vec::new(),
            blobs: Vec::new(),
            names: BTreeMap::new(),
        }
    }
}
