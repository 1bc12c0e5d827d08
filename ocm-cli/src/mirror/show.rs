//! What is said before content moves.

use indicatif::HumanBytes;
use ocm_mirror::{DestinationRules, Notice, Planned, Summary};
use ocm_transport::archive::ArchiveLayout;

use crate::{
    console::{Console, Level},
    graph,
    progress::count,
    request::{Effort, Flow, Mode, Request},
};

/// Says what was asked for.
pub(super) fn request(request: &Request, console: &mut Console) {
    let config = request.config.display();
    let flow = match &request.flow {
        Flow::MirrorToMirror { rules, .. } => format!("{config} ➡️ {}", target(rules)),
        Flow::MirrorToDisk { directory } => format!("{config} ➡️ {}", directory.display()),
        Flow::DiskToMirror { from, rules, .. } => {
            format!("{config}: {} ➡️ {}", from.display(), target(rules))
        }
    };
    let mode = if request.mode == Mode::Mirror { "" } else { ", dry run" };
    console.info(format!("{flow}{mode}"));
    if let Some(notice) = graph::notice_of_filter(&request.releases.paths) {
        console.warn(notice);
    }
    if !request.ineffective.is_empty() {
        let given = request.ineffective.join(", ");
        console.warn(format!("without effect here: {given}"));
    }
}

fn target(rules: &DestinationRules) -> String {
    match rules.namespace() {
        Some(namespace) => format!("docker://{}/{namespace}", rules.host()),
        None => format!("docker://{}", rules.host()),
    }
}

/// Says what is left out.
pub(super) fn blocked(origins: &[String], console: &mut Console) {
    for origin in origins {
        console.info(format!("Blocked by blockedImages: {origin}"));
    }
}

/// Says what was noticed while images were looked for.
pub(super) fn notices(notices: &[Notice], console: &mut Console) {
    for Notice { text, hint, .. } in notices {
        console.warn(match hint {
            Some(hint) => format!("{text}; {hint}"),
            None => text.clone(),
        });
    }
}

/// Says that places are asked, which may take a while without a word from them.
pub(super) fn asking(images: usize, effort: &Effort, console: &mut Console) {
    let line = format!("looking up {}", count(images, "image"));
    if console.has_status() {
        console.show(&[format!("  {line}")]);
        return;
    }
    let retries = count(usize::try_from(effort.retry.times).unwrap_or(usize::MAX), "time");
    console.info(match effort.retry.times {
        0 => line,
        _ => format!("{line}; what fails is tried again up to {retries}"),
    });
}

/// Says what will be done.
pub(super) fn plan(planned: &Planned, console: &mut Console) {
    for warning in &planned.warnings {
        console.warn(warning.to_string());
    }
    let summary = planned.plan.summary();
    console.tell(Level::Info, &told(&summary), &line(&summary));
}

fn told(summary: &Summary) -> serde_json::Value {
    let mut told = serde_json::to_value(summary).unwrap_or_default();
    if let Some(object) = told.as_object_mut() {
        object.insert("event".to_owned(), "plan".into());
    }
    told
}

fn line(summary: &Summary) -> String {
    let Summary { images, present, lost, attachments, blobs, .. } = *summary;
    let mut parts = vec![count(images, "image")];
    if present > 0 {
        parts.push(format!("{present} already there"));
    }
    if lost > 0 {
        parts.push(format!("{lost} cannot be had"));
    }
    if attachments > 0 {
        parts.push(format!("with {}", count(attachments, "attachment")));
    }
    parts.push(format!("{} in all", HumanBytes(summary.bytes_in_all)));
    if summary.bytes_shared > 0 {
        parts.push(format!("{} shared", HumanBytes(summary.bytes_shared)));
    }
    let blobs = count(blobs, "blob");
    parts.push(format!("{} to fetch in {blobs}", HumanBytes(summary.bytes_to_fetch)));
    parts.join(", ")
}

/// Says what an archive will take.
pub(super) fn layout(layout: &ArchiveLayout, free: Option<u64>, console: &mut Console) {
    let (volumes, bytes) = (layout.volumes().len(), layout.total_len());
    let free_there = free.map(|free| format!(", {} free there", HumanBytes(free)));
    let line = format!(
        "archive of {} in {}{}",
        HumanBytes(bytes),
        count(volumes, "volume"),
        free_there.unwrap_or_default()
    );
    let told = serde_json::json!({
        "event": "layout", "volumes": volumes, "bytes": bytes, "bytes_free": free,
    });
    console.tell(Level::Info, &told, &line);
}
