use std::{pin::pin, sync::Arc, time::Duration};

use ocm_oci::{Descriptor, Digest, Hasher, MediaType, RepoName, Tag};
use ocm_transport::{
    Begun, BlobStream, Destination, Interrupted, Kind as Cause, Manifest, Source, Stored,
    TransportError, Upload,
};
use tokio::{sync::mpsc::Sender, time};

use super::{
    Means,
    schedule::{Step, What},
};
use crate::{Code, Event, Failure, ImageId, Location, Place, Plan, RetryPolicy, Side, Transfer};

/// Time between two reports of one blob's progress: what an eye can follow.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Does the steps of a plan, each by itself; in which order is not its business.
#[derive(Debug)]
pub(super) struct Copier {
    pub(super) plan: Arc<Plan>,
    pub(super) means: Means,
    pub(super) retry: RetryPolicy,
    pub(super) events: Sender<Event>,
}

/// A blob on its way: where it goes, and what is left of the last attempt.
#[derive(Debug)]
struct Transit<'a> {
    content: Descriptor,
    repository: &'a RepoName,
    to: Arc<dyn Destination>,
    mount_from: Option<&'a RepoName>,
    /// What the destination has kept.
    upload: Option<Box<dyn Upload>>,
    /// As far as bytes had passed.
    hasher: Hasher,
}

impl Copier {
    pub(super) async fn run(&self, step: Step) -> Result<Option<Event>, Failure> {
        let Some(image) = self.plan.image(step.image) else { return Ok(None) };
        let repository = &image.repository;
        match step.what {
            What::Blob(digest) => {
                let from = step.mount_from.and_then(|id| self.plan.image(id));
                let how =
                    self.blob(repository, &digest, from.map(|image| &image.repository)).await?;
                let repository = repository.clone();
                Ok(Some(Event::Blob { repository, blob: digest, how }))
            }
            What::Manifest(digest) => {
                self.push(repository, &digest, None).await?;
                Ok(None)
            }
            What::Root => self.root(step.image).await,
        }
    }

    /// Pushes an image's root under each of its tags, or by its digest if it has none.
    async fn root(&self, image: ImageId) -> Result<Option<Event>, Failure> {
        let Some(image) = self.plan.image(image) else { return Ok(None) };
        if image.tags.is_empty() {
            self.push(&image.repository, &image.root, None).await?;
        }
        for tag in &image.tags {
            self.push(&image.repository, &image.root, Some(tag)).await?;
        }
        Ok(None)
    }

    async fn push(
        &self,
        repository: &RepoName,
        digest: &Digest,
        tag: Option<&Tag>,
    ) -> Result<(), Failure> {
        let (to, manifest) = (self.open(repository)?, self.manifest(digest)?);
        match self.retry.run(|| to.push_manifest(&manifest, tag)).await {
            Ok(Stored::New | Stored::Already) => Ok(()),
            Err(error) => {
                let failure = Failure::at(Side::Destination, &error);
                let is_sparse = self.plan.manifest(digest).is_some_and(|node| node.sparse);
                Err(if is_sparse { explain_sparse(failure, &error) } else { failure })
            }
        }
    }

    /// Tries each source in turn, until an attempt succeeds or the last one has failed.
    async fn blob(
        &self,
        repository: &RepoName,
        digest: &Digest,
        there: Option<&RepoName>,
    ) -> Result<Transfer, Failure> {
        let blob = self.plan.blob(digest).ok_or_else(|| unplanned(digest))?;
        let sources = self.sources(&blob.sources, there);
        let (to, hasher) = (self.open(repository)?, Hasher::new(digest.algorithm()));
        let content = Descriptor {
            media_type: MediaType::OctetStream,
            digest: digest.clone(),
            size: blob.size,
        };
        let mount_from = there.or_else(|| self.same_place(&blob.sources));
        let mut transit = Transit { content, repository, to, mount_from, upload: None, hasher };
        let (mut pauses, mut left) = (self.retry.pauses(), sources.len());
        for from in sources.iter().cycle() {
            let source = from.as_deref().map_err(Clone::clone)?;
            let error = match self.attempt(&mut transit, source).await {
                Ok(transfer) => return Ok(transfer),
                Err(error) => error,
            };
            left = left.saturating_sub(1);
            // Another source may have what this one has not, and at once.
            if left > 0 && Failure::from(&error).side == Side::Source {
                continue;
            }
            let Some(pause) = pauses.after(error.retry()) else {
                return Err(Failure::from(&error));
            };
            let failure = Failure::from(&error);
            // A reader too slow for this still sees how it ends.
            drop(self.events.try_send(Event::Retried { failure, pause }));
            time::sleep(pause).await;
        }
        Err(unplanned(digest))
    }

    /// Opens the places where a blob can be read. If the destination has it in another
    /// repository, and yet does not mount it, it is read there: the far side is not asked twice.
    fn sources(
        &self,
        planned: &[Location],
        there: Option<&RepoName>,
    ) -> Vec<Result<Arc<dyn Source>, Failure>> {
        let to = self.plan.destination();
        let near = there.and_then(|other| self.means.places.destination(to, other));
        let near = near.map(|near| Ok(near as Arc<dyn Source>));
        let far =
            planned.iter().map(|from| self.means.places.source(from).ok_or_else(|| closed(from)));
        near.into_iter().chain(far).collect()
    }

    /// Returns the repository that a blob is read from, if it is one of the destination itself.
    fn same_place<'a>(&self, planned: &'a [Location]) -> Option<&'a RepoName> {
        let to = self.plan.destination();
        let is_registry = matches!(to, Place::Registry(_));
        let same = planned.iter().find(|from| is_registry && from.place == *to);
        same.map(|from| &from.repository)
    }

    /// Moves the blob, or as much of it as can be; what was kept is not sent again.
    async fn attempt(
        &self,
        transit: &mut Transit<'_>,
        source: &dyn Source,
    ) -> Result<Transfer, TransportError> {
        let upload = match transit.begin().await? {
            Begun::Open(upload) => upload,
            Begun::Present => return Ok(Transfer::Present),
            Begun::Mounted => return Ok(Transfer::Mounted),
        };
        let stream = match transit.read(source, upload.offset()).await {
            Ok(stream) => stream,
            Err(error) => {
                transit.upload = Some(upload);
                return Err(error);
            }
        };
        let checkpoint = stream.checkpoint();
        let (repository, blob) = (transit.repository, &transit.content.digest);
        let size = transit.content.size;
        let progress = || {
            let (repository, blob) = (repository.clone(), blob.clone());
            Event::Progress { repository, blob, bytes: checkpoint.offset(), size }
        };
        match self.watch(progress, upload.finish(stream)).await {
            Ok(Stored::New | Stored::Already) => Ok(Transfer::Copied { bytes: size }),
            Err(Interrupted { upload, cause }) => {
                transit.upload = upload;
                // Bytes that made a wrong whole are not gone on from.
                transit.hasher = if cause.kind() == Cause::Corrupt {
                    Hasher::new(transit.content.digest.algorithm())
                } else {
                    checkpoint.hasher()
                };
                Err(cause)
            }
        }
    }

    /// Drives `work`, and tells at intervals how far it is.
    async fn watch<T>(
        &self,
        progress: impl Fn() -> Event + Send,
        work: impl Future<Output = T> + Send,
    ) -> T {
        let mut work = pin!(work);
        loop {
            match time::timeout(PROGRESS_INTERVAL, &mut work).await {
                Ok(done) => return done,
                // A reader too slow for this one gets the next.
                Err(_elapsed) => drop(self.events.try_send(progress())),
            }
        }
    }

    fn open(&self, repository: &RepoName) -> Result<Arc<dyn Destination>, Failure> {
        let to = self.plan.destination();
        let closed = || {
            let what = format!("{to} is not open for writing");
            Failure::without(Code::Place, Side::Destination, what)
        };
        self.means.places.destination(to, repository).ok_or_else(closed)
    }

    fn manifest(&self, digest: &Digest) -> Result<Manifest, Failure> {
        match self.means.pack.get(digest) {
            Ok(manifest) => manifest.ok_or_else(|| unplanned(digest)),
            Err(error) => Err(Failure::new(Code::Workspace, Side::Source, &error)),
        }
    }
}

impl Transit<'_> {
    /// Takes up the upload again that the last attempt left, or asks for a new one.
    async fn begin(&mut self) -> Result<Begun, TransportError> {
        let Descriptor { digest, size, .. } = &self.content;
        match self.upload.take() {
            Some(upload) => Ok(Begun::Open(upload)),
            None => self.to.begin(digest, Some(*size), self.mount_from).await,
        }
    }

    /// Reads what the destination has not kept.
    ///
    /// It may have kept less than what had passed, and then the hasher is too far: all is read
    /// again, and only the rest is sent.
    async fn read(&self, source: &dyn Source, kept: u64) -> Result<BlobStream, TransportError> {
        let Descriptor { digest, size, .. } = &self.content;
        let hasher = if self.hasher.offset() <= kept {
            self.hasher.clone()
        } else {
            Hasher::new(digest.algorithm())
        };
        let range = (hasher.offset() > 0).then(|| hasher.offset()..*size);
        let body = source.blob(digest, range).await?;
        Ok(BlobStream::resume(self.content.clone(), hasher, body).starting_at(kept))
    }
}

/// Says what it means when an index is refused that names what is not there, by choice.
fn explain_sparse(failure: Failure, error: &TransportError) -> Failure {
    match error.kind() {
        Cause::Incomplete | Cause::Refused => failure.with_hint(
            "the registry refuses an index that lists platforms which were left out: mirror all \
             platforms, or use `--platform-index rewrite` (the digest of the image changes)",
        ),
        _ => failure,
    }
}

fn unplanned(digest: &Digest) -> Failure {
    Failure::without(Code::Place, Side::Source, format!("`{digest}` is not in the plan"))
}

fn closed(location: &Location) -> Failure {
    Failure::without(Code::Place, Side::Source, format!("{} is not open", location.place))
}
