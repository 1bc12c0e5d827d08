use std::path::PathBuf;

use clap::Args;

use super::{Secret, Switch};

/// What can be said of one end of a copy, whichever it is.
#[derive(Debug, Clone)]
pub(crate) struct LowSide {
    /// Whether certificates are checked.
    pub(crate) tls_verify: Switch,
    /// File with credentials.
    pub(crate) authfile: Option<PathBuf>,
    /// `USER[:PASSWORD]`.
    pub(crate) creds: Option<Secret>,
    /// User name, where the password is given by itself.
    pub(crate) username: Option<String>,
    /// Password, where the user name is given by itself.
    pub(crate) password: Option<Secret>,
    /// Token, sent as it is.
    pub(crate) registry_token: Option<Secret>,
    /// Directory with certificates and keys.
    pub(crate) cert_dir: Option<PathBuf>,
    /// Whether no credentials are sent at all.
    pub(crate) no_creds: Switch,
    /// Flags that are taken and change nothing.
    pub(crate) ineffective: Vec<&'static str>,
}

/// Defines the flags of one end; oc-mirror has the same ones for both, under a prefix.
macro_rules! side {
    ($name:ident, $prefix:literal, $alias:literal, $verify:literal, $authfile:literal) => {
        #[derive(Debug, Clone, Args)]
        pub(crate) struct $name {
            #[doc = $verify]
            #[arg(
                id = concat!($prefix, "tls-verify"), long = concat!($prefix, "tls-verify"),
                default_value_t = Switch::On, help_heading = "Registries"
            )]
            tls_verify: Switch,
            #[arg(
                id = concat!($prefix, "authfile"), long = concat!($prefix, "authfile"),
                value_name = "FILE", help = $authfile, help_heading = "Registries"
            )]
            authfile: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "creds"), long = concat!($prefix, "creds"), alias = $alias,
                value_name = "USER[:PASSWORD]", hide = true
            )]
            creds: Option<Secret>,
            #[arg(
                id = concat!($prefix, "username"), long = concat!($prefix, "username"),
                value_name = "USER", hide = true
            )]
            username: Option<String>,
            #[arg(
                id = concat!($prefix, "password"), long = concat!($prefix, "password"),
                value_name = "PASSWORD", hide = true
            )]
            password: Option<Secret>,
            #[arg(
                id = concat!($prefix, "registry-token"), long = concat!($prefix, "registry-token"),
                value_name = "TOKEN", hide = true
            )]
            registry_token: Option<Secret>,
            #[arg(
                id = concat!($prefix, "cert-dir"), long = concat!($prefix, "cert-dir"),
                value_name = "DIR", hide = true
            )]
            cert_dir: Option<PathBuf>,
            #[arg(
                id = concat!($prefix, "no-creds"), long = concat!($prefix, "no-creds"),
                default_value_t = Switch::Off, hide = true
            )]
            no_creds: Switch,
            #[arg(
                id = concat!($prefix, "shared-blob-dir"),
                long = concat!($prefix, "shared-blob-dir"), hide = true
            )]
            shared_blob_dir: Option<String>,
            #[arg(
                id = concat!($prefix, "daemon-host"), long = concat!($prefix, "daemon-host"),
                hide = true
            )]
            daemon_host: Option<String>,
        }

        impl From<$name> for LowSide {
            fn from(typed: $name) -> Self {
                let ineffective = [
                    (concat!("--", $prefix, "shared-blob-dir"), typed.shared_blob_dir.is_some()),
                    (concat!("--", $prefix, "daemon-host"), typed.daemon_host.is_some()),
                ];
                Self {
                    tls_verify: typed.tls_verify,
                    authfile: typed.authfile,
                    creds: typed.creds,
                    username: typed.username,
                    password: typed.password,
                    registry_token: typed.registry_token,
                    cert_dir: typed.cert_dir,
                    no_creds: typed.no_creds,
                    ineffective: super::flags::given(ineffective),
                }
            }
        }
    };
}

side!(
    SourceArgs,
    "src-",
    "screds",
    "Check the certificates of the registries that are read",
    "File with the credentials of the registries that are read [default: `--authfile`]"
);
side!(
    DestinationArgs,
    "dest-",
    "dcreds",
    "Check the certificate of the registry that is written to",
    "File with the credentials of the registry that is written to [default: `--authfile`]"
);
