use std::{fmt, io, path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use ocm_oci::{Descriptor, Digest, MediaType, RepoName};
use tokio::task::spawn_blocking;

use super::{
    ArchiveError,
    holding::Holding,
    scan::VolumeSet,
    source::{Holdings as _, Repository, body},
};
use crate::{
    BlobStream, Destination, Kind, Listing, Operation, Page, Retry, Source, Transport,
    TransportError, Verb, memory::list,
};

/// Longest record that is read, in bytes.
const RECORD_MAX: u64 = 256 << 20;

/// Reads an archive in place: a place that cannot be written.
///
/// Blobs and manifests are found by digest from any repository; tags are a repository's own.
#[derive(Debug, Clone)]
pub struct ArchiveReader {
    shared: Arc<Holding>,
}

impl ArchiveReader {
    /// Opens the archive in a directory, or the one to which a file belongs.
    ///
    /// Every volume is checked: that it is there and whole, that all belong together, and that
    /// every header is right. Contents are verified as they are read.
    ///
    /// # Errors
    ///
    /// A variant of [`ArchiveError`] for each thing a person can put right; see its `hint`.
    pub async fn open(path: &Path) -> Result<Self, ArchiveError> {
        let name = path.to_owned();
        let opened = spawn_blocking(move || Self::open_blocking(&name)).await;
        opened.unwrap_or_else(|error| {
            let (action, path) = ("open", path.to_owned());
            Err(ArchiveError::Io { action, path, source: io::Error::other(error) })
        })
    }

    /// Does what [`open`](Self::open) does, on this thread.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_blocking(path: &Path) -> Result<Self, ArchiveError> {
        let name = format!("archive `{}`", path.display());
        Self::of(name, VolumeSet::find(path)?)
    }

    /// Opens volumes that lie in memory, in order.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn from_bytes(volumes: &[Bytes]) -> Result<Self, ArchiveError> {
        Self::of("archive in memory".to_owned(), VolumeSet::of_bytes(volumes)?)
    }

    fn of(name: String, set: VolumeSet) -> Result<Self, ArchiveError> {
        Ok(Self { shared: Arc::new(Holding::new(name, set)?) })
    }

    /// Returns the name of the set.
    pub fn set(&self) -> &Digest {
        &self.shared.set
    }

    /// Returns when it was planned, as the writer was told.
    pub fn created(&self) -> Option<&str> {
        self.shared.created.as_deref()
    }

    /// Returns the files, in order.
    pub fn volumes(&self) -> impl Iterator<Item = &Path> {
        self.shared.media.iter().map(|medium| medium.path.as_path())
    }

    /// Returns what was planned to be here and could not be had, in order of digest.
    pub fn absent(&self) -> impl Iterator<Item = &Digest> {
        let contents = self.shared.contents.iter();
        contents.filter(|(_, content)| content.absent).map(|(digest, _)| digest)
    }

    /// Returns the names of all records, in order.
    pub fn records(&self) -> impl Iterator<Item = &str> {
        self.shared.records.keys().map(String::as_str)
    }

    /// Reads a record, verified; `None` where there is none of that name.
    ///
    /// # Errors
    ///
    /// Those of reading it; [`Kind::Corrupt`] where it was altered.
    pub async fn record(&self, name: &str) -> Result<Option<Bytes>, TransportError> {
        let Some(digest) = self.shared.records.get(name) else { return Ok(None) };
        let place = self.shared.to_string();
        let operation = Operation { place, verb: Verb::Fetch, reference: name.to_owned() };
        let fail = |kind| TransportError::new(operation.clone(), kind, Retry::Never);
        let found = self.shared.find(digest).ok_or_else(|| fail(Kind::NotFound))?;
        if found.size > RECORD_MAX {
            return Err(fail(Kind::Refused));
        }
        let (media_type, digest, size) = (MediaType::OctetStream, digest.clone(), found.size);
        let body = body(&self.shared.media, &found, 0..size, operation);
        let stream = BlobStream::new(Descriptor { media_type, digest, size }, body);
        let chunks: Vec<Bytes> = stream.try_collect().await?;
        Ok(Some(chunks.concat().into()))
    }
}

impl fmt::Display for ArchiveReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

#[async_trait]
impl Transport for ArchiveReader {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(Repository { held: Arc::clone(&self.shared), name: repository.clone() })
    }

    fn destination(&self, _repository: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        Ok(list(self.shared.tags.keys(), page))
    }
}
