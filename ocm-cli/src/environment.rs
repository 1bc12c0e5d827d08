//! The environment: read once, here, and handed on as values.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use jiff::Timestamp;
use ocm_config::{Pattern, PatternError};
use ocm_transport::{Proxies, SystemRoots};

/// Every variable that is looked at.
const NAMES: [&str; 23] = [
    "CONTAINERS_REGISTRIES_CONF",
    "DOCKER_CONFIG",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_COLOR",
    "NO_PROXY",
    "OCP_SIGNATURE_URL",
    "OCP_SIGNATURE_VERIFICATION_PK",
    "OC_MIRROR_CACHE",
    "REGISTRY_AUTH_FILE",
    "SOURCE_DATE_EPOCH",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
    "TMPDIR",
    "UPDATE_URL_OVERRIDE",
    "VERSION_FILTER",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// What the environment said when the program began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<&'static str, OsString>,
    user: u32,
}

/// Why a variable cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{name}={value}` is not a number of seconds since 1970")]
pub(crate) struct EnvironmentError {
    /// Which variable.
    pub(crate) name: &'static str,
    /// What it holds.
    pub(crate) value: String,
}

impl Environment {
    /// Reads the environment of this process.
    pub(crate) fn of_process() -> Self {
        let user = rustix::process::getuid().as_raw();
        Self::of(std::env::var_os, user)
    }

    /// Reads from `variable`, as `user`. An empty variable is one that is not set.
    pub(crate) fn of(variable: impl Fn(&'static str) -> Option<OsString>, user: u32) -> Self {
        let present = |name| Some((name, variable(name).filter(|value| !value.is_empty())?));
        Self { variables: NAMES.into_iter().filter_map(present).collect(), user }
    }

    /// Makes one of these variables, on a machine that is nobody's.
    pub(crate) fn with_only(variables: &[(&'static str, String)]) -> Self {
        let value = |name| variables.iter().find(|(other, _)| *other == name);
        Self::of(|name| value(name).map(|(_, value)| value.into()), 0)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).map(PathBuf::from)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name)?.to_str().map(str::to_owned)
    }

    /// Returns the file of credentials that stands in for `--authfile`.
    pub(crate) fn authfile(&self) -> Option<PathBuf> {
        self.path("REGISTRY_AUTH_FILE")
    }

    /// Returns where credentials are looked for when no file is named; the first that knows the
    /// registry is taken.
    ///
    /// Source: <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>.
    pub(crate) fn credential_files(&self) -> Vec<PathBuf> {
        let home = self.path("HOME");
        let runtime = self.path("XDG_RUNTIME_DIR").map_or_else(
            || PathBuf::from(format!("/run/containers/{}/auth.json", self.user)),
            |directory| directory.join("containers/auth.json"),
        );
        let config = self.path("XDG_CONFIG_HOME");
        let config = config.or_else(|| Some(home.as_ref()?.join(".config")));
        let docker = self.path("DOCKER_CONFIG");
        let docker = docker.or_else(|| Some(home.as_ref()?.join(".docker")));
        [
            Some(runtime),
            config.map(|directory| directory.join("containers/auth.json")),
            docker.map(|directory| directory.join("config.json")),
            home.map(|home| home.join(".dockercfg")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Returns where certificates of registries lie, each in a directory named like its host.
    ///
    /// Source: <https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md>.
    pub(crate) fn certs_dirs(&self) -> Vec<PathBuf> {
        let own = self.path("HOME").map(|home| home.join(".config/containers/certs.d"));
        let system = ["/etc/containers/certs.d", "/etc/docker/certs.d"];
        own.into_iter().chain(system.map(PathBuf::from)).collect()
    }

    /// Returns the proxies.
    pub(crate) fn proxies(&self) -> Proxies {
        let either = |upper: &str, lower: &str| self.text(upper).or_else(|| self.text(lower));
        Proxies {
            http: either("HTTP_PROXY", "http_proxy"),
            https: either("HTTPS_PROXY", "https_proxy"),
            no_proxy: either("NO_PROXY", "no_proxy"),
        }
    }

    /// Returns the update server that is asked instead of Red Hat's.
    pub(crate) fn update_url(&self) -> Option<String> {
        self.text("UPDATE_URL_OVERRIDE")
    }

    /// Returns where signatures of releases are looked for instead of where they are published.
    pub(crate) fn signature_url(&self) -> Option<String> {
        self.text("OCP_SIGNATURE_URL")
    }

    /// Returns the file with the keys that sign releases instead of the published ones.
    pub(crate) fn signature_key(&self) -> Option<PathBuf> {
        self.path("OCP_SIGNATURE_VERIFICATION_PK")
    }

    /// Returns where the system's certificate authorities are, if not in the usual place.
    ///
    /// Source: <https://docs.openssl.org/master/man3/SSL_CTX_load_verify_locations/>.
    pub(crate) fn system_roots(&self) -> SystemRoots {
        match (self.path("SSL_CERT_FILE"), self.path("SSL_CERT_DIR")) {
            (None, None) => SystemRoots::Usual,
            (file, dir) => SystemRoots::At { file, dir },
        }
    }

    /// Returns the time that dates in what is written are to have, where one is set.
    ///
    /// Source: <https://reproducible-builds.org/specs/source-date-epoch/>.
    ///
    /// # Errors
    ///
    /// When it is set and is not a time.
    pub(crate) fn source_date(&self) -> Result<Option<Timestamp>, EnvironmentError> {
        let name = "SOURCE_DATE_EPOCH";
        let Some(value) = self.variables.get(name) else { return Ok(None) };
        let seconds = value.to_str().and_then(|text| text.parse().ok());
        match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
            Some(date) => Ok(Some(date)),
            None => Err(EnvironmentError { name, value: value.to_string_lossy().into_owned() }),
        }
    }

    /// Returns whether colours are welcome, on a terminal.
    pub(crate) fn wants_colour(&self) -> bool {
        !self.variables.contains_key("NO_COLOR") && self.can_draw()
    }

    /// Returns whether a terminal can be drawn on, if it is one.
    pub(crate) fn can_draw(&self) -> bool {
        self.variables.get("TERM").is_none_or(|term| term != "dumb")
    }

    /// Returns where temporary files go.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"))
    }

    /// Returns which versions count as the newest or the oldest of a channel, if not all.
    ///
    /// # Errors
    ///
    /// When it is no pattern.
    pub(crate) fn version_filter(&self) -> Result<Option<Pattern>, PatternError> {
        let written = self.text("VERSION_FILTER");
        written.as_deref().map(str::parse).transpose()
    }

    /// Returns variables that are set, that oc-mirror reads, and that change nothing here.
    pub(crate) fn ineffective(&self) -> impl Iterator<Item = &'static str> {
        let names = ["OC_MIRROR_CACHE", "CONTAINERS_REGISTRIES_CONF"];
        names.into_iter().filter(|name| self.variables.contains_key(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&'static str, &str)]) -> Environment {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        Environment::of(|name| variables.get(name).map(OsString::from), 1000)
    }

    #[test]
    fn credentials_are_looked_for_where_podman_and_docker_keep_them() {
        let plain = environment(&[("HOME", "/home/me")]);
        assert_eq!(
            plain.credential_files(),
            [
                "/run/containers/1000/auth.json",
                "/home/me/.config/containers/auth.json",
                "/home/me/.docker/config.json",
                "/home/me/.dockercfg",
            ]
            .map(PathBuf::from)
        );
        let moved = environment(&[
            ("XDG_RUNTIME_DIR", "/run/user/7"),
            ("XDG_CONFIG_HOME", "/cfg"),
            ("DOCKER_CONFIG", "/docker"),
        ]);
        assert_eq!(
            moved.credential_files(),
            [
                "/run/user/7/containers/auth.json",
                "/cfg/containers/auth.json",
                "/docker/config.json"
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let environment = environment(&[("REGISTRY_AUTH_FILE", ""), ("OC_MIRROR_CACHE", "")]);
        assert_eq!(environment.authfile(), None);
        assert_eq!(environment.ineffective().count(), 0);
    }

    #[test]
    fn proxies_are_known_in_both_spellings() {
        let environment = environment(&[
            ("HTTP_PROXY", "http://upper"),
            ("http_proxy", "http://lower"),
            ("https_proxy", "http://lower"),
        ]);
        let expected = Proxies {
            http: Some("http://upper".to_owned()),
            https: Some("http://lower".to_owned()),
            no_proxy: None,
        };
        assert_eq!(environment.proxies(), expected);
    }

    #[test]
    fn the_date_of_reproducible_builds_is_read_or_refused() {
        let date = |text| environment(&[("SOURCE_DATE_EPOCH", text)]).source_date();
        assert_eq!(date("0").unwrap(), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(
            date("yesterday").unwrap_err().to_string(),
            "`SOURCE_DATE_EPOCH=yesterday` is not a number of seconds since 1970"
        );
        assert_eq!(environment(&[]).source_date().unwrap(), None);
    }

    #[test]
    fn colours_are_for_those_who_want_them() {
        assert!(environment(&[("TERM", "xterm")]).wants_colour());
        assert!(!environment(&[("TERM", "xterm"), ("NO_COLOR", "1")]).wants_colour());
        assert!(!environment(&[("TERM", "dumb")]).wants_colour());
        assert!(!environment(&[("TERM", "dumb")]).can_draw());
    }
}
