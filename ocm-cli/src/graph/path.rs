//! `ocm graph path`: the best way from one release to another.

use std::{borrow::Cow, path::Path};

use ocm_graph::{Advice, Channel, Graph, Hop, NoPath, UpgradePath, solve};
use ocm_mirror::UpdateGraphError;
use serde_json::{Value, json};

use super::{ASKING, dot, updates};
use crate::{
    args::{GraphPathArgs, PathFormat},
    console::printable,
    exit::Exit,
    files,
    halt::Halt,
    progress::count,
    report::Complaint,
    session::Session,
};

/// What a graph is called that was read from a file.
const OF_A_FILE: &str = "the graph";

/// Shows the way, or says why there is none.
pub(super) async fn run(args: &GraphPathArgs, session: &mut Session) -> Result<Exit, Halt> {
    let graph = read(args, session).await?;
    let refusal = args.refused.refusal();
    for unknown in graph.unknown_risks(&refusal) {
        session.console.warn(unknown.to_string());
    }
    let solved = solve(&graph, (&args.from, &args.to), &refusal);
    if args.format == PathFormat::Json {
        session.console.print_json(&object(args, &solved));
    }
    match solved {
        Ok(path) => {
            match args.format {
                PathFormat::Text => session.console.print_lines(&text(args, &path)),
                PathFormat::Dot => session.console.print_lines(&dot::draw(&path)),
                PathFormat::Json => {}
            }
            Ok(Exit::SUCCESS)
        }
        Err(why) => Err(complaint(args, &why).into()),
    }
}

async fn read(args: &GraphPathArgs, session: &mut Session) -> Result<Graph, Halt> {
    if let Some(file) = &args.graph {
        return from_file(file);
    }
    let channel = Channel::ocp(args.channel.clone().unwrap_or_default());
    let updates = updates(&args.updates, &session.environment)?;
    let bytes = session.wait(ASKING, updates.fetch(&channel, &args.arch)).await??;
    let graph = Graph::from_json(&bytes).map_err(|source| {
        let (channel, architecture) = (channel.clone(), args.arch.clone());
        UpdateGraphError::NotAGraph { channel, architecture, source }
    })?;
    if graph.is_empty() {
        let text = format!("channel `{channel}` has no releases for {}", args.arch);
        let hint = "`list releases --channels --version X.Y` lists the channels of a version";
        return Err(Complaint::told([text], Some(hint.to_owned())).into());
    }
    Ok(graph)
}

fn from_file(file: &Path) -> Result<Graph, Halt> {
    let bytes = files::read_at_most(file, Graph::MAX_BYTES)?;
    Graph::from_json(&bytes).map_err(|error| {
        let told = format!("`{}` is not an update graph", file.display());
        let of = Complaint::of(&error);
        let causes = std::iter::once(of.message).chain(of.causes);
        Complaint::told(std::iter::once(told).chain(causes), None).into()
    })
}

/// Returns where the releases are looked for.
fn place(args: &GraphPathArgs) -> Cow<'_, str> {
    args.channel.as_deref().map_or(OF_A_FILE.into(), printable)
}

fn complaint(args: &GraphPathArgs, why: &NoPath) -> Complaint {
    let told =
        format!("no upgrade path leads from {} to {} in {}", args.from, args.to, place(args));
    let hint = match why {
        NoPath::UnknownRelease(_) => "`list releases --channel CHANNEL` lists what there is",
        NoPath::Refused { .. } => "leave `--refuse-risk` out",
        _ => "try the channel of a later version, or `candidate` instead of `stable`",
    };
    Complaint::told([told, why.to_string()], Some(hint.to_owned()))
}

fn text(args: &GraphPathArgs, path: &UpgradePath) -> Vec<String> {
    let steps = path.releases().iter().map(|release| release.version.to_string());
    let steps = steps.collect::<Vec<_>>().join(" → ");
    let mut lines =
        vec![format!("{} in {}: {steps}", count(path.hops().len(), "upgrade"), place(args))];
    if !path.hops().is_empty() {
        lines.push(String::new());
    }
    lines.extend(path.hops().iter().map(command));
    let exposures = path.exposures();
    if !exposures.is_empty() {
        lines.extend([String::new(), "Risks for some clusters:".to_owned()]);
    }
    for exposure in exposures {
        let hops = exposure.hops.iter().map(|hop| format!("{} to {}", hop.from, hop.to));
        let hops = hops.collect::<Vec<_>>().join(", ");
        lines.extend([format!("  {exposure}"), format!("    {hops}")]);
    }
    lines
}

/// Returns what is typed at the cluster for an upgrade.
fn command(hop: &Hop) -> String {
    match hop.advice {
        Advice::Recommended => format!("oc adm upgrade --to={}", hop.to),
        Advice::Conditional => format!("oc adm upgrade --to={} --allow-not-recommended", hop.to),
    }
}

fn object(args: &GraphPathArgs, solved: &Result<UpgradePath, NoPath>) -> Value {
    let mut object = json!({
        "channel": args.channel,
        "architecture": args.arch,
        "from": args.from.to_string(),
        "to": args.to.to_string(),
    });
    let more = match solved {
        Ok(path) => {
            let release = |release: &ocm_graph::Release| json!({"version": release.version.to_string(), "payload": release.payload});
            let releases: Vec<_> = path.releases().iter().map(release).collect();
            json!({"releases": releases, "hops": hops(path.hops())})
        }
        Err(NoPath::UnknownRelease(version)) => {
            json!({"reason": "unknown-release", "unknown": version.to_string()})
        }
        Err(NoPath::Refused { hops: refused }) => {
            json!({"reason": "refused", "refused": hops(refused)})
        }
        Err(NoPath::Unreachable { newest }) => {
            json!({"reason": "unreachable", "newest": newest.to_string()})
        }
        Err(other) => json!({"reason": other.to_string()}),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

/// Returns upgrades as programs read them.
pub(crate) fn hops(hops: &[Hop]) -> Vec<Value> {
    let one = |hop: &Hop| {
        json!({
            "from": hop.from.to_string(),
            "to": hop.to.to_string(),
            "conditional": hop.advice == Advice::Conditional,
            "command": command(hop),
            "risks": hop.risks().collect::<Vec<_>>(),
        })
    };
    hops.iter().map(one).collect()
}
