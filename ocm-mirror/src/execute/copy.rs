use std::{pin::pin, sync::Arc, time::Duration};

use ocm_oci::{Descriptor, Digest, Hasher, MediaType, RepoName, Tag};
use ocm_transport::{
    Begun, BlobStream, Destination, Interrupted, Kind as Cause, Manifest, Retry, Source, Stored,
    TransportError, Upload, Verb,
};
use tokio::{sync::mpsc::Sender, time};

use super::{
    Means,
    schedule::{Step, What},
};
use crate::{
    Code, Event, Failure, Image, Kind, Location, Place, Plan, Side, Transfer, expand::is_fixed,
    retry::Patience,
};

/// Time between two reports of one blob's progress: what an eye can follow.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Does the steps of a plan, each by itself; in which order is not its business.
#[derive(Debug)]
pub(super) struct Copier {
    pub(super) plan: Arc<Plan>,
    pub(super) means: Means,
    pub(super) patience: Patience,
    pub(super) events: Sender<Event>,
}

/// A blob on its way: where it goes, and what is left of the last attempt.
#[derive(Debug)]
struct Transit<'a> {
    /// The image that it is moved for, as written.
    origin: &'a str,
    content: Descriptor,
    repository: &'a RepoName,
    to: Arc<dyn Destination>,
    mount_from: Option<&'a RepoName>,
    /// What the destination has kept.
    upload: Option<Box<dyn Upload>>,
    /// As far as bytes had passed.
    hasher: Hasher,
}

/// A place where a blob can be read, and on which side it is.
type Origin = (Side, Result<Arc<dyn Source>, Failure>);

impl Copier {
    pub(super) async fn run(&self, step: Step) -> Result<Option<Event>, Failure> {
        let Some(image) = self.plan.image(step.image) else { return Ok(None) };
        match step.what {
            What::Blob(digest) => {
                let from = step.mount_from.and_then(|id| self.plan.image(id));
                let how = self.blob(image, &digest, from.map(|image| &image.repository)).await?;
                let repository = image.repository.clone();
                Ok(Some(Event::Blob { repository, blob: digest, how }))
            }
            What::Manifest(digest) => {
                self.push(image, &digest, None).await?;
                Ok(None)
            }
            What::Placed => {
                self.push(image, &image.root, None).await?;
                Ok(None)
            }
            What::Root => self.root(image).await,
        }
    }

    /// Pushes an image's root under each of its tags, or by its digest if it has none.
    async fn root(&self, image: &Image) -> Result<Option<Event>, Failure> {
        if image.tags.is_empty() {
            self.push(image, &image.root, None).await?;
        }
        for tag in &image.tags {
            self.push(image, &image.root, Some(tag)).await?;
        }
        Ok(None)
    }

    async fn push(&self, image: &Image, digest: &Digest, tag: Option<&Tag>) -> Result<(), Failure> {
        let (to, manifest) = (self.open(&image.repository)?, self.manifest(digest)?);
        let mut pauses = self.patience.pauses();
        loop {
            let error = match to.push_manifest(&manifest, tag).await {
                Ok(Stored::New | Stored::Already) => return Ok(()),
                Err(error) => error,
            };
            let failure = Failure::at(Side::Destination, &error);
            let Some(pause) = self.patience.after(&error, &mut pauses) else {
                let is_sparse = self.plan.manifest(digest).is_some_and(|node| node.sparse);
                return Err(if is_sparse {
                    explain_sparse(failure, &error, image.kind)
                } else {
                    failure
                });
            };
            self.wait(failure.of(image.origin()), pause).await;
        }
    }

    /// Tells that something will be tried again, and waits until then.
    async fn wait(&self, failure: Failure, pause: Duration) {
        // Nobody listens only when the run was dropped, and this future with it.
        drop(self.events.send(Event::Retried { failure, pause }).await);
        time::sleep(pause).await;
    }

    /// Makes a blob be in the repository of `image`.
    async fn blob(
        &self,
        image: &Image,
        digest: &Digest,
        there: Option<&RepoName>,
    ) -> Result<Transfer, Failure> {
        let blob = self.plan.blob(digest).ok_or_else(|| unplanned(digest))?;
        let content = Descriptor {
            media_type: MediaType::OctetStream,
            digest: digest.clone(),
            size: blob.size,
        };
        let mut transit = Transit {
            origin: image.origin(),
            content,
            repository: &image.repository,
            to: self.open(&image.repository)?,
            mount_from: there.or_else(|| self.same_place(&blob.sources)),
            upload: None,
            hasher: Hasher::new(digest.algorithm()),
        };
        let moved = self.transfer(&mut transit, &self.sources(&blob.sources, there)).await;
        if moved.is_err()
            && let Some(upload) = transit.upload.take()
        {
            // What was kept is of no use to anybody now, and takes up room over there.
            drop(upload.abort().await);
        }
        moved
    }

    /// Tries each source in turn, in rounds, until one succeeds or there is no hope left.
    async fn transfer(
        &self,
        transit: &mut Transit<'_>,
        sources: &[Origin],
    ) -> Result<Transfer, Failure> {
        let (mut pauses, mut passed, mut corrupt) = (self.patience.pauses(), 0, 0);
        loop {
            let (mut last, mut hope) = (None, None);
            for (side, source) in sources {
                let source = match source {
                    Ok(source) => source,
                    Err(closed) => {
                        last.get_or_insert_with(|| closed.clone());
                        continue;
                    }
                };
                let error = match self.attempt(transit, &**source).await {
                    Ok(transfer) => return Ok(transfer),
                    Err(error) => error,
                };
                corrupt += usize::from(error.kind() == Cause::Corrupt);
                let is_of_source = error.operation().verb == Verb::Fetch;
                last =
                    Some(Failure::at(if is_of_source { *side } else { Side::Destination }, &error));
                // What is wrong each time is wrong at the source, and not on the way.
                if error.retry() != Retry::Never && corrupt <= sources.len() {
                    hope = Some(error);
                }
                if !is_of_source {
                    break;
                }
            }
            if transit.hasher.offset() > passed {
                // A line that breaks now and then brings the largest blob over in the end.
                (passed, pauses) = (transit.hasher.offset(), self.patience.pauses());
            }
            let failure = last.unwrap_or_else(|| unplanned(&transit.content.digest));
            let pause = hope.and_then(|error| self.patience.after(&error, &mut pauses));
            let Some(pause) = pause else { return Err(failure) };
            self.wait(failure.of(transit.origin), pause).await;
        }
    }

    /// Opens the places where a blob can be read. If the destination has it in another
    /// repository, and yet does not mount it, it is read there: the far side is not asked twice.
    fn sources(&self, planned: &[Location], there: Option<&RepoName>) -> Vec<Origin> {
        let to = self.plan.destination();
        let places = &self.means.places;
        let near = there.and_then(|other| places.destination(to, other));
        let near = near.map(|near| (Side::Destination, Ok(near as Arc<dyn Source>)));
        let far = planned
            .iter()
            .map(|from| (Side::Source, places.source(from).ok_or_else(|| closed(from))));
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
fn explain_sparse(failure: Failure, error: &TransportError, kind: Kind) -> Failure {
    let way_out = if is_fixed(kind) {
        "have the registry accept such an index; a release cannot be cut down, since what is \
         signed and what names its components are digests"
    } else {
        "use `--platform-index rewrite` (the digest of the image changes)"
    };
    match error.kind() {
        Cause::Incomplete | Cause::Refused if error.retry() == Retry::Never => {
            failure.with_hint(format!(
                "the registry refuses an index that lists platforms which were left out: mirror \
                 all platforms, or {way_out}"
            ))
        }
        _ => failure,
    }
}

fn unplanned(digest: &Digest) -> Failure {
    Failure::without(Code::Place, Side::Source, format!("`{digest}` is not in the plan"))
}

fn closed(location: &Location) -> Failure {
    Failure::without(Code::Place, Side::Source, format!("{} is not open", location.place))
}
