//! Writes an archive: laid out, checked for room, filled, and made visible at the end.

use std::path::Path;

use indicatif::HumanBytes;
use ocm_config::ArchiveSize;
use ocm_mirror::{Place, Plan, contents};
use ocm_transport::archive::{ArchiveLayout, ArchiveWriter, Contents};
use rustix::fs::statvfs;

use super::{
    Ready, Run, Session,
    follow::{Before, Followed, follow},
    show,
};
use crate::{
    console::Console,
    files,
    halt::Halt,
    report::Complaint,
    request::{SpaceCheck, Split},
};

/// Volumes of a configuration that does not say: as in oc-mirror.
const USUAL_GIB: u64 = 500;
/// Name of the record that holds the configuration.
const CONFIGURATION_RECORD: &str = "imageset-config.yaml";
/// Name of the volume that every archive has.
const FIRST_VOLUME: &str = "mirror_000001.tar";

/// Executes into an archive in `directory`.
///
/// # Errors
///
/// When the archive cannot be laid out, does not fit, or cannot be written. The one that was
/// there before stays as it is then, as it does when the program is told to stop.
pub(super) async fn write(
    run: &Run<'_>,
    ready: Ready,
    directory: &Path,
    session: &mut Session,
) -> Result<Followed, Halt> {
    let (contents, layout) = draft(run, &ready.plan)?;
    files::make_dir(directory)?;
    let before = before(directory);
    let free = free_bytes(directory);
    show::layout(&layout, free, &mut session.console);
    if run.request.space == SpaceCheck::Refuse {
        check_space(layout.total_len(), free, directory)?;
    }
    let created = ArchiveWriter::create(directory, layout, &contents);
    let writer = session.stopping.unless(created).await??;
    // The writer has what it needs of it, and the run takes long.
    drop(contents);
    let Ready { plan, mut means, options } = ready;
    means.places = means.places.with_destination(Place::Archive, writer.place());
    let ready = Ready { plan, means, options };
    let mut followed = follow(ready, directory.display().to_string(), session).await;
    followed.before = before;
    if followed.stop.is_some() || followed.report.done.is_empty() {
        return Ok(followed);
    }
    session.console.show(&["  writing the last of it to the disk".to_owned()]);
    match session.stopping.unless(writer.seal()).await {
        Ok(sealed) => followed.sealed = Some(sealed?),
        Err(stop) => followed.stop = Some(stop),
    }
    session.console.clear();
    Ok(followed)
}

/// Says what an archive would take, and writes nothing.
///
/// # Errors
///
/// When there can be none.
pub(super) fn preview(
    run: &Run<'_>,
    plan: &Plan,
    directory: &Path,
    console: &mut Console,
) -> Result<(), Halt> {
    let (_, layout) = draft(run, plan)?;
    // The directory may not be there yet; what counts is the file system.
    let free = directory.ancestors().find_map(free_bytes).or_else(|| free_bytes(Path::new(".")));
    show::layout(&layout, free, console);
    if run.request.space == SpaceCheck::Refuse {
        check_space(layout.total_len(), free, directory)?;
    }
    Ok(())
}

fn draft(run: &Run<'_>, plan: &Plan) -> Result<(Contents, ArchiveLayout), Halt> {
    let configuration = run.configuration.text.clone();
    let mut records = run.decided.records.clone();
    records.insert(CONFIGURATION_RECORD.to_owned(), configuration);
    let mut contents = contents(plan, records)?;
    contents.created = run.clock.source_date().map(|date| date.to_string());
    let layout = lay_out(run, &contents)?;
    Ok((contents, layout))
}

fn lay_out(run: &Run<'_>, contents: &Contents) -> Result<ArchiveLayout, Halt> {
    let asked = run.configuration.image_set.archive_size;
    let size = asked.or_else(|| ArchiveSize::from_gib(USUAL_GIB));
    let layout = ArchiveLayout::of(contents, size.map(ArchiveSize::bytes))?;
    if run.request.split == Split::Refuse
        && let Some(held) = layout.cut().next()
    {
        let message =
            format!("`{}` of {} does not fit into one volume", held.digest, HumanBytes(held.size));
        let size = ArchiveSize::at_least(held.size.saturating_add(1 << 20));
        let hint = match size {
            Some(size) => format!(
                "write `archiveSize: {}`, or leave out `--strict-archive`: it is split then",
                size.gib()
            ),
            None => "leave out `--strict-archive`: it is split then".to_owned(),
        };
        return Err(Complaint::told([message], Some(hint)).into());
    }
    Ok(layout)
}

/// Looks whether there is an archive that a new one would replace.
fn before(directory: &Path) -> Before {
    if directory.join(FIRST_VOLUME).exists() { Before::Archive } else { Before::Nothing }
}

/// Returns how many bytes may still be written there, where the file system says.
fn free_bytes(directory: &Path) -> Option<u64> {
    let found = statvfs(directory).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

fn check_space(needed: u64, free: Option<u64>, directory: &Path) -> Result<(), Halt> {
    let Some(free) = free.filter(|free| *free < needed) else { return Ok(()) };
    let message = format!(
        "the archive has {}, and {} has room for {}",
        HumanBytes(needed),
        directory.display(),
        HumanBytes(free)
    );
    let hint = "make room, or name another directory; `--no-space-check` begins all the same. The \
                archive of an earlier run is needed until the new one is complete";
    Err(Complaint::told([message], Some(hint.to_owned())).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_fit_is_refused() {
        let there = Path::new("/srv");
        assert!(check_space(10, Some(10), there).is_ok());
        assert!(check_space(10, None, there).is_ok());
        let Err(Halt::Failed(complaint)) = check_space(2 << 30, Some(1 << 20), there) else {
            panic!("it was not refused");
        };
        assert_eq!(complaint.message, "the archive has 2.00 GiB, and /srv has room for 1.00 MiB");
        assert!(complaint.hint.unwrap().contains("--no-space-check"));
    }

    #[test]
    fn free_space_is_known() {
        assert!(free_bytes(Path::new("/")).is_some());
        assert_eq!(free_bytes(Path::new("/no/such/directory")), None);
    }
}
