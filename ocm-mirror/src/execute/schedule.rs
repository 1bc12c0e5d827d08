use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    num::NonZeroUsize,
};

use ocm_oci::{Digest, RepoName};

use crate::{Failure, Image, ImageId, Outcome, Plan, Side};

/// A job's position; what it waits for has a lower one, so nothing can wait in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JobId(usize);

/// How much may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) jobs: NonZeroUsize,
    pub(super) images: Option<NonZeroUsize>,
    pub(super) layers: Option<NonZeroUsize>,
}

/// Something to do, once, for an image: in its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) image: ImageId,
    pub(super) what: What,
    /// For a blob: the image in whose repository of the destination it is.
    pub(super) mount_from: Option<ImageId>,
}

/// What is done in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// Make a blob be there.
    Blob(Digest),
    /// Push a manifest, whose blobs and children are there.
    Manifest(Digest),
    /// Push the image's root by its digest, before what is attached to it.
    Placed,
    /// Push the image's root and point its tags at it; what it lists and needs is there, and what
    /// is attached to it.
    Root,
}

/// What can be done now, what waits for what, and who carries which blob. Does nothing itself.
#[derive(Debug)]
pub(super) struct Schedule {
    jobs: Vec<Job>,
    /// By image, so that the bounds are kept without looking at every job.
    ready: BTreeMap<ImageId, BTreeSet<JobId>>,
    running: BTreeMap<ImageId, usize>,
    claims: BTreeMap<Digest, Claim>,
    /// Jobs that others wait for, and can do without.
    optional: BTreeSet<JobId>,
    bounds: Bounds,
}

#[derive(Debug)]
struct Job {
    image: ImageId,
    what: What,
    waits_for: usize,
    dependents: Vec<JobId>,
    lost: Option<Box<Outcome>>,
}

/// Who brings a blob to the destination.
#[derive(Debug)]
enum Claim {
    /// A job does; these wait to see how it goes.
    Taken(Vec<JobId>),
    /// It is in the repository of this image, to be mounted from.
    Committed(ImageId),
    /// It cannot be read anywhere, so nobody needs to try again.
    Unreadable(Box<Failure>),
}

/// The job for each thing in each repository: two images may share both.
type Known<'a> = BTreeMap<(&'a RepoName, &'a Digest, bool), JobId>;

impl Schedule {
    /// Makes the jobs of a plan, in its order.
    pub(super) fn of(plan: &Plan, bounds: Bounds) -> Self {
        let mut schedule = Self {
            jobs: Vec::new(),
            ready: BTreeMap::new(),
            running: BTreeMap::new(),
            claims: BTreeMap::new(),
            optional: BTreeSet::new(),
            bounds,
        };
        let (mut known, mut roots) = (Known::new(), BTreeMap::new());
        let mut attached: BTreeMap<ImageId, Vec<_>> = BTreeMap::new();
        for (id, image) in plan.images() {
            if let Some(to) = image.attached_to() {
                attached.entry(to).or_default().push((id, image));
            }
        }
        for (id, image) in plan.images().filter(|(_, image)| image.attached_to().is_none()) {
            let mut after = schedule.add_tree(plan, (id, image), &mut known);
            let about = attached.remove(&id).unwrap_or_default();
            if !about.is_empty() {
                // Some registries refuse a statement about what they do not have; and if there
                // is a tag, then all of it is there.
                let placed = schedule.add((id, What::Placed), after);
                known.entry((&image.repository, &image.root, true)).or_insert(placed);
                after = BTreeSet::from([placed]);
                for (id, attachment) in about {
                    let root = schedule.attach(plan, (id, attachment), placed, &mut known);
                    roots.insert(id, root);
                    after.insert(root);
                }
            }
            after.extend(image.needs.iter().filter_map(|need| roots.get(need).copied()));
            let root = schedule.add((id, What::Root), after);
            known.entry((&image.repository, &image.root, true)).or_insert(root);
            roots.insert(id, root);
        }
        schedule
    }

    /// Adds an attachment of an image whose content is there after `placed`.
    fn attach<'a>(
        &mut self,
        plan: &'a Plan,
        (id, image): (ImageId, &'a Image),
        placed: JobId,
        known: &mut Known<'a>,
    ) -> JobId {
        let mut after = self.add_tree(plan, (id, image), known);
        after.insert(placed);
        let root = self.add((id, What::Root), after);
        known.entry((&image.repository, &image.root, true)).or_insert(root);
        if image.attached.as_ref().is_none_or(|attached| !attached.is_required) {
            self.optional.insert(root);
        }
        root
    }

    /// Adds what is under an image's root, as far as its repository does not get it already;
    /// returns the jobs that the root waits for.
    fn add_tree<'a>(
        &mut self,
        plan: &'a Plan,
        (id, image): (ImageId, &'a Image),
        known: &mut Known<'a>,
    ) -> BTreeSet<JobId> {
        let mut last = BTreeSet::new();
        for (digest, node) in plan.tree(&image.root) {
            let mut after = BTreeSet::new();
            for blob in &node.blobs {
                let add = || self.add((id, What::Blob(blob.clone())), BTreeSet::new());
                let key = (&image.repository, blob, false);
                after.insert(*known.entry(key).or_insert_with(add));
            }
            let child = |child| known.get(&(&image.repository, child, true)).copied();
            after.extend(node.children.iter().filter_map(child));
            if *digest == image.root {
                last = after;
            } else {
                let add = || self.add((id, What::Manifest(digest.clone())), after);
                known.entry((&image.repository, digest, true)).or_insert_with(add);
            }
        }
        last
    }

    fn add(&mut self, (image, what): (ImageId, What), after: BTreeSet<JobId>) -> JobId {
        let id = JobId(self.jobs.len());
        if after.is_empty() {
            self.ready.entry(image).or_default().insert(id);
        }
        let waits_for = after.len();
        for earlier in after {
            self.jobs.get_mut(earlier.0).into_iter().for_each(|job| job.dependents.push(id));
        }
        self.jobs.push(Job { image, what, waits_for, dependents: Vec::new(), lost: None });
        id
    }

    /// Takes the next job in order: what to do, or why it need not be tried.
    pub(super) fn next(&mut self) -> Option<(JobId, Result<Step, Failure>)> {
        loop {
            let image = self.pick()?;
            let jobs = self.ready.get_mut(&image)?;
            let id = jobs.pop_first()?;
            if jobs.is_empty() {
                self.ready.remove(&image);
            }
            let job = self.jobs.get(id.0)?;
            let (image, what) = (job.image, job.what.clone());
            let mut mount_from = None;
            let mut given_up = None;
            if let What::Blob(digest) = &what {
                match self.claims.get_mut(digest) {
                    None => drop(self.claims.insert(digest.clone(), Claim::Taken(Vec::new()))),
                    Some(Claim::Taken(waiting)) => {
                        waiting.push(id);
                        continue;
                    }
                    Some(Claim::Committed(from)) => mount_from = Some(*from),
                    Some(Claim::Unreadable(why)) => given_up = Some((**why).clone()),
                }
            }
            *self.running.entry(image).or_default() += 1;
            return Some((id, given_up.map_or(Ok(Step { image, what, mount_from }), Err)));
        }
    }

    /// Chooses whose job is next: an image that is under way, before one that is not.
    fn pick(&self) -> Option<ImageId> {
        let Bounds { jobs, images, layers } = self.bounds;
        if self.running.values().sum::<usize>() >= jobs.get() {
            return None;
        }
        let has_room = |count: &usize| layers.is_none_or(|layers| *count < layers.get());
        let under_way = self.running.iter().filter(|(_, count)| has_room(count));
        let first = under_way.map(|(image, _)| image).find(|image| self.ready.contains_key(image));
        if let Some(image) = first {
            return Some(*image);
        }
        if images.is_some_and(|images| self.running.len() >= images.get()) {
            return None;
        }
        self.ready.keys().find(|image| !self.running.contains_key(image)).copied()
    }

    /// Records how a job went; returns the images for which nothing is left to do.
    pub(super) fn settle(
        &mut self,
        id: JobId,
        result: Result<(), Failure>,
    ) -> Vec<(ImageId, Outcome)> {
        self.release(id, &result);
        let outcome = result.map_or_else(Outcome::Failed, |()| Outcome::Done);
        let (mut ended, mut settled) = (Vec::new(), vec![(id, outcome)]);
        while let Some((id, outcome)) = settled.pop() {
            let Some(job) = self.jobs.get_mut(id.0) else { continue };
            let (image, is_root) = (job.image, job.what == What::Root);
            let is_whole = matches!(job.what, What::Root | What::Placed);
            let is_lost = outcome != Outcome::Done && !self.optional.contains(&id);
            for later in mem::take(&mut job.dependents) {
                let is_other = self.jobs.get(later.0).is_none_or(|later| later.image != image);
                let loss = is_lost.then(|| match &outcome {
                    _ if is_whole && is_other => Outcome::Skipped { because: image },
                    lost => lost.clone(),
                });
                settled.extend(self.inform(later, loss.as_ref()).map(|lost| (later, lost)));
            }
            if is_root {
                ended.push((image, outcome));
            }
        }
        ended
    }

    /// Tells a job that one it waits for is over; returns its outcome if that decides it.
    fn inform(&mut self, id: JobId, loss: Option<&Outcome>) -> Option<Outcome> {
        let job = self.jobs.get_mut(id.0)?;
        // What an image itself lacks says more than what its needs lack.
        if !matches!(job.lost.as_deref(), Some(Outcome::Failed(_))) {
            job.lost = loss.cloned().map(Box::new).or(job.lost.take());
        }
        job.waits_for = job.waits_for.saturating_sub(1);
        if job.waits_for > 0 {
            return None;
        }
        if job.lost.is_none() {
            self.ready.entry(job.image).or_default().insert(id);
        }
        job.lost.take().map(|lost| *lost)
    }

    /// Ends what a job holds: its share of the bounds, and the claim on its blob.
    fn release(&mut self, id: JobId, result: &Result<(), Failure>) {
        let Some(job) = self.jobs.get(id.0) else { return };
        let image = job.image;
        if let Some(count) = self.running.get_mut(&image) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.running.remove(&image);
            }
        }
        let What::Blob(digest) = &job.what else { return };
        let digest = digest.clone();
        let Some(Claim::Taken(waiting)) = self.claims.get_mut(&digest) else { return };
        for waiter in mem::take(waiting) {
            if let Some(job) = self.jobs.get(waiter.0) {
                self.ready.entry(job.image).or_default().insert(waiter);
            }
        }
        let claim = match result {
            Ok(()) => Some(Claim::Committed(image)),
            Err(why) if why.side == Side::Source => Some(Claim::Unreadable(Box::new(why.clone()))),
            // This repository cannot be written; the next one in order takes over.
            Err(_) => None,
        };
        match claim {
            Some(claim) => drop(self.claims.insert(digest, claim)),
            None => drop(self.claims.remove(&digest)),
        }
    }
}
