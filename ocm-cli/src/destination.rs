//! The registry that is written to, as `docker://HOST[/NAMESPACE]` names it.

use std::{fmt, str::FromStr};

use ocm_oci::{Host, NameError, RepoName};

/// A registry, and the repository under which everything goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The registry.
    pub(crate) host: Host,
    /// What stands before the path of every image.
    pub(crate) namespace: Option<RepoName>,
}

/// Why some text names no registry.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// There is nothing after the prefix.
    #[error("no registry stands after `docker://`")]
    Empty,
    /// What a browser would show is no registry.
    #[error("`{scheme}://` stands after `docker://`")]
    Scheme {
        /// What stands there.
        scheme: String,
    },
    /// An image is named, not a place for images.
    #[error("`{text}` carries a tag or a digest")]
    Pinned {
        /// What was given.
        text: String,
    },
    /// What stands before the first slash is no host.
    #[error(transparent)]
    Host(NameError),
    /// What stands after it is no repository.
    #[error(transparent)]
    Namespace(NameError),
}

impl TargetError {
    /// Returns what to write instead.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Scheme { .. } => {
                "leave it out: registries are asked over TLS, or with `--dest-tls-verify=false` \
                 over plain HTTP too"
                    .to_owned()
            }
            Self::Pinned { .. } => {
                "leave it out: every image keeps the tag that the configuration gives it".to_owned()
            }
            Self::Namespace(name) if name.text.contains(char::is_uppercase) => {
                format!("repository names are lower case: `{}`", name.text.to_lowercase())
            }
            _ => "write `docker://HOST[:PORT][/NAMESPACE]`".to_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    /// Reads what stands after `docker://`; a slash at the end harms nothing.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let text = text.trim_end_matches('/');
        if text.is_empty() {
            return Err(TargetError::Empty);
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(TargetError::Scheme { scheme: scheme.to_owned() });
        }
        let (host, namespace) = match text.split_once('/') {
            Some((host, namespace)) => (host, Some(namespace)),
            None => (text, None),
        };
        if text.contains('@') || namespace.is_some_and(|namespace| namespace.contains(':')) {
            return Err(TargetError::Pinned { text: text.to_owned() });
        }
        let host = host.parse().map_err(TargetError::Host)?;
        let namespace = namespace.map(str::parse).transpose().map_err(TargetError::Namespace)?;
        Ok(Self { host, namespace })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{namespace}", self.host),
            None => self.host.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_read() {
        let cases = [
            ("quay.io", "quay.io"),
            ("localhost:5000/", "localhost:5000"),
            ("registry.lab:5000/ocp/mirror", "registry.lab:5000/ocp/mirror"),
            ("registry.lab:5000/ocp/mirror//", "registry.lab:5000/ocp/mirror"),
            ("[::1]:5000/a", "[::1]:5000/a"),
            ("harbor/team", "harbor/team"),
        ];
        for (text, printed) in cases {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), printed, "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_advice() {
        let cases = [
            ("", "write `docker://HOST[:PORT][/NAMESPACE]`"),
            ("/", "write `docker://HOST[:PORT][/NAMESPACE]`"),
            ("http://r", "over plain HTTP too"),
            ("r:5000/team/app:v1", "every image keeps the tag"),
            ("r/app@sha256:00", "every image keeps the tag"),
            ("user@r/app", "every image keeps the tag"),
            ("r/Team", "lower case: `team`"),
            ("r//app", "write `docker://"),
            ("-r", "write `docker://"),
        ];
        for (text, hint) in cases {
            let error = text.parse::<Target>().unwrap_err();
            assert!(error.hint().contains(hint), "{text}: {error}: {}", error.hint());
        }
    }
}
