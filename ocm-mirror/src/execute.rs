use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroUsize,
    panic,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures::Stream;
use tokio::{
    sync::mpsc::{self, Receiver},
    task::JoinSet,
};

use crate::{Event, Failure, Pack, Places, Plan, RetryPolicy, retry::Patience};

mod copy;
mod schedule;

use copy::Copier;
use schedule::{Bounds, JobId, Schedule};

/// Events that may wait for a slow reader; progress beyond it is dropped, as it is superseded
/// anyway.
const EVENTS_IN_FLIGHT: usize = 64;

/// How to execute, where the plan leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    bounds: Bounds,
    retry: RetryPolicy,
}

impl Default for Options {
    /// Eight jobs at once, however they spread over images, and the default retries.
    ///
    /// More jobs than a transport lets work at once only wait; a few more hide the time between
    /// the end of one blob and the beginning of the next.
    fn default() -> Self {
        let bounds =
            Bounds { jobs: NonZeroUsize::MIN.saturating_add(7), images: None, layers: None };
        Self { bounds, retry: RetryPolicy::default() }
    }
}

impl Options {
    /// Sets how many blobs and manifests are worked on at once: a bound, not a target.
    #[must_use]
    pub fn with_jobs(self, jobs: NonZeroUsize) -> Self {
        Self { bounds: Bounds { jobs, ..self.bounds }, ..self }
    }

    /// Sets how many images are worked on at once at most.
    #[must_use]
    pub fn with_parallel_images(self, images: NonZeroUsize) -> Self {
        Self { bounds: Bounds { images: Some(images), ..self.bounds }, ..self }
    }

    /// Sets how many blobs of one image are worked on at once at most.
    #[must_use]
    pub fn with_parallel_layers(self, layers: NonZeroUsize) -> Self {
        Self { bounds: Bounds { layers: Some(layers), ..self.bounds }, ..self }
    }

    /// Sets how often something is tried.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        Self { retry, ..self }
    }
}

/// What a plan needs to be carried out.
#[derive(Debug, Clone)]
pub struct Means {
    /// The places it names, opened.
    pub places: Places,
    /// The manifests it will push.
    pub pack: Arc<Pack>,
}

/// Carries out `plan`, telling what happens as it happens.
///
/// A failed image never stops another that does not need it. The stream ends when every image had
/// its last event.
///
/// ```text
///                 ┌── claim free: upload ──► committed, the others mount
/// blob ──► ready ─┼── claim taken: wait
///                 └── claim committed: mount
/// manifest: after its blobs and children · root and tags: after them and the images needed
/// ```
///
/// # Panics
///
/// When polled outside of a tokio runtime.
pub fn execute(plan: Arc<Plan>, means: Means, options: Options) -> Run {
    let (events, heard) = mpsc::channel(EVENTS_IN_FLIGHT);
    let told = opening(&plan);
    let schedule = Schedule::of(&plan, options.bounds);
    let copier = Arc::new(Copier { plan, means, patience: Patience::new(options.retry), events });
    Run { copier, schedule, working: JoinSet::new(), heard, told }
}

/// Tells what is known before anything moves.
fn opening(plan: &Plan) -> VecDeque<Event> {
    let (mut expected, mut attachments) = (BTreeMap::new(), BTreeMap::new());
    let copied = plan.images().map(|(_, image)| (image.kind.group(), image.names.len()));
    let there = plan.present().iter().map(|present| (present.kind.group(), 1));
    let lost = plan.lost().iter().map(|lost| lost.kind);
    let (lost_too, lost): (Vec<_>, Vec<_>) = lost.partition(|kind| kind.is_attachment());
    let lost = lost.into_iter().filter(|kind| kind.is_counted()).map(|kind| (kind.group(), 1));
    for (group, names) in copied.chain(there).chain(lost) {
        *expected.entry(group).or_default() += names;
    }
    let copied = plan.images().filter(|(_, image)| image.is_attachment());
    for kind in copied.map(|(_, image)| image.kind).chain(lost_too) {
        *attachments.entry(kind.group()).or_default() += 1;
    }
    let bytes =
        plan.blobs_in_order().iter().map(|(_, blob)| blob.size).fold(0, u64::saturating_add);
    let (version, plan_name) = (Event::VERSION, plan.name().clone());
    let began = Event::Began { version, plan: plan_name, expected, attachments, bytes };
    let there = plan.present().iter().cloned().map(Event::Present);
    let lost = plan.lost().iter().cloned().map(Event::Lost);
    [began].into_iter().chain(there).chain(lost).collect()
}

/// A plan on its way: a stream of what happens.
///
/// # Cancel safety
///
/// All work belongs to the stream. Dropping it stops the work, with nothing half-visible at the
/// destination; the same plan can be executed again.
#[derive(Debug)]
#[must_use = "nothing happens unless the stream is polled"]
pub struct Run {
    copier: Arc<Copier>,
    schedule: Schedule,
    working: JoinSet<(JobId, Result<Option<Event>, Failure>)>,
    heard: Receiver<Event>,
    told: VecDeque<Event>,
}

impl Run {
    fn start(&mut self) {
        while let Some((job, step)) = self.schedule.next() {
            let copier = Arc::clone(&self.copier);
            match step {
                Ok(step) => drop(self.working.spawn(async move { (job, copier.run(step).await) })),
                Err(why) => self.settle(job, Err(why)),
            }
        }
    }

    fn settle(&mut self, job: JobId, result: Result<Option<Event>, Failure>) {
        let result = result.map(|event| self.told.extend(event));
        let ended = self.schedule.settle(job, result);
        let plan = &self.copier.plan;
        for (id, outcome) in ended {
            let Some(image) = plan.image(id) else { continue };
            let (kind, names) = (image.kind, image.names.len());
            let outcome = outcome.of(image.origin());
            self.told.push_back(Event::Image { image: id, kind, names, outcome });
        }
    }
}

impl Stream for Run {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            self.start();
            if let Some(event) = self.told.pop_front() {
                return Poll::Ready(Some(event));
            }
            if let Poll::Ready(heard) = self.heard.poll_recv(cx) {
                return Poll::Ready(heard);
            }
            match ready!(self.working.poll_join_next(cx)) {
                None => return Poll::Ready(None),
                Some(Ok((job, result))) => self.settle(job, result),
                // Only a bug ends a job without a result; hiding it would end the run early.
                Some(Err(error)) => panic::resume_unwind(error.into_panic()),
            }
        }
    }
}
