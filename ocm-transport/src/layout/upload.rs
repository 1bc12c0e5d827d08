use async_trait::async_trait;
use bytes::Bytes;
use ocm_oci::Digest;

use super::shared::Repository;
use crate::{
    BlobStream, Interrupted, Kind, Stored, TransportError, Upload, Verb,
    store::{Ingest, Intake, Sink, blocking, fault},
};

/// A blob on its way into a layout.
#[derive(Debug)]
pub(super) struct Part {
    intake: Intake,
    file: PartFile,
}

/// Where it goes until it is whole.
#[derive(Debug)]
struct PartFile {
    into: Repository,
    digest: Digest,
    /// `None` after a write failed or was given up half-way.
    ingest: Option<Ingest>,
}

impl Part {
    pub(super) fn new(
        into: Repository,
        digest: &Digest,
        (size, ingest): (Option<u64>, Ingest),
    ) -> Self {
        let intake = Intake::new(digest.algorithm(), size);
        Self { intake, file: PartFile { into, digest: digest.clone(), ingest: Some(ingest) } }
    }

    /// Stores what arrived, if it is `digest`.
    async fn complete(mut self, digest: Digest) -> Result<Stored, TransportError> {
        let (at, rest) = self.intake.take_rest();
        self.file.write(at, rest).await?;
        let operation = self.file.into.operation(Verb::Push, &digest);
        let mismatch = self.intake.mismatch(&digest);
        let ingest = self.file.take()?;
        let stored = blocking(move || {
            // It was hashed by the function that was announced; another one takes a second look.
            let mismatch = match mismatch {
                Some(wrong) if wrong.actual.algorithm() != digest.algorithm() => {
                    ingest.mismatch(&digest)?
                }
                other => other,
            };
            mismatch.map_or_else(|| ingest.commit(&digest).map(Ok), |wrong| Ok(Err(wrong)))
        });
        match stored.await {
            Ok(Ok(stored)) => Ok(stored),
            Ok(Err(mismatch)) => {
                let corrupt = self.file.into.fail(Verb::Push, &self.file.digest, Kind::Corrupt);
                Err(corrupt.caused_by(mismatch))
            }
            Err(error) => Err(fault(operation, error)),
        }
    }
}

impl PartFile {
    fn refused(&self) -> TransportError {
        self.into.fail(Verb::Push, &self.digest, Kind::Refused)
    }

    fn take(&mut self) -> Result<Ingest, TransportError> {
        self.ingest.take().ok_or_else(|| self.refused())
    }
}

#[async_trait]
impl Sink for PartFile {
    async fn write(&mut self, at: u64, piece: Bytes) -> Result<(), TransportError> {
        let ingest = self.take()?;
        let written = blocking(move || {
            ingest.write(at, &piece)?;
            Ok(ingest)
        });
        let written =
            written.await.map_err(|e| fault(self.into.operation(Verb::Push, &self.digest), e))?;
        self.ingest = Some(written);
        Ok(())
    }
}

#[async_trait]
impl Upload for Part {
    fn offset(&self) -> u64 {
        self.intake.offset()
    }

    async fn append(&mut self, part: Bytes) -> Result<(), TransportError> {
        self.intake.append(part, &mut self.file).await
    }

    async fn finish(mut self: Box<Self>, mut rest: BlobStream) -> Result<Stored, Interrupted> {
        let digest = rest.descriptor().digest.clone();
        if digest != self.file.digest || rest.offset() != self.offset() {
            let cause = self.file.refused();
            return Err(Interrupted { upload: Some(self), cause });
        }
        match self.intake.fill(&mut rest, &mut self.file).await {
            Ok(()) => {
                let completed = self.complete(digest).await;
                completed.map_err(|cause| Interrupted { upload: None, cause })
            }
            Err(cause) if cause.kind() == Kind::Corrupt || self.file.ingest.is_none() => {
                Err(Interrupted { upload: None, cause })
            }
            Err(cause) => Err(Interrupted { upload: Some(self), cause }),
        }
    }

    async fn commit(self: Box<Self>, digest: &Digest) -> Result<Stored, TransportError> {
        self.complete(digest.clone()).await
    }

    async fn abort(self: Box<Self>) -> Result<(), TransportError> {
        Ok(())
    }
}
