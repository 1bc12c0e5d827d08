use std::{ops::Range, time::Duration};

use axum::body::{Body, HttpBody as _};
use bytes::{Buf as _, Bytes, BytesMut};
use futures::{
    Stream, StreamExt as _, TryStreamExt as _, future::ready, stream, stream::BoxStream,
};
use ocm_oci::{Digest, RepoName};
use ocm_transport::{Kind, Operation, Retry, TransportError, Verb};
use tokio::time::timeout;

/// Bytes that are handed on at once. A store works once for every piece, and what comes from the
/// network comes in pieces as small as 8 KiB.
const PIECE: usize = 64 << 10;

type Part = Result<Bytes, TransportError>;

/// Returns the length that a request's body is known to have.
pub(crate) fn length(body: &Body) -> Option<u64> {
    body.size_hint().exact()
}

/// Names what is done when a client's bytes are read.
pub(crate) fn receiving(repository: &RepoName, what: Option<&Digest>) -> Operation {
    let what = what.map_or_else(|| "an upload".to_owned(), ToString::to_string);
    let (place, reference) = ("this registry".to_owned(), format!("{repository}@{what}"));
    Operation { place, verb: Verb::Push, reference }
}

/// Reads what a client sends, in pieces worth the work; ends it where nothing comes for `stall`.
pub(crate) fn received(
    body: Body,
    operation: Operation,
    stall: Duration,
) -> BoxStream<'static, Part> {
    let fail = move |kind| TransportError::new(operation.clone(), kind, Retry::Again);
    let frames = stream::unfold(Some((body.into_data_stream(), fail)), move |state| async move {
        let (mut frames, fail) = state?;
        match timeout(stall, frames.next()).await {
            Err(_elapsed) => Some((Err(fail(Kind::Stall)), None)),
            Ok(Some(Err(error))) => Some((Err(fail(Kind::Reset).caused_by(error)), None)),
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some((frames, fail)))),
            Ok(None) => None,
        }
    });
    in_pieces(frames).boxed()
}

/// Joins small frames. What came before an error is passed on before it.
fn in_pieces(frames: impl Stream<Item = Part> + Send) -> impl Stream<Item = Part> + Send {
    let ended = frames.map(Some).chain(stream::once(ready(None)));
    let pieces = ended.scan(BytesMut::new(), |held, frame| ready(Some(join(held, frame))));
    pieces.map(stream::iter).flatten()
}

/// Takes in a frame, an error or the end; returns what is passed on for it.
fn join(held: &mut BytesMut, frame: Option<Part>) -> Vec<Part> {
    match frame {
        Some(Ok(frame)) if held.is_empty() && frame.len() >= PIECE => vec![Ok(frame)],
        Some(Ok(frame)) => {
            held.extend_from_slice(&frame);
            if held.len() < PIECE { Vec::new() } else { vec![Ok(held.split().freeze())] }
        }
        end => {
            let rest = (!held.is_empty()).then(|| Ok(held.split().freeze()));
            rest.into_iter().chain(end).collect()
        }
    }
}

/// Cuts `wanted` out of what a place sent, which may be more: not every place serves ranges.
pub(crate) fn cut(
    sent: ocm_transport::Body,
    wanted: Range<u64>,
) -> impl Stream<Item = Part> + Send {
    let state = (sent.bytes, sent.starts_at, wanted);
    stream::try_unfold(state, |(mut bytes, mut at, wanted)| async move {
        while at < wanted.end {
            let Some(mut part) = bytes.try_next().await? else { break };
            let before = wanted.start.saturating_sub(at).min(part.len() as u64);
            at += part.len() as u64;
            part.advance(usize::try_from(before).unwrap_or(part.len()));
            let after = at.saturating_sub(wanted.end);
            let kept = (part.len() as u64).saturating_sub(after);
            part.truncate(usize::try_from(kept).unwrap_or(part.len()));
            if !part.is_empty() {
                return Ok(Some((part, (bytes, at, wanted))));
            }
        }
        Ok(None)
    })
}

/// Collects a body of at most `limit` bytes; `None` where it is longer.
pub(crate) async fn collect(
    body: Body,
    operation: Operation,
    (limit, stall): (usize, Duration),
) -> Result<Option<Bytes>, TransportError> {
    if length(&body).is_some_and(|length| length > limit as u64) {
        return Ok(None);
    }
    let (mut parts, mut all) = (received(body, operation, stall), BytesMut::new());
    while let Some(part) = parts.try_next().await? {
        if all.len() + part.len() > limit {
            return Ok(None);
        }
        all.extend_from_slice(&part);
    }
    Ok(Some(all.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_frames_are_joined_and_survive_an_error() {
        let operation = receiving(&"a".parse().unwrap(), None);
        let frame = |len: usize| Ok(Bytes::from(vec![7; len]));
        let broken = Err(TransportError::new(operation, Kind::Reset, Retry::Again));
        let frames = [frame(1), frame(PIECE - 2), frame(1), frame(PIECE), frame(5), broken];
        let pieces: Vec<_> = in_pieces(stream::iter(frames)).collect().await;
        let lengths: Vec<_> = pieces.iter().map(|one| one.as_ref().ok().map(Bytes::len)).collect();
        assert_eq!(lengths, [Some(PIECE), Some(PIECE), Some(5), None]);
    }

    #[tokio::test]
    async fn cuts_a_range_out_of_whatever_came() {
        let content = b"0123456789";
        for starts_at in [0_usize, 2, 3] {
            for piece in [1, 4, 10] {
                let operation = receiving(&"a".parse().unwrap(), None);
                let pieces = content[starts_at..].chunks(piece).map(Bytes::from_static);
                let bytes = stream::iter(pieces.map(Ok).collect::<Vec<_>>()).boxed();
                let sent = ocm_transport::Body {
                    operation,
                    starts_at: starts_at as u64,
                    bytes,
                    kept_in: None,
                };
                let parts: Vec<Bytes> = cut(sent, 3..8).try_collect().await.unwrap();
                assert_eq!(parts.concat(), b"34567", "from {starts_at} by {piece}");
            }
        }
    }
}
