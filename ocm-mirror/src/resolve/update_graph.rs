//! The image that brings the update graph to a cluster: built here, copied like any other.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use ocm_oci::{ImageRef, PlatformFilter, Reference, RepoName, Tag, TagOrDigest};
use ocm_transport::Source;

use super::{Gathered, Resolving, Upstream, graph_data::FoundData};
use crate::{
    Base, Built, Code, ContentStore, Copier, Failure, GraphData, GraphDataOrigin, ImageFiles, Kind,
    Location, RebuildError, Side, Wanted, rebuild,
};

/// Where the image goes, and what it is asked for by in an archive.
const GRAPH: &str = "openshift/graph-image";
/// What the image is asked for by: it has no origin but this program.
pub(super) const ORIGIN: &str = "openshift/graph-image:latest";
/// What it is built upon where nothing is said: the consumer runs `bash` and `cp` in it.
const BASE: &str = "registry.access.redhat.com/ubi9/ubi:latest";

/// How the image of the update graph is built.
#[derive(Debug, Clone, Default)]
pub struct GraphImage {
    /// Where the data is, if not where Red Hat publishes it.
    pub data: Option<GraphDataOrigin>,
    /// The image that it is built upon, if not the one that the data is in, or Red Hat's universal
    /// base image.
    pub base: Option<GraphBase>,
}

/// What the image of the update graph is built upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphBase {
    /// An image that has `bash` and `cp`.
    Image(ImageRef),
    /// Nothing: this program, which is linked statically, copies the data.
    Scratch(PathBuf),
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
        let FoundData { data, image } = FoundData::read(resolving).await?;
        let data = data.with_signatures(&self.signatures());
        let repository: RepoName = GRAPH.parse().expect("the constant is a repository's name");
        let ground = match (&resolving.graph_image.base, image) {
            (Some(GraphBase::Scratch(program)), _) => Ground::Nothing(copier(program).await?),
            (Some(GraphBase::Image(named)), _) => {
                Ground::Image(base_image(named, resolving).await?)
            }
            // An earlier image of the graph brings what it was built upon along.
            (None, Some(earlier)) => Ground::Image(earlier.base()),
            (None, None) => {
                let usual = BASE.parse().expect("the constant is a reference");
                Ground::Image(base_image(&usual, resolving).await?)
            }
        };
        let workshop = self.workshop(resolving).await?;
        let built = ground.build(&data, workshop.store()).await;
        let built = built.map_err(|error| Failure::new(Code::Release, Side::Source, &error))?;
        let root = built.root().map(|root| root.descriptor().digest.clone());
        let root = root.ok_or_else(|| {
            let what = "nothing was built of the update graph".to_owned();
            Failure::without(Code::Release, Side::Source, what)
        })?;
        let location = workshop.shelve(&repository, &built, ground.source());
        Ok((location, TagOrDigest::Digest(root)))
    }

    /// Returns the signatures of the releases that are mirrored, for the update service.
    fn signatures(&self) -> BTreeMap<ocm_oci::Digest, Vec<Bytes>> {
        let releases = self.resolved.decided.releases.iter();
        let signed = releases.filter(|release| !release.signatures.is_empty());
        signed.map(|release| (release.digest.clone(), release.signatures.clone())).collect()
    }
}

/// What the image is built upon, read.
enum Ground {
    Image(Base),
    Nothing(Copier),
}

impl Ground {
    async fn build(&self, data: &GraphData, store: &ContentStore) -> Result<Built, RebuildError> {
        match self {
            Self::Image(base) => rebuild(base, &data.change(store).await?, store).await,
            Self::Nothing(copier) => data.alone(copier, store).await,
        }
    }

    /// Returns where the blobs are that were not built.
    fn source(self) -> Option<Arc<dyn Source>> {
        match self {
            Self::Image(base) => Some(base.source),
            Self::Nothing(_) => None,
        }
    }
}

/// Reads the program that copies the data where there is nothing else.
async fn copier(program: &Path) -> Result<Copier, Failure> {
    let explain = |error: &dyn Error| {
        let mut failure = Failure::new(Code::Release, Side::Source, error);
        let what = format!("cannot put `{}` into a graph image upon nothing", program.display());
        failure.chain.insert(0, what);
        failure.with_hint(
            "name an image with `bash` and `cp` that can be had here, with `--graph-base-image`",
        )
    };
    let bytes = tokio::fs::read(program).await.map_err(|error| explain(&error))?;
    Copier::new(bytes.into()).map_err(|error| explain(&error))
}

/// Finds what is built upon.
async fn base_image(image: &ImageRef, resolving: &Resolving<'_>) -> Result<Base, Failure> {
    let explain = |failure: Failure| {
        let mut failure = failure;
        failure
            .chain
            .insert(0, format!("cannot build the graph image upon `{}`", image.as_written()));
        failure.with_hint(
            "name an image with `bash` and `cp` that can be had here, with `--graph-base-image`; where \
             ocm is linked statically, `--graph-base-image scratch` needs none",
        )
    };
    let reference = Reference::Image(image.clone());
    let (location, reference) =
        resolving.upstream.find(image.as_written(), &reference).map_err(explain)?;
    let source = resolving.source(&location).map_err(explain)?;
    let files = ImageFiles::open(source, &reference, resolving.retry).await;
    let files =
        files.map_err(|error| explain(Failure::new(Code::Release, Side::Source, &error)))?;
    Ok(files.base())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_lies_beside_the_graph() {
        let table = [
            (
                "https://api.openshift.com/api/upgrades_info/v1/graph",
                crate::resolve::graph_data::GRAPH_DATA,
            ),
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
