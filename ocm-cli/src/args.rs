//! What was typed, as clap reads it; what it means is for [`request`](crate::request).

use std::{
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{
    ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
    builder::ValueParser,
    error::{ContextKind, ErrorKind},
};

mod catalog;
mod config;
mod flags;
mod graph;
mod list;
mod operator;
mod release;
mod side;
mod signatures;
mod values;

pub(crate) use catalog::{
    CatalogArgs, CatalogCommand, ExplainArgs, FilterArgs, FilterFormat, ValidateArgs,
};
pub(crate) use config::{CheckArgs, ConfigArgs, ConfigCommand, InitArgs, InitFormat};
pub(crate) use flags::{
    AccessArgs, ArchiveArgs, IneffectiveArgs, LogFormat, LogLevel, MirrorArgs, OutputArgs,
    PlatformIndex, RegistryArgs, RetryArgs,
};
pub(crate) use graph::{
    GraphArgs, GraphCommand, GraphCopyDataArgs, GraphPathArgs, GraphSelectArgs, PathFormat,
    ResultFormat, UpdatesArgs,
};
pub(crate) use list::{ListArgs, ListCommand, ListOperatorsArgs, ListReleasesArgs};
pub(crate) use operator::OperatorArgs;
pub(crate) use release::{BaseImage, PathArgs, RefusedArgs, ReleaseArgs};
pub(crate) use side::{DestinationArgs, LowSide, SourceArgs};
pub(crate) use signatures::{Opposites, SignatureArgs};
use values::AddressError;
pub(crate) use values::{GoDuration, Secret, Switch};

/// Everything that was typed. Nothing is concluded from it here.
#[derive(Debug, Parser)]
#[command(
    about = "Brings container images to OpenShift clusters that have no internet",
    args_override_self = true,
    disable_version_flag = true,
    max_term_width = 100
)]
pub(crate) struct LowArgs {
    #[command(subcommand)]
    pub(crate) command: Option<LowCommand>,
    /// Where to: a directory `file://DIR`, or a registry `docker://HOST[/NAMESPACE]`
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Vec<String>,
    #[command(flatten)]
    pub(crate) mirror: MirrorArgs,
    #[command(flatten)]
    pub(crate) signatures: SignatureArgs,
    #[command(flatten)]
    pub(crate) release: ReleaseArgs,
    #[command(flatten)]
    pub(crate) operator: OperatorArgs,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) target: DestinationArgs,
    #[command(flatten)]
    pub(crate) archive: ArchiveArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) ineffective: IneffectiveArgs,
    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::SetTrue)]
    pub(crate) version: bool,
}

/// A word that names something else to do than mirroring.
#[derive(Debug, Subcommand)]
pub(crate) enum LowCommand {
    /// Filter catalogs of operators, check them, and explain what is in them and why
    Catalog(CatalogArgs),
    /// Check, convert and describe configurations
    Config(ConfigArgs),
    /// Print a configuration to begin with
    Init(InitArgs),
    /// Show a whole round trip, without internet and without an account
    Demo(DemoArgs),
    /// Ask update graphs: upgrade paths, and which releases a configuration means
    Graph(GraphArgs),
    /// List what there is to mirror
    List(ListArgs),
    /// Serve an archive, or a directory of images, as a registry
    Serve(ServeArgs),
    /// Print the version
    Version(VersionArgs),
}

/// What `demo` takes.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where its files go, and stay [default: a new directory for temporary files]
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// What `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The directory of an archive, or an OCI layout
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    /// Take what is pushed; where there is no layout, make one
    #[arg(long, default_value_t = Switch::Off)]
    pub(crate) writable: Switch,
    /// Address and port to listen on: `ADDRESS:PORT`, `:PORT` for all addresses, `PORT` for this
    /// machine alone
    #[arg(
        long, value_name = "ADDRESS", default_value = "127.0.0.1:5000", value_parser = listen_address
    )]
    pub(crate) listen: SocketAddr,
}

/// What `version` takes.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// In what form
    #[arg(short, long, value_name = "FORMAT", value_enum)]
    pub(crate) output: Option<VersionFormat>,
    /// Only the number
    #[arg(long, default_value_t = Switch::Off, hide = true)]
    pub(crate) short: Switch,
}

/// A form of the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum VersionFormat {
    // One JSON object.
    Json,
    // The same in YAML.
    Yaml,
}

impl LowArgs {
    /// Reads what was typed after the program's name, as someone who calls it `program`.
    ///
    /// # Errors
    ///
    /// What clap says, help and usage among it.
    pub(crate) fn read(
        program: &str,
        typed: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let name = OsString::from(program);
        let typed: Vec<_> = typed.into_iter().collect();
        let is_verbosity = typed.iter().any(|word| word == "-v2");
        let mut command = command(program);
        command
            .try_get_matches_from_mut(std::iter::once(name).chain(typed))
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| if is_verbosity { with_version_hint(error) } else { error })
    }
}

/// Returns the command line's grammar, in the name of `program`.
pub(crate) fn command(program: &str) -> Command {
    let usage = format!(
        "{program} -c FILE --workspace file://DIR docker://HOST[/NAMESPACE]\n       \
         {program} -c FILE file://DIR\n       \
         {program} -c FILE --from file://DIR docker://HOST[/NAMESPACE]\n       \
         {program} COMMAND"
    );
    let example = &|lines: &[&str]| {
        let lines: Vec<_> = lines.iter().map(|line| line.replace("PROGRAM", program)).collect();
        format!("Examples:\n  {}", lines.join("\n  "))
    };
    let command = config::with_examples(LowArgs::command(), &example);
    command
        .bin_name(program)
        .override_usage(usage)
        .subcommand_value_name("COMMAND")
        .after_help(example(&[
            "PROGRAM -c isc.yaml --workspace file:///srv/mirror docker://registry.lab:5000",
            "PROGRAM -c isc.yaml file:///media/usb",
            "PROGRAM -c isc.yaml --from file:///media/usb docker://registry.lab:5000/mirror",
        ]))
        .mut_subcommand("demo", |demo| {
            demo.after_help(example(&["PROGRAM demo", "PROGRAM demo --directory ./look-at-this"]))
        })
        .mut_subcommand("catalog", |catalog| catalog::with_examples(catalog, example))
        .mut_subcommand("graph", |graph| graph::with_examples(graph, example))
        .mut_subcommand("list", |list| list::with_examples(list, example))
        .mut_subcommand("serve", |serve| {
            serve.mut_args(as_go_flag).after_help(example(&[
                "PROGRAM serve /media/usb --listen 0.0.0.0:5000",
                "PROGRAM serve --writable ./registry",
            ]))
        })
        .mut_subcommand("version", |version| {
            let version = version.mut_args(as_go_flag);
            version.after_help(example(&["PROGRAM version --output json"]))
        })
        .mut_args(as_go_flag)
}

/// Reads where to listen.
fn listen_address(text: &str) -> Result<SocketAddr, AddressError> {
    let port = |text: &str| text.parse::<u16>().ok();
    let alone = port(text).map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let all = || {
        let port = port(text.strip_prefix(':')?)?;
        Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
    };
    let local = || {
        let port = port(text.strip_prefix("localhost:")?)?;
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    };
    let found = alone.or_else(all).or_else(local).or_else(|| text.parse().ok());
    found.ok_or(AddressError)
}

/// Lets an on-off flag stand alone, as well as take `=false`.
fn as_go_flag(arg: clap::Arg) -> clap::Arg {
    let switch: ValueParser = clap::value_parser!(Switch).into();
    if arg.get_value_parser().type_id() != switch.type_id() {
        return arg;
    }
    let is_off = arg.get_default_values().iter().all(|value| *value == "false");
    let arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true");
    arg.value_name("BOOL").hide_default_value(is_off)
}

/// `-v2` reads as `-v -2`: the second is what clap does not know.
fn with_version_hint(mut error: clap::Error) -> clap::Error {
    use clap::{builder::StyledStr, error::ContextValue};
    if error.kind() == ErrorKind::UnknownArgument {
        let hint = StyledStr::from("`-v2` is not a flag: did you mean `--v2`?");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint]));
    }
    error
}

#[cfg(test)]
mod tests;
