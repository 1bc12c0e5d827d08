//! `ocm list releases`: versions, channels, and what an upgrade goes through.

use std::collections::BTreeSet;

use ocm_graph::{Channel, Graph, Refusal, Release, solve};
use ocm_mirror::{UpdateGraphError, UpdateGraphs};
use serde_json::{Value, json};

use crate::{
    args::{ListReleasesArgs, ResultFormat},
    console::printable,
    exit::Exit,
    graph::{ASKING, hops, updates},
    halt::Halt,
    report::Complaint,
    session::Session,
};

/// What one channel has for one architecture.
struct Listed {
    architecture: String,
    releases: Vec<Release>,
    hops: Vec<Value>,
}

/// Lists what was asked for.
pub(super) async fn run(args: &ListReleasesArgs, session: &mut Session) -> Result<Exit, Halt> {
    match (channel(args)?, args.channels.is_on()) {
        (None, _) => super::minors::run(args, session).await,
        (Some(channel), true) => channels(args, &channel, session).await,
        (Some(channel), false) => releases(args, &channel, session).await,
    }
}

/// Returns the channel that is meant; `None` where nothing is.
fn channel(args: &ListReleasesArgs) -> Result<Option<Channel>, Halt> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let stable = given(&args.version).map(|version| format!("stable-{version}"));
    match (given(&args.channel), stable) {
        (Some(name), _) if name == "stable-" => {
            let text = "`stable-` is the beginning of a channel's name".to_owned();
            Err(Complaint::told([text], Some("write `stable-4.18`".to_owned())).into())
        }
        // The channels of a version are those of its stable one.
        (_, Some(stable)) if args.channels.is_on() => Ok(Some(Channel::ocp(stable))),
        (name, stable) => Ok(name.or(stable).map(Channel::ocp)),
    }
}

async fn read(
    channel: &Channel,
    architecture: &str,
    updates: &dyn UpdateGraphs,
) -> Result<Graph, UpdateGraphError> {
    let bytes = updates.fetch(channel, architecture).await?;
    Graph::from_json(&bytes).map_err(|source| {
        let (channel, architecture) = (channel.clone(), architecture.to_owned());
        UpdateGraphError::NotAGraph { channel, architecture, source }
    })
}

/// Lists the releases of a channel, for each architecture.
async fn releases(
    args: &ListReleasesArgs,
    channel: &Channel,
    session: &mut Session,
) -> Result<Exit, Halt> {
    let updates = updates(&args.updates, &session.environment)?;
    let (mut listed, mut exit) = (Vec::new(), Exit::SUCCESS);
    for architecture in &args.filter_by_archs {
        let reading = read(channel, architecture, &*updates);
        let graph = session.wait(ASKING, reading).await?.map_err(Complaint::from);
        match graph.and_then(|graph| list(args, channel, architecture, &graph)) {
            Ok(one) => listed.push(one),
            Err(complaint) => {
                session.console.complain(&complaint);
                exit = Exit::GENERIC;
            }
        }
    }
    match args.format {
        // What is listed is not there: its heading would stand above nothing.
        ResultFormat::Text if listed.is_empty() => {}
        ResultFormat::Text => {
            session.console.print_lines(&text(args, channel, &listed, &session.program));
        }
        ResultFormat::Json => session.console.print_json(&object(channel, &listed)),
    }
    Ok(exit)
}

/// Returns the releases of a graph that are asked for.
fn list(
    args: &ListReleasesArgs,
    channel: &Channel,
    architecture: &str,
    graph: &Graph,
) -> Result<Listed, Complaint> {
    let Some(newest) = graph.newest() else {
        let hint = "`list releases --channels --version X.Y` lists the channels of a version";
        return Err(Complaint::told([nothing(channel, architecture)], Some(hint.to_owned())));
    };
    let architecture = architecture.to_owned();
    let Some(from) = &args.from else {
        let releases = graph.releases().cloned().collect();
        return Ok(Listed { architecture, releases, hops: Vec::new() });
    };
    let to = args.to.as_ref().unwrap_or(&newest.version);
    match solve(graph, (from, to), &Refusal::Nothing) {
        Ok(path) => {
            let releases = path.releases().to_vec();
            Ok(Listed { architecture, releases, hops: hops(path.hops()) })
        }
        Err(why) => {
            let text = format!("no upgrade path leads from {from} to {to} for {architecture}");
            Err(Complaint::told([text, why.to_string()], None))
        }
    }
}

/// Says that servers know nothing of a channel: none answers that there is no such one.
fn nothing(channel: &Channel, architecture: &str) -> String {
    format!("channel `{channel}` has no releases for {architecture}")
}

fn text(
    args: &ListReleasesArgs,
    channel: &Channel,
    listed: &[Listed],
    program: &str,
) -> Vec<String> {
    let mut lines = Vec::new();
    if channel.name.starts_with("stable") && args.from.is_none() {
        let version = channel.name.rsplit('-').next().unwrap_or_default();
        lines.extend([
            "Listing stable channels. Use --channel=<name> to filter.".to_owned(),
            format!(
                "Use {program} list releases --channels --version={version} to discover other \
                 channels."
            ),
            String::new(),
        ]);
    }
    for Listed { architecture, releases, .. } in listed {
        lines.extend([format!("Channel: {channel}"), format!("Architecture: {architecture}")]);
        lines.extend(releases.iter().map(|release| release.version.to_string()));
    }
    lines
}

fn object(channel: &Channel, listed: &[Listed]) -> Value {
    let mut releases = Vec::new();
    let mut paths = Vec::new();
    for Listed { architecture, releases: these, hops } in listed {
        releases.extend(these.iter().map(|release| {
            json!({
                "version": release.version.to_string(),
                "channel": channel.name,
                "architecture": architecture,
                "payload": release.payload,
                "channels": release.channels().collect::<BTreeSet<_>>(),
            })
        }));
        if !hops.is_empty() {
            paths.push(json!({ "architecture": architecture, "hops": hops }));
        }
    }
    if paths.is_empty() {
        json!({ "releases": releases })
    } else {
        json!({ "releases": releases, "paths": paths })
    }
}

/// Lists the channels that the releases of a channel are in.
async fn channels(
    args: &ListReleasesArgs,
    channel: &Channel,
    session: &mut Session,
) -> Result<Exit, Halt> {
    let updates = updates(&args.updates, &session.environment)?;
    let architecture = args.filter_by_archs.first().map_or("amd64", String::as_str);
    let reading = read(channel, architecture, &*updates);
    let graph = session.wait(ASKING, reading).await??;
    if graph.is_empty() {
        let hint = "`list releases` lists the versions that have channels";
        let told = Complaint::told([nothing(channel, architecture)], Some(hint.to_owned()));
        return Err(told.into());
    }
    let version = args.version.as_deref().unwrap_or_default();
    let names = graph.channels().into_iter().map(|name| printable(name).into_owned());
    match args.format {
        ResultFormat::Text => {
            let head = [format!("Channels of OpenShift {version}:"), String::new()];
            session.console.print_lines(&head.into_iter().chain(names).collect::<Vec<_>>());
        }
        ResultFormat::Json => {
            let names: Vec<_> = names.collect();
            session.console.print_json(&json!({ "channels": names }));
        }
    }
    Ok(Exit::SUCCESS)
}
