//! What a run is to bring to its destination; where catalogs may be incomplete, that changes with
//! what turns out not to be had.
//!
//! ```text
//! Resolved ─► plan ─► something is lost ─► leave it out ─► plan ─► follow ─► something failed ─┐
//!                                                           ▲                                  │
//!                                  the rest: the catalogs ──┴────────── leave it out ◄─────────┘
//! ```

use std::{collections::BTreeMap, sync::Arc};

use ocm_mirror::{
    Attaching, Failure, Means, Places, Plan, PrepareError, Prepared, Resolved, WishId, prepare,
};

use super::{
    Ready, Run, Session,
    ends::Ends,
    follow::{Followed, follow},
    show,
};
use crate::{halt::Halt, supervise::Stop};

/// How often it is planned anew without what is lost; what is lost after that keeps its catalog
/// from being offered.
const ROUNDS: usize = 3;

/// What is to be at the destination.
#[derive(Debug)]
pub(super) struct Aim<'a> {
    pub(super) resolved: Resolved,
    pub(super) ends: &'a Ends,
    pub(super) places: Places,
}

/// A plan that was carried out.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) plan: Arc<Plan>,
    pub(super) followed: Followed,
}

impl Aim<'_> {
    /// Returns all places of the run, with what was built for it.
    pub(super) fn places(&self) -> Places {
        let places = self.places.clone();
        match &self.resolved.workshop {
            Some(workshop) => workshop.in_places(places),
            None => places,
        }
    }

    /// Plans what is to be done.
    pub(super) async fn prepare(
        &mut self,
        run: &mut Run<'_>,
        session: &mut Session,
    ) -> Result<Prepared, Halt> {
        for _ in 1..ROUNDS {
            let prepared = self.plan(run, session).await??;
            let lost = &prepared.planned.fates.lost;
            if !self.resolved.offers_incomplete() || !self.leave_out(lost, run, session).await? {
                return Ok(prepared);
            }
        }
        Ok(self.plan(run, session).await??)
    }

    async fn plan(
        &mut self,
        run: &Run<'_>,
        session: &mut Session,
    ) -> Result<Result<Prepared, PrepareError>, Stop> {
        let request = run.request;
        show::asking(self.resolved.wishes.len(), &request.effort, &mut session.console);
        let mut wanted = if self.resolved.offers_incomplete() {
            self.resolved.clone()
        } else {
            std::mem::take(&mut self.resolved)
        };
        self.resolved.workshop = wanted.workshop.take();
        let asked = ocm_mirror::Request {
            lost: wanted.lost,
            given_up: wanted.given_up,
            asking: super::asking(request),
            platform_index: super::platform_index(request.platform_index),
            attaching: Attaching {
                required: wanted.need_signature,
                ..super::attaching(request, wanted.attachments)
            },
            ..super::plain_request(wanted.wishes, self.ends, run.working_dir.path())
        };
        let places = self.places();
        let prepared = session.stopping.unless(prepare(asked, &places)).await;
        session.console.clear();
        prepared
    }

    /// Takes out of catalogs what cannot be had; returns whether that changed any of them.
    async fn leave_out(
        &mut self,
        lost: &BTreeMap<WishId, Failure>,
        run: &mut Run<'_>,
        session: &mut Session,
    ) -> Result<bool, Halt> {
        let left_out = self.resolved.leave_out(lost, run.working_dir.path());
        let notices = session.stopping.unless(left_out).await?;
        show::notices(&notices, &mut session.console);
        let is_renamed = run.decided.catalogs != self.resolved.decided.catalogs;
        run.decided = self.resolved.decided.clone();
        if is_renamed {
            run.name_catalogs(&self.ends.destination(), session)?;
        }
        Ok(!notices.is_empty())
    }

    /// Offers the catalogs that a pass could not, without what failed in it.
    ///
    /// What was copied is there by now; so the plan of the rest has all of the run in it, and its
    /// report tells how the whole run went.
    pub(super) async fn offer_the_rest(
        &mut self,
        (mut first, missed): (Pass, BTreeMap<WishId, Failure>),
        ready: impl FnOnce(Arc<Plan>, Means) -> Ready,
        (run, session): (&mut Run<'_>, &mut Session),
    ) -> Pass {
        let is_over = first.followed.stop.is_some() || super::is_archive(&first.plan);
        if is_over || !self.resolved.offers_incomplete() {
            return first;
        }
        let planned = self.plan_the_rest(&first, &missed, (run, session)).await;
        let (plan, means) = match planned {
            Ok(Some(planned)) => planned,
            Ok(None) => return first,
            Err(Halt::Stopped(stop)) => {
                first.followed.stop = Some(stop);
                return first;
            }
            Err(halt) => {
                // What was done stays to be told.
                session.end(Err(halt));
                return first;
            }
        };
        let mut followed = follow(ready(Arc::clone(&plan), means), String::new(), session).await;
        followed.report = followed.report.after(&first.followed.report);
        followed.moved += first.followed.moved;
        Pass { plan, followed }
    }

    async fn plan_the_rest(
        &mut self,
        first: &Pass,
        missed: &BTreeMap<WishId, Failure>,
        (run, session): (&mut Run<'_>, &mut Session),
    ) -> Result<Option<(Arc<Plan>, Means)>, Halt> {
        if !self.leave_out(missed, run, session).await? {
            return Ok(None);
        }
        let missed = first.plan.missed_attachments(&first.followed.report);
        self.resolved.lost.extend(missed);
        let Prepared { planned, pack } = self.plan(run, session).await??;
        show::plan(&planned, &mut session.console);
        Ok(Some((Arc::new(planned.plan), Means { places: self.places(), pack })))
    }
}
