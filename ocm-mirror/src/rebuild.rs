//! Images built from others: layers are added, the configuration is changed, for every platform.
//!
//! ```text
//! original ─► index ─┬─► manifest ─► configuration, layers ─► + layers, changed configuration
//!                    └─► manifest …                            the layers of the original stay
//!                                                              where they are
//! ```
//!
//! No registry is touched: what is new goes into a [`ContentStore`], and an [`Overlay`] makes it,
//! together with what stays where it is, a place to copy from.
//!
//! The same original and the same change give the same digest, on every machine and every day:
//! times are those of 1970, entries are in order, compression is one of a fixed level, and what
//! becomes of the JSON depends on no library's order of keys.
//!
//! An image keeps its family of media types, and its shape: an index stays an index, a single
//! image a single image.
//!
//! [`Overlay`]: crate::Overlay

mod catalog;
mod copier;
mod error;
mod gather;
mod graph;
mod json;
mod layer;
mod scratch;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use ocm_oci::{
    Children, Descriptor, Digest, IndexEntry, MediaType, Platform, PlatformFilter, TagOrDigest,
};
use ocm_transport::{Manifest, Source};
use serde_json::Value;

pub(crate) use self::catalog::{CONFIGS, from_files, upon};
pub(crate) use self::graph::GZIP;
pub use self::{
    catalog::rebuild_catalog,
    copier::{Copier, CopierError},
    error::RebuildError,
    gather::gather,
    graph::{GraphData, GraphDataError},
    layer::{LayerContent, NewLayer},
    scratch::scratch,
};
use crate::{
    ContentStore, RetryPolicy,
    expand::MANIFEST_LIMIT,
    layers::{CONFIGURATION_LIMIT, is_statement},
    retry::Patience,
    steady::read_whole,
};

/// How deep indexes may nest.
const NESTING: usize = 5;
/// Most manifests that an image is rebuilt from. Real ones have about ten.
const MANIFESTS_LIMIT: usize = 200;

/// What is built upon.
#[derive(Debug, Clone)]
pub struct Base {
    /// Where it is.
    pub source: Arc<dyn Source>,
    /// Its uppermost manifest, which need not be there.
    pub root: Manifest,
    /// For which platforms it is built, if it is an index. Where it lacks one of them, it is built
    /// for all that it has.
    pub platforms: PlatformFilter,
    /// How often to try what fails.
    pub retry: RetryPolicy,
}

/// What is done to every image.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Added on top, in this order.
    pub layers: Vec<NewLayer>,
    /// What the original's uppermost layer says it was made by, if it is to go.
    pub replaced: Option<&'static str>,
    /// What the image runs, if something else than before.
    pub command: Option<Vec<String>>,
    /// Set, whether they were there before or not.
    pub labels: BTreeMap<String, String>,
}

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The manifests, what is listed before what lists it; the last is the root.
    manifests: Vec<Manifest>,
    /// Blobs that are in the content store, by digest.
    new: BTreeMap<Digest, Descriptor>,
    /// Blobs that are where the original is, by digest.
    kept: BTreeMap<Digest, Descriptor>,
    /// What the original's indexes list that is not true of this image: signatures and the like.
    left_out: BTreeSet<Digest>,
}

impl Built {
    fn new() -> Self {
        let (new, kept) = (BTreeMap::new(), BTreeMap::new());
        Self { manifests: Vec::new(), new, kept, left_out: BTreeSet::new() }
    }

    /// Takes an index of images that stay where they are for one that was built.
    pub(crate) fn over(index: Manifest) -> Self {
        Self { manifests: vec![index], ..Self::new() }
    }

    /// Returns the uppermost manifest: its digest is that of the image.
    pub fn root(&self) -> Option<&Manifest> {
        self.manifests.last()
    }

    /// Returns all manifests, what is listed before what lists it.
    pub fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// Returns the blobs that are in the content store, in order of digest.
    pub fn new_blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.new.values()
    }

    /// Returns the blobs that have to be read where the original is, in order of digest.
    pub fn base_blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.kept.values()
    }

    /// Returns what the original's indexes list and this image's do not, since it is about the
    /// original.
    pub fn left_out(&self) -> &BTreeSet<Digest> {
        &self.left_out
    }

    fn add(&mut self, manifest: Manifest) -> Descriptor {
        let descriptor = manifest.descriptor().clone();
        if !self.manifests.contains(&manifest) {
            self.manifests.push(manifest);
        }
        descriptor
    }
}

/// Builds a new image of `base`, for all the platforms that are wanted of it.
///
/// # Errors
///
/// [`RebuildError`], where the original makes no sense, or a place fails.
///
/// # Cancel safety
///
/// Dropping the future leaves blobs in the store that nothing leads to.
pub async fn rebuild(
    base: &Base,
    change: &Change,
    store: &ContentStore,
) -> Result<Built, RebuildError> {
    let mut building = Building {
        base,
        change,
        store,
        patience: Patience::new(base.retry),
        done: BTreeMap::new(),
        built: Built::new(),
    };
    let new = change.layers.iter().map(|layer| layer.content().clone());
    building.built.new.extend(new.map(|content| (content.digest.clone(), content)));
    building.any(base.root.clone(), 0).await?;
    Ok(building.built)
}

struct Building<'a> {
    base: &'a Base,
    change: &'a Change,
    store: &'a ContentStore,
    patience: Patience,
    /// What became of the original's manifests.
    done: BTreeMap<Digest, (Descriptor, Option<Platform>)>,
    built: Built,
}

impl Building<'_> {
    /// Rebuilds an image or an index; returns what it is now, and what an image runs on.
    fn any(
        &mut self,
        manifest: Manifest,
        depth: usize,
    ) -> BoxFuture<'_, Result<(Descriptor, Option<Platform>), RebuildError>> {
        Box::pin(async move {
            let digest = manifest.descriptor().digest.clone();
            if let Some(done) = self.done.get(&digest) {
                return Ok(done.clone());
            }
            if depth > NESTING || self.done.len() >= MANIFESTS_LIMIT {
                return Err(RebuildError::TooMany(self.base.root.descriptor().digest.clone()));
            }
            let children = manifest.children();
            let children = children
                .map_err(|source| RebuildError::Manifest { digest: digest.clone(), source })?;
            let is_index =
                manifest.descriptor().media_type.is_index() || !children.manifests.is_empty();
            let done = if is_index {
                (self.index(&manifest, children.manifests, depth).await?, None)
            } else {
                let (image, platform) = self.image(&manifest, &children).await?;
                (image, Some(platform))
            };
            self.done.insert(digest, done.clone());
            Ok(done)
        })
    }

    async fn index(
        &mut self,
        manifest: &Manifest,
        entries: Vec<IndexEntry>,
        depth: usize,
    ) -> Result<Descriptor, RebuildError> {
        let digest = &manifest.descriptor().digest;
        let mut rebuilt = Vec::new();
        let platforms = &self.base.platforms;
        let offered = entries.iter().filter_map(|entry| entry.platform.as_ref());
        let is_cut = platforms.missing(offered).is_empty();
        for entry in entries {
            if is_cut && !platforms.admits(entry.platform.as_ref()) {
                rebuilt.push(None);
                continue;
            }
            if is_statement(&entry) {
                self.built.left_out.insert(entry.descriptor.digest);
                rebuilt.push(None);
                continue;
            }
            let wanted = TagOrDigest::from(&entry.descriptor.digest);
            let source = &self.base.source;
            let child = self.patience.run(|| source.manifest(&wanted, MANIFEST_LIMIT)).await?;
            let (content, platform) = self.any(child, depth + 1).await?;
            rebuilt.push(Some((content, entry.platform.or(platform))));
        }
        if rebuilt.iter().all(Option::is_none) {
            return Err(RebuildError::NoImage(digest.clone()));
        }
        let mut index = json::read(digest, manifest.bytes())?;
        json::relist(&mut index, rebuilt).ok_or_else(|| RebuildError::Shape(digest.clone()))?;
        let media_type = manifest.descriptor().media_type.clone();
        Ok(self.built.add(Manifest::new(media_type, json::write(&index))))
    }

    async fn image(
        &mut self,
        manifest: &Manifest,
        children: &Children,
    ) -> Result<(Descriptor, Platform), RebuildError> {
        let digest = &manifest.descriptor().digest;
        let shape = || RebuildError::Shape(digest.clone());
        let (config, layers) = children.blobs.split_first().ok_or_else(shape)?;
        if config.size > CONFIGURATION_LIMIT {
            return Err(shape());
        }
        let Base { source, retry, .. } = self.base;
        let kept = self.store.bring(source, config, *retry).await?;
        let bytes = read_whole(&kept, config, *retry).await?;
        let mut changed = json::read(&config.digest, &bytes)?;
        let mut image = json::read(digest, manifest.bytes())?;
        let (mut stay, mut change) = (layers, self.change.clone());
        if self.change.replaced.is_some_and(|by| json::is_made_by(&changed, by)) {
            (_, stay) = layers.split_last().ok_or_else(shape)?;
            json::unlayer(&mut image, &mut changed).ok_or_else(shape)?;
            // What an earlier image runs is right for what it was built upon.
            change.command = None;
        }
        // Layers that live elsewhere are layers all the same.
        let layer_count = image.get("layers").and_then(Value::as_array).map_or(0, Vec::len);
        let platform = json::configure(&mut changed, &change, layer_count)
            .ok_or_else(|| RebuildError::Shape(config.digest.clone()))?;
        let changed = self.configuration(config, json::write(&changed)).await?;
        let family = Family::of(&manifest.descriptor().media_type);
        let added = self.change.layers.iter().map(|layer| family.layer(layer.content()));
        json::relayer(&mut image, &changed, added).ok_or_else(shape)?;
        let kept = stay.iter().map(|layer| (layer.digest.clone(), layer.clone()));
        self.built.kept.extend(kept);
        let media_type = manifest.descriptor().media_type.clone();
        Ok((self.built.add(Manifest::new(media_type, json::write(&image))), platform))
    }

    /// Keeps a changed configuration.
    async fn configuration(
        &mut self,
        original: &Descriptor,
        bytes: Bytes,
    ) -> Result<Descriptor, RebuildError> {
        let (media_type, size) = (original.media_type.clone(), bytes.len() as u64);
        let content = Descriptor { media_type, digest: Digest::of(&bytes), size };
        self.store.add(&content, bytes).await?;
        self.built.new.insert(content.digest.clone(), content.clone());
        Ok(content)
    }
}

/// Which family of media types an image is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Oci,
    Docker,
}

impl Family {
    fn of(manifest: &MediaType) -> Self {
        match manifest {
            MediaType::DockerManifest | MediaType::DockerList => Self::Docker,
            _ => Self::Oci,
        }
    }

    /// Calls a layer what this family calls a tar in a gzip file.
    fn layer(self, content: &Descriptor) -> Descriptor {
        let media_type = match self {
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip",
        };
        Descriptor { media_type: MediaType::from(media_type.to_owned()), ..content.clone() }
    }
}
