//! Carries out a plan, while it is watched.

use std::{pin::pin, sync::Arc, time::Duration};

use futures::StreamExt as _;
use ocm_mirror::{Report, execute};
use ocm_transport::archive::Sealed;
use tokio::{
    select,
    time::{Instant, MissedTickBehavior, interval},
};

use super::{Ready, Session};
use crate::{progress::Progress, supervise::Stop};

/// How often the screen is refreshed when nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// How an execution ended.
#[derive(Debug)]
pub(super) struct Followed {
    /// What was done.
    pub(super) report: Report,
    /// Why it was cut short, if it was.
    pub(super) stop: Option<Stop>,
    /// The archive that was made visible, if any.
    pub(super) sealed: Option<Sealed>,
    /// What was in its place before.
    pub(super) before: Before,
    /// Bytes that crossed the network, those of unfinished blobs among them.
    pub(super) moved: u64,
}

/// What is where an archive is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// An older archive.
    Archive,
    /// No archive.
    Nothing,
}

/// Executes, until all is done or the program is told to stop; `archive` is where images go that
/// go into no registry.
///
/// When this returns, nothing of the execution is left.
pub(super) async fn follow(ready: Ready, archive: String, session: &mut Session) -> Followed {
    let Ready { plan, means, options } = ready;
    let begun = Instant::now();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut progress = Progress::new(Arc::clone(&plan), archive);
    let mut run = pin!(execute(plan, means, options));
    let (mut report, mut stop) = (Report::default(), None);
    loop {
        select! {
            biased;
            told = session.stopping.told() => {
                stop = Some(told);
                break;
            }
            event = run.next() => {
                let Some(event) = event else { break };
                report.extend([&event]);
                progress.on(&event, begun.elapsed(), &mut session.console);
            }
            _ = ticks.tick() => progress.refresh(begun.elapsed(), &mut session.console),
        }
    }
    session.console.clear();
    let moved = progress.moved_so_far();
    Followed { report, stop, sealed: None, before: Before::Nothing, moved }
}
