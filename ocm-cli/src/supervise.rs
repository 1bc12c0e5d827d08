//! Runs a job so that Ctrl-C ends the program within a second, whatever the job is doing.
//!
//! ```text
//! main thread:   signals ──first──► Stopping, seen by the job, which reports and ends
//!                        ──second, or too late──► exit, the job left where it is
//! thread of its own, and the runtime's: the job
//! ```
//!
//! The job runs on other threads, and none of them is waited for: a file that a slow disk will
//! not let go of holds up neither the second Ctrl-C nor the end. It has a thread of its own because
//! the runtime may have a single one, on which signals must be noticed while the job is busy.

use std::{
    future::Future,
    io, panic,
    pin::pin,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use futures::{Stream, StreamExt as _, stream};
use tokio::{
    runtime::Builder,
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
    time::{self, timeout},
};

use crate::exit::Exit;

/// Time that a job has for saying what was done.
const GRACE: Duration = Duration::from_millis(900);

/// After how long it is said what is waited for.
const QUIET: Duration = Duration::from_secs(5);

/// Why the program was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM: the machine goes down, or a container is stopped.
    Terminate,
}

impl From<Stop> for Exit {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Interrupt => Self::INTERRUPTED,
            Stop::Terminate => Self::TERMINATED,
        }
    }
}

/// What a job looks at to know when to stop.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<Option<Stop>>);

impl Stopping {
    /// Waits until the program is told to stop.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: whoever waits next is told as well.
    pub(crate) async fn told(&mut self) -> Stop {
        loop {
            if let Some(stop) = *self.0.borrow_and_update() {
                return stop;
            }
            if self.0.changed().await.is_err() {
                // Whoever could tell is gone, and with it the program.
                return std::future::pending().await;
            }
        }
    }

    /// Waits for `work`, or until the program is told to stop.
    ///
    /// # Errors
    ///
    /// The reason to stop; `work` is dropped then.
    pub(crate) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        select! {
            biased;
            stop = self.told() => Err(stop),
            done = work => Ok(done),
        }
    }

    /// As [`unless`](Self::unless); `tell` is called where that takes so long that somebody may
    /// wonder.
    pub(crate) async fn unless_telling<T>(
        &mut self,
        work: impl Future<Output = T>,
        tell: impl FnOnce(),
    ) -> Result<T, Stop> {
        let mut work = pin!(work);
        if let Ok(done) = self.unless(timeout(QUIET, &mut work)).await? {
            return Ok(done);
        }
        tell();
        self.unless(work).await
    }
}

/// Runs the job that `begin` makes, to its end or until a signal.
///
/// # Errors
///
/// When there can be no threads, or signals cannot be had.
pub(crate) fn supervise<F>(begin: impl FnOnce(Stopping) -> F + Send + 'static) -> io::Result<Exit>
where
    F: Future<Output = Exit>,
{
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let (tell, told) = watch::channel(None);
    let (say, ended) = oneshot::channel();
    let handle = runtime.handle().clone();
    let mut signals = runtime.block_on(async { Signals::new() })?;
    let job = thread::Builder::new().name("job".to_owned()).spawn(move || {
        let exit = handle.block_on(begin(Stopping(told)));
        // Whoever left without waiting does not need to know.
        say.send(exit).ok();
    })?;
    let signals = stream::poll_fn(move |cx| signals.poll(cx));
    let exit = runtime.block_on(watch_over(ended, tell, signals));
    runtime.shutdown_background();
    match exit {
        Some(exit) => Ok(exit),
        // It ended without saying how: only a bug does that, and hiding it would help nobody.
        None => match job.join() {
            Err(panicked) => panic::resume_unwind(panicked),
            Ok(()) => Ok(Exit::GENERIC),
        },
    }
}

/// Waits for the job, or for a signal and then a little longer; returns how the program ends.
async fn watch_over(
    mut job: oneshot::Receiver<Exit>,
    tell: watch::Sender<Option<Stop>>,
    mut signals: impl Stream<Item = Stop> + Unpin,
) -> Option<Exit> {
    let stop = select! {
        exit = &mut job => return exit.ok(),
        Some(stop) = signals.next() => stop,
    };
    tell.send_replace(Some(stop));
    select! {
        ended = &mut job => {
            ended.ok()?;
        }
        Some(_second) = signals.next() => {}
        () = time::sleep(GRACE) => {}
    }
    Some(stop.into())
}

/// The signals that ask a program to stop.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let (interrupt, terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate })
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Stop>> {
        if self.interrupt.poll_recv(cx).is_ready() {
            return Poll::Ready(Some(Stop::Interrupt));
        }
        self.terminate.poll_recv(cx).map(|_signal| Some(Stop::Terminate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_how_the_program_ends() {
        let exit = supervise(|_| async { Exit::of_groups([ocm_mirror::Group::Additional]) });
        assert_eq!(exit.unwrap().code(), 8);
    }

    /// Watches over a job that never ends, while `signals` come; returns how, and how long it took.
    async fn watch_a_stubborn_job(signals: impl Stream<Item = Stop>) -> (Option<Exit>, Duration) {
        let (_never, job) = oneshot::channel();
        let (tell, _told) = watch::channel(None);
        let begun = time::Instant::now();
        let exit = watch_over(job, tell, Box::pin(signals)).await;
        (exit, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_stubborn_job_is_left_within_a_second() {
        let once = stream::iter([Stop::Terminate]).chain(stream::pending());
        let (exit, took) = watch_a_stubborn_job(once).await;
        assert_eq!(exit, Some(Exit::TERMINATED));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_does_not_wait() {
        let twice = stream::iter([Stop::Interrupt, Stop::Interrupt]);
        let (exit, took) = watch_a_stubborn_job(twice).await;
        assert_eq!((exit, took), (Some(Exit::INTERRUPTED), Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_takes_long_is_told() {
        for (seconds, expected) in [(4, 0), (60, 1)] {
            let (_tell, told) = watch::channel(None);
            let work = async {
                time::sleep(Duration::from_secs(seconds)).await;
                7
            };
            let mut count = 0;
            let done = Stopping(told).unless_telling(work, || count += 1).await;
            assert_eq!((done, count), (Ok(7), expected), "{seconds}");
        }
    }

    #[tokio::test]
    async fn whoever_asks_late_is_told_as_well() {
        let (tell, told) = watch::channel(None);
        let mut stopping = Stopping(told);
        assert_eq!(stopping.unless(async { 7 }).await, Ok(7));
        tell.send_replace(Some(Stop::Terminate));
        assert_eq!(stopping.told().await, Stop::Terminate);
        let never = std::future::pending::<()>();
        assert_eq!(stopping.clone().unless(never).await, Err(Stop::Terminate));
        drop(tell);
        assert_eq!(stopping.told().await, Stop::Terminate);
    }
}
