//! The image that brings the update graph to a cluster: built here, copied like any other.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ocm_oci::{ImageRef, PlatformFilter, Reference, RepoName, Tag, TagOrDigest};

use super::{Gathered, Resolving, Upstream};
use crate::{
    Base, Code, Failure, GraphData, ImageFiles, Kind, Location, Side, Wanted, rebuild,
    retry::Patience,
};

/// Where the image goes, and what it is asked for by in an archive.
const GRAPH: &str = "openshift/graph-image";
/// What the image is asked for by: it has no origin but this program.
const ORIGIN: &str = "openshift/graph-image:latest";
/// Where Red Hat publishes the data.
///
/// Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/updating_clusters/performing-a-cluster-update#update-service-graph-data_updating-disconnected-cluster-osus>.
const GRAPH_DATA: &str = "https://api.openshift.com/api/upgrades_info/graph-data";
/// What it is built upon where nothing is said: the consumer runs `bash` and `cp` in it.
const BASE: &str = "registry.access.redhat.com/ubi9/ubi:latest";
/// Most bytes of the data as it is served. In 2026 it has about 1 MB.
const DATA_LIMIT: usize = 64 << 20;

/// How the image of the update graph is built.
#[derive(Debug, Clone, Default)]
pub struct GraphImage {
    /// Where the data is, if not where Red Hat publishes it.
    pub data: Option<String>,
    /// The image that it is built upon, if not Red Hat's universal base image.
    pub base: Option<ImageRef>,
}

impl GraphImage {
    /// Returns where the data is beside an update server: `…/graph-data` for `…/graph`.
    pub fn beside(updates: &str) -> String {
        let (address, query) =
            updates.split_once('?').map_or((updates, None), |(a, q)| (a, Some(q)));
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let address = address.trim_end_matches('/');
        match address.strip_suffix("/graph") {
            // Red Hat's own path has a version that the data's has not.
            Some(base) => format!("{}/graph-data{query}", base.trim_end_matches("/v1")),
            None => format!("{address}/graph-data{query}"),
        }
    }
}

impl Gathered<'_> {
    /// Adds the image of the update graph, if it is wanted.
    pub(super) async fn update_graph(&mut self, resolving: &Resolving<'_>) {
        if !self.image_set.mirror.platform.graph {
            return;
        }
        let destination = self.destination(GRAPH, Tag::latest());
        if self.is_blocked(ORIGIN, &destination) {
            return;
        }
        let found = match resolving.upstream {
            Upstream::Archive(archived) => archived.find(ORIGIN),
            Upstream::Origins(_) => self.build_graph(resolving).await,
        };
        let (from, reference) = match found {
            Ok(found) => found,
            Err(failure) => return self.lose(Kind::UpdateGraph, ORIGIN, failure),
        };
        self.wish(Wanted {
            origin: ORIGIN.to_owned(),
            from,
            reference,
            platforms: PlatformFilter::All,
            repository: destination.repository.clone(),
            tag: destination.tag.clone(),
            kind: Kind::UpdateGraph,
            needs: BTreeSet::new(),
        });
        self.resolved.decided.update_graph = Some(destination);
    }

    async fn build_graph(
        &mut self,
        resolving: &Resolving<'_>,
    ) -> Result<(Location, TagOrDigest), Failure> {
        let data = graph_data(resolving).await?.with_signatures(&self.signatures());
        let (base, source) = base_image(resolving).await?;
        let repository: RepoName = GRAPH.parse().expect("the constant is a repository's name");
        let workshop = self.workshop(resolving).await?;
        let failed = |error| Failure::new(Code::Release, Side::Source, &error);
        let change = data.change(workshop.store()).await.map_err(failed)?;
        let built = rebuild(&base, &change, workshop.store()).await.map_err(failed)?;
        let root = built.root().map(|root| root.descriptor().digest.clone());
        let root = root.ok_or_else(|| {
            let what = "nothing was built of the update graph".to_owned();
            Failure::without(Code::Release, Side::Source, what)
        })?;
        let location = workshop.shelve(&repository, &built, Some(source));
        Ok((location, TagOrDigest::Digest(root)))
    }

    /// Returns the signatures of the releases that are mirrored, for the update service.
    fn signatures(&self) -> BTreeMap<ocm_oci::Digest, Vec<Bytes>> {
        let releases = self.resolved.decided.releases.iter();
        let signed = releases.filter(|release| !release.signatures.is_empty());
        signed.map(|release| (release.digest.clone(), release.signatures.clone())).collect()
    }
}

/// Reads what an update service knows beside the releases.
async fn graph_data(resolving: &Resolving<'_>) -> Result<GraphData, Failure> {
    let address = resolving.graph_image.data.as_deref().unwrap_or(GRAPH_DATA);
    let Some(web) = resolving.releasing.web else {
        let what = "the update graph's data can be asked for of nobody".to_owned();
        return Err(Failure::without(Code::Release, Side::Source, what));
    };
    let hint = "where updates are served by a server of your own, its data is expected beside its \
                graph: `UPDATE_URL_OVERRIDE` is `https://…/graph`, and the data `https://…/graph-data`";
    let patience = Patience::new(resolving.retry);
    let got = patience.run(|| web.get(address, "application/gzip", DATA_LIMIT)).await;
    let got = got.map_err(|error| Failure::at(Side::Source, &error))?;
    let bytes = got.ok_or_else(|| {
        let what = format!("there is no data of the update graph at {}", shown(address));
        Failure::without(Code::Release, Side::Source, what).with_hint(hint)
    })?;
    GraphData::unpack(&bytes)
        .map_err(|error| Failure::new(Code::Release, Side::Source, &error).with_hint(hint))
}

/// Returns what is shown of an address: user, password and query can hold secrets.
fn shown(address: &str) -> String {
    let Ok(url) = address.parse::<url::Url>() else { return "that address".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// Finds what is built upon.
async fn base_image(
    resolving: &Resolving<'_>,
) -> Result<(Base, std::sync::Arc<dyn ocm_transport::Source>), Failure> {
    let usual = || BASE.parse().expect("the constant is a reference");
    let image = resolving.graph_image.base.clone().unwrap_or_else(usual);
    let explain = |failure: Failure| {
        let mut failure = failure;
        failure
            .chain
            .insert(0, format!("cannot build the graph image upon `{}`", image.as_written()));
        failure.with_hint(
            "name an image with `bash` and `cp` that can be had here, with `--graph-base-image`",
        )
    };
    let reference = Reference::Image(image.clone());
    let (location, reference) =
        resolving.upstream.find(image.as_written(), &reference).map_err(explain)?;
    let source = resolving.source(&location).map_err(explain)?;
    let files = ImageFiles::open(std::sync::Arc::clone(&source), &reference, resolving.retry).await;
    let files =
        files.map_err(|error| explain(Failure::new(Code::Release, Side::Source, &error)))?;
    Ok((files.base(), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_no_secrets() {
        let told = shown("http://me:sekret@h:8080/graph-data?token=sekret");
        assert_eq!(told, "http://h:8080/graph-data");
    }

    #[test]
    fn data_lies_beside_the_graph() {
        let table = [
            ("https://api.openshift.com/api/upgrades_info/v1/graph", GRAPH_DATA),
            (
                "https://osus.lab/api/upgrades_info/graph",
                "https://osus.lab/api/upgrades_info/graph-data",
            ),
            ("http://h:8080/graph?x=1", "http://h:8080/graph-data?x=1"),
            ("http://h:8080/", "http://h:8080/graph-data"),
        ];
        for (updates, data) in table {
            assert_eq!(GraphImage::beside(updates), data);
        }
    }
}
