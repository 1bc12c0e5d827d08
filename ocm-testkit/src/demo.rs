use ocm_oci::{Host, RepoName};
use serde_json::json;

use crate::{
    Blob, Catalog, Files, MadeCatalog, Published, Release, ReleaseSigner, Releases, UpdateServer,
    Upstream, Website,
};

mod images;

pub(crate) use images::published;

/// What everything but the additional images is made from.
const SEED: u64 = 0x0ce2;

/// What `ocm demo` mirrors, and those who publish it.
///
/// ```text
/// update server ─► 4.18.1 → 4.18.2 ─► components      a website with their signatures
/// catalog ─► two packages ─► bundles ─► operators
/// a dozen images, of which one is what the image of the update graph is built upon
/// ```
#[derive(Debug, Clone)]
pub struct Demo {
    host: Host,
    images: Vec<Published>,
    releases: Vec<Release>,
    catalog: MadeCatalog,
}

impl Demo {
    /// The channel that the releases are in.
    pub const CHANNEL: &str = "stable-4.18";
    /// The package that is asked for, in all its versions.
    pub const SELECTED: &str = "ledger-operator";
    /// The first of these versions.
    pub const SELECTED_SINCE: &str = "1.0.0";
    /// A file of the update graph.
    pub const GRAPH_FILE: &str = "channels/stable-4.18.yaml";
    /// The path of the signatures.
    pub const STORE: &str = "/store/";
    /// An image to build upon: repository and tag.
    pub const BASE: &str = "ubi9/ubi-minimal:9.4";

    /// Makes all of it, which calls `host` its home.
    pub fn new(host: &Host) -> Self {
        let releases = Releases::new(SEED, host);
        let releases =
            vec![releases.release("4.18.1", &[]), releases.release("4.18.2", &["4.18.1"])];
        let catalog = Catalog::new(SEED, host)
            .with_package(Self::SELECTED, &[("stable", &[Self::SELECTED_SINCE, "1.1.0"])])
            .with_package("grafana-operator", &[("v5", &["5.0.0", "5.1.0", "5.2.0"])])
            .made("operators/catalog", "v4.18");
        Self { host: host.clone(), images: published(), releases, catalog }
    }

    /// Returns the images that are named one by one.
    pub fn images(&self) -> &[Published] {
        &self.images
    }

    /// Returns the releases, the lowest version first.
    pub fn releases(&self) -> &[Release] {
        &self.releases
    }

    /// Returns the catalog.
    pub fn catalog(&self) -> &MadeCatalog {
        &self.catalog
    }

    /// Returns the images that [`SELECTED`](Self::SELECTED) leads to, and those that only the other
    /// package does.
    pub fn related(&self) -> (Vec<&Published>, Vec<&Published>) {
        let is_other = |one: &&Published| one.repository.as_str().contains("grafana");
        let (other, selected) = self.catalog.related().iter().partition(is_other);
        (selected, other)
    }

    /// Returns everything, as a registry's worth.
    pub fn upstream(&self) -> Upstream {
        let releases = self.releases.iter().flat_map(Release::published);
        let all = self.images.iter().cloned().chain(releases).chain(self.catalog.published());
        Upstream::new(all.collect())
    }

    /// Returns who knows of the releases.
    pub fn updates(&self) -> UpdateServer {
        let node = |release: &Release| {
            let repository: &RepoName = &release.payload().repository;
            let payload = format!("{}/{repository}@{}", self.host, release.digest());
            json!({ "version": release.version(), "payload": payload, "metadata": {} })
        };
        let nodes: Vec<_> = self.releases.iter().map(node).collect();
        let graph = json!({ "version": 1, "nodes": nodes, "edges": [[0, 1]] });
        let files = Files::default()
            .with(Self::GRAPH_FILE, format!("name: {}\n", Self::CHANNEL))
            .with("version", "1.2.0\n");
        let updates = UpdateServer::default();
        updates.set(Self::CHANNEL, "amd64", graph.to_string());
        updates.set_data(Blob::files(&files).chunks().collect::<Vec<_>>().concat());
        updates
    }

    /// Returns who has the signatures of the releases, by [`ReleaseSigner::trusted`].
    pub fn signatures(&self) -> Website {
        let signer = ReleaseSigner::trusted();
        self.releases.iter().fold(Website::default(), |site, release| {
            let tag = format!("{}-x86_64", release.version());
            let identity = format!("quay.io/{}:{tag}", release.payload().repository);
            let signature = signer.sign(release.digest(), &identity);
            site.with_signature(Self::STORE, release.digest(), 1, signature)
        })
    }
}
