use std::{path::Path, sync::Arc};

use futures::StreamExt as _;
use ocm_mirror::{
    Asking, Attaching, Kind, Location, Means, Options, Place, Places, PlatformIndex, PrepareError,
    Prepared, Report, Request, Wanted, Wishes, execute, prepare,
};
use ocm_oci::{PlatformFilter, Tag};
use ocm_testkit::{Published, Shape, Upstream};
use ocm_transport::{Memory, TransportError};

use crate::Counted;

/// What all content of benches is made from.
pub const SEED: u64 = 1;

/// What is compared with other tools, with layers so small that time is not all copying.
pub const MANY: Shape = Shape { layer_bytes: 256 << 10, ..Shape::BENCHMARK };

/// As many images as a catalog of operators names, with everything in it.
pub const TEN_THOUSAND: Shape = Shape { images: 10_000, layers: 5, shared: 2, layer_bytes: 64 };

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
        let (from, upstream) = (Memory::default(), Upstream::of(shape, SEED));
        upstream.fill(&from).await?;
        let mut wishes = Wishes::default();
        for Published { repository, tag, content } in upstream.published() {
            wishes.add(Wanted {
                origin: format!("far.example/{repository}@{}", content.digest()),
                from: Location { place: Self::far(), repository: repository.clone() },
                reference: content.digest().into(),
                platforms: PlatformFilter::All,
                repository: repository.clone(),
                tag: tag.clone().unwrap_or_else(latest),
                kind: Kind::Additional,
                needs: [].into(),
            });
        }
        Ok(Self { from: Counted::new(from), wishes })
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

/// Synthetic images all have tags; this is for the type.
fn latest() -> Tag {
    "latest".parse().expect("this is a tag")
}
