use std::num::NonZeroUsize;

use futures::{StreamExt as _, stream::FuturesUnordered};

/// Drives what `next` gives, at most `at_once` at a time; hands results on as they come, so that
/// a slow one keeps nobody waiting.
///
/// `StreamExt::buffer_unordered` does the same over a stream of closures' results, and makes a
/// future that the compiler cannot tell to be `Send`:
/// <https://github.com/rust-lang/rust/issues/102211>.
///
/// # Cancel safety
///
/// Dropping the future drops what is under way.
pub(crate) async fn drive<F: Future>(
    at_once: NonZeroUsize,
    mut next: impl FnMut() -> Option<F>,
    mut take: impl FnMut(F::Output),
) {
    let mut working = FuturesUnordered::new();
    loop {
        while working.len() < at_once.get()
            && let Some(work) = next()
        {
            working.push(work);
        }
        match working.next().await {
            Some(done) => take(done),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    /// Takes longer the lower `number` is; keeps count of how many are under way, and of the most.
    async fn work(number: usize, (working, most): (&AtomicUsize, &AtomicUsize)) -> usize {
        most.fetch_max(working.fetch_add(1, SeqCst) + 1, SeqCst);
        for _ in number..10 {
            tokio::task::yield_now().await;
        }
        working.fetch_sub(1, SeqCst);
        number
    }

    #[tokio::test]
    async fn keeps_the_bound_and_waits_for_nobody() {
        let (working, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (mut numbers, mut seen) = (0..10, Vec::new());
        let next = || numbers.next().map(|number| work(number, (&working, &most)));
        drive(NonZeroUsize::new(3).unwrap(), next, |number| seen.push(number)).await;
        // The third is done before the first, which takes longest.
        assert!(seen.iter().position(|n| *n == 2) < seen.iter().position(|n| *n == 0), "{seen:?}");
        seen.sort_unstable();
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), 3);
    }
}
