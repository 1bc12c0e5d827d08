use std::{fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, DigestError, NameError, RepoName, Tag, TagOrDigest, text::as_text};

/// Registry that a name without one means.
const DOCKER_HUB: &str = "docker.io";
/// Namespace that a name of one component means there.
const DOCKER_LIBRARY: &str = "library/";
/// What stands before a directory with the files of a catalog.
const FILES: &str = "dir://";

/// A registry: its name or address and, if it is given, its port.
///
/// `quay.io`, `localhost:5000`, `[::1]:5000`. An IPv6 address stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

/// An image in a registry, and the text it was written as.
///
/// ```text
/// docker://quay.io:443/team/app:v1@sha256:…
/// transport host       path    tag digest
/// ```
///
/// A name without a host means `docker.io`, as container engines read it, and one without a
/// namespace there means `library/`. [`repository`](Self::repository) and
/// [`host`](Self::host) are what is meant, [`path`](Self::path) is what was written.
///
/// Source: <https://github.com/distribution/reference/blob/v0.6.0/reference.go>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageRef {
    written: String,
    host: Host,
    path: RepoName,
    repository: RepoName,
    pin: Pin,
}

/// What says which of a repository's images is meant: at least one of the two.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Pin {
    Tag(Tag),
    Digest(Digest),
    Both(Tag, Digest),
}

/// An image in an OCI layout directory: `oci://directory`, with `@digest` where it holds several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutRef {
    /// The text as it was written.
    pub written: String,
    /// The directory; a relative one is relative to the file that names it.
    pub directory: PathBuf,
    /// Which of its images, if said.
    pub digest: Option<Digest>,
}

/// A directory with the files of a catalog of operators: `dir://directory`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryRef {
    /// The text as it was written.
    pub written: String,
    /// The directory; a relative one is relative to the file that names it.
    pub directory: PathBuf,
}

/// An image, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// In a registry.
    Image(ImageRef),
    /// In a directory.
    Layout(LayoutRef),
    /// What an image is made of. Only catalogs are named so: see [`Reference::of_catalog`].
    Directory(DirectoryRef),
}

/// Why some text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference")]
pub struct ReferenceError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    #[source]
    pub fault: ReferenceFault,
}

/// What is wrong with a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceFault {
    /// There is no name in it.
    #[error("it names no image")]
    Empty,
    /// What stands before `://` is not a transport we know.
    #[error("transport `{transport}://` is neither `docker://` nor `oci://`")]
    Transport {
        /// The transport.
        transport: String,
    },
    /// What stands before the first slash is not a host.
    #[error(transparent)]
    Host(NameError),
    /// The path is not a repository name.
    #[error(transparent)]
    Repository(NameError),
    /// What stands after the last colon is not a tag.
    #[error(transparent)]
    Tag(NameError),
    /// What stands after `@` is not a digest.
    #[error(transparent)]
    Digest(DigestError),
    /// Nothing says which of the repository's images is meant.
    #[error("it has neither tag nor digest")]
    Unpinned,
}

impl ReferenceError {
    /// Returns what to write instead, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            ReferenceFault::Unpinned => {
                Some(format!("write `{}:latest`, or another tag, or `@sha256:…`", self.text))
            }
            ReferenceFault::Repository(name) if name.text.contains(char::is_uppercase) => {
                Some(format!("repository names are lower case: `{}`", name.text.to_lowercase()))
            }
            ReferenceFault::Empty | ReferenceFault::Transport { .. } => {
                Some("write `registry/repository:tag`, or `oci://directory`".to_owned())
            }
            ReferenceFault::Digest(_) => {
                Some("a digest is `sha256:` and 64 of `0-9a-f`".to_owned())
            }
            _ => None,
        }
    }
}

impl Host {
    /// Returns the name or address without port and brackets.
    pub fn name(&self) -> &str {
        let name = self.split().0;
        name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
    }

    /// Returns the port, if one is given.
    pub fn port(&self) -> Option<u16> {
        self.split().1?.parse().ok()
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Splits before the colon of the port, which in IPv6 comes after the bracket.
    fn split(&self) -> (&str, Option<&str>) {
        match self.0.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (&self.0, None),
        }
    }
}

impl FromStr for Host {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let host = Self(text.to_owned());
        let (name, port) = host.split();
        let is_port = port.is_none_or(|port| {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0)
        });
        let is_name = match name.strip_prefix('[') {
            Some(address) => address
                .strip_suffix(']')
                .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
            None => name.split('.').all(is_label),
        };
        if is_port && is_name { Ok(host) } else { Err(NameError::new(text, "registry host")) }
    }
}

/// A part of a host name between dots. An underscore is not allowed in DNS and is used all the
/// same, by compose files above all.
fn is_label(text: &str) -> bool {
    let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.bytes().all(is_legal) && !text.starts_with('-') && !text.ends_with('-')
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(Host, NameError);

impl ImageRef {
    /// Returns the text as it was written.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// Returns the registry.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Returns the repository in the registry: for `nginx`, `library/nginx`.
    pub fn repository(&self) -> &RepoName {
        &self.repository
    }

    /// Returns the repository as it was written: for `nginx`, `nginx`.
    pub fn path(&self) -> &RepoName {
        &self.path
    }

    /// Returns the tag.
    pub fn tag(&self) -> Option<&Tag> {
        match &self.pin {
            Pin::Tag(tag) | Pin::Both(tag, _) => Some(tag),
            Pin::Digest(_) => None,
        }
    }

    /// Returns the digest.
    pub fn digest(&self) -> Option<&Digest> {
        match &self.pin {
            Pin::Digest(digest) | Pin::Both(_, digest) => Some(digest),
            Pin::Tag(_) => None,
        }
    }

    /// Returns what the image is asked for by: the digest where there is one, since a tag may
    /// have moved.
    pub fn selector(&self) -> TagOrDigest {
        match &self.pin {
            Pin::Digest(digest) | Pin::Both(_, digest) => TagOrDigest::Digest(digest.clone()),
            Pin::Tag(tag) => TagOrDigest::Tag(tag.clone()),
        }
    }

    fn read(written: &str, name: &str) -> Result<Self, ReferenceFault> {
        let (name, digest) = split_digest(name)?;
        let (host, rest) = split_host(name)?;
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) => (path, Some(tag.parse().map_err(ReferenceFault::Tag)?)),
            None => (rest, None),
        };
        if path.is_empty() {
            return Err(ReferenceFault::Empty);
        }
        let path: RepoName = path.parse().map_err(ReferenceFault::Repository)?;
        let pin = match (tag, digest) {
            (Some(tag), Some(digest)) => Pin::Both(tag, digest),
            (Some(tag), None) => Pin::Tag(tag),
            (None, Some(digest)) => Pin::Digest(digest),
            (None, None) => return Err(ReferenceFault::Unpinned),
        };
        let repository = if host.as_str() == DOCKER_HUB && !path.as_str().contains('/') {
            format!("{DOCKER_LIBRARY}{path}").parse().map_err(ReferenceFault::Repository)?
        } else {
            path.clone()
        };
        Ok(Self { written: written.to_owned(), host, path, repository, pin })
    }
}

fn split_digest(name: &str) -> Result<(&str, Option<Digest>), ReferenceFault> {
    match name.split_once('@') {
        Some((name, digest)) => Ok((name, Some(digest.parse().map_err(ReferenceFault::Digest)?))),
        None => Ok((name, None)),
    }
}

/// Splits off the first component if it can only be a host, as container engines decide it.
fn split_host(name: &str) -> Result<(Host, &str), ReferenceFault> {
    match name.split_once('/') {
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':', '[']) => {
            Ok((first.parse().map_err(ReferenceFault::Host)?, rest))
        }
        _ => Ok((Host(DOCKER_HUB.to_owned()), name)),
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let read = match text.split_once("://") {
            Some(("docker", name)) => ImageRef::read(text, name).map(Self::Image),
            Some(("oci", name)) => LayoutRef::read(text, name).map(Self::Layout),
            Some((transport, _)) => {
                Err(ReferenceFault::Transport { transport: transport.to_owned() })
            }
            None => ImageRef::read(text, text).map(Self::Image),
        };
        read.map_err(|fault| ReferenceError { text: text.to_owned(), fault })
    }
}

impl FromStr for ImageRef {
    type Err = ReferenceError;

    /// Reads an image in a registry; `docker://` may stand before it.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        match text.parse()? {
            Reference::Image(image) => Ok(image),
            Reference::Layout(_) | Reference::Directory(_) => {
                let fault = ReferenceFault::Transport { transport: "oci".to_owned() };
                Err(ReferenceError { text: text.to_owned(), fault })
            }
        }
    }
}

impl LayoutRef {
    fn read(written: &str, name: &str) -> Result<Self, ReferenceFault> {
        // A directory may hold an `@`; only what reads as a digest is one.
        let (directory, digest) = match name.rsplit_once('@') {
            Some((directory, digest)) if digest.starts_with("sha") => {
                (directory, Some(digest.parse().map_err(ReferenceFault::Digest)?))
            }
            _ => (name, None),
        };
        if directory.is_empty() {
            return Err(ReferenceFault::Empty);
        }
        Ok(Self { written: written.to_owned(), directory: directory.into(), digest })
    }
}

impl Reference {
    /// Reads what a catalog is named by: an image, or a directory with its files, `dir://`.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`], when it is neither.
    pub fn of_catalog(text: &str) -> Result<Self, ReferenceError> {
        match text.strip_prefix(FILES) {
            None => text.parse(),
            Some("") => Err(ReferenceError { text: text.to_owned(), fault: ReferenceFault::Empty }),
            Some(directory) => {
                let (written, directory) = (text.to_owned(), directory.into());
                Ok(Self::Directory(DirectoryRef { written, directory }))
            }
        }
    }

    /// Returns the text as it was written.
    pub fn as_written(&self) -> &str {
        match self {
            Self::Image(image) => image.as_written(),
            Self::Layout(layout) => &layout.written,
            Self::Directory(directory) => &directory.written,
        }
    }
}

impl fmt::Display for ImageRef {
    /// Writes what is meant, in full: `docker.io/library/nginx:1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        self.tag().iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest().iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl fmt::Display for LayoutRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}", self.directory.display())?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) => image.fmt(f),
            Self::Layout(layout) => layout.fmt(f),
            Self::Directory(DirectoryRef { directory, .. }) => {
                write!(f, "{FILES}{}", directory.display())
            }
        }
    }
}

#[cfg(test)]
mod tests;
