use ocm_config::PatternError;
use ocm_mirror::TargetError;

use super::SideName;

/// Why the arguments make no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsageError {
    /// An engine is asked for that is not here.
    #[error("`--v1` asks for an engine that ocm does not have")]
    VersionOne,
    /// Nothing says where to.
    #[error("no destination is given")]
    NoDestination,
    /// The destination is neither of the two kinds.
    #[error("destination `{given}` starts with neither `docker://` nor `file://`")]
    Destination {
        /// What was typed.
        given: String,
    },
    /// There are two of them.
    #[error("there are two destinations: `{first}` and `{second}`")]
    Destinations {
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// The value of an on-off flag stands apart from it.
    #[error("`{given}` belongs to no flag")]
    Boolean {
        /// What was typed.
        given: String,
    },
    /// A command of oc-mirror that ocm does not have.
    #[error("ocm has no `{name}` yet")]
    Command {
        /// Which.
        name: String,
    },
    /// No directory stands after the prefix.
    #[error("no directory stands after `file://`")]
    NoDirectory,
    /// The destination names no registry.
    #[error(transparent)]
    Target(TargetError),
    /// Nothing says what is mirrored.
    #[error("`--config` is missing")]
    NoConfig,
    /// The workspace is not a directory.
    #[error("`--workspace {given}` is not `file://` and a directory")]
    Workspace {
        /// What was typed.
        given: String,
    },
    /// A registry needs either.
    #[error("neither `--workspace` nor `--from` is given")]
    NoWorkspace,
    /// A directory cannot be filled from an archive.
    #[error("`--from` does not go with the destination `{destination}`")]
    FromWithDirectory {
        /// What was typed.
        destination: String,
    },
    /// A directory is its own workspace.
    #[error("`--workspace` does not go with the destination `{destination}`")]
    WorkspaceWithDirectory {
        /// What was typed.
        destination: String,
    },
    /// What is to be read is not on disk.
    #[error("`--from {given}` is not an archive on disk")]
    From {
        /// What was typed.
        given: String,
    },
    /// The day cannot be read.
    #[error("`--since {given}` is not a date")]
    Since {
        /// What was typed.
        given: String,
        /// Why not.
        source: jiff::Error,
    },
    /// The environment has no pattern where one is read.
    #[error("`VERSION_FILTER` cannot be used")]
    VersionFilter(#[source] PatternError),
    /// Both dry runs at once.
    #[error("`--dry-run` and `--dry-run-manifest-lists` exclude each other")]
    DryRuns,
    /// Signatures are wanted and not wanted.
    #[error("the flags about signatures contradict each other")]
    Signatures,
    /// A bound out of bounds.
    #[error("`{flag} {given}` is not between 1 and 64")]
    Parallel {
        /// Which.
        flag: &'static str,
        /// What was typed.
        given: i64,
    },
    /// Fewer than no retries.
    #[error("`--retry-times {given}` is not a number of retries")]
    Retries {
        /// What was typed.
        given: i64,
    },
    /// Fewer than no components.
    #[error("`--max-nested-paths {given}` is not a number of path components")]
    Nesting {
        /// What was typed.
        given: i64,
    },
    /// Credentials that exclude each other.
    #[error("`--{side}{first}` and `--{side}{second}` exclude each other")]
    Exclusive {
        /// Of which end.
        side: SideName,
        /// One flag.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Half a login.
    #[error("`--{side}{given}` needs `--{side}{missing}`")]
    Incomplete {
        /// Of which end.
        side: SideName,
        /// The flag that is there.
        given: &'static str,
        /// The flag that is not.
        missing: &'static str,
    },
    /// Credentials of nobody.
    #[error("`--{side}{flag}` names no user")]
    NoUser {
        /// Of which end.
        side: SideName,
        /// The flag.
        flag: &'static str,
    },
    /// What oc-mirror can do and ocm cannot yet.
    #[error("`{flag}` is not implemented yet")]
    NotYet {
        /// The flag.
        flag: &'static str,
    },
}

impl UsageError {
    /// Returns what to type instead, where that can be said.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::VersionOne => {
                "leave `--v1` out: there is one engine, which reads configurations of \
                 `mirror.openshift.io/v2alpha1`"
            }
            Self::NoDestination => "write `file://DIR` or `docker://HOST[/NAMESPACE]` at the end",
            Self::Destination { given } => return Some(destination_hint(given)),
            Self::Destinations { .. } => {
                "run the program once for each; what is read comes with `--from file://DIR`"
            }
            Self::Boolean { given } => {
                return Some(format!(
                    "an on-off flag and its value are joined: `--dry-run={given}`"
                ));
            }
            Self::Command { .. } => {
                "it mirrors without one; its commands are `catalog`, `config`, `demo`, `graph`, \
                 `init`, `list`, `serve` and `version`"
            }
            Self::NoDirectory => "write `file://DIR`",
            Self::Target(error) => return error.hint(),
            Self::NoConfig => "write `-c FILE`, with an ImageSetConfiguration",
            Self::Workspace { given } => return Some(workspace_hint(given)),
            Self::NoWorkspace => {
                "to mirror from registries add `--workspace file://DIR`, from an archive \
                 `--from file://DIR`"
            }
            Self::FromWithDirectory { .. } => {
                "an archive is read into a registry: `--from file://DIR docker://HOST`"
            }
            Self::WorkspaceWithDirectory { .. } => {
                "leave it out: logs and results go into `working-dir` beside the archive"
            }
            Self::From { .. } => "write the directory of the archive, or its only file",
            Self::VersionFilter(error) => return error.hint(),
            Self::Since { .. } => "write year, month and day: `--since 2026-11-21`",
            Self::NotYet { flag: "--secure-policy" } => {
                "without it images are copied as their registries serve them, each checked \
                 against its digest"
            }
            Self::NotYet { .. } => "without it the archive holds everything",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn destination_hint(given: &str) -> String {
    if let Some(host) = given.strip_prefix("https://") {
        return format!("write `docker://{}`", host.trim_end_matches('/'));
    }
    if let Some(host) = given.strip_prefix("http://") {
        let host = host.trim_end_matches('/');
        return format!("write `docker://{host}`, and `--dest-tls-verify=false` for plain HTTP");
    }
    let layout = given.strip_prefix("oci://").or_else(|| given.strip_prefix("oci:"));
    if let Some(directory) = layout {
        return format!(
            "ocm writes no layout: write `file://{directory}` for an archive, or serve a layout \
             with `serve --writable` and write `docker://HOST`"
        );
    }
    if given.starts_with(['/', '.', '~']) {
        return format!("write `file://{given}`");
    }
    if given.contains("://") || given.contains('/') || given.contains('.') || given.contains(':') {
        return format!("write `docker://{0}` or `file://{0}`", without_scheme(given));
    }
    format!(
        "nor is `{given}` a command: those are `catalog`, `config`, `demo`, `graph`, `init`, \
         `list`, `serve`, `version` and `help`"
    )
}

fn workspace_hint(given: &str) -> String {
    match without_scheme(given) {
        "" => "write `--workspace file://DIR`".to_owned(),
        path => format!("write `--workspace file://{path}`"),
    }
}

fn without_scheme(text: &str) -> &str {
    text.split_once("://").map_or(text, |(_, rest)| rest)
}
