use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

/// A body that is counted as it passes, and meddled with. It keeps the length it announced.
pub(super) struct Tap {
    inner: Body,
    count: Arc<AtomicU64>,
    meddling: Meddling,
}

/// What happens to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meddling {
    /// Nothing.
    None,
    /// After so many more bytes there is an error.
    Cut(u64),
    /// After so many more bytes nothing comes.
    Stall(u64),
    /// The first byte is another.
    Corrupt,
}

impl Tap {
    pub(super) fn on(inner: Body, count: &Arc<AtomicU64>, meddling: Meddling) -> Body {
        Body::new(Self { inner, count: Arc::clone(count), meddling })
    }

    /// Returns what of `bytes` goes on, in what form.
    fn meddle(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.meddling {
            Meddling::None => bytes,
            Meddling::Cut(left) | Meddling::Stall(left) => {
                let len = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= len as u64;
                bytes.slice(..len)
            }
            Meddling::Corrupt => {
                self.meddling = Meddling::None;
                let mut wrong = bytes.to_vec();
                wrong.iter_mut().take(1).for_each(|byte| *byte ^= 1);
                wrong.into()
            }
        }
    }
}

impl hyper::body::Body for Tap {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.meddling {
            Meddling::Cut(0) => {
                let error = io::Error::new(io::ErrorKind::ConnectionReset, "cut on demand");
                return Poll::Ready(Some(Err(axum::Error::new(error))));
            }
            // Nobody is woken: it ends when the connection does.
            Meddling::Stall(0) => return Poll::Pending,
            _ => {}
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        Poll::Ready(frame.map(|frame| {
            frame.map(|frame| {
                frame.map_data(|bytes| {
                    let passed = self.meddle(bytes);
                    self.count.fetch_add(passed.len() as u64, Ordering::Relaxed);
                    passed
                })
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.meddling == Meddling::None && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
