use std::{collections::BTreeSet, sync::Arc};

use ocm_mirror::{
    Below, CatalogImage, CatalogImageError, Collected, ImageFiles, LayersError, Limits, RetryPolicy,
};
use ocm_oci::{Host, RepoName, TagOrDigest};
use ocm_testkit::{Demo, Published};
use ocm_transport::{
    Client, ClientOptions, Registry, Source, TlsOptions, Transport as _, TransportError, Verify,
};

use super::reread::{Reread, reread};
use crate::{halt::Halt, report::Complaint, session::Session};

/// Below what everything goes into the second registry.
pub(super) const NAMESPACE: &str = "mirror";
/// Where the image of the update graph has it.
const GRAPH: &str = "var/lib/cincinnati-graph-data";
/// Most bytes of files that are kept of one image; the demo's have some kilobytes.
const FILES: u64 = 1 << 20;

/// What came out is not what was asked for.
#[derive(Debug, thiserror::Error)]
enum NearError {
    /// It could not be read.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An image's files could not be read.
    #[error(transparent)]
    Layers(#[from] LayersError),
    /// An image is no catalog.
    #[error(transparent)]
    Catalog(#[from] CatalogImageError),
    /// Another package came along, or none.
    #[error("the catalog that was built offers `{}`", .0.join("`, `"))]
    Packages(Vec<String>),
    /// The graph did not come along.
    #[error("the image of the update graph lacks `{0}`")]
    Graph(&'static str),
    /// What was left out came along.
    #[error("`{0}` is there, and nobody asked for it")]
    Unwanted(RepoName),
}

/// The registry on the far side, read with nothing but its address.
#[derive(Debug)]
pub(super) struct Near {
    registry: Registry,
    namespace: RepoName,
}

impl Near {
    /// Speaks to the registry at `host`.
    pub(super) fn at(host: &Host) -> Result<Self, Halt> {
        let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
        let registry = Client::new(ClientOptions::default().with_tls(tls))?.registry(host);
        let namespace = NAMESPACE.parse().expect("the constant is a repository's name");
        Ok(Self { registry, namespace })
    }

    /// Reads everything of `demo`, and compares.
    pub(super) async fn check(&self, demo: &Demo, session: &mut Session) -> Result<Reread, Halt> {
        let mut found = Reread::default();
        for image in wanted(demo) {
            let source = self.source(&image.repository);
            session.console.show(&[format!("  reading back {}", image.repository)]);
            let reading = reread(&*source, &image, &mut found);
            session.stopping.unless(reading).await?.map_err(|error| Halt::from(&error))?;
        }
        session.console.clear();
        let built = session.stopping.unless(self.check_built(demo)).await?;
        built.map_err(|error| Complaint::of(&error))?;
        Ok(found)
    }

    /// Checks what was made on the way, and that nothing came along that was left out.
    async fn check_built(&self, demo: &Demo) -> Result<(), NearError> {
        let catalog = demo.catalog().image();
        let packages = self.packages(catalog).await?;
        if packages != [Demo::SELECTED] {
            return Err(NearError::Packages(packages));
        }
        let graph = self.open("openshift/graph-image", "latest").await?;
        let names = [Demo::GRAPH_FILE];
        let seen = graph.read(&Below::new(GRAPH), Collected::only(names, FILES)).await?;
        if seen.visitor.into_files().is_empty() {
            return Err(NearError::Graph(Demo::GRAPH_FILE));
        }
        let (_, other) = demo.related();
        for image in other {
            let digest = TagOrDigest::from(image.content.digest());
            if self.source(&image.repository).head(&digest).await?.is_some() {
                return Err(NearError::Unwanted(image.repository.clone()));
            }
        }
        Ok(())
    }

    /// Returns the packages that a catalog offers.
    async fn packages(&self, catalog: &Published) -> Result<Vec<String>, NearError> {
        let tag = catalog.tag.as_ref().map_or("latest", |tag| tag.as_str());
        let opened = CatalogImage::open(self.open(catalog.repository.as_str(), tag).await?).await?;
        let seen = opened.read(Limits::default(), Collected::all(FILES)).await?;
        let files = seen.visitor.into_files();
        let package = |path: &String| path.split('/').next().map(str::to_owned);
        let packages: BTreeSet<_> = files.keys().filter_map(package).collect();
        Ok(packages.into_iter().collect())
    }

    async fn open(&self, repository: &str, tag: &str) -> Result<ImageFiles, LayersError> {
        let repository = repository.parse().expect("the caller writes a repository's name");
        let tag = TagOrDigest::Tag(tag.parse().expect("the caller writes a tag"));
        ImageFiles::open(self.source(&repository), &tag, RetryPolicy::default()).await
    }

    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.registry.source(&repository.under(&self.namespace))
    }
}

/// Returns what has to be there as it is upstream, each where a cluster looks for it.
fn wanted(demo: &Demo) -> Vec<Published> {
    let (related, _) = demo.related();
    let mut wanted: Vec<_> = demo.images().iter().chain(related).cloned().collect();
    for release in demo.releases() {
        let tag = format!("{}-x86_64", release.version());
        let payload = release.payload().content.clone();
        wanted.push(Published::tagged("openshift/release-images", &tag, payload));
        wanted.extend(release.components().iter().map(|(name, component)| {
            let (tag, content) = (format!("{tag}-{name}"), component.content.clone());
            Published::tagged("openshift/release", &tag, content)
        }));
    }
    wanted
}
