use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use backon::{BackoffBuilder as _, ConstantBuilder, ExponentialBuilder};
use ocm_transport::{Kind, Retry, TransportError};
use tokio::time;

/// First pause of the exponential kind; each next one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that we choose ourselves.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// Longest pause that a place may ask for: beyond it, failing is the better answer.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// How often to try what failed in a way that may pass, and how long to wait before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    retries: u32,
    pause: Pause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    Growing,
    Constant(Duration),
}

impl Default for RetryPolicy {
    /// Five retries, after 1, 2, 4, 8 and 16 seconds.
    fn default() -> Self {
        Self { retries: 5, pause: Pause::Growing }
    }
}

impl RetryPolicy {
    /// Sets how often something is tried again after the first failure.
    #[must_use]
    pub fn with_retries(self, retries: u32) -> Self {
        Self { retries, ..self }
    }

    /// Waits the same time before each retry, instead of ever longer.
    #[must_use]
    pub fn with_constant_pause(self, pause: Duration) -> Self {
        Self { pause: Pause::Constant(pause), ..self }
    }

    /// Repeats `act` until it succeeds, fails for good, or was tried often enough.
    ///
    /// # Errors
    ///
    /// The last one.
    ///
    /// # Cancel safety
    ///
    /// As that of `act`.
    pub async fn run<T, F>(self, act: impl FnMut() -> F) -> Result<T, TransportError>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        Patience::new(self).run(act).await
    }

    /// Returns the pauses, one for each retry.
    pub(crate) fn pauses(&self) -> Pauses {
        let times = usize::try_from(self.retries).unwrap_or(usize::MAX);
        let pauses: Box<dyn Iterator<Item = Duration> + Send + Sync> = match self.pause {
            Pause::Growing => Box::new(
                ExponentialBuilder::new()
                    .with_min_delay(FIRST_PAUSE)
                    .with_max_delay(LONGEST_PAUSE)
                    .with_max_times(times)
                    .build(),
            ),
            Pause::Constant(pause) => {
                Box::new(ConstantBuilder::new().with_delay(pause).with_max_times(times).build())
            }
        };
        Pauses(pauses)
    }
}

/// A policy over many operations: who waited once in vain for a place that nobody answers at
/// does not wait for it again.
///
/// Without it, a thousand images of a host that is down take a thousand times the pauses.
#[derive(Debug)]
pub(crate) struct Patience {
    policy: RetryPolicy,
    silent: Mutex<BTreeSet<String>>,
}

impl Patience {
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, silent: Mutex::default() }
    }

    /// Returns the pauses of one operation.
    pub(crate) fn pauses(&self) -> Pauses {
        self.policy.pauses()
    }

    /// Returns how long to wait after `error`; `None` where it is final.
    pub(crate) fn after(&self, error: &TransportError, pauses: &mut Pauses) -> Option<Duration> {
        if error.kind() != Kind::Unreachable {
            return pauses.after(error.retry());
        }
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        if silent.contains(&error.operation().place) {
            return None;
        }
        let pause = pauses.after(error.retry());
        if pause.is_none() {
            silent.insert(error.operation().place.clone());
        }
        pause
    }

    /// Repeats `act` until it succeeds, fails for good, or was tried often enough.
    pub(crate) async fn run<T, F>(&self, mut act: impl FnMut() -> F) -> Result<T, TransportError>
    where
        F: Future<Output = Result<T, TransportError>>,
    {
        let mut pauses = self.pauses();
        loop {
            let error = match act().await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            match self.after(&error, &mut pauses) {
                Some(pause) => time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }
}

/// What is left of a policy after some attempts.
pub(crate) struct Pauses(Box<dyn Iterator<Item = Duration> + Send + Sync>);

impl Pauses {
    /// Returns how long to wait before the next attempt; `None` where there is none.
    ///
    /// A place that says how long it wants to be left alone is believed, up to a bound.
    pub(crate) fn after(&mut self, retry: Retry) -> Option<Duration> {
        match retry {
            Retry::Never => None,
            Retry::Again | Retry::Throttled(None) => self.0.next(),
            Retry::After(asked) | Retry::Throttled(Some(asked)) => {
                let ours = self.0.next()?;
                (asked <= LONGEST_ASKED).then(|| asked.max(ours.min(FIRST_PAUSE)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ocm_transport::{Operation, Verb};

    use super::*;

    fn error(retry: Retry) -> TransportError {
        of_kind(Kind::Reset, retry)
    }

    fn of_kind(kind: Kind, retry: Retry) -> TransportError {
        let (place, reference) = ("a test".to_owned(), "content".to_owned());
        TransportError::new(Operation { place, verb: Verb::Fetch, reference }, kind, retry)
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_never_answers_is_waited_for_once() {
        let patience = Patience::new(RetryPolicy::default().with_retries(2));
        let begun = time::Instant::now();
        for _ in 0..1000 {
            let act = || async { Err::<(), _>(of_kind(Kind::Unreachable, Retry::Again)) };
            assert!(patience.run(act).await.is_err());
        }
        assert_eq!(begun.elapsed().as_secs(), 1 + 2);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_ever_longer_and_then_gives_up() {
        let (tries, begun) = (Cell::new(0), time::Instant::now());
        let policy = RetryPolicy::default().with_retries(3);
        let act = || {
            tries.set(tries.get() + 1);
            async { Err::<(), _>(error(Retry::Again)) }
        };
        assert!(Patience::new(policy).run(act).await.is_err());
        assert_eq!(tries.get(), 4);
        assert_eq!(begun.elapsed().as_secs(), 1 + 2 + 4);
    }

    #[tokio::test(start_paused = true)]
    async fn believes_a_place_that_says_how_long_and_stops_at_never() {
        let begun = time::Instant::now();
        let answers = Cell::new(vec![Retry::Never, Retry::Throttled(Some(Duration::from_secs(9)))]);
        let act = || {
            let mut left = answers.take();
            let next = left.pop();
            answers.set(left);
            async move { Err::<(), _>(error(next.unwrap_or(Retry::Again))) }
        };
        assert!(Patience::new(RetryPolicy::default()).run(act).await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 9);
        assert_eq!(RetryPolicy::default().pauses().after(Retry::After(Duration::MAX)), None);
    }
}
