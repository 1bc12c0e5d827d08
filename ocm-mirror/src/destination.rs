use std::{fmt, num::NonZeroUsize, str::FromStr};

use ocm_config::WantedImage;
use ocm_oci::{Host, NameError, Reference, RepoName, Tag};

/// Where images go, and what they are called there.
///
/// ```text
/// quay.io/team/app:v1   ──►  mirror.example:5000 / ns / team/app : v1
///                            host                 namespace  path    tag
/// ```
///
/// The source's registry is dropped; the path stays as it was written. An archive has neither
/// host nor namespace: what is carried across the gap is named by path and tag alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationRules {
    target: Option<Target>,
    nesting: Option<NonZeroUsize>,
}

/// A registry, and the namespace in it under which everything goes: `docker://HOST[:PORT][/NS]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The registry.
    pub host: Host,
    /// The namespace, if there is one.
    pub namespace: Option<RepoName>,
}

/// What an image is called at the destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// Its repository.
    pub repository: RepoName,
    /// Its tag.
    pub tag: Tag,
}

/// Why some text is not a registry to mirror to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It does not begin with `docker://`.
    #[error("destination `{text}` does not begin with `docker://`")]
    Transport {
        /// What was given.
        text: String,
    },
    /// A scheme stands where the host should.
    #[error("destination `{text}` has `{scheme}://` in it, which TLS settings decide")]
    Scheme {
        /// What was given.
        text: String,
        /// The scheme.
        scheme: String,
    },
    /// The host is none.
    #[error("destination `{text}` names no registry")]
    Host {
        /// What was given.
        text: String,
        /// Why not.
        source: NameError,
    },
    /// The namespace is none; a tag or a digest is no part of one.
    #[error("destination `{text}` has a path that is no namespace")]
    Namespace {
        /// What was given.
        text: String,
        /// Why not.
        source: NameError,
    },
}

/// Why an image has no name at the destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// The path of a layout directory makes no repository name.
    #[error("`{path}` makes no repository name")]
    Path {
        /// The path.
        path: String,
        /// Why not.
        source: NameError,
    },
}

impl DestinationRules {
    /// Puts images into a registry.
    pub fn in_registry(target: Target) -> Self {
        Self { target: Some(target), nesting: None }
    }

    /// Puts images into an archive, which has neither host nor namespace.
    pub fn in_archive() -> Self {
        Self::default()
    }

    /// Sets how many components a path has at most, the namespace's included; what is deeper is
    /// joined with `-`.
    #[must_use]
    pub fn with_nesting(self, limit: NonZeroUsize) -> Self {
        Self { nesting: Some(limit), ..self }
    }

    /// Returns the registry and its namespace.
    pub fn target(&self) -> Option<&Target> {
        self.target.as_ref()
    }

    /// Whether paths are cut, so that only whole repositories correspond.
    pub fn is_nested(&self) -> bool {
        self.nesting.is_some()
    }

    /// Returns what `image` is called at the destination.
    ///
    /// # Errors
    ///
    /// [`DestinationError`], where the image is a directory whose path makes no repository name.
    pub fn of(&self, image: &WantedImage) -> Result<Destination, DestinationError> {
        let path = match (&image.target_repo, &image.reference) {
            (Some(path), _) => path.clone(),
            (None, Reference::Image(image)) => image.path().clone(),
            (None, Reference::Layout(layout)) => {
                let path = layout.directory.to_string_lossy();
                let path = path.trim_matches('/').to_owned();
                path.parse().map_err(|source| DestinationError::Path { path, source })?
            }
        };
        Ok(Destination { repository: self.place(path), tag: tag_of(image) })
    }

    /// Returns where a path lies at the destination.
    pub fn place(&self, path: RepoName) -> RepoName {
        let namespace = self.target.as_ref().and_then(|target| target.namespace.as_ref());
        let path = match namespace {
            Some(namespace) => path.under(namespace),
            None => path,
        };
        match self.nesting {
            Some(limit) => path.nested_at_most(limit),
            None => path,
        }
    }
}

/// The tag asked for, else the image's own, else one made of its digest.
fn tag_of(wanted: &WantedImage) -> Tag {
    if let Some(tag) = &wanted.target_tag {
        return tag.clone();
    }
    match &wanted.reference {
        Reference::Image(image) => match (image.tag(), image.digest()) {
            (Some(tag), _) => tag.clone(),
            (None, Some(digest)) => Tag::of_digest(digest),
            (None, None) => Tag::latest(),
        },
        Reference::Layout(_) => Tag::latest(),
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let owned = || text.to_owned();
        let rest = text
            .strip_prefix("docker://")
            .ok_or_else(|| TargetError::Transport { text: owned() })?
            .trim_end_matches('/');
        if let Some((scheme, _)) = rest.split_once("://") {
            return Err(TargetError::Scheme { text: owned(), scheme: scheme.to_owned() });
        }
        let (host, namespace) = match rest.split_once('/') {
            Some((host, namespace)) => (host, Some(namespace)),
            None => (rest, None),
        };
        let host = host.parse().map_err(|source| TargetError::Host { text: owned(), source })?;
        let namespace = namespace.map(str::parse).transpose();
        let namespace =
            namespace.map_err(|source| TargetError::Namespace { text: owned(), source })?;
        Ok(Self { host, namespace })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "docker://{}", self.host)?;
        self.namespace.iter().try_for_each(|namespace| write!(f, "/{namespace}"))
    }
}

impl TargetError {
    /// Returns what to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Scheme { scheme, .. } if scheme == "http" => {
                "write `docker://HOST[:PORT][/NAMESPACE]`, and `--dest-tls-verify=false` for plain \
                 HTTP"
                    .to_owned()
            }
            _ => "write `docker://HOST[:PORT][/NAMESPACE]`, without tag or digest".to_owned(),
        }
    }
}
