use std::path::PathBuf;

use clap::{Args, Command, Subcommand, ValueEnum};

use super::{OperatorArgs, ResultFormat, as_go_flag};

/// What `catalog` takes.
#[derive(Debug, Args)]
pub(crate) struct CatalogArgs {
    #[command(subcommand)]
    pub(crate) command: CatalogCommand,
}

/// What can be done with catalogs of operators.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Take what a configuration selects out of a catalog
    Filter(FilterArgs),
    /// Check whether OLM would accept a catalog
    Validate(ValidateArgs),
    /// Show which bundles of a package a configuration selects, and why not the others
    Explain(ExplainArgs),
}

/// What `catalog filter` takes.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// The catalog: a directory of files with JSON or YAML, or one such file
    #[arg(value_name = "CATALOG")]
    pub(crate) catalog: PathBuf,
    /// The configuration: an `ImageSetConfiguration` with one catalog, whatever it is called there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The directory to write what remains to; it must not be there, or be empty
    #[arg(short, long, value_name = "DIR", required_unless_present = "format")]
    pub(crate) output: Option<PathBuf>,
    /// Print what remains
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub(crate) format: Option<FilterFormat>,
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
}

/// A form in which it is shown what remains of a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterFormat {
    /// A table
    Text,
    /// One JSON object: packages, their channels with entries, and their bundles
    #[value(alias = "json")]
    Summary,
}

/// What `catalog validate` takes.
#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The catalog: a directory of files with JSON or YAML, or one such file
    #[arg(value_name = "CATALOG")]
    pub(crate) catalog: PathBuf,
}

/// What `catalog explain` takes.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The package, unless an image is asked for; and the catalog, a directory or a file
    #[arg(value_names = ["PACKAGE", "CATALOG"], num_args = 1..=2, required = true)]
    pub(crate) words: Vec<String>,
    /// The configuration: an `ImageSetConfiguration` with one catalog [default: nothing is
    /// selected, which selects the heads of all channels]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Only this channel
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// Only bundles of this version; build metadata does not count
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: Option<String>,
    /// Show which bundles need an image: its digest, or a part of its name
    #[arg(long, value_name = "DIGEST")]
    pub(crate) image: Option<String>,
    /// In what form: for people, or for programs
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResultFormat::Text)]
    pub(crate) format: ResultFormat,
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
}

/// Adds examples to the help of `catalog` and its commands.
pub(super) fn with_examples(catalog: Command, example: &dyn Fn(&[&str]) -> String) -> Command {
    let filter = "PROGRAM catalog filter ./configs -c isc.yaml -o ./smaller";
    catalog
        .after_help(example(&[filter]))
        .mut_subcommand("filter", |command| {
            command.mut_args(as_go_flag).after_help(example(&[
                filter,
                "PROGRAM catalog filter ./configs -c isc.yaml --format summary",
            ]))
        })
        .mut_subcommand("validate", |command| {
            command.after_help(example(&["PROGRAM catalog validate ./configs"]))
        })
        .mut_subcommand("explain", |command| {
            command.mut_args(as_go_flag).after_help(example(&[
                "PROGRAM catalog explain odf-operator ./configs -c isc.yaml --channel stable-4.18",
                "PROGRAM catalog explain --image sha256:0b5d… ./configs",
            ]))
        })
}
