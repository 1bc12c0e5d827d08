//! `ocm graph select`: which releases a configuration means.

use ocm_graph::Reason;
use ocm_mirror::{Group, ReleaseWarning, SelectedRelease, SelectedReleases, select_releases};
use serde_json::{Value, json};

use super::{ASKING, notice_of_filter, updates};
use crate::{
    args::{GraphSelectArgs, ResultFormat},
    configuration,
    console::Console,
    exit::Exit,
    halt::Halt,
    report::Complaint,
    request::UsageError,
    session::Session,
    table,
};

/// Shows the releases; what cannot be had is said, and the others are shown all the same.
pub(super) async fn run(args: &GraphSelectArgs, session: &mut Session) -> Result<Exit, Halt> {
    let configuration = configuration::read_any(&args.config, &mut session.console)?;
    let releases = &configuration.image_set.mirror.platform;
    let updates = updates(&args.updates, &session.environment)?;
    let filter = session.environment.version_filter();
    let rules = args.paths.rules(filter.map_err(UsageError::VersionFilter)?);
    if let Some(notice) = notice_of_filter(&rules) {
        session.console.warn(notice);
    }
    let selecting = Box::pin(select_releases(releases, &rules, &*updates));
    let selected = session.wait(ASKING, selecting).await?;
    if releases.channels.is_empty() && releases.release.is_none() {
        session.console.warn(format!("{} names no releases", args.config.display()));
    }
    let payload = releases.release.as_ref().map(|release| release.written.as_str());
    match args.format {
        ResultFormat::Text => session.console.print_lines(&text(&selected.releases, payload)),
        ResultFormat::Json => session.console.print_json(&object(&selected.releases, payload)),
    }
    tell(&selected, &mut session.console);
    let failed = (!selected.errors.is_empty()).then_some(Group::Release);
    Ok(Exit::of_groups(failed))
}

/// Says what might be meant otherwise, and what cannot be had.
fn tell(selected: &SelectedReleases, console: &mut Console) {
    for notice in selected.warnings.iter().flat_map(ReleaseWarning::notices) {
        console.warn(notice.text);
    }
    for error in &selected.errors {
        let hint = error.hint().map(str::to_owned);
        console.complain(&Complaint::of(error).with_hint(hint));
    }
}

fn object(releases: &[SelectedRelease], payload: Option<&str>) -> Value {
    let one = |release: &SelectedRelease| {
        json!({
            "version": release.version.to_string(),
            "channel": release.channel.name,
            "architecture": release.architecture,
            "payload": release.payload.as_written(),
            "reason": reason(release.reason),
        })
    };
    // What a payload that is named by itself holds, is not known before it is read.
    let named = |payload| {
        json!({
            "version": null, "channel": null, "architecture": null, "payload": payload,
            "reason": NAMED,
        })
    };
    let all: Vec<_> = payload.map(named).into_iter().chain(releases.iter().map(one)).collect();
    json!({ "releases": all })
}

/// Why a payload is mirrored that the configuration names by itself.
const NAMED: &str = "payload";

fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Bound => "bound",
        Reason::Path => "path",
        Reason::CrossChannel => "cross-channel",
    }
}

fn text(releases: &[SelectedRelease], payload: Option<&str>) -> Vec<String> {
    let heads = ["VERSION", "ARCHITECTURE", "CHANNEL", "REASON", "PAYLOAD"].map(str::to_owned);
    let named = |payload: &str| ["-", "-", "-", NAMED, payload].map(str::to_owned);
    let one = |release: &SelectedRelease| {
        [
            release.version.to_string(),
            release.architecture.clone(),
            release.channel.name.clone(),
            reason(release.reason).to_owned(),
            release.payload.as_written().to_owned(),
        ]
    };
    let rows: Vec<_> =
        std::iter::once(heads).chain(payload.map(named)).chain(releases.iter().map(one)).collect();
    table::lines(&rows)
}
