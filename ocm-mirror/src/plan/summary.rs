use std::collections::BTreeSet;

use serde::Serialize;

use super::Plan;

/// What a plan amounts to, before anything moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Images wanted, each once.
    pub images: usize,
    /// Those of them that are at the destination already.
    pub present: usize,
    /// Those of them that cannot be had.
    pub lost: usize,
    /// Signatures and other statements about them, to be copied as well.
    pub attachments: usize,
    /// Blobs to move, each once.
    pub blobs: usize,
    /// Manifests to write, each once.
    pub manifests: usize,
    /// Bytes of the images to copy, as if nothing were shared.
    pub bytes_in_all: u64,
    /// Bytes of those that are shared, and so need not be moved.
    pub bytes_shared: u64,
    /// Bytes to move: each blob once, and the manifests.
    pub bytes_to_fetch: u64,
}

impl Plan {
    /// Returns what the plan amounts to.
    pub fn summary(&self) -> Summary {
        let manifests = self.manifests_in_order();
        let blobs: u64 =
            self.content.blobs.values().map(|blob| blob.size).fold(0, u64::saturating_add);
        let manifest_bytes: u64 =
            manifests.iter().map(|(_, node)| node.size).fold(0, u64::saturating_add);
        let in_all: u64 =
            self.images().map(|(_, image)| self.image_bytes(image)).fold(0, u64::saturating_add);
        let to_fetch = blobs.saturating_add(manifest_bytes);
        let copied: usize = self.images().map(|(_, image)| image.names.len()).sum();
        let lost = self.lost().iter().filter(|lost| lost.kind.is_counted()).count();
        let present = self.present().len();
        Summary {
            images: copied + present + lost,
            present,
            lost,
            attachments: self.images().filter(|(_, image)| image.is_attachment()).count(),
            blobs: self.content.blobs.len(),
            manifests: manifests.len(),
            bytes_in_all: in_all,
            bytes_shared: in_all.saturating_sub(to_fetch),
            bytes_to_fetch: to_fetch,
        }
    }

    /// Bytes of one image, by itself.
    fn image_bytes(&self, image: &super::Image) -> u64 {
        let tree = self.tree(&image.root);
        let blobs: BTreeSet<_> = tree.iter().flat_map(|(_, node)| &node.blobs).collect();
        let blobs = blobs.into_iter().filter_map(|digest| self.blob(digest)).map(|blob| blob.size);
        let manifests = tree.iter().map(|(_, node)| node.size);
        blobs.chain(manifests).fold(0, u64::saturating_add)
    }
}
