//! What the objects of a catalog are called.
//!
//! Both are made of one *stem*: `cs-` and the stem is the file of the `CatalogSource` and mostly
//! its name, `cc-` and the stem those of the `ClusterCatalog`. So stems that differ are enough.

use std::{fmt, str::FromStr};

use ocm_oci::{Digest, DirectoryRef, LayoutRef, Reference, TagOrDigest};

use crate::mirrored::AtMirror;

/// Most characters of a name: it is also the value of a label, and the name of a service, which
/// both are labels by RFC 1123.
///
/// Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.
const NAME_MAX_LEN: usize = 63;

/// Most characters of a stem.
const STEM_MAX_LEN: usize = NAME_MAX_LEN - "cs-".len();

/// Characters of a tag or a digest that get into a name.
const SUFFIX_LEN: usize = 12;

/// Hex digits that tell catalogs apart whose names would be the same.
const HASH_LEN: usize = 6;

/// The catalogs of a cluster with internet, by the last component of their path, and what their
/// sources are called there.
///
/// Source: <https://github.com/operator-framework/operator-marketplace/tree/master/defaults>.
const WELL_KNOWN: [(&str, &str); 4] = [
    ("certified-operator-index", "certified-operators"),
    ("community-operator-index", "community-operators"),
    ("redhat-marketplace-index", "redhat-marketplace"),
    ("redhat-operator-index", "redhat-operators"),
];

/// A name for a `CatalogSource` that somebody chose (`catalogSourceName`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(String);

/// Why some text is no name for a `CatalogSource`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be the name of a CatalogSource, which has lower-case letters, digits and `-` \
     between them, and at most {STEM_MAX_LEN} of them"
)]
pub struct SourceNameError {
    /// What was given.
    pub text: String,
}

impl SourceNameError {
    /// Returns a name that is near, where there is one.
    pub fn hint(&self) -> Option<String> {
        let near: String = tidy(&self.text).chars().take(STEM_MAX_LEN).collect();
        let near = near.trim_end_matches('-');
        (!near.is_empty()).then(|| format!("`{near}` would be one"))
    }
}

impl SourceName {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name that the catalog `origin` has in clusters with internet; `None` for all
    /// but the four that those have.
    pub(super) fn well_known(origin: &Reference) -> Option<Self> {
        let last = match origin {
            Reference::Image(image) => image.repository().components().next_back()?,
            Reference::Layout(LayoutRef { directory, .. })
            | Reference::Directory(DirectoryRef { directory, .. }) => {
                directory.file_name()?.to_str()?
            }
        };
        let (_, name) = WELL_KNOWN.into_iter().find(|(index, _)| *index == last)?;
        Some(Self(name.to_owned()))
    }

    pub(super) fn stem(&self) -> &str {
        self.0.strip_prefix("cs-").unwrap_or(&self.0)
    }
}

impl FromStr for SourceName {
    type Err = SourceNameError;

    fn from_str(text: &str) -> Result<Self, SourceNameError> {
        let name = Self(text.to_owned());
        if is_label(text) && name.stem().len() <= STEM_MAX_LEN {
            Ok(name)
        } else {
            Err(SourceNameError { text: text.to_owned() })
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the stem for the catalog at `place`: that of oc-mirror, where it makes a name that
/// clusters take.
pub(super) fn usual_stem(place: &AtMirror) -> String {
    let (last, suffix) = parts(place);
    let stem = format!("{last}-{suffix}").replace('.', "-");
    if is_stem(&stem) {
        return stem;
    }
    let stem = tidy(&stem);
    if is_stem(&stem) { stem } else { told_apart(place, 0) }
}

/// Returns a stem for the catalog at `place` that no other catalog has: its hash is in it. Should
/// even that be taken, another `attempt` gives another one.
pub(super) fn told_apart(place: &AtMirror, attempt: usize) -> String {
    let (last, suffix) = parts(place);
    let suffix = tidy(&suffix);
    let hashed = if attempt == 0 { place.to_string() } else { format!("{place} {attempt}") };
    let hash: String = Digest::of(hashed.as_bytes()).hex().chars().take(HASH_LEN).collect();
    let room = STEM_MAX_LEN - "--".len() - suffix.len() - HASH_LEN;
    let last: String = tidy(last).chars().take(room).collect();
    let kept = [last.trim_end_matches('-'), &suffix, &hash];
    let kept: Vec<_> = kept.into_iter().filter(|part| !part.is_empty()).collect();
    kept.join("-")
}

/// Returns the last component of the path, and what says which of the images there it is.
fn parts(place: &AtMirror) -> (&str, String) {
    let path = place.repository.as_str();
    let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
    let suffix: String = match &place.selector {
        TagOrDigest::Digest(digest) => digest.hex().chars().take(SUFFIX_LEN).collect(),
        TagOrDigest::Tag(tag) => {
            let kept = tag.as_str().chars().take(SUFFIX_LEN);
            kept.map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
                .collect()
        }
    };
    (last, suffix)
}

/// Returns `text` with single dashes in place of all that no name has.
fn tidy(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let words = text.split(|c: char| !is_letter(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

fn is_stem(text: &str) -> bool {
    is_label(text) && text.len() <= STEM_MAX_LEN
}

fn is_label(text: &str) -> bool {
    text.len() <= NAME_MAX_LEN
        && text.starts_with(is_letter)
        && text.ends_with(is_letter)
        && text.chars().all(|c| is_letter(c) || c == '-')
}

fn is_letter(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}
