//! The end of a run: its files, its last lines, and its exit code.

use std::{path::Path, time::Duration};

use indicatif::HumanBytes;
use ocm_mirror::{Code, Group, Incomplete, Kind, Lost, Plan, Report, Tally, mirror_sets};
use ocm_resources::{Catalogs, Scope, Stamp};
use ocm_transport::archive::Sealed;
use serde::Serialize;

use super::{
    Run, Session, far_side,
    follow::{Before, Followed},
    mapping,
    missed::{self, Missed},
};
use crate::{
    console::{Console, Level},
    exit::Exit,
    files::{self, FileError},
    halt::Halt,
    progress::{count, stopwatch},
    request::{Flow, Nesting},
    supervise::Stop,
    version,
};

/// Everything that is known when nothing moves any more.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) plan: &'a Plan,
    pub(super) followed: Followed,
    pub(super) elapsed: Duration,
}

/// A report, for machines.
#[derive(Debug, Serialize)]
struct ReportTold<'a> {
    event: &'static str,
    report: &'a Report,
}

/// What was written for people to go on with.
#[derive(Debug, Default)]
struct Written {
    /// Whether there are resources for the cluster.
    resources: bool,
    /// Whether something could not be written, which was said.
    incomplete: bool,
}

impl Outcome<'_> {
    /// Writes what was done, and says it.
    pub(super) fn conclude(&self, session: &mut Session) -> Exit {
        let report = &self.followed.report;
        let console = &mut session.console;
        self.results(console);
        let missed = missed::all(self.plan, report);
        let mut written = Written::default();
        self.write_missed(&missed, &mut written, console);
        if self.followed.stop.is_none() {
            self.write_results(&mut written, console);
        }
        self.next(&written, &missed, (&session.program, &mut session.console));
        let exit = match self.followed.stop {
            Some(stop) => return stop.into(),
            None => Exit::of_groups(report.incomplete_groups()),
        };
        if written.incomplete { exit.and(Exit::GENERIC) } else { exit }
    }

    fn results(&self, console: &mut Console) {
        let Report { groups, blobs, retries, .. } = &self.followed.report;
        if let Some(stop) = self.followed.stop {
            let signal = match stop {
                Stop::Interrupt => "Ctrl-C",
                Stop::Terminate => "SIGTERM",
            };
            console.warn(format!("stopped by {signal}"));
        }
        console.info("=== Results ===");
        for (group, tally) in groups.iter().filter(|(_, tally)| tally.expected > 0) {
            console.info(match self.followed.stop {
                Some(_) => stopped_line(*group, self.kept(*tally)),
                None => tally_line(*group, tally),
            });
        }
        self.attachments(console);
        let there = if super::is_archive(self.plan) { "shared" } else { "found there" };
        let mut parts = vec![
            format!("{} copied in {}", HumanBytes(blobs.bytes), count(blobs.copied, "blob")),
            format!("{} mounted", blobs.mounted),
            format!("{} {there}", blobs.present),
        ];
        let unfinished = self.followed.moved.saturating_sub(blobs.bytes);
        if self.followed.stop.is_some() && unfinished > 0 {
            parts.push(format!("{} of blobs that are not complete", HumanBytes(unfinished)));
        }
        if *retries > 0 {
            parts.push(count(*retries, "retry"));
        }
        parts.push(format!("in {}", stopwatch(self.elapsed)));
        let line = parts.join(", ");
        let told = ReportTold { event: "report", report: &self.followed.report };
        console.tell(Level::Info, &told, &line);
    }

    /// Says how signatures and the like went, unless the run was cut short.
    fn attachments(&self, console: &mut Console) {
        let tallies = self.followed.report.attachments.values();
        let (done, expected) = tallies
            .fold((0, 0), |(done, expected), tally| (done + tally.done, expected + tally.expected));
        if expected > 0 && self.followed.stop.is_none() {
            let mark = if done == expected { '✓' } else { '✗' };
            let what = "signatures and other attachments of images mirrored";
            console.info(format!(" {mark}  {done} / {expected} {what}"));
        }
    }

    /// Of an archive that was not completed nothing is kept.
    fn kept(&self, tally: Tally) -> Tally {
        match self.followed.sealed {
            None if super::is_archive(self.plan) => Tally { done: 0, ..tally },
            _ => tally,
        }
    }

    /// Lists what failed in a file, in the order of the plan, and says what may help.
    fn write_missed(&self, missed: &[Missed], written: &mut Written, console: &mut Console) {
        if missed.is_empty() {
            return;
        }
        let file = self.run.working_dir.errors_file();
        let number = missed.len();
        match files::write(&file, missed::text(missed).as_bytes()) {
            Ok(()) => console
                .say(Level::Error, format!("{number} not mirrored; {} lists why", file.display())),
            Err(error) => written.fail(error, console),
        }
        missed::help(missed, console);
        self.withheld(console);
    }

    /// Says how a catalog can be had whose bundles are not all there.
    fn withheld(&self, console: &mut Console) {
        let report = &self.followed.report;
        let is_catalog = |id| self.plan.image(id).is_some_and(|image| image.kind == Kind::Catalog);
        let is_lost = |lost: &Lost| lost.kind == Kind::Catalog && lost.failure.code == Code::Needs;
        let is_withheld =
            report.skipped.keys().any(|id| is_catalog(*id)) || report.lost.iter().any(is_lost);
        if is_withheld && self.run.request.operators.incomplete == Incomplete::Withheld {
            let what = "help: `--push-incomplete-catalog` pushes catalogs without the bundles that \
                        could not be mirrored";
            console.say(Level::Error, what);
        }
    }

    fn write_results(&self, written: &mut Written, console: &mut Console) {
        let (working_dir, report) = (&self.run.working_dir, &self.followed.report);
        let has_kept = !super::is_archive(self.plan) || self.followed.sealed.is_some();
        if !has_kept {
            return;
        }
        let mapping = mapping::mirrored(self.plan, report);
        if let Err(error) = files::write(&working_dir.mapping_file(), mapping.as_bytes()) {
            written.fail(error, console);
        }
        if super::is_archive(self.plan) {
            return;
        }
        let documents = documents(self.run, self.plan, report, console);
        written.resources = !documents.is_empty();
        if let Err(error) = working_dir.replace_resources(documents) {
            written.fail(error, console);
        }
    }

    fn next(&self, written: &Written, missed: &[Missed], (program, console): (&str, &mut Console)) {
        let is_stopped = self.followed.stop.is_some();
        if let Some(sealed) = &self.followed.sealed {
            self.carry(sealed, missed, (program, console));
        } else if super::is_archive(self.plan) {
            let before = match self.followed.before {
                Before::Archive => "the older one is as it was",
                Before::Nothing => "there was none before",
            };
            let written = if is_stopped {
                "nothing was kept of the archive that was being written"
            } else {
                "no archive was written"
            };
            console.warn(format!("{written}; {before}"));
        } else if written.resources {
            let resources = self.run.working_dir.resources();
            console.info(format!("cluster resources: {}", resources.display()));
            console.info(format!("next: oc apply -f {}", resources.display()));
        } else if !is_stopped {
            console.info("there is nothing to tell the cluster");
        }
        if !super::is_archive(self.plan) && (is_stopped || !missed.is_empty()) {
            let then = if is_stopped { "next" } else { "then, or later" };
            console
                .info(format!("{then}: run the same command again; what is there is recognised"));
        }
    }

    /// Says what there is to be carried across, and what is not in it.
    fn carry(&self, sealed: &Sealed, missed: &[Missed], (program, console): (&str, &mut Console)) {
        let directory = self.directory().display();
        let volumes = count(sealed.volumes.len(), "volume");
        let size = HumanBytes(sealed.total_len());
        console.info(format!("archive: {volumes}, {size}, in {directory}"));
        let mut choice = "";
        if !missed.is_empty() {
            let replaced = match self.followed.before {
                Before::Archive => ", and it replaced the older one",
                Before::Nothing => "",
            };
            let lacking = lacking(missed);
            console.warn(format!("the archive is PARTIAL: it lacks {lacking}{replaced}"));
            let origins = missed.iter().map(Missed::name).collect();
            for origin in missed::abridged(origins) {
                console.warn(format!("  not in it: {origin}"));
            }
            choice = "run the same command again for a whole one; or, as it is, ";
        }
        let config = self.run.request.config.display();
        let more = far_side::flags(self.run.request);
        console.info(format!(
            "next: {choice}carry {directory} across, with {config}, and there: {program} -c \
             {config} --from file://{directory}{more} docker://REGISTRY[/NAMESPACE]"
        ));
    }

    fn directory(&self) -> &Path {
        match &self.run.request.flow {
            Flow::MirrorToDisk { directory } => directory,
            Flow::MirrorToMirror { workspace, .. } => workspace,
            Flow::DiskToMirror { from, .. } => from,
        }
    }
}

impl Written {
    fn fail(&mut self, error: FileError, console: &mut Console) {
        self.incomplete = true;
        if let Halt::Failed(complaint) = Halt::from(error) {
            console.complain(&complaint);
        }
    }
}

/// Says how much is not there, of which something is not.
fn lacking(missed: &[Missed]) -> String {
    let images = missed.iter().filter(|missed| missed.is_image()).count();
    let selected = "something that is selected and that no catalog has";
    match (images, missed.len() - images) {
        (_, 0) => count(images, "image"),
        (0, _) => selected.to_owned(),
        _ => format!("{}, and {selected}", count(images, "image")),
    }
}

fn group_word(group: Group) -> &'static str {
    match group {
        Group::Release => "release",
        Group::Operator => "operator",
        Group::Additional => "additional",
        Group::Helm => "helm",
        _ => "other",
    }
}

fn tally_line(group: Group, tally: &Tally) -> String {
    let Tally { expected, done, .. } = tally;
    let word = group_word(group);
    if done == expected {
        return format!(" ✓  {done} / {expected} {word} images mirrored successfully");
    }
    format!(
        " ✗  {done} / {expected} {word} images mirrored: Some {word} images failed to be \
         mirrored - please check the logs"
    )
}

/// Returns how the images of one group went that a run did not get to the end of.
fn stopped_line(group: Group, Tally { expected, done, failed, .. }: Tally) -> String {
    let word = group_word(group);
    let rest = expected.saturating_sub(done).saturating_sub(failed);
    let mark = if done == expected { '✓' } else { '✗' };
    let counted = [(rest, "not copied"), (failed, "failed")];
    let counted = counted.iter().filter(|(number, _)| *number > 0);
    let line = format!(" {mark}  {done} / {expected} {word} images mirrored");
    counted.fold(line, |line, (number, how)| format!("{line}, {number} {how}"))
}

/// Returns the resources for a cluster that gets what `report` says is there.
pub(super) fn documents(
    run: &Run<'_>,
    plan: &Plan,
    report: &Report,
    console: &mut Console,
) -> Vec<(String, Vec<u8>)> {
    let scope = match run.request.nesting {
        Nesting::Free => Scope::Shortest,
        Nesting::Limited => Scope::Repository,
    };
    let sets = mirror_sets(plan, report, scope);
    for left_out in sets.left_out() {
        console.warn(format!("no resource for {}: {}", left_out.origin, left_out.reason));
    }
    for notice in sets.notices() {
        console.warn(format!("{} {}", notice.origin, notice.change));
    }
    let stamp = Stamp {
        created_at: run.clock.date().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        created_by: version::NAME.to_owned(),
        version: version::NUMBER.to_owned(),
    };
    let mut documents = sets.documents(&stamp);
    let catalogs = run.catalogs.as_ref().map_or(&[][..], Catalogs::as_slice);
    documents.extend(ocm_mirror::documents(plan, report, (&run.decided, catalogs), &stamp));
    let documents = documents.into_iter();
    documents.map(|document| (document.file_name, document.text.into_bytes())).collect()
}
