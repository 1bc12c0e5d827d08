//! Runs a job so that Ctrl-C ends the program within a second, whatever the job is doing.
//!
//! ```text
//! main thread: signals ──first──► Stopping, seen by the job, which reports and ends
//!                      ──second, or too late──► exit, the job left where it is
//! worker threads: the job
//! ```
//!
//! The job runs on other threads, and the runtime is not waited for: a file that a slow disk will
//! not let go of holds up neither the second Ctrl-C nor the end.

use std::{future::Future, io, panic, time::Duration};

use tokio::{
    runtime::Builder,
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time,
};

use crate::exit::Exit;

/// Time that a job has for saying what was done.
const GRACE: Duration = Duration::from_millis(900);

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
}

/// Runs the job that `begin` makes, to its end or until a signal.
///
/// # Errors
///
/// When there can be no threads, or signals cannot be had.
pub(crate) fn supervise<F>(begin: impl FnOnce(Stopping) -> F) -> io::Result<Exit>
where
    F: Future<Output = Exit> + Send + 'static,
{
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(async {
        let signals = Signals::new()?;
        let (tell, told) = watch::channel(None);
        Ok(watch_over(begin(Stopping(told)), tell, signals).await)
    });
    runtime.shutdown_background();
    exit
}

async fn watch_over(
    job: impl Future<Output = Exit> + Send + 'static,
    tell: watch::Sender<Option<Stop>>,
    mut signals: Signals,
) -> Exit {
    let mut jobs = JoinSet::new();
    jobs.spawn(job);
    let stop = select! {
        exit = ended(&mut jobs) => return exit,
        stop = signals.next() => stop,
    };
    tell.send_replace(Some(stop));
    select! {
        _ = ended(&mut jobs) => {}
        _ = signals.next() => {}
        () = time::sleep(GRACE) => {}
    }
    stop.into()
}

async fn ended(jobs: &mut JoinSet<Exit>) -> Exit {
    match jobs.join_next().await {
        Some(Ok(exit)) => exit,
        Some(Err(error)) if error.is_panic() => panic::resume_unwind(error.into_panic()),
        Some(Err(_)) | None => Exit::GENERIC,
    }
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

    async fn next(&mut self) -> Stop {
        select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_how_the_program_ends() {
        let exit = supervise(|_| async { Exit::of_kinds([ocm_mirror::Kind::Additional]) });
        assert_eq!(exit.unwrap().code(), 8);
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
