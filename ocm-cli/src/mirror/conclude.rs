//! The end of a run: its files, its last lines, and its exit code.

use std::{collections::BTreeSet, path::Path, time::Duration};

use indicatif::HumanBytes;
use ocm_mirror::{Failure, Kind, Lost, Plan, Report, Tally, mirror_sets};
use ocm_resources::{Scope, Stamp};
use serde::Serialize;

use super::{Run, Session, follow::Followed, mapping};
use crate::{
    console::{Console, Level},
    exit::Exit,
    files::{self, FileError},
    halt::Halt,
    progress::stopwatch,
    request::{Flow, Nesting},
    supervise::Stop,
    version,
};

/// Most pieces of advice that are given; the file of failures has all.
const MOST_HINTS: usize = 5;

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
        let failures = failures(self.plan, report);
        let mut written = Written::default();
        self.write_failures(&failures, &mut written, console);
        if self.followed.stop.is_none() {
            self.write_results(&mut written, console);
        }
        self.next(&written, !failures.is_empty(), (&session.program, &mut session.console));
        let exit = match self.followed.stop {
            Some(stop) => return stop.into(),
            None => Exit::of_kinds(report.incomplete_kinds()),
        };
        if written.incomplete { exit.and(Exit::GENERIC) } else { exit }
    }

    fn results(&self, console: &mut Console) {
        let Report { kinds, blobs, retries, .. } = &self.followed.report;
        if let Some(stop) = self.followed.stop {
            let signal = match stop {
                Stop::Interrupt => "Ctrl-C",
                Stop::Terminate => "SIGTERM",
            };
            console.warn(format!("stopped by {signal}"));
        }
        console.info("=== Results ===");
        for (kind, tally) in kinds.iter().filter(|(_, tally)| tally.expected > 0) {
            console.info(tally_line(*kind, tally));
        }
        let mut parts = vec![
            format!("{} copied in {} blobs", HumanBytes(blobs.bytes), blobs.copied),
            format!("{} mounted", blobs.mounted),
            format!("{} found there", blobs.present),
        ];
        if *retries > 0 {
            parts.push(format!("{retries} retries"));
        }
        parts.push(format!("in {}", stopwatch(self.elapsed)));
        let line = parts.join(", ");
        let told = ReportTold { event: "report", report: &self.followed.report };
        console.tell(Level::Info, &told, &line);
    }

    /// Lists what failed in a file, in the order of the plan, and says what may help.
    fn write_failures(
        &self,
        failures: &[(String, String, Option<String>)],
        written: &mut Written,
        console: &mut Console,
    ) {
        if failures.is_empty() {
            return;
        }
        let line = |(origin, why, _): &(String, String, Option<String>)| {
            let line = format!("error mirroring image {origin} error: {why}");
            crate::console::printable(&line).into_owned() + "\n"
        };
        let text: String = failures.iter().map(line).collect();
        let file = self.run.working_dir.errors_file();
        let count = failures.len();
        match files::write(&file, text.as_bytes()) {
            Ok(()) => console
                .say(Level::Error, format!("{count} not mirrored; {} lists why", file.display())),
            Err(error) => written.fail(error, console),
        }
        let hints: BTreeSet<_> = failures.iter().filter_map(|(_, _, hint)| hint.as_ref()).collect();
        for hint in hints.into_iter().take(MOST_HINTS) {
            console.say(Level::Error, format!("help: {hint}"));
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

    fn next(&self, written: &Written, has_failed: bool, (program, console): (&str, &mut Console)) {
        let Followed { stop, sealed, .. } = &self.followed;
        let is_archive = super::is_archive(self.plan);
        if let Some(sealed) = sealed {
            let (count, size) = (sealed.volumes.len(), HumanBytes(sealed.total_len()));
            let directory = self.directory().display();
            let word = if count == 1 { "volume" } else { "volumes" };
            console.info(format!("archive: {count} {word}, {size}, in {directory}"));
            if has_failed {
                console.warn("what failed is not in it, and the far side is told so");
            }
            let config = self.run.request.config.display();
            console.info(format!(
                "next: carry {directory} across, and there: {program} -c {config} --from \
                 file://{directory} docker://REGISTRY[/NAMESPACE]"
            ));
        } else if is_archive {
            console.warn("no archive was written; one that was there is as it was");
        } else if written.resources {
            let resources = self.run.working_dir.resources();
            console.info(format!("cluster resources: {}", resources.display()));
            console.info(format!("next: oc apply -f {}", resources.display()));
        } else if stop.is_none() {
            console.info("there is nothing to tell the cluster");
        }
        if stop.is_some() || has_failed {
            console.info("then, or later: the same command again; what is done stays done");
        }
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

fn tally_line(kind: Kind, tally: &Tally) -> String {
    let Tally { expected, done, .. } = tally;
    let word = match kind {
        Kind::Release => "release",
        Kind::Operator => "operator",
        Kind::Additional => "additional",
        Kind::Helm => "helm",
        _ => "other",
    };
    if done == expected {
        return format!(" ✓  {done} / {expected} {word} images mirrored successfully");
    }
    format!(
        " ✗  {done} / {expected} {word} images mirrored: Some {word} images failed to be \
         mirrored - please check the logs"
    )
}

/// Returns every image that is not there, in the order of the plan: what it is called, why, and
/// what may help.
fn failures(plan: &Plan, report: &Report) -> Vec<(String, String, Option<String>)> {
    let told = |origin: &str, failure: &Failure| {
        (origin.to_owned(), failure.chain.join(": "), failure.hint.clone())
    };
    let lost = report.lost.iter().map(|Lost { failure, .. }| told(&failure.image, failure));
    let mut failures: Vec<_> = lost.collect();
    for (id, image) in plan.images() {
        for name in &image.names {
            if let Some(failure) = report.failed.get(&id) {
                failures.push(told(&name.origin, failure));
            } else if let Some(because) = report.skipped.get(&id) {
                let needed = plan.image(*because).map_or("an image", |image| image.origin());
                let why = format!("it needs {needed}, which is not there");
                failures.push((name.origin.clone(), why, None));
            }
        }
    }
    failures
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
    let documents = sets.documents(&stamp).into_iter();
    documents.map(|document| (document.file_name, document.yaml.into_bytes())).collect()
}
