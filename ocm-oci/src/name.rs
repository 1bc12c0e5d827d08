use std::{fmt, num::NonZeroUsize, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Digest, text::as_text};

/// Longest tag the distribution specification allows, in bytes.
const TAG_MAX_LEN: usize = 128;

/// Why some text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}")]
pub struct NameError {
    /// What was given.
    pub text: String,
    /// What it was read as.
    pub kind: &'static str,
}

impl NameError {
    pub(crate) fn new(text: &str, kind: &'static str) -> Self {
        Self { text: text.to_owned(), kind }
    }
}

/// A repository's path inside a registry, for example `openshift/release`.
///
/// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests>.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoName(String);

/// A tag: a movable name for a manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

/// How a manifest is asked for. As text the two cannot be confused: no tag holds a colon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TagOrDigest {
    /// By a name that may move.
    Tag(Tag),
    /// By what it is.
    Digest(Digest),
}

impl RepoName {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the names between the slashes; there is at least one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// Returns this repository under `namespace`.
    #[must_use]
    pub fn under(&self, namespace: &Self) -> Self {
        Self(format!("{namespace}/{self}"))
    }

    /// Returns everything before the last component; `None` where there is only one.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// Whether the last components of this one are all components of `other`.
    pub fn ends_with(&self, other: &Self) -> bool {
        self.0.strip_suffix(&other.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }

    /// Returns the same content's place where paths have at most `limit` components: the first
    /// ones are kept, all others are joined with `-` into the last.
    ///
    /// Two repositories can become one this way.
    #[must_use]
    pub fn nested_at_most(&self, limit: NonZeroUsize) -> Self {
        let mut components = self.components();
        let mut kept: Vec<_> = components.by_ref().take(limit.get() - 1).collect();
        let rest: Vec<_> = components.collect();
        let last = rest.join("-");
        if !rest.is_empty() {
            kept.push(&last);
        }
        Self(kept.join("/"))
    }
}

impl Tag {
    /// Returns `latest`, the tag that stands for none.
    pub fn latest() -> Self {
        Self("latest".to_owned())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the tag under which content that has no other is kept: `sha256-…`.
    ///
    /// A sha512 digest is longer than a tag may be, and is cut to 127 characters.
    ///
    /// Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema>.
    pub fn of_digest(digest: &Digest) -> Self {
        let text = format!("{}-{}", digest.algorithm(), digest.hex());
        Self(text.chars().take(TAG_MAX_LEN - 1).collect())
    }
}

impl FromStr for RepoName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.split('/').all(is_component) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text, "repository name"))
        }
    }
}

/// Letters and digits, joined by single separators: `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_joint = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    text.starts_with(is_word) && text.ends_with(is_word) && text.split(is_word).all(is_joint)
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let starts_well = !text.is_empty() && !text.starts_with(['.', '-']);
        if starts_well && text.len() <= TAG_MAX_LEN && text.bytes().all(is_legal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text, "tag"))
        }
    }
}

impl FromStr for TagOrDigest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.parse::<Digest>() {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_no_digest) => text.parse().map(Self::Tag),
        }
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl From<&Tag> for TagOrDigest {
    fn from(tag: &Tag) -> Self {
        Self::Tag(tag.clone())
    }
}

impl From<&Digest> for TagOrDigest {
    fn from(digest: &Digest) -> Self {
        Self::Digest(digest.clone())
    }
}

as_text!(RepoName, NameError);
as_text!(Tag, NameError);
as_text!(TagOrDigest, NameError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names() {
        for good in ["a", "a/b", "a.b/c_d/e__f/g---h", "0/1", "openshift/release"] {
            assert_eq!(good.parse::<RepoName>().unwrap().to_string(), good);
        }
        let bad =
            ["", "/", "a/", "/a", "a//b", "a..b", "a___b", "a._b", "-a", "a-", "A", "a:b", "é"];
        for bad in bad {
            assert!(bad.parse::<RepoName>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn names_nest_and_compare_by_component() {
        let name = |text: &str| text.parse::<RepoName>().unwrap();
        let nested = |text: &str, limit| {
            name(text).nested_at_most(NonZeroUsize::new(limit).unwrap()).to_string()
        };
        assert_eq!(nested("a/b/c/d", 1), "a-b-c-d");
        assert_eq!(nested("a/b/c/d", 2), "a/b-c-d");
        assert_eq!(nested("a/b/c/d", 3), "a/b/c-d");
        assert_eq!(nested("a/b/c/d", 4), "a/b/c/d");
        assert_eq!(nested("a", 9), "a");
        assert!(name("x/ubi8").ends_with(&name("ubi8")));
        assert!(name("ubi8").ends_with(&name("ubi8")));
        assert!(!name("x/xubi8").ends_with(&name("ubi8")));
        assert_eq!(name("a/b/c").parent(), Some(name("a/b")));
        assert_eq!(name("a").parent(), None);
        assert_eq!(name("b").under(&name("a/x")), name("a/x/b"));
    }

    #[test]
    fn a_digest_makes_a_tag() {
        let digest = Digest::of(b"");
        assert_eq!(Tag::of_digest(&digest).to_string(), digest.to_string().replace(':', "-"));
        let long = crate::Hasher::new(crate::Algorithm::Sha512).finish();
        let tag = Tag::of_digest(&long);
        assert_eq!(tag.as_str().len(), 127);
        assert_eq!(tag.as_str().parse(), Ok(tag.clone()));
    }

    #[test]
    fn tags_and_digests() {
        let longest = "t".repeat(TAG_MAX_LEN);
        for good in ["v1", "_", "V1.0-rc_1", &longest] {
            let read: TagOrDigest = good.parse().unwrap();
            assert_eq!(read, TagOrDigest::Tag(good.parse().unwrap()));
        }
        for bad in ["", ".a", "-a", "a b", "sha256:00", &format!("{longest}t")] {
            assert!(bad.parse::<TagOrDigest>().is_err(), "{bad:?} was accepted");
        }
        let digest = Digest::of(b"");
        assert_eq!(digest.to_string().parse(), Ok(TagOrDigest::Digest(digest)));
    }
}
