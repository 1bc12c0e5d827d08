use std::num::NonZeroUsize;

use futures::{StreamExt as _, stream::FuturesOrdered};

/// Drives what `next` gives, at most `at_once` at a time; hands the results on in the same order.
///
/// `StreamExt::buffered` does the same over a stream of closures' results, and makes a future
/// that the compiler cannot tell to be `Send`: <https://github.com/rust-lang/rust/issues/102211>.
///
/// # Cancel safety
///
/// Dropping the future drops what is under way.
pub(crate) async fn drive<F: Future>(
    at_once: NonZeroUsize,
    mut next: impl FnMut() -> Option<F>,
    mut take: impl FnMut(F::Output),
) {
    let mut working = FuturesOrdered::new();
    loop {
        while working.len() < at_once.get()
            && let Some(work) = next()
        {
            working.push_back(work);
        }
        match working.next().await {
            Some(done) => take(done),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Takes longer the lower `number` is; keeps count of how many are under way, and of the most.
    async fn work(number: usize, (working, most): (&Cell<usize>, &Cell<usize>)) -> usize {
        working.set(working.get() + 1);
        most.set(most.get().max(working.get()));
        for _ in number..10 {
            tokio::task::yield_now().await;
        }
        working.set(working.get() - 1);
        number
    }

    #[tokio::test]
    async fn keeps_the_bound_and_the_order() {
        let (working, most) = (Cell::new(0), Cell::new(0));
        let (mut numbers, mut seen) = (0..10, Vec::new());
        let next = || numbers.next().map(|number| work(number, (&working, &most)));
        drive(NonZeroUsize::new(3).unwrap(), next, |number| seen.push(number)).await;
        assert_eq!(seen, (0..10).collect::<Vec<_>>());
        assert_eq!(most.get(), 3);
    }
}
