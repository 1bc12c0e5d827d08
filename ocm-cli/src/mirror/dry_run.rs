//! A plan, written down instead of carried out.

use ocm_mirror::{Plan, Report};

use super::{Run, Session, conclude, disk, mapping, missed};
use crate::{console::Level, exit::Exit, halt::Halt, progress, request::Flow};

/// Writes what would be done. What cannot be had is said, and is in the exit code.
///
/// # Errors
///
/// When a file cannot be written.
pub(super) fn write(run: &Run<'_>, plan: &Plan, session: &mut Session) -> Result<Exit, Halt> {
    let (mode, console) = (run.request.mode, &mut session.console);
    let lost = Report { lost: plan.lost().to_vec(), ..Report::default() };
    for lost in &lost.lost {
        console.say(Level::Error, progress::lost_line(lost));
    }
    missed::help(&missed::all(plan, &lost), console);
    if let Flow::MirrorToDisk { directory } = &run.request.flow {
        disk::preview(run, plan, directory, console)?;
    }
    let file = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    let mut files = vec![
        file("mapping.txt", mapping::all(plan, mode)),
        file("missing.txt", mapping::missing(plan, mode)),
    ];
    files.extend(conclude::documents(run, plan, &as_if_done(plan), console));
    let directory = run.working_dir.replace_dry_run(files)?;
    console.info(format!("nothing was copied; {} says what would be", directory.display()));
    console.info("next: the same command without `--dry-run`");
    Ok(Exit::of_groups(plan.lost().iter().map(|lost| lost.kind.group())))
}

fn as_if_done(plan: &Plan) -> Report {
    let done = plan.images().map(|(id, _)| id).collect();
    Report { present: plan.present().to_vec(), done, ..Report::default() }
}
