//! A plan, written down instead of carried out.

use ocm_mirror::{Plan, Report};

use super::{Run, Session, conclude, disk, mapping};
use crate::{console::Level, exit::Exit, halt::Halt, progress, request::Flow};

/// Writes what would be done. What cannot be had is said, and is in the exit code.
///
/// # Errors
///
/// When a file cannot be written.
pub(super) fn write(run: &Run<'_>, plan: &Plan, session: &mut Session) -> Result<Exit, Halt> {
    let (mode, console) = (run.request.mode, &mut session.console);
    for lost in plan.lost() {
        console.say(Level::Error, progress::lost_line(lost));
    }
    if let Flow::MirrorToDisk { directory } = &run.request.flow {
        disk::preview(run, plan, directory, console)?;
    }
    let file = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    let mut files = vec![file("mapping.txt", mapping::all(plan, mode))];
    let missing = mapping::missing(plan, mode);
    if !missing.is_empty() {
        files.push(file("missing.txt", missing));
    }
    files.extend(conclude::documents(run, plan, &as_if_done(plan), console));
    let directory = run.working_dir.replace_dry_run(files)?;
    console.info(format!("nothing was copied; {} says what would be", directory.display()));
    console.info("next: the same command without `--dry-run`");
    Ok(Exit::of_kinds(plan.lost().iter().map(|lost| lost.kind)))
}

fn as_if_done(plan: &Plan) -> Report {
    let done = plan.images().map(|(id, _)| id).collect();
    Report { present: plan.present().to_vec(), done, ..Report::default() }
}
