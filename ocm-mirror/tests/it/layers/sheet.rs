//! Layers written by hand, right ones and wrong ones, and a place to put them.

use std::{io::Write as _, ops::Range, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use ocm_oci::{Descriptor, Digest, MediaType, Tag, TagOrDigest};
use ocm_transport::{
    Body, Listing, Manifest, Memory, Page, Referrer, Source, Transport as _, TransportError,
    conformance::push,
};
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::world::repository;

/// How a layer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pack {
    Plain,
    Gzip,
    /// Gzip, in several parts that follow each other.
    Members,
    Zstd,
}

/// A tar, entry by entry, whatever they are called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet(Vec<u8>);

impl Sheet {
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.named(path.as_bytes(), text.as_bytes())
    }

    pub(crate) fn named(self, path: &[u8], content: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, content)
    }

    pub(crate) fn directory(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path.as_bytes(), b"")
    }

    pub(crate) fn link(self, path: &str, to: &str) -> Self {
        let mut header = header(EntryType::Symlink, path.as_bytes(), 0);
        header.set_link_name(to).unwrap();
        header.set_cksum();
        self.raw(header.as_bytes()).raw(b"")
    }

    /// Adds an entry; a long name comes before it as GNU tar does that.
    pub(crate) fn entry(self, kind: EntryType, path: &[u8], content: &[u8]) -> Self {
        let this = if path.len() > 100 {
            let name = [path, b"\0"].concat();
            let long = header(EntryType::GNULongName, b"././@LongLink", name.len() as u64);
            self.raw(long.as_bytes()).raw(&name).fill()
        } else {
            self
        };
        let header = header(kind, path, content.len() as u64);
        this.raw(header.as_bytes()).raw(content).fill()
    }

    /// Adds any bytes.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn fill(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(crate) fn packed(&self, pack: Pack) -> Vec<u8> {
        let tar = [&self.0[..], &[0; 1024]].concat();
        match pack {
            Pack::Plain => tar,
            Pack::Gzip => gzip(&tar),
            Pack::Members => tar.chunks(700).flat_map(gzip).collect(),
            Pack::Zstd => zstd::encode_all(&*tar, 0).unwrap(),
        }
    }
}

pub(crate) fn header(kind: EntryType, path: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    let len = path.len().min(100);
    header.as_old_mut().name[..len].copy_from_slice(&path[..len]);
    header.set_cksum();
    header
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A repository with images.
#[derive(Debug)]
pub(crate) struct Gallery {
    pub(crate) place: Memory,
}

impl Default for Gallery {
    fn default() -> Self {
        Self { place: Memory::default().with_chunks_of(700.try_into().unwrap()) }
    }
}

impl Gallery {
    pub(crate) fn source(&self) -> Arc<dyn Source> {
        self.place.source(&repository("team/app"))
    }

    pub(crate) async fn image(&self, sheets: &[Sheet], pack: Pack) -> Digest {
        let layers: Vec<_> = sheets.iter().map(|sheet| sheet.packed(pack)).collect();
        self.of("application/vnd.oci.image.layer.v1.tar", &layers).await
    }

    /// Makes an image of layers as they are, called what is claimed.
    pub(crate) async fn of(&self, media_type: &str, layers: &[Vec<u8>]) -> Digest {
        let config = self.blob(b"{}").await;
        let mut entries = Vec::new();
        for layer in layers {
            let mut entry = json!(self.blob(layer).await);
            entry["mediaType"] = json!(media_type);
            entries.push(entry);
        }
        self.manifest(MediaType::OciManifest, &json!({ "config": config, "layers": entries })).await
    }

    pub(crate) async fn manifest(&self, media_type: MediaType, json: &Value) -> Digest {
        let at = self.place.destination(&repository("team/app")).unwrap();
        let manifest = Manifest::new(media_type, json.to_string().into());
        at.push_manifest(&manifest, None).await.map(drop).unwrap();
        manifest.descriptor().digest.clone()
    }

    pub(crate) async fn blob(&self, bytes: &[u8]) -> Descriptor {
        let at = self.place.destination(&repository("team/app")).unwrap();
        push(&*at, bytes).await
    }

    pub(crate) async fn forget(&self, blob: &Digest) {
        let at = self.place.destination(&repository("team/app")).unwrap();
        at.delete_blob(blob).await.unwrap();
    }
}

/// A place that sends other bytes for one blob.
#[derive(Debug)]
struct Liar {
    honest: Arc<dyn Source>,
    about: Digest,
    bytes: Vec<u8>,
}

/// Makes `honest` send `bytes` where it is asked for `about`.
pub(crate) fn liar(honest: Arc<dyn Source>, about: &[u8], bytes: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(Liar { honest, about: Digest::of(about), bytes })
}

#[async_trait]
impl Source for Liar {
    async fn head(&self, reference: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        self.honest.head(reference).await
    }

    async fn manifest(
        &self,
        reference: &TagOrDigest,
        limit: usize,
    ) -> Result<Manifest, TransportError> {
        self.honest.manifest(reference, limit).await
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        self.honest.blob_size(digest).await
    }

    async fn blob(
        &self,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let body = self.honest.blob(digest, range).await?;
        if *digest != self.about {
            return Ok(body);
        }
        let lie = stream::iter([Ok(self.bytes.clone().into())]).boxed();
        Ok(Body { bytes: lie, ..body })
    }

    async fn tags(&self, page: &Page) -> Result<Listing<Tag>, TransportError> {
        self.honest.tags(page).await
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        self.honest.referrers(subject, artifact_type).await
    }
}
