//! Files out of images, read from the layers as these come from a place.
//!
//! ```text
//! Source ─► one image ─► its layers, the uppermost first
//!                          │ BlobStream: verified
//!                          └─► a thread: gunzip ─► tar ─► what no layer above hides ─► Visitor
//! ```
//!
//! An image's file system is its layers, laid upon one another. An upper layer hides what it has
//! itself, and what it marks as gone: `.wh.name`, or `.wh..wh..opq` for all that was in a
//! directory. Since layers are read from the top down, what is hidden is never kept.
//!
//! Only regular files are handed over. Links are counted, and not followed.

mod choose;
mod configuration;
mod cover;
mod feed;
mod limits;
mod tape;
mod unpack;
mod visit;

use std::{collections::BTreeSet, io, sync::Arc};

use ocm_oci::{Descriptor, Digest, ManifestError, PlatformFilter, TagOrDigest};
use ocm_transport::{BlobStream, Manifest, Source, TransportError};
use tokio::task::spawn_blocking;

pub(crate) use choose::is_statement;
pub(crate) use configuration::CONFIGURATION_LIMIT;
pub(crate) use limits::Spent;
pub(crate) use unpack::Unpacking;

pub use configuration::{ConfigurationFault, ImageConfiguration};
pub use limits::Limits;
pub use visit::{Collected, Visitor};

use self::{cover::Cover, unpack::Wanted};
use crate::{
    Base, ContentStore, RetryPolicy,
    expand::MANIFEST_LIMIT,
    retry::Patience,
    steady::{collect, steady},
};

/// How media types end of layers that nobody can read without a key.
const ENCRYPTED: &str = "+encrypted";

/// One image of a place, whose files can be read.
#[derive(Debug, Clone)]
pub struct ImageFiles {
    source: Arc<dyn Source>,
    retry: RetryPolicy,
    store: Option<ContentStore>,
    root: Manifest,
    manifest: Manifest,
    config: Option<Descriptor>,
    /// The lowest first.
    layers: Vec<Descriptor>,
}

/// Which files of an image are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    directory: String,
    until: Until,
    limits: Limits,
}

/// When enough was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Until {
    /// Nothing of the layers that are left can be seen, or none is left.
    #[default]
    Hidden,
    /// A layer had this file, which is one of those that are only ever written together.
    LayerWith(String),
}

/// What was read of an image.
#[derive(Debug)]
#[must_use]
pub struct Seen<V> {
    /// Who took the files.
    pub visitor: V,
    /// How many there were.
    pub files: usize,
    /// How many links were passed over in the directory, or in its place.
    pub links: u64,
    /// The layers that were read, the uppermost first.
    pub layers: Vec<Digest>,
}

/// Why the files of an image could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayersError {
    /// The place failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A manifest makes no sense.
    #[error("could not read manifest `{digest}`")]
    Manifest {
        /// Which.
        digest: Digest,
        /// Why.
        source: ManifestError,
    },
    /// An index is empty.
    #[error("index `{0}` lists no image")]
    NoImage(Digest),
    /// An index leads to another, and so on.
    #[error("indexes below `{0}` nest too deep")]
    TooDeep(Digest),
    /// The configuration of an image makes no sense.
    #[error("could not read configuration `{digest}` of the image")]
    Configuration {
        /// Which.
        digest: Digest,
        /// Why.
        source: ConfigurationFault,
    },
    /// An image lacks a configuration.
    #[error("image `{0}` has no configuration")]
    NoConfiguration(Digest),
    /// The directory's name leads out of the image.
    #[error("`{directory}` is no directory of an image")]
    Directory {
        /// The directory that was asked for.
        directory: String,
        /// Why.
        source: LayerFault,
    },
    /// A layer makes no sense.
    #[error("could not read layer `{layer}`")]
    Layer {
        /// Which.
        layer: Digest,
        /// Why.
        source: LayerFault,
    },
}

/// What is wrong with a layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerFault {
    /// It cannot be unpacked, or who takes its files failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A header is damaged.
    #[error("it is no tar, or a damaged one")]
    Header,
    /// It needs a key.
    #[error("it is encrypted")]
    Encrypted,
    /// A name leads out of the image.
    #[error("`{0}` leads out of the image")]
    Tainted(String),
    /// Which of two files of one name is meant, readers disagree about.
    #[error("it has file `{0}` twice")]
    Twice(String),
    /// A file is written in a way that images are not.
    #[error("its file `{0}` is a sparse one")]
    Sparse(String),
    /// A name is no text.
    #[error("its file `{0}` has a name that is not UTF-8")]
    Name(String),
    /// Something is longer than is read.
    #[error("{what} in it is longer than {limit} bytes")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How many bytes are read.
        limit: u64,
    },
    /// There are too many entries.
    #[error("the image has more than {limit} entries")]
    TooMany {
        /// How many are read.
        limit: u64,
    },
}

impl Below {
    /// Wants all files below `directory`, be it written `/configs`, `configs/` or `./configs`.
    pub fn new(directory: impl Into<String>) -> Self {
        let (until, limits) = (Until::default(), Limits::default());
        Self { directory: directory.into(), until, limits }
    }

    /// Stops after the uppermost layer that has `file`, a path below the directory.
    ///
    /// For directories that are written by one layer as a whole, such as `release-manifests`: what
    /// lies below that layer is not fetched.
    #[must_use]
    pub fn until_layer_with(self, file: impl Into<String>) -> Self {
        Self { until: Until::LayerWith(file.into()), ..self }
    }

    /// Reads no more than `limits`.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the path of `file` in an image, cleaned.
    fn path(&self, file: &str) -> Result<Vec<u8>, LayersError> {
        let path = format!("{}/{file}", self.directory);
        cover::clean(path.as_bytes())
            .map_err(|source| LayersError::Directory { directory: self.directory.clone(), source })
    }
}

impl ImageFiles {
    /// Finds the image that `reference` names at `source`: of an index, that for linux/amd64, else
    /// the first that is there. All images of an index are taken to hold the same files.
    ///
    /// # Errors
    ///
    /// [`LayersError`], where there is none, or `source` fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn open(
        source: Arc<dyn Source>,
        reference: &TagOrDigest,
        retry: RetryPolicy,
    ) -> Result<Self, LayersError> {
        Self::open_among(source, reference, &PlatformFilter::All, retry).await
    }

    /// Finds the image that `reference` names at `source`, as [`open`](Self::open) does: of an
    /// index, one for a platform that `platforms` admits, if there is one.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn open_among(
        source: Arc<dyn Source>,
        reference: &TagOrDigest,
        platforms: &PlatformFilter,
        retry: RetryPolicy,
    ) -> Result<Self, LayersError> {
        let patience = Patience::new(retry);
        let root = patience.run(|| source.manifest(reference, MANIFEST_LIMIT)).await?;
        Self::among(source, root, platforms, retry).await
    }

    /// Finds the image that `root` leads to at `source`; `root` itself need not be there.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn of(
        source: Arc<dyn Source>,
        root: Manifest,
        retry: RetryPolicy,
    ) -> Result<Self, LayersError> {
        Self::among(source, root, &PlatformFilter::All, retry).await
    }

    async fn among(
        source: Arc<dyn Source>,
        root: Manifest,
        platforms: &PlatformFilter,
        retry: RetryPolicy,
    ) -> Result<Self, LayersError> {
        let (manifest, children) = choose::choose(&source, &root, platforms, retry).await?;
        let mut blobs = children.blobs.into_iter();
        let (config, layers) = (blobs.next(), blobs.collect());
        Ok(Self { source, retry, store: None, root, manifest, config, layers })
    }

    /// Keeps what is read in `store`, as far as there is room, and reads it there: so that it does
    /// not cross the network once more when it is copied.
    #[must_use]
    pub fn kept_in(self, store: &ContentStore) -> Self {
        Self { store: Some(store.clone()), ..self }
    }

    /// Returns what was asked for: the manifest of the image, or an index that leads to it.
    pub fn root(&self) -> &Manifest {
        &self.root
    }

    /// Returns the manifest of the image.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns what was asked for as something to build upon.
    pub fn base(&self) -> Base {
        let (source, root) = (Arc::clone(&self.source), self.root.clone());
        Base { source, root, platforms: PlatformFilter::All, retry: self.retry }
    }

    /// Reads what the image says of itself.
    ///
    /// # Errors
    ///
    /// [`LayersError`], where it says nothing, or nothing that makes sense.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn configuration(&self) -> Result<ImageConfiguration, LayersError> {
        let image = || self.manifest.descriptor().digest.clone();
        let none = || LayersError::NoConfiguration(image());
        let config = self.config.as_ref().ok_or_else(none)?;
        let fault = |source| LayersError::Configuration { digest: config.digest.clone(), source };
        ImageConfiguration::check(config).map_err(fault)?;
        let bytes = collect(self.blob(config).await?).await?;
        ImageConfiguration::of(&bytes).map_err(fault)
    }

    /// Opens a blob of the image, after it was put into the store if there is one.
    async fn blob(&self, content: &Descriptor) -> Result<BlobStream, TransportError> {
        let source = match &self.store {
            Some(store) => &store.bring(&self.source, content, self.retry).await?,
            None => &self.source,
        };
        steady(source, content, self.retry).await
    }

    /// Hands the files that `wanted` means to `visitor`, each that is seen in the image once.
    ///
    /// What was handed over counts only when this has returned without an error: a layer is known
    /// to be the one that was promised at its end.
    ///
    /// # Errors
    ///
    /// [`LayersError`], also where `visitor` failed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request, and ends the thread that unpacks.
    pub async fn read<V: Visitor>(
        &self,
        wanted: &Below,
        visitor: V,
    ) -> Result<Seen<V>, LayersError> {
        let prefix = wanted.path("")?;
        let last = match &wanted.until {
            Until::Hidden => None,
            Until::LayerWith(file) => Some(wanted.path(file)?),
        };
        let (cover, files, spent) = (Cover::default(), BTreeSet::new(), Spent::new(wanted.limits));
        let wanted = Wanted { prefix, visitor, cover, files, links: 0 };
        let mut unpacking = Unpacking { wanted, spent };
        let mut layers = Vec::new();
        for layer in self.layers.iter().rev() {
            let Wanted { prefix, cover, files, .. } = &unpacking.wanted;
            let is_complete = last.as_ref().is_some_and(|file| files.contains(file));
            if is_complete || cover.hides_under(prefix) {
                break;
            }
            unpacking = self.layer(layer, unpacking).await?;
            layers.push(layer.digest.clone());
        }
        let Wanted { visitor, files, links, .. } = unpacking.wanted;
        Ok(Seen { visitor, files: files.len(), links, layers })
    }

    async fn layer<V: Visitor>(
        &self,
        layer: &Descriptor,
        mut unpacking: Unpacking<V>,
    ) -> Result<Unpacking<V>, LayersError> {
        let fault = |source| LayersError::Layer { layer: layer.digest.clone(), source };
        if layer.media_type.to_string().ends_with(ENCRYPTED) {
            return Err(fault(LayerFault::Encrypted));
        }
        let stream = self.blob(layer).await?;
        let (sender, mut feed) = feed::feed();
        // It ends when the feed does, which this future holds the other end of.
        let unpacked = spawn_blocking(move || {
            let read = unpacking.layer(&mut feed);
            if read.is_ok() {
                feed.drain();
            }
            read.map(|()| unpacking)
        });
        // Bytes that are not those promised explain whatever came of them.
        feed::hand_on(stream, sender).await?;
        let unpacked = unpacked.await.map_err(|error| fault(io::Error::other(error).into()))?;
        unpacked.map_err(fault)
    }
}
