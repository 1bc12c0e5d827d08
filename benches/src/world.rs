use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use futures::StreamExt as _;
use ocm_mirror::{
    Asking, Attaching, Kind, Location, Means, Options, Place, Places, PlatformIndex, PrepareError,
    Prepared, Report, Request, Wanted, Wishes, execute, prepare,
};
use ocm_oci::{PlatformFilter, RepoName, Tag};
use ocm_testkit::{Published, Release, Releases, Shape, Upstream};
use ocm_transport::{Memory, TransportError};

use crate::Counted;

/// What all content of benches is made from.
pub const SEED: u64 = 1;

/// What is compared with other tools, with layers so small that time is not all copying.
pub const MANY: Shape = Shape { layer_bytes: 256 << 10, ..Shape::BENCHMARK };

/// As many images as a catalog of operators names, with everything in it.
pub const TEN_THOUSAND: Shape = Shape { images: 10_000, layers: 5, shared: 2, layer_bytes: 64 };

/// Releases, and how many components each has.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseShape {
    /// Their versions, of which the patch is what half of the components change with.
    pub versions: [&'static str; 5],
    /// How many components each has.
    pub components: usize,
}

/// Five releases as large as real ones: those of 4.18 have 190 components.
pub const FIVE_RELEASES: ReleaseShape =
    ReleaseShape { versions: ["4.18.1", "4.18.2", "4.18.3", "4.18.4", "4.18.5"], components: 190 };

/// Images in a place in memory, and wishes for all of them.
#[derive(Debug)]
pub struct World {
    /// Where they are.
    pub from: Counted<Memory>,
    /// All of them.
    pub wishes: Wishes,
}

impl World {
    /// Makes up images of `shape`.
    ///
    /// # Errors
    ///
    /// Never, unless a place in memory does not keep its promises.
    pub async fn new(shape: &Shape) -> Result<Self, TransportError> {
        let upstream = Upstream::of(shape, SEED);
        let (from, mut wishes) = (stored(&upstream).await?, Wishes::default());
        for image in upstream.published() {
            let tag = image.tag.clone().unwrap_or_else(latest);
            wishes.add(wanted(image, (&image.repository, tag), Kind::Additional));
        }
        Ok(Self { from, wishes })
    }

    /// Makes up releases of `shape`, each with all it consists of.
    ///
    /// # Errors
    ///
    /// Never, unless a place in memory does not keep its promises.
    ///
    /// # Panics
    ///
    /// Never: the names are names.
    pub async fn of_releases(shape: &ReleaseShape) -> Result<Self, TransportError> {
        let host = "far.example".parse().expect("this is a host");
        let releases = Releases::new(SEED, &host).with_components(shape.components);
        let releases = shape.versions.map(|version| releases.release(version, &[]));
        let all = releases.iter().flat_map(Release::published).collect();
        let (from, mut wishes) = (stored(&Upstream::new(all)).await?, Wishes::default());
        let components: RepoName = "openshift/release".parse().expect("this is a repository");
        let payloads: RepoName = "openshift/release-images".parse().expect("this is a repository");
        for release in &releases {
            let mut needs = BTreeSet::new();
            for (name, image) in release.components() {
                let tag = format!("{}-x86_64-{name}", release.version());
                let tag = tag.parse().expect("this is a tag");
                needs.insert(wishes.add(wanted(image, (&components, tag), Kind::ReleaseContent)));
            }
            let payload = release.payload();
            let tag = payload.tag.clone().unwrap_or_else(latest);
            let payload = wanted(payload, (&payloads, tag), Kind::Release);
            wishes.add(Wanted { needs, ..payload });
        }
        Ok(Self { from, wishes })
    }

    /// Where the images are.
    ///
    /// # Panics
    ///
    /// Never: the name is a host.
    pub fn far() -> Place {
        Place::Registry("far.example".parse().expect("this is a host"))
    }

    /// Where they go.
    ///
    /// # Panics
    ///
    /// Never: the name is a host.
    pub fn near() -> Place {
        Place::Registry("near.example".parse().expect("this is a host"))
    }

    /// Opens the places, with `to` as the one to write to.
    pub fn places(&self, to: &Counted<Memory>) -> Places {
        Places::default()
            .with_source(Self::far(), Arc::new(self.from.clone()))
            .with_destination(Self::near(), Arc::new(to.clone()))
    }

    /// Finds out what is missing in `places`; manifests are kept in `directory`.
    ///
    /// # Errors
    ///
    /// As [`prepare`].
    pub async fn prepare(
        &self,
        places: &Places,
        directory: &Path,
    ) -> Result<Prepared, PrepareError> {
        let request = Request {
            wishes: self.wishes.clone(),
            lost: Vec::new(),
            given_up: BTreeMap::new(),
            to: Self::near(),
            asking: Asking::default(),
            platform_index: PlatformIndex::Keep,
            attaching: Attaching::default(),
            directory: directory.to_owned(),
        };
        prepare(request, places).await
    }

    /// Mirrors everything to `to`.
    ///
    /// # Errors
    ///
    /// As [`prepare`].
    pub async fn mirror(
        &self,
        to: &Counted<Memory>,
        directory: &Path,
    ) -> Result<Report, PrepareError> {
        let places = self.places(to);
        let Prepared { planned, pack } = self.prepare(&places, directory).await?;
        let means = Means { places, pack };
        let mut run = execute(Arc::new(planned.plan), means, Options::default());
        let mut report = Report::default();
        while let Some(event) = run.next().await {
            report.extend([&event]);
        }
        Ok(report)
    }
}

async fn stored(upstream: &Upstream) -> Result<Counted<Memory>, TransportError> {
    let from = Memory::default();
    upstream.fill(&from).await?;
    Ok(Counted::new(from))
}

fn wanted(image: &Published, (repository, tag): (&RepoName, Tag), kind: Kind) -> Wanted {
    let Published { repository: from, content, .. } = image;
    Wanted {
        origin: format!("far.example/{from}@{}", content.digest()),
        from: Location { place: World::far(), repository: from.clone() },
        reference: content.digest().into(),
        platforms: PlatformFilter::All,
        repository: repository.clone(),
        tag,
        kind,
        needs: [].into(),
    }
}

/// Synthetic images all have tags; this is for the type.
fn latest() -> Tag {
    "latest".parse().expect("this is a tag")
}
