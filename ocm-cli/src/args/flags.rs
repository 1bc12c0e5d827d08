use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ocm_oci::ImageRef;

use super::{GoDuration, Switch, values::image};

/// Flags about what the program says; every command has them.
#[derive(Debug, Clone, Args)]
pub(crate) struct OutputArgs {
    /// How much is said
    #[arg(
        long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Info, global = true,
        help_heading = "Output"
    )]
    pub(crate) log_level: LogLevel,
    /// In what form it is said: for people, or one JSON object a line
    #[arg(
        long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text, global = true,
        help_heading = "Output"
    )]
    pub(crate) log_format: LogFormat,
    #[arg(long, default_value_t = Switch::Off, global = true, hide = true)]
    pub(crate) v1: Switch,
    #[arg(long, default_value_t = Switch::Off, global = true, hide = true)]
    pub(crate) v2: Switch,
}

impl OutputArgs {
    /// Returns what counts where nothing was said.
    pub(crate) fn usual() -> Self {
        let (v1, v2) = (Switch::Off, Switch::Off);
        Self { log_level: LogLevel::Info, log_format: LogFormat::Text, v1, v2 }
    }
}

/// The least weight of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    // Plain comments: a doc comment would make `--help` three times as long.
    // Errors only.
    Error,
    // Errors, warnings, and what is done.
    Info,
    // Also why.
    Debug,
    // Everything.
    Trace,
}

/// The form of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    // Lines for people.
    Text,
    // One JSON object a line.
    Json,
}

/// What becomes of an index of which some platforms are left out: it is copied as it is, with its
/// digest, and names manifests that are not there; or it is written anew, under another digest,
/// unless it is part of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlatformIndex {
    Keep,
    Rewrite,
}

/// Flags that say what is copied, and where it is kept.
#[derive(Debug, Clone, Args)]
pub(crate) struct MirrorArgs {
    /// What to mirror: an `ImageSetConfiguration`
    #[arg(short, long, value_name = "FILE", help_heading = "Mirroring")]
    pub(crate) config: Option<PathBuf>,
    /// Directory for logs and results, from registry to registry
    #[arg(long, value_name = "file://DIR", help_heading = "Mirroring")]
    pub(crate) workspace: Option<String>,
    /// Directory with the archive, or its only file, from archive to registry
    #[arg(long, value_name = "file://DIR", help_heading = "Mirroring")]
    pub(crate) from: Option<String>,
    /// Copy nothing; write `dry-run/mapping.txt`
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) dry_run: Switch,
    /// As `--dry-run`, with the images of each manifest list
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) dry_run_manifest_lists: Switch,
    /// Join what is deeper in destination paths than this many components with `-`; 0 leaves them
    /// as they are
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "Mirroring"
    )]
    pub(crate) max_nested_paths: i64,
    /// What becomes of an index when only some of its platforms are wanted
    #[arg(
        long, value_name = "WHAT", value_enum, default_value_t = PlatformIndex::Keep,
        help_heading = "Mirroring"
    )]
    pub(crate) platform_index: PlatformIndex,
    /// Call the sources of well-known catalogs as clusters with internet do: `redhat-operators`,
    /// `certified-operators`, …
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) default_source_names: Switch,
    /// Push catalogs without the bundles that could not be mirrored, where their channels stay
    /// valid, instead of leaving those that are there as they are; the exit code says so either way
    #[arg(long, default_value_t = Switch::Off, help_heading = "Mirroring")]
    pub(crate) push_incomplete_catalog: Switch,
    /// Build the images of catalogs that are directories (`dir://`) upon this one, which has `opm`
    /// [default: nothing; clusters bring the program that serves them]
    #[arg(long, value_name = "IMAGE", value_parser = image, help_heading = "Mirroring")]
    pub(crate) catalog_base_image: Option<ImageRef>,
    #[arg(long, value_name = "DATE", hide = true)]
    pub(crate) since: Option<String>,
    #[arg(long, default_value_t = Switch::Off, hide = true)]
    pub(crate) secure_policy: Switch,
}

/// Flags about the archive on disk.
#[derive(Debug, Clone, Args)]
pub(crate) struct ArchiveArgs {
    /// Refuse content that does not fit into a volume of `archiveSize`, instead of splitting it
    #[arg(long, default_value_t = Switch::Off, help_heading = "Archive")]
    pub(crate) strict_archive: Switch,
    /// Begin even though the plan does not fit into the free space
    #[arg(long, default_value_t = Switch::Off, help_heading = "Archive")]
    pub(crate) no_space_check: Switch,
}

/// How often what failed is tried again.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RetryArgs {
    /// How often what failed is tried again
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        allow_negative_numbers = true,
        help_heading = "Speed and patience"
    )]
    pub(crate) retry_times: i64,
    /// How long to wait before that; 0 waits longer each time
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "0s",
        allow_hyphen_values = true,
        help_heading = "Speed and patience"
    )]
    pub(crate) retry_delay: GoDuration,
}

/// Flags about who is let into registries, whom they are believed to be, and how often they are
/// asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct AccessArgs {
    /// File with the credentials of all registries [default: `$REGISTRY_AUTH_FILE`]
    #[arg(long, value_name = "FILE", help_heading = "Registries")]
    pub(crate) authfile: Option<PathBuf>,
    /// File with certificates that are trusted besides the system's; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Registries")]
    pub(crate) ca_file: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) retry: RetryArgs,
}

/// Flags about how registries are spoken to.
#[derive(Debug, Clone, Args)]
pub(crate) struct RegistryArgs {
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    /// How long an image may make no progress; 0 is forever [default: 1m]
    #[arg(
        long,
        value_name = "DURATION",
        allow_hyphen_values = true,
        help_heading = "Speed and patience"
    )]
    pub(crate) image_timeout: Option<GoDuration>,
    /// How many images are worked on at once, 1 to 64 [default: as many as help]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Speed and patience"
    )]
    pub(crate) parallel_images: Option<i64>,
    /// How many layers of an image are worked on at once, 1 to 64 [default: as many as help]
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Speed and patience"
    )]
    pub(crate) parallel_layers: Option<i64>,
}

/// Flags of oc-mirror that scripts pass, and that change nothing here.
#[derive(Debug, Clone, Args)]
pub(crate) struct IneffectiveArgs {
    #[arg(short, long, hide = true, allow_hyphen_values = true)]
    port: Option<String>,
    #[arg(long, hide = true)]
    cache_dir: Option<String>,
    #[arg(long = "registries.d", hide = true)]
    registries_d: Option<String>,
    #[arg(long, hide = true)]
    policy: Option<String>,
    #[arg(long, hide = true)]
    rootless_storage_path: Option<String>,
    #[arg(short, long, hide = true)]
    quiet: Option<Switch>,
    #[arg(short, long, hide = true)]
    force: Option<Switch>,
    #[arg(long, hide = true)]
    tls_verify: Option<Switch>,
    #[arg(long, hide = true)]
    cpu_prof: Option<Switch>,
    #[arg(long, hide = true)]
    mem_prof: Option<Switch>,
    #[arg(long, hide = true)]
    dest_compress: Option<Switch>,
    #[arg(long, hide = true)]
    dest_decompress: Option<Switch>,
    #[arg(long, hide = true)]
    dest_oci_accept_uncompressed_layers: Option<Switch>,
    #[arg(long, hide = true)]
    dest_compress_format: Option<String>,
    #[arg(long, hide = true, allow_hyphen_values = true)]
    dest_compress_level: Option<String>,
    #[arg(long, hide = true)]
    dest_precompute_digests: Option<Switch>,
}

impl IneffectiveArgs {
    /// Returns those that were typed.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        given([
            ("--port", self.port.is_some()),
            ("--cache-dir", self.cache_dir.is_some()),
            ("--registries.d", self.registries_d.is_some()),
            ("--policy", self.policy.is_some()),
            ("--rootless-storage-path", self.rootless_storage_path.is_some()),
            ("--quiet", self.quiet.is_some()),
            ("--force", self.force.is_some()),
            ("--tls-verify", self.tls_verify.is_some()),
            ("--cpu-prof", self.cpu_prof.is_some()),
            ("--mem-prof", self.mem_prof.is_some()),
            ("--dest-compress", self.dest_compress.is_some()),
            ("--dest-decompress", self.dest_decompress.is_some()),
            (
                "--dest-oci-accept-uncompressed-layers",
                self.dest_oci_accept_uncompressed_layers.is_some(),
            ),
            ("--dest-compress-format", self.dest_compress_format.is_some()),
            ("--dest-compress-level", self.dest_compress_level.is_some()),
            ("--dest-precompute-digests", self.dest_precompute_digests.is_some()),
        ])
    }
}

/// Returns the names of the flags that were typed.
pub(super) fn given<const N: usize>(flags: [(&'static str, bool); N]) -> Vec<&'static str> {
    flags.into_iter().filter(|&(_, is_given)| is_given).map(|(name, _)| name).collect()
}
