use std::path::{Path, PathBuf};

use clap::{Args, Command, Subcommand, ValueEnum};
use ocm_graph::Version;
use ocm_mirror::GraphData;

use super::{PathArgs, RefusedArgs, RetryArgs, as_go_flag};

/// What `graph` takes.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(subcommand)]
    pub(crate) command: GraphCommand,
}

/// What can be asked of update graphs.
#[derive(Debug, Subcommand)]
pub(crate) enum GraphCommand {
    /// Show the best way from one release to another
    Path(GraphPathArgs),
    /// Show which releases a configuration means, and why
    Select(GraphSelectArgs),
    /// Copy the data of the update graph to where an update service looks for it: what a graph
    /// image does that was built upon nothing
    #[command(hide = true)]
    CopyData(GraphCopyDataArgs),
}

/// What `graph path` takes.
#[derive(Debug, Args)]
pub(crate) struct GraphPathArgs {
    /// The channel, such as `stable-4.18`
    #[arg(long, value_name = "CHANNEL", required_unless_present = "graph")]
    pub(crate) channel: Option<String>,
    /// The release to begin with
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Version,
    /// The release to end with
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: Version,
    /// File with the update graph, instead of asking a server; `-` is the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "graph_dir")]
    pub(crate) graph: Option<PathBuf>,
    /// The architecture, as servers call it: `amd64`, `arm64`, `ppc64le`, `s390x`, `multi`
    #[arg(long, value_name = "NAME", default_value = "amd64")]
    pub(crate) arch: String,
    #[command(flatten)]
    pub(crate) refused: RefusedArgs,
    /// In what form: for people, for programs, or for Graphviz
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PathFormat::Text)]
    pub(crate) format: PathFormat,
    #[command(flatten)]
    pub(crate) updates: UpdatesArgs,
}

/// What `graph select` takes.
#[derive(Debug, Args)]
pub(crate) struct GraphSelectArgs {
    /// The configuration: an `ImageSetConfiguration`; `-` is the standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) paths: PathArgs,
    /// In what form: for people, or for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResultFormat::Text)]
    pub(crate) format: ResultFormat,
    #[command(flatten)]
    pub(crate) updates: UpdatesArgs,
}

/// What `graph copy-data` takes.
#[derive(Debug, Args)]
pub(crate) struct GraphCopyDataArgs {
    /// The directory that has it
    #[arg(long, value_name = "DIR", default_value_os_t = Path::new("/").join(GraphData::HELD))]
    pub(crate) from: PathBuf,
    /// The directory that is to have it
    #[arg(long, value_name = "DIR", default_value_os_t = Path::new("/").join(GraphData::WANTED))]
    pub(crate) to: PathBuf,
}

/// Where update graphs come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct UpdatesArgs {
    /// Directory with update graphs, `CHANNEL.json` or `ARCH-CHANNEL.json`, instead of asking a
    /// server
    #[arg(long, value_name = "DIR")]
    pub(crate) graph_dir: Option<PathBuf>,
    /// File with certificates that are trusted besides the system's; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) retry: RetryArgs,
}

/// A form of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PathFormat {
    // Lines to read, and to type.
    Text,
    // One JSON object.
    Json,
    // What Graphviz draws.
    Dot,
}

/// A form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    // Lines to read.
    Text,
    // One JSON object.
    Json,
}

/// Adds examples to the help of `graph` and its commands.
pub(super) fn with_examples(graph: Command, example: &dyn Fn(&[&str]) -> String) -> Command {
    let path = "PROGRAM graph path --channel stable-4.18 --from 4.17.9 --to 4.18.20";
    let select = "PROGRAM graph select -c isc.yaml --format json";
    graph
        .after_help(example(&[path, select]))
        .mut_subcommand("path", |command| {
            let drawn = format!("{path} --format dot | dot -Tsvg");
            let kept = "PROGRAM graph path --graph stable-4.18.json --from 4.17.9 --to 4.18.20";
            command.after_help(example(&[path, &drawn, kept]))
        })
        .mut_subcommand("select", |command| {
            let strict = "PROGRAM graph select -c isc.yaml --refuse-risk all --require-path";
            command.mut_args(as_go_flag).after_help(example(&[select, strict]))
        })
}
