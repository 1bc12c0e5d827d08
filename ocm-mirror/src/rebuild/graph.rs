use std::collections::BTreeMap;

use bytes::Bytes;
use ocm_oci::Digest;

use super::{Built, Change, Copier, LayerContent, NewLayer, RebuildError, scratch};
use crate::{
    Below, Collected, ContentStore, ImageFiles, LayerFault, LayersError, Limits,
    layers::{Spent, Unpacking},
};

/// Where an image upon nothing has the program.
const COPIER: &str = "usr/bin/ocm";
/// Copies the data to where the service, whose pod begins with this image, looks for it.
const COPY: &str = "exec cp -rp /var/lib/cincinnati-graph-data/* /var/lib/cincinnati/graph-data";

/// What an image says of the layer with the data.
const MADE_BY: &str = "ocm: update graph data";
/// A file that all data has: a layer that has it has all.
const VERSION: &str = "version";
/// Where the data of an image has signatures of releases.
const SIGNATURES: &str = "signatures/";

/// How a gzip file begins.
pub(crate) const GZIP: &[u8] = &[0x1f, 0x8b];
/// Most bytes of the data, unpacked. In 2026 it has about 5 MB.
const DATA_LIMIT: u64 = 256 << 20;
/// Most files of it. In 2024 there were 600.
const FILES_LIMIT: u64 = 200_000;

/// What is read of the data at most.
const LIMITS: Limits = Limits { entries: FILES_LIMIT, file: DATA_LIMIT, unpacked: DATA_LIMIT };

/// What an update service knows beside the releases: channels, and edges that are blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphData {
    files: BTreeMap<String, Bytes>,
}

/// What is no graph data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphDataError {
    /// It is something else, a page of a proxy perhaps.
    #[error("the graph data is no gzip file: it begins with `{0}`")]
    NotGzip(String),
    /// It cannot be unpacked.
    #[error("could not unpack the graph data")]
    Unpack(#[from] LayerFault),
    /// The image that has it cannot be read.
    #[error("could not read the graph data of an image")]
    Image(#[from] LayersError),
    /// It is something else.
    #[error("the graph data has no directory `channels`")]
    NoChannels,
}

impl GraphData {
    /// Where the image has the data, from its root.
    pub const HELD: &str = "var/lib/cincinnati-graph-data";
    /// Where the update service wants it, from its root.
    pub const WANTED: &str = "var/lib/cincinnati/graph-data";
    /// What an image that is built upon nothing tells its program to do: to copy the data from the
    /// one to the other.
    pub const COPY_WORDS: [&str; 2] = ["graph", "copy-data"];

    /// Unpacks what an update service's `graph-data` endpoint gives: a tar in a gzip file. What it
    /// has of signatures is left out, as it is where data is read back: nobody has verified them.
    ///
    /// # Errors
    ///
    /// [`GraphDataError`], where it is something else, damaged, or endless.
    pub fn unpack(archive: &[u8]) -> Result<Self, GraphDataError> {
        if !archive.starts_with(GZIP) {
            let head = archive.get(..archive.len().min(40)).unwrap_or_default();
            return Err(GraphDataError::NotGzip(head.escape_ascii().to_string()));
        }
        let mut unpacking = Unpacking::all(Collected::all(DATA_LIMIT), Spent::new(LIMITS));
        unpacking.layer(archive)?;
        Self::checked(unpacking.wanted.visitor.into_files())
    }

    /// Reads the data back from an image of the update graph, without the signatures of releases:
    /// they are those of the releases that were mirrored with it, and no part of the data.
    ///
    /// # Errors
    ///
    /// [`GraphDataError`], where the image has none, or is damaged.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn of_image(image: &ImageFiles) -> Result<Self, GraphDataError> {
        let wanted = Below::new(Self::HELD).until_layer_with(VERSION).with_limits(LIMITS);
        let seen = image.read(&wanted, Collected::all(DATA_LIMIT)).await?;
        Self::checked(seen.visitor.into_files())
    }

    fn checked(mut files: BTreeMap<String, Bytes>) -> Result<Self, GraphDataError> {
        files.retain(|path, _| !path.starts_with(SIGNATURES));
        let has_channels = files.keys().any(|path| path.starts_with("channels/"));
        if has_channels { Ok(Self { files }) } else { Err(GraphDataError::NoChannels) }
    }

    /// Adds signatures of releases, as the update service can serve them: of each digest, those
    /// that are given, in that order.
    #[must_use]
    pub fn with_signatures(mut self, signatures: &BTreeMap<Digest, Vec<Bytes>>) -> Self {
        for (release, signatures) in signatures {
            let (algorithm, hex) = (release.algorithm().as_str(), release.hex());
            for (nth, signature) in (1..).zip(signatures) {
                let path = format!("{SIGNATURES}{algorithm}/{hex}/signature-{nth}");
                self.files.insert(path, signature.clone());
            }
        }
        self
    }

    /// Returns the files by path.
    pub fn files(&self) -> &BTreeMap<String, Bytes> {
        &self.files
    }

    /// Returns what makes an image one of the update graph: a layer with the data, and a command
    /// that copies it. Whoever builds upon nothing replaces the command. Upon an image of the
    /// update graph that was made here, it is the same as upon what that was built upon.
    ///
    /// # Errors
    ///
    /// [`RebuildError`].
    ///
    /// # Cancel safety
    ///
    /// As [`LayerContent::build`].
    pub async fn change(&self, store: &ContentStore) -> Result<Change, RebuildError> {
        let command = ["/bin/bash", "-c", COPY].map(str::to_owned).to_vec();
        let (layers, command, replaced) =
            (vec![self.layer(store).await?], Some(command), Some(MADE_BY));
        Ok(Change { layers, replaced, command, ..Change::default() })
    }

    /// Builds an image of the update graph upon nothing: the data, and `copier`, which copies it
    /// when it is called with [`COPY_WORDS`](Self::COPY_WORDS).
    ///
    /// The update service begins with this image's own command, and mounts an empty directory where
    /// it wants the data.
    ///
    /// Source: <https://github.com/openshift/cincinnati-operator/blob/master/controllers/new.go>.
    ///
    /// # Errors
    ///
    /// [`RebuildError`].
    ///
    /// # Cancel safety
    ///
    /// As [`scratch()`].
    pub async fn alone(
        &self,
        copier: &Copier,
        store: &ContentStore,
    ) -> Result<Built, RebuildError> {
        let mut content = LayerContent::default();
        content.program(COPIER, copier.program().clone())?;
        let program = content.build(store, "ocm: itself").await?;
        let layers = vec![program, self.layer(store).await?];
        let words = Self::COPY_WORDS.map(str::to_owned);
        let command = Some([format!("/{COPIER}")].into_iter().chain(words).collect());
        let change = Change { layers, command, ..Change::default() };
        scratch(&[(copier.platform().clone(), change)], store).await
    }

    async fn layer(&self, store: &ContentStore) -> Result<NewLayer, RebuildError> {
        let mut content = LayerContent::default();
        for (path, bytes) in &self.files {
            content.file(&format!("{}/{path}", Self::HELD), bytes.clone())?;
        }
        content.build(store, MADE_BY).await
    }
}
