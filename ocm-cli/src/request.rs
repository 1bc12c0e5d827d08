//! What was asked for: the arguments after every check that needs no disk and no network.
//!
//! ```text
//! argv ─clap─► LowArgs ──┐
//!                        ├─► Request { flow, source, destination, … } ─► run
//! Environment ───────────┘
//! ```

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use jiff::civil::Date;
use ocm_mirror::{
    AttachingScope, DestinationRules, GraphDataOrigin, Incomplete, OperatorRules, PathRules,
    RetryPolicy, Signatures, signature::Policy,
};
use ocm_oci::ImageRef;
use ocm_resources::Naming;

use crate::{
    args::{
        BaseImage, GoDuration, LowArgs, MirrorArgs, Opposites, PlatformIndex, RegistryArgs,
        ReleaseArgs, RetryArgs, Switch,
    },
    environment::Environment,
};

mod error;
mod side;

pub(crate) use error::UsageError;
pub(crate) use side::{Login, Side, SideName, Verify};

/// How a directory is written.
const DIRECTORY: &str = "file://";
/// How a registry is written.
const REGISTRY: &str = "docker://";
/// How many images, or layers of one, may be worked on at once.
const PARALLEL: std::ops::RangeInclusive<i64> = 1..=64;

/// A mirror run, with everything that was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The configuration.
    pub(crate) config: PathBuf,
    /// Which way content goes.
    pub(crate) flow: Flow,
    /// Whether content moves at all.
    pub(crate) mode: Mode,
    /// How registries that are read are spoken to.
    pub(crate) source: Side,
    /// How the registry that is written to is spoken to.
    pub(crate) destination: Side,
    /// Certificates trusted besides the system's.
    pub(crate) ca_files: Vec<PathBuf>,
    /// Bounds of effort and of waiting.
    pub(crate) effort: Effort,
    /// How much of a repository's name a mirror set may leave out.
    pub(crate) nesting: Nesting,
    /// What becomes of an index of which some platforms are left out.
    pub(crate) platform_index: PlatformIndex,
    /// What becomes of signatures, and of those of which images.
    pub(crate) signatures: (Signatures, AttachingScope),
    /// Which releases are taken.
    pub(crate) releases: ReleaseRules,
    /// What is made of selections of operators that are not to the letter.
    pub(crate) operators: OperatorRules,
    /// What images of catalogs that are directories are built upon, where that was said.
    pub(crate) catalog_base: Option<ImageRef>,
    /// Where the sources of catalogs have their names from.
    pub(crate) naming: Naming,
    /// Whether a blob may be split across volumes.
    pub(crate) split: Split,
    /// Whether what cannot fit is refused.
    pub(crate) space: SpaceCheck,
    /// What was said and changes nothing.
    pub(crate) ineffective: Vec<&'static str>,
}

/// Which releases are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReleaseRules {
    /// What is made of paths that are risky, or are not there.
    pub(crate) paths: PathRules,
    /// Whether those have to be signed that may be unsigned: the one that the configuration names,
    /// and those of OKD.
    pub(crate) unsigned: Policy,
    /// Whether payloads from 4.21 on must have the sigstore signature that nodes ask for.
    pub(crate) sigstore: Policy,
    /// What the image of the update graph is built upon, where that was said.
    pub(crate) graph_base: Option<BaseImage>,
    /// Where its data is, where that was said.
    pub(crate) graph_data: Option<GraphDataOrigin>,
}

/// Which way content goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    /// From registries to a registry.
    MirrorToMirror {
        /// Directory for logs and results.
        workspace: PathBuf,
        /// Where content goes.
        rules: DestinationRules,
    },
    /// From registries to an archive.
    MirrorToDisk {
        /// Directory for the archive, logs and results.
        directory: PathBuf,
    },
    /// From an archive to a registry.
    DiskToMirror {
        /// The directory of the archive, or its only file.
        from: PathBuf,
        /// Directory for logs and results, where it is not that of the archive.
        workspace: Option<PathBuf>,
        /// Where content goes.
        rules: DestinationRules,
    },
}

/// Whether content moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does.
    Mirror,
    /// It does not; what would be done is written down.
    DryRun,
    /// The same, and what each index names with it.
    DryRunWithLists,
}

/// Bounds of effort and of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Effort {
    /// How often what failed is tried again.
    pub(crate) retry: Retrying,
    /// How long an image may make no progress, where that was said; zero is forever.
    pub(crate) stall: Option<Duration>,
    /// Most images at once, where that was said.
    pub(crate) images: Option<NonZeroUsize>,
    /// Most layers of one image at once, where that was said.
    pub(crate) layers: Option<NonZeroUsize>,
}

/// How often what failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retrying {
    /// How many times.
    pub(crate) times: u32,
    /// How long to wait before; `None` waits longer each time.
    pub(crate) delay: Option<Duration>,
}

impl Retrying {
    /// Concludes it from what was typed.
    ///
    /// # Errors
    ///
    /// When it is less than never.
    pub(crate) fn new(typed: RetryArgs) -> Result<Self, UsageError> {
        let RetryArgs { retry_times: given, retry_delay: GoDuration(delay) } = typed;
        let times = u32::try_from(given).or(Err(UsageError::Retries { given }))?;
        Ok(Self { times, delay: Some(delay).filter(|delay| !delay.is_zero()) })
    }

    /// Returns the same, for the engine.
    pub(crate) fn policy(self) -> RetryPolicy {
        let policy = RetryPolicy::default().with_retries(self.times);
        match self.delay {
            Some(delay) => policy.with_constant_pause(delay),
            None => policy,
        }
    }
}

/// Whether paths at the destination are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// They are as deep as they come.
    Free,
    /// What is deeper is joined.
    Limited,
}

/// Whether a blob may be split across volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// It may.
    Allow,
    /// Where it would have to be, the run is refused.
    Refuse,
}

/// Whether what cannot fit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpaceCheck {
    /// It is.
    Refuse,
    /// It is tried.
    Ignore,
}

impl Request {
    /// Concludes what is asked for.
    ///
    /// # Errors
    ///
    /// The first thing that makes no sense, in the order in which oc-mirror checks.
    pub(crate) fn new(args: LowArgs, environment: &Environment) -> Result<Self, UsageError> {
        if args.output.v1.is_on() {
            return Err(UsageError::VersionOne);
        }
        let destination = args.destination.first().ok_or(UsageError::NoDestination)?;
        if is_boolean(destination) {
            return Err(UsageError::Boolean { given: destination.clone() });
        }
        if !destination.starts_with(DIRECTORY) && !destination.starts_with(REGISTRY) {
            return Err(UsageError::Destination { given: destination.clone() });
        }
        only_one(destination, args.destination.get(1..).unwrap_or_default())?;
        let workspace = workspace(&args.mirror)?;
        let config = args.mirror.config.clone().filter(|file| !file.as_os_str().is_empty());
        let config = config.ok_or(UsageError::NoConfig)?;
        let mut ineffective = args.ineffective.given();
        let mut flow = flow(destination, args.mirror.from.as_deref(), workspace)?;
        if check_since(&args.mirror, &flow)? {
            ineffective.push("--since");
        }
        ineffective.extend(base_flags(&args.release, &args.mirror, &flow));
        let mode = mode(&args.mirror)?;
        let signatures = args.signatures.wanted().map_err(|Opposites| UsageError::Signatures)?;
        let effort = effort(&args.registry)?;
        let nesting = nest(&mut flow, args.mirror.max_nested_paths)?;
        let (source, target) = (args.source.into(), args.target.into());
        let authfile = args.registry.access.authfile.or_else(|| environment.authfile());
        let source = Side::new(SideName::Source, source, authfile.clone(), &mut ineffective)?;
        let destination = Side::new(SideName::Destination, target, authfile, &mut ineffective)?;
        if args.mirror.secure_policy.is_on() {
            return Err(UsageError::NotYet { flag: "--secure-policy" });
        }
        ineffective.extend(environment.ineffective());
        if args.destination.len() > 1 {
            ineffective.push("every argument after the first");
        }
        Ok(Self {
            config,
            flow,
            mode,
            source,
            destination,
            ca_files: args.registry.access.ca_file,
            effort,
            nesting,
            platform_index: args.mirror.platform_index,
            signatures,
            releases: release_rules(&args.release, environment)?,
            catalog_base: args.mirror.catalog_base_image.clone(),
            operators: operator_rules(args.operator.rules(), &args.mirror),
            naming: choose(args.mirror.default_source_names, Naming::WellKnown, Naming::Place),
            split: choose(args.archive.strict_archive, Split::Refuse, Split::Allow),
            space: choose(args.archive.no_space_check, SpaceCheck::Ignore, SpaceCheck::Refuse),
            ineffective,
        })
    }
}

/// Refuses words besides the destination that are sure to be mistakes; the rest is ignored, as
/// oc-mirror does.
fn only_one(first: &str, rest: &[String]) -> Result<(), UsageError> {
    for word in rest {
        if word.starts_with(DIRECTORY) || word.starts_with(REGISTRY) {
            let (first, second) = (first.to_owned(), word.clone());
            return Err(UsageError::Destinations { first, second });
        }
        if is_boolean(word) {
            return Err(UsageError::Boolean { given: word.clone() });
        }
    }
    Ok(())
}

/// Returns whether it looks like the value of an on-off flag.
fn is_boolean(word: &str) -> bool {
    matches!(word, "true" | "false")
}

fn choose<T>(switch: Switch, on: T, off: T) -> T {
    if switch.is_on() { on } else { off }
}

fn operator_rules(rules: OperatorRules, typed: &MirrorArgs) -> OperatorRules {
    let incomplete =
        choose(typed.push_incomplete_catalog, Incomplete::Offered, Incomplete::Withheld);
    OperatorRules { incomplete, ..rules }
}

fn release_rules(
    typed: &ReleaseArgs,
    environment: &Environment,
) -> Result<ReleaseRules, UsageError> {
    let ends = environment.version_filter().map_err(UsageError::VersionFilter)?;
    let unsigned = choose(typed.ignore_release_signature, Policy::Ignored, Policy::Required);
    let sigstore = choose(typed.allow_unsigned_release, Policy::Ignored, Policy::Required);
    let (graph_base, graph_data) = (typed.graph_base_image.clone(), typed.graph_data.clone());
    let paths = typed.paths.rules(ends);
    Ok(ReleaseRules { paths, unsigned, sigstore, graph_base, graph_data })
}

fn workspace(typed: &MirrorArgs) -> Result<Option<PathBuf>, UsageError> {
    let Some(text) = typed.workspace.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.strip_prefix(DIRECTORY) {
        Some(path) if !path.is_empty() => Ok(Some(PathBuf::from(path))),
        _ => Err(UsageError::Workspace { given: text.to_owned() }),
    }
}

/// Deduces the flow. What a path contains means nothing: only its prefix is looked at.
fn flow(
    destination: &str,
    from: Option<&str>,
    workspace: Option<PathBuf>,
) -> Result<Flow, UsageError> {
    let given = || destination.to_owned();
    let from = from.filter(|from| !from.is_empty());
    if let Some(directory) = destination.strip_prefix(DIRECTORY) {
        return match (from, workspace) {
            (Some(_), _) => Err(UsageError::FromWithDirectory { destination: given() }),
            (None, Some(_)) => Err(UsageError::WorkspaceWithDirectory { destination: given() }),
            (None, None) if directory.is_empty() => Err(UsageError::NoDirectory),
            (None, None) => Ok(Flow::MirrorToDisk { directory: PathBuf::from(directory) }),
        };
    }
    let from = from.map(archive).transpose()?;
    let rules = || destination.parse().map_err(UsageError::Target);
    match (from, workspace) {
        (None, None) => Err(UsageError::NoWorkspace),
        (None, Some(workspace)) => Ok(Flow::MirrorToMirror { workspace, rules: rules()? }),
        (Some(from), workspace) => Ok(Flow::DiskToMirror { from, workspace, rules: rules()? }),
    }
}

/// Reads what `--from` names: `file://PATH`, or the path alone.
///
/// # Errors
///
/// When it is something else.
pub(crate) fn archive(from: &str) -> Result<PathBuf, UsageError> {
    match (from.strip_prefix(DIRECTORY), from.split_once("://")) {
        (Some(path), _) if !path.is_empty() => Ok(PathBuf::from(path)),
        (None, None) => Ok(PathBuf::from(from)),
        _ => Err(UsageError::From { given: from.to_owned() }),
    }
}

/// Returns whether `--since` was given where it changes nothing: where no archive is written.
fn check_since(typed: &MirrorArgs, flow: &Flow) -> Result<bool, UsageError> {
    let Some(text) = typed.since.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(false);
    };
    if let Err(source) = Date::strptime("%Y-%m-%d", text) {
        return Err(UsageError::Since { given: text.to_owned(), source });
    }
    match flow {
        Flow::MirrorToDisk { .. } => Err(UsageError::NotYet { flag: "--since" }),
        Flow::MirrorToMirror { .. } | Flow::DiskToMirror { .. } => Ok(true),
    }
}

/// Returns the flags about images that are built that were given where they change nothing: an
/// archive brings them.
fn base_flags(
    release: &ReleaseArgs,
    mirror: &MirrorArgs,
    flow: &Flow,
) -> impl Iterator<Item = &'static str> {
    let is_archived = matches!(flow, Flow::DiskToMirror { .. });
    let base = release.graph_base_image.as_ref().map(|_| "--graph-base-image");
    let data = release.graph_data.as_ref().map(|_| "--graph-data");
    let catalog = mirror.catalog_base_image.as_ref().map(|_| "--catalog-base-image");
    [base, data, catalog].into_iter().flatten().filter(move |_| is_archived)
}

fn mode(typed: &MirrorArgs) -> Result<Mode, UsageError> {
    match (typed.dry_run.is_on(), typed.dry_run_manifest_lists.is_on()) {
        (true, true) => Err(UsageError::DryRuns),
        (true, false) => Ok(Mode::DryRun),
        (false, true) => Ok(Mode::DryRunWithLists),
        (false, false) => Ok(Mode::Mirror),
    }
}

fn effort(typed: &RegistryArgs) -> Result<Effort, UsageError> {
    let parallel = |flag, given: Option<i64>| given.map(|given| parallel(flag, given)).transpose();
    Ok(Effort {
        images: parallel("--parallel-images", typed.parallel_images)?,
        layers: parallel("--parallel-layers", typed.parallel_layers)?,
        retry: Retrying::new(typed.access.retry)?,
        stall: typed.image_timeout.map(|GoDuration(stall)| stall),
    })
}

fn parallel(flag: &'static str, given: i64) -> Result<NonZeroUsize, UsageError> {
    let within = Some(given).filter(|given| PARALLEL.contains(given));
    let number = within.and_then(|given| NonZeroUsize::new(usize::try_from(given).ok()?));
    number.ok_or(UsageError::Parallel { flag, given })
}

fn nest(flow: &mut Flow, given: i64) -> Result<Nesting, UsageError> {
    let number = usize::try_from(given).or(Err(UsageError::Nesting { given }))?;
    let Some(limit) = NonZeroUsize::new(number) else { return Ok(Nesting::Free) };
    match flow {
        Flow::MirrorToDisk { .. } => {}
        Flow::MirrorToMirror { rules, .. } | Flow::DiskToMirror { rules, .. } => {
            *rules = rules.clone().with_nesting(limit);
        }
    }
    Ok(Nesting::Limited)
}

#[cfg(test)]
mod tests;
