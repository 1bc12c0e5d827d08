use clap::{Args, Command, Subcommand};
use ocm_graph::Version;

use super::{AccessArgs, ResultFormat, SourceArgs, Switch, UpdatesArgs, as_go_flag};

/// What `list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(subcommand)]
    pub(crate) command: ListCommand,
}

/// What there is to mirror.
#[derive(Debug, Subcommand)]
pub(crate) enum ListCommand {
    /// List catalogs of operators, and what is in them: packages, channels, versions
    Operators(ListOperatorsArgs),
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

/// What `list operators` takes.
#[derive(Debug, Args)]
pub(crate) struct ListOperatorsArgs {
    /// List catalogs: which of the well-known ones there are for `--version`, or, with `--from`,
    /// those of the archive
    #[arg(long, default_value_t = Switch::Off, conflicts_with = "catalog")]
    pub(crate) catalogs: Switch,
    /// A minor version of OpenShift, such as `4.18`: its catalogs
    #[arg(long, value_name = "X.Y", conflicts_with_all = ["catalog", "from"])]
    pub(crate) version: Option<String>,
    /// The catalog whose packages are listed: `HOST/REPOSITORY:TAG`, a layout `oci://DIR`, or
    /// a directory with its files `dir://DIR`
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) catalog: Option<String>,
    /// Its package whose channels are listed
    #[arg(long, value_name = "NAME", requires = "catalog")]
    pub(crate) package: Option<String>,
    /// Its channel whose versions are listed
    #[arg(long, value_name = "NAME", requires = "package")]
    pub(crate) channel: Option<String>,
    /// Directory with an archive, or its only file, that is read instead of registries
    #[arg(long, value_name = "file://DIR")]
    pub(crate) from: Option<String>,
    /// Where the well-known catalogs are: the registry, or a mirror of it
    #[arg(long, value_name = "HOST[/PATH]", default_value = "registry.redhat.io")]
    pub(crate) registry: String,
    /// In what form: for people, or for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResultFormat::Text)]
    pub(crate) format: ResultFormat,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Adds examples to the help of `list` and its commands.
pub(super) fn with_examples(list: Command, example: &dyn Fn(&[&str]) -> String) -> Command {
    let stable = "PROGRAM list releases --version 4.18";
    let catalogs = "PROGRAM list operators --version 4.18";
    let index = "registry.redhat.io/redhat/redhat-operator-index:v4.18";
    let catalog = format!("PROGRAM list operators --catalog {index}");
    list.after_help(example(&[stable, catalogs]))
        .mut_subcommand("operators", |command| {
            command.mut_args(as_go_flag).after_help(example(&[
                catalogs,
                &catalog,
                "PROGRAM list operators --catalog oci://index --package web-terminal --channel fast",
                "PROGRAM list operators --from /media/usb",
            ]))
        })
        .mut_subcommand("releases", |command| {
            command.mut_args(as_go_flag).after_help(example(&[
                "PROGRAM list releases",
                "PROGRAM list releases --channels --version 4.18",
                "PROGRAM list releases --channel fast-4.18 --filter-by-archs amd64,arm64",
                "PROGRAM list releases --version 4.18 --from 4.17.9",
            ]))
        })
}
