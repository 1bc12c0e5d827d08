use std::{iter, ops::Range};

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, Hasher, MediaType};
use ocm_transport::{Body, Operation};
use tokio::task::yield_now;

use crate::{
    Files,
    chance::{CHUNK, Chance},
    layer::Layer,
};

/// A blob that knows how to make its bytes, and makes them as they are read.
///
/// The same seed gives the same bytes, for ever. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    descriptor: Descriptor,
    recipe: Recipe,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Recipe {
    Given(Bytes),
    Noise { seed: u64, len: u64 },
    Layer(Layer),
    Files { layer: Bytes, diff_id: Digest },
}

impl Blob {
    /// Holds `bytes`.
    pub fn of(media_type: MediaType, bytes: impl Into<Bytes>) -> Self {
        Self::made(media_type, Recipe::Given(bytes.into()))
    }

    /// Makes `len` bytes that no compressor makes shorter.
    pub fn noise(media_type: MediaType, seed: u64, len: u64) -> Self {
        Self::made(media_type, Recipe::Noise { seed, len })
    }

    /// Makes a layer of exactly `size` bytes: a gzip file with a tar of made-up files in it.
    ///
    /// 23 bytes is the least; from about 2 KiB on there are files in it.
    pub fn layer(seed: u64, size: u64) -> Self {
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip".to_owned();
        Self::made(MediaType::from(media_type), Recipe::Layer(Layer::new(seed, size)))
    }

    /// Makes a layer of `files`: a gzip file with a tar of them in it.
    pub fn files(files: &Files) -> Self {
        let media_type = "application/vnd.oci.image.layer.v1.tar+gzip".to_owned();
        let tar = files.tar();
        let recipe = Recipe::Files { layer: Layer::around(&tar), diff_id: Digest::of(&tar) };
        Self::made(MediaType::from(media_type), recipe)
    }

    fn made(media_type: MediaType, recipe: Recipe) -> Self {
        let mut hasher = Hasher::default();
        recipe.chunks().for_each(|chunk| hasher.update(&chunk));
        let (size, digest) = (hasher.offset(), hasher.finish());
        Self { descriptor: Descriptor { media_type, digest, size }, recipe }
    }

    /// Calls the same bytes something else.
    #[must_use]
    pub fn typed(self, media_type: MediaType) -> Self {
        Self { descriptor: Descriptor { media_type, ..self.descriptor }, ..self }
    }

    /// Returns what the bytes are.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Makes the bytes, in chunks of at most 64 KiB and a few.
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + Send + use<> {
        self.recipe.chunks()
    }

    /// Returns the digest of a layer's content before compression; of what is no layer, its own.
    pub fn diff_id(&self) -> Digest {
        match &self.recipe {
            Recipe::Layer(layer) => layer.diff_id(),
            Recipe::Files { diff_id, .. } => diff_id.clone(),
            Recipe::Given(_) | Recipe::Noise { .. } => self.descriptor.digest.clone(),
        }
    }

    /// Makes the bytes of `range` for whoever reads them as part of `operation`.
    pub fn body(&self, operation: Operation, range: Range<u64>) -> Body {
        let starts_at = range.start;
        let mut at = 0;
        let cut = move |chunk: Bytes| {
            let (first, len) = (at, chunk.len() as u64);
            at += len;
            let (start, end) = (range.start.max(first), range.end.min(at));
            (start < end).then(|| chunk.slice(index(start - first)..index(end - first)))
        };
        let chunks = stream::iter(self.chunks().filter_map(cut));
        // Others get their turn, as they would while a disk is waited for.
        let bytes = chunks.then(async |chunk| {
            yield_now().await;
            Ok(chunk)
        });
        Body { operation, starts_at, bytes: bytes.boxed(), kept_in: None }
    }
}

/// Offsets within a chunk are small.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl Recipe {
    fn chunks(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        match self {
            Self::Given(bytes) | Self::Files { layer: bytes, .. } => {
                Box::new(iter::once(bytes.clone()))
            }
            Self::Noise { seed, len } => Box::new(noise(*seed, *len)),
            Self::Layer(layer) => Box::new(layer.chunks()),
        }
    }
}

/// Begins with numbers of the seed's own, so that no two seeds give the same.
fn noise(seed: u64, len: u64) -> impl Iterator<Item = Bytes> + Send {
    let mut chance = Chance::new(seed);
    let head: Bytes = [seed, chance.next()].map(u64::to_le_bytes).as_flattened().to_vec().into();
    let head = head.slice(..index(len).min(head.len()));
    let mut left = len - head.len() as u64;
    let rest = iter::from_fn(move || {
        let chunk = (left > 0).then(|| chance.noise(index(left).min(CHUNK)))?;
        left -= chunk.len() as u64;
        Some(chunk)
    });
    iter::once(head).chain(rest)
}
