use std::{path::Path, sync::Arc};

use futures::StreamExt as _;
use ocm_mirror::{
    Asking, Kind, Location, Means, Options, Place, Places, PlatformIndex, PrepareError, Prepared,
    Report, Request, Wanted, Wishes, execute, prepare,
};
use ocm_oci::{NameError, Platform, PlatformFilter, RepoName, Tag};
use ocm_testkit::{Blob, Content, Format};
use ocm_transport::{Memory, Transport as _, TransportError};

use crate::Counted;

/// Seeds of layers that all images have; those of an image's own begin after them.
const OWN_LAYERS: u64 = 1000;

/// How many images there are, and what each consists of.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Images in all.
    pub images: u64,
    /// Repositories that they are spread over.
    pub repositories: u64,
    /// Layers that all have in common.
    pub shared: u64,
    /// Layers that each has of its own.
    pub own: u64,
    /// Bytes of each layer.
    pub layer: u64,
}

/// Images in a place in memory, and wishes for all of them.
#[derive(Debug)]
pub struct World {
    /// Where they are.
    pub from: Counted<Memory>,
    /// All of them.
    pub wishes: Wishes,
}

/// Why there is no world.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A name that was made up is none.
    #[error("could not make up a name")]
    Name(#[from] NameError),
    /// Memory refused an image.
    #[error("could not store an image")]
    Transport(#[from] TransportError),
}

impl Shape {
    /// The images that are compared with other tools; their layers are smaller here.
    pub const MANY: Self =
        Self { images: 60, repositories: 60, shared: 2, own: 3, layer: 256 << 10 };
    /// As many as a catalog of operators with everything it names.
    pub const TEN_THOUSAND: Self =
        Self { images: 10_000, repositories: 500, shared: 2, own: 3, layer: 64 };
    /// One image whose layer would not fit into memory twice.
    pub const LARGE: Self =
        Self { images: 1, repositories: 1, shared: 0, own: 1, layer: 2 << 30 };
    /// So many that the requests are the work, not the bytes.
    pub const SMALL: Self =
        Self { images: 5000, repositories: 50, shared: 0, own: 1, layer: 4 << 10 };

    /// Returns the repository and the tag of one of the images.
    ///
    /// # Errors
    ///
    /// Never: the names are made up here.
    pub fn name(self, nth: u64) -> Result<(RepoName, Tag), NameError> {
        let (repository, tag) = (nth % self.repositories, nth / self.repositories);
        Ok((format!("bench/app-{repository:03}").parse()?, format!("v{tag}").parse()?))
    }

    /// Makes up one of the images.
    pub fn image(self, nth: u64) -> Content {
        let own = OWN_LAYERS + nth * self.own;
        let seeds = (0..self.shared).chain(own..own + self.own);
        let layers = seeds.map(|seed| Blob::layer(seed, self.layer)).collect();
        let format = if nth % 2 == 0 { Format::Oci } else { Format::Docker };
        Content::image(format, &Platform::new("linux", "amd64"), &format!("image {nth}"), layers)
    }

    /// Returns how many blobs there are, each counted once.
    pub fn blobs(self) -> u64 {
        self.shared + self.images * (self.own + 1)
    }

    /// Returns how many bytes the layers have, each counted once.
    pub fn bytes(self) -> u64 {
        (self.shared + self.images * self.own) * self.layer
    }
}

impl World {
    /// Makes up images of `shape`.
    ///
    /// # Errors
    ///
    /// Never, unless a place in memory does not keep its promises.
    pub async fn new(shape: Shape) -> Result<Self, WorldError> {
        let (from, mut wishes) = (Memory::default(), Wishes::default());
        for nth in 0..shape.images {
            let ((repository, tag), image) = (shape.name(nth)?, shape.image(nth));
            if let Some(to) = from.destination(&repository) {
                image.push(&*to, Some(&tag), None).await?;
            }
            wishes.add(Wanted {
                origin: format!("far.example/{repository}@{}", image.digest()),
                from: Location { place: Self::far(), repository: repository.clone() },
                reference: image.digest().into(),
                platforms: PlatformFilter::All,
                repository,
                tag,
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
            .with_source(Self::far(), self.from.clone())
            .with_destination(Self::near(), to.clone())
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
