//! Where an image goes: what of its name stays, and what the target adds.
//!
//! ```text
//! docker://mirror.example:5000/ns  +  quay.io/team/app:v1  =  mirror.example:5000/ns/team/app:v1
//!          target                     origin: the host is dropped, path and tag stay
//! ```

use std::{
    num::NonZeroUsize,
    path::{Component, Path},
    str::FromStr,
};

use ocm_config::WantedImage;
use ocm_oci::{DirectoryRef, Host, LayoutRef, NameError, Reference, RepoName, Tag};

/// How a target is written.
const TRANSPORT: &str = "docker://";

/// Where the images of a run go: a registry, perhaps a namespace in it, and how deep its paths
/// may be.
///
/// Read from `docker://HOST[:PORT][/NAMESPACE]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationRules {
    host: Host,
    namespace: Option<RepoName>,
    nesting: Option<NonZeroUsize>,
}

/// A place for an image in a registry or in an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The repository.
    pub repository: RepoName,
    /// The tag in it.
    pub tag: Tag,
}

/// Why some text is not a target to mirror to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a registry to mirror to")]
pub struct TargetError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub fault: TargetFault,
}

/// What is wrong with a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetFault {
    /// It begins with another transport than `docker://`, or with none.
    #[error("it does not begin with `docker://`")]
    Transport,
    /// It names no registry.
    #[error("it names no registry")]
    Empty,
    /// What stands before the first slash is not a host.
    #[error(transparent)]
    Host(NameError),
    /// What stands after the first slash is not a path.
    #[error(transparent)]
    Namespace(NameError),
    /// It has a tag or a digest: those are the images'.
    #[error("`{part}` is a tag or a digest, which each image has of its own")]
    Pinned {
        /// The tag with its colon, or the digest with its `@`.
        part: String,
    },
}

/// Why an image has no place at a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// The path of its directory is not a repository name.
    #[error("directory `{directory}` gives no repository name; `targetRepo` can")]
    Directory {
        /// The directory as it was written.
        directory: String,
        /// What is wrong with it.
        #[source]
        source: NameError,
    },
}

impl DestinationRules {
    /// Makes rules for a registry, without a namespace and of any depth.
    pub fn new(host: Host) -> Self {
        Self { host, namespace: None, nesting: None }
    }

    /// Puts everything below `namespace`.
    #[must_use]
    pub fn with_namespace(self, namespace: RepoName) -> Self {
        Self { namespace: Some(namespace), ..self }
    }

    /// Joins the last components of paths with more than `limit` of them, the namespace's
    /// included.
    #[must_use]
    pub fn with_nesting(self, limit: NonZeroUsize) -> Self {
        Self { nesting: Some(limit), ..self }
    }

    /// Returns the registry.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the namespace below which everything is put.
    pub fn namespace(&self) -> Option<&RepoName> {
        self.namespace.as_ref()
    }

    /// Returns the place of `image`.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] where a directory's name gives no repository name.
    pub fn of(&self, image: &WantedImage) -> Result<Destination, DestinationError> {
        let Destination { repository, tag } = Destination::in_archive(image)?;
        Ok(Destination { repository: self.repository(&repository), tag })
    }

    /// Returns the repository that stands for `path` here: below the namespace, and no deeper
    /// than is allowed.
    pub fn repository(&self, path: &RepoName) -> RepoName {
        let repository = match &self.namespace {
            Some(namespace) => path.under(namespace),
            None => path.clone(),
        };
        match self.nesting {
            Some(limit) => repository.nested_at_most(limit),
            None => repository,
        }
    }
}

impl Destination {
    /// Returns the place of `image` in an archive, before any target is known: without
    /// namespace and of any depth.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] where a directory's name gives no repository name.
    pub fn in_archive(image: &WantedImage) -> Result<Self, DestinationError> {
        let repository = match (&image.target_repo, &image.reference) {
            (Some(repository), _) => repository.clone(),
            // As written: `nginx` stays `nginx`, whatever it is called where it comes from.
            (None, Reference::Image(origin)) => origin.path().clone(),
            (
                None,
                Reference::Layout(LayoutRef { directory, .. })
                | Reference::Directory(DirectoryRef { directory, .. }),
            ) => directory_name(directory)?,
        };
        let tag = image.target_tag.clone().unwrap_or_else(|| own_tag(&image.reference));
        Ok(Self { repository, tag })
    }
}

/// Returns the tag that an image brings along.
fn own_tag(reference: &Reference) -> Tag {
    let Reference::Image(image) = reference else { return Tag::latest() };
    match (image.tag(), image.digest()) {
        (Some(tag), _) => tag.clone(),
        (None, Some(digest)) => Tag::of_digest(digest),
        // No reference to a registry has neither.
        (None, None) => Tag::latest(),
    }
}

/// Returns the repository that a directory stands for: its whole path.
fn directory_name(directory: &Path) -> Result<RepoName, DestinationError> {
    let names: Vec<_> = directory
        .components()
        .filter(|component| !matches!(component, Component::RootDir | Component::CurDir))
        .map(|component| component.as_os_str().to_string_lossy())
        .collect();
    names.join("/").parse().map_err(|source| DestinationError::Directory {
        directory: directory.display().to_string(),
        source,
    })
}

impl FromStr for DestinationRules {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        read_target(text).map_err(|fault| TargetError { text: text.to_owned(), fault })
    }
}

fn read_target(text: &str) -> Result<DestinationRules, TargetFault> {
    let name = text.strip_prefix(TRANSPORT).ok_or(TargetFault::Transport)?;
    let name = name.trim_end_matches('/');
    if name.is_empty() {
        return Err(TargetFault::Empty);
    }
    let (name, digest) = name.split_once('@').map_or((name, None), |(name, at)| (name, Some(at)));
    if let Some(digest) = digest {
        return Err(TargetFault::Pinned { part: format!("@{digest}") });
    }
    let (host, namespace) = name.split_once('/').map_or((name, None), |(h, ns)| (h, Some(ns)));
    if let Some((_, tag)) = namespace.and_then(|namespace| namespace.rsplit_once(':')) {
        return Err(TargetFault::Pinned { part: format!(":{tag}") });
    }
    let rules = DestinationRules::new(host.parse().map_err(TargetFault::Host)?);
    match namespace {
        Some(namespace) => {
            Ok(rules.with_namespace(namespace.parse().map_err(TargetFault::Namespace)?))
        }
        None => Ok(rules),
    }
}

impl TargetError {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let write = |name: &str| Some(format!("write `{TRANSPORT}{name}`"));
        match &self.fault {
            TargetFault::Transport => match self.text.split_once("://") {
                None if !self.text.is_empty() => write(&self.text),
                Some(("http" | "https", name)) if !name.is_empty() => write(name),
                _ => write("registry.example.com:5000/namespace"),
            },
            TargetFault::Host(name) if matches!(name.text.as_str(), "http:" | "https:") => {
                let (_, rest) = self.text.rsplit_once("://").unwrap_or_default();
                write(rest)
            }
            TargetFault::Empty => write("registry.example.com:5000/namespace"),
            TargetFault::Pinned { part } => {
                let name = self.text.trim_start_matches(TRANSPORT).trim_end_matches('/');
                write(name.strip_suffix(part.as_str()).unwrap_or(name))
            }
            TargetFault::Namespace(name) if name.text.contains(char::is_uppercase) => {
                Some(format!("repository names are lower case: `{}`", name.text.to_lowercase()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
