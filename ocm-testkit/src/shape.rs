use ocm_oci::Platform;

use crate::{Blob, Content, Format, Published, chance::derive};

/// How many images of how many layers of what size: content to measure with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images, each in a repository of its own.
    pub images: u32,
    /// Layers of each image.
    pub layers: u32,
    /// How many of them are the same in all images.
    pub shared: u32,
    /// Length of each layer in bytes.
    pub layer_bytes: u64,
}

impl Shape {
    /// What our figures are measured with: 60 images of 5 layers of 2 MiB, two of them shared by
    /// all. That makes 242 distinct blobs, 364 MiB.
    pub const BENCHMARK: Self = Self { images: 60, layers: 5, shared: 2, layer_bytes: 2 << 20 };

    /// Returns how many distinct blobs there are, configurations among them.
    pub fn distinct_blobs(&self) -> u64 {
        let shared = self.shared.min(self.layers);
        let own = u64::from(self.layers - shared) + 1;
        u64::from(self.images) * own + if self.images > 0 { u64::from(shared) } else { 0 }
    }

    /// Makes the images: `bench/app-0000:v1` and so on.
    pub(crate) fn published(&self, seed: u64) -> Vec<Published> {
        let layer = |nth: u64| Blob::layer(derive(seed, nth), self.layer_bytes);
        let base: Vec<Blob> =
            (0..self.shared.min(self.layers)).map(|nth| layer(u64::from(nth))).collect();
        let own = u64::from(self.layers).saturating_sub(base.len() as u64);
        let image = |nth: u32| {
            let first = 1_000_000 + u64::from(nth) * own;
            let layers = base.iter().cloned().chain((first..first + own).map(layer)).collect();
            let name = format!("bench/app-{nth:04}");
            let platform = Platform::new("linux", "amd64");
            let content = Content::image(Format::Oci, &platform, &name, layers);
            Published::tagged(&name, "v1", content)
        };
        (0..self.images).map(image).collect()
    }
}
