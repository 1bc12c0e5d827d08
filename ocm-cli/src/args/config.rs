//! What is typed about configurations.

use std::path::PathBuf;

use clap::{Args, Command, Subcommand, ValueEnum};

use super::ResultFormat;

/// What `config` takes.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What can be done with a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say all that is wrong with configurations, and what they mean
    Check(CheckArgs),
    /// Write a configuration of any version as one of v2alpha1
    Convert(ConvertArgs),
    /// Print the JSON Schema of configurations, for editors
    Schema,
}

/// What `config check` takes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Configurations, of what to mirror or of what to delete; `-` is the standard input
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// In what form
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ResultFormat::Text)]
    pub(crate) format: ResultFormat,
    /// Warn of repositories that are deeper than a registry takes
    #[arg(long, value_name = "N")]
    pub(crate) max_nested_paths: Option<std::num::NonZeroUsize>,
}

/// What `config convert` takes.
#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// A configuration of v1alpha1, v1alpha2 or v2alpha1; `-` is the standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// What `init` takes.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Minor versions of OpenShift, such as `4.18` [default: the newest that is known]
    #[arg(value_name = "VERSION")]
    pub(crate) versions: Vec<String>,
    /// The registry to mirror to, for the commands among the comments
    #[arg(long, value_name = "HOST[/NAMESPACE]")]
    pub(crate) registry: Option<String>,
    /// In what form; JSON has no comments
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = InitFormat::Yaml)]
    pub(crate) output: InitFormat,
}

/// A form of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InitFormat {
    // With comments.
    Yaml,
    // For programs.
    Json,
}

/// Adds examples to the commands; `example` makes them of lines.
pub(super) fn with_examples(command: Command, example: &dyn Fn(&[&str]) -> String) -> Command {
    command
        .mut_subcommand("config", |config| {
            config
                .after_help(example(&[
                    "PROGRAM config check imageset.yaml",
                    "PROGRAM config convert imageset-v1.yaml > imageset.yaml",
                    "PROGRAM config schema > imageset.schema.json",
                ]))
                .mut_subcommand("check", |check| {
                    check.after_help(example(&[
                        "PROGRAM config check *.yaml",
                        "PROGRAM config check --format json - < imageset.yaml",
                    ]))
                })
                .mut_subcommand("convert", |convert| {
                    convert.after_help(example(&[
                        "PROGRAM config convert imageset-v1.yaml > imageset.yaml",
                    ]))
                })
                .mut_subcommand("schema", |schema| {
                    schema.after_help(example(&["PROGRAM config schema > imageset.schema.json"]))
                })
        })
        .mut_subcommand("init", |init| {
            init.after_help(example(&[
                "PROGRAM init 4.18 > imageset.yaml",
                "PROGRAM init 4.16 4.18 --registry registry.lab:5000/ocp > imageset.yaml",
            ]))
        })
}
