use clap::{Args, Command, Subcommand};
use ocm_graph::Version;

use super::{ResultFormat, Switch, UpdatesArgs, as_go_flag};

/// What `list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(subcommand)]
    pub(crate) command: ListCommand,
}

/// What there is to mirror.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// List releases, their channels, or the versions that an upgrade goes through
    Releases(ListReleasesArgs),
}

/// What `list releases` takes.
#[derive(Debug, Args)]
pub(crate) struct ListReleasesArgs {
    /// A minor version, such as `4.18`: the releases of its channel `stable-4.18`
    #[arg(long, value_name = "X.Y")]
    pub(crate) version: Option<String>,
    /// The channel
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// List the channels that the releases of `--version` are in, instead of the releases
    #[arg(long, default_value_t = Switch::Off, requires = "version")]
    pub(crate) channels: Switch,
    /// Only the releases that an upgrade from this one goes through
    #[arg(long, value_name = "VERSION")]
    pub(crate) from: Option<Version>,
    /// Where that upgrade ends [default: the newest release]
    #[arg(long, value_name = "VERSION", requires = "from")]
    pub(crate) to: Option<Version>,
    /// The architectures
    #[arg(
        long, value_name = "NAME", value_delimiter = ',', default_value = "amd64",
        value_parser = ["amd64", "arm64", "s390x", "ppc64le", "multi"]
    )]
    pub(crate) filter_by_archs: Vec<String>,
    /// In what form: for people, or for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResultFormat::Text)]
    pub(crate) format: ResultFormat,
    #[command(flatten)]
    pub(crate) updates: UpdatesArgs,
}

/// Adds examples to the help of `list` and its commands.
pub(super) fn with_examples(list: Command, example: &dyn Fn(&[&str]) -> String) -> Command {
    let stable = "PROGRAM list releases --version 4.18";
    list.after_help(example(&[stable])).mut_subcommand("releases", |command| {
        command.mut_args(as_go_flag).after_help(example(&[
            "PROGRAM list releases",
            "PROGRAM list releases --channels --version 4.18",
            "PROGRAM list releases --channel fast-4.18 --filter-by-archs amd64,arm64",
            "PROGRAM list releases --version 4.18 --from 4.17.9",
        ]))
    })
}
