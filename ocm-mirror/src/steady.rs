use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use ocm_oci::Descriptor;
use ocm_transport::{BlobStream, Body, Source, TransportError};
use tokio::time;

use crate::{RetryPolicy, retry::Pauses};

/// Reads a blob that goes on where the connection broke, as often as `retry` allows.
///
/// What comes is verified, so bytes that do not fit together end as corrupt.
///
/// # Errors
///
/// When the blob cannot be opened at all.
///
/// # Cancel safety
///
/// Dropping the future, or the stream, cancels the request.
pub(crate) async fn steady(
    source: &Arc<dyn Source>,
    content: &Descriptor,
    retry: RetryPolicy,
) -> Result<BlobStream, TransportError> {
    let mut reading = Reading {
        source: Arc::clone(source),
        content: content.clone(),
        policy: retry,
        pauses: retry.pauses(),
        at: 0,
        bytes: None,
    };
    let (operation, kept_in) = reading.open().await?;
    let bytes = stream::unfold(Some(reading), |reading| async {
        let mut reading = reading?;
        match reading.next().await {
            Ok(chunk) => chunk.map(|chunk| (Ok(chunk), Some(reading))),
            Err(error) => Some((Err(error), None)),
        }
    });
    let body = Body { operation, starts_at: 0, bytes: bytes.boxed(), kept_in };
    Ok(BlobStream::new(content.clone(), body))
}

/// Reads all of a blob whose size was checked before.
pub(crate) async fn read_whole(
    source: &Arc<dyn Source>,
    content: &Descriptor,
    retry: RetryPolicy,
) -> Result<Vec<u8>, TransportError> {
    collect(steady(source, content, retry).await?).await
}

/// Collects all of a blob whose size was checked before.
pub(crate) async fn collect(blob: BlobStream) -> Result<Vec<u8>, TransportError> {
    let chunks: Vec<Bytes> = blob.try_collect().await?;
    Ok(chunks.concat())
}

/// A blob, as far as it was read.
struct Reading {
    source: Arc<dyn Source>,
    content: Descriptor,
    policy: RetryPolicy,
    pauses: Pauses,
    /// Offset of the next byte that nobody has seen.
    at: u64,
    /// What is left of the current answer, and the offset at which that goes on.
    bytes: Option<(u64, BoxStream<'static, Result<Bytes, TransportError>>)>,
}

impl Reading {
    /// Asks for what is left; returns what errors name, and where local bytes lie.
    async fn open(&mut self) -> Result<(ocm_transport::Operation, Option<String>), TransportError> {
        loop {
            let range = (self.at > 0).then_some(self.at..self.content.size);
            match self.source.blob(&self.content.digest, range).await {
                Ok(Body { operation, starts_at, bytes, kept_in }) => {
                    self.bytes = Some((starts_at, bytes));
                    return Ok((operation, kept_in));
                }
                Err(error) => self.wait(error).await?,
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        loop {
            let Some((offset, bytes)) = &mut self.bytes else {
                self.open().await.map(drop)?;
                continue;
            };
            match bytes.next().await {
                None => return Ok(None),
                Some(Ok(mut chunk)) => {
                    // A place may answer a range with the whole; one that answers with a later
                    // part is found out by the digest.
                    let known = self.at.saturating_sub(*offset).min(chunk.len() as u64);
                    *offset = offset.saturating_add(chunk.len() as u64);
                    chunk.advance(usize::try_from(known).unwrap_or(chunk.len()));
                    if !chunk.is_empty() {
                        self.at = self.at.saturating_add(chunk.len() as u64);
                        // A line that breaks now and then brings the largest blob over in the end.
                        self.pauses = self.policy.pauses();
                        return Ok(Some(chunk));
                    }
                }
                Some(Err(error)) => {
                    self.bytes = None;
                    self.wait(error).await?;
                }
            }
        }
    }

    async fn wait(&mut self, error: TransportError) -> Result<(), TransportError> {
        match self.pauses.after(error.retry()) {
            Some(pause) => {
                time::sleep(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use ocm_transport::{
        Memory, Transport as _,
        conformance::{describe, push},
    };

    use super::*;

    #[tokio::test]
    async fn goes_on_where_the_connection_broke() {
        let place = Memory::default().with_chunks_of(8.try_into().unwrap());
        let content: Vec<u8> = (0..100).collect();
        let at = place.destination(&"a/b".parse().unwrap()).unwrap();
        drop(push(&*at, &content).await);
        let source = place.source(&"a/b".parse().unwrap());
        let retry = RetryPolicy::default().with_constant_pause(std::time::Duration::ZERO);
        place.cut_next_read(37);
        let stream = steady(&source, &describe(&content), retry).await.unwrap();
        let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert_eq!(chunks.concat(), content);
        assert_eq!((place.tally().read, place.tally().bytes_read < 110), (2, true));

        place.cut_next_read(37);
        let stream = steady(&source, &describe(&content), retry.with_retries(0)).await.unwrap();
        assert!(stream.try_collect::<Vec<_>>().await.is_err());
    }
}
