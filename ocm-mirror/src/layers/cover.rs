//! Which of the files below are hidden by the layers above.

use std::collections::BTreeSet;

use super::LayerFault;

/// How names begin that say what is gone.
///
/// Source: <https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts>.
const WHITEOUT: &[u8] = b".wh.";
/// The name that says that nothing of a directory's earlier content is left.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Most bytes of names that are kept in mind: a million of usual length.
const NAMES_LIMIT: usize = 64 << 20;

/// Paths that hide what lies under them in lower layers. The root's path is empty.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// Something is here, so what is of the same name below is not seen. With every path, those
    /// of the directories above it.
    at: BTreeSet<Vec<u8>>,
    /// What is under this path in the layers below is not seen.
    under: BTreeSet<Vec<u8>>,
    /// Bytes of all names.
    len: usize,
}

/// What an entry's name says of lower layers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing: it is the name of something.
    Plain,
    /// What has this path is gone.
    Gone(Vec<u8>),
    /// What was in this directory is gone.
    Emptied(Vec<u8>),
}

impl Mark {
    /// Reads a clean path.
    pub(super) fn of(path: &[u8]) -> Self {
        let (parent, name) = split(path);
        if name == OPAQUE {
            return Self::Emptied(parent.to_vec());
        }
        match name.strip_prefix(WHITEOUT).filter(|gone| !gone.is_empty()) {
            Some(gone) => Self::Gone(join(parent, gone)),
            None => Self::Plain,
        }
    }
}

impl Cover {
    /// Whether what has `path` in a lower layer is not seen.
    pub(super) fn hides(&self, path: &[u8]) -> bool {
        self.at.contains(path) || self.hides_under(split(path).0)
    }

    /// Whether nothing that lies under `path` in lower layers is seen.
    pub(super) fn hides_under(&self, path: &[u8]) -> bool {
        let mut path = path;
        loop {
            if self.under.contains(path) {
                return true;
            }
            if path.is_empty() {
                return false;
            }
            path = split(path).0;
        }
    }

    /// Notes what a mark says.
    pub(super) fn mark(&mut self, mark: Mark) -> Result<(), LayerFault> {
        match mark {
            Mark::Plain => Ok(()),
            Mark::Emptied(path) => {
                self.directory(&path)?;
                self.note_under(path)
            }
            Mark::Gone(path) => {
                self.directory(split(&path).0)?;
                self.note_under(path.clone())?;
                self.note_at(path)
            }
        }
    }

    /// Notes a directory at `path`: what is in it below may still be seen.
    pub(super) fn directory(&mut self, path: &[u8]) -> Result<(), LayerFault> {
        let mut path = path;
        while !path.is_empty() && !self.at.contains(path) {
            self.note_at(path.to_vec())?;
            path = split(path).0;
        }
        Ok(())
    }

    /// Notes that there is something else than a directory at `path`.
    pub(super) fn other(&mut self, path: &[u8]) -> Result<(), LayerFault> {
        self.directory(path)?;
        self.note_under(path.to_vec())
    }

    /// Adds what another layer hides.
    pub(super) fn extend(&mut self, other: Self) -> Result<(), LayerFault> {
        other.at.into_iter().try_for_each(|path| self.note_at(path))?;
        other.under.into_iter().try_for_each(|path| self.note_under(path))
    }

    fn note_at(&mut self, path: Vec<u8>) -> Result<(), LayerFault> {
        self.count(path.len())?;
        self.at.insert(path);
        Ok(())
    }

    fn note_under(&mut self, path: Vec<u8>) -> Result<(), LayerFault> {
        self.count(path.len())?;
        self.under.insert(path);
        Ok(())
    }

    fn count(&mut self, len: usize) -> Result<(), LayerFault> {
        self.len = self.len.saturating_add(len);
        let is_within = self.len <= NAMES_LIMIT;
        let limit = NAMES_LIMIT as u64;
        if is_within { Ok(()) } else { Err(LayerFault::TooLarge { what: "its names", limit }) }
    }
}

/// Returns a path without empty parts, dots and slashes at either end.
pub(super) fn clean(path: &[u8]) -> Result<Vec<u8>, LayerFault> {
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let mut clean = Vec::with_capacity(path.len());
    for part in parts {
        if part == b".." {
            return Err(LayerFault::Tainted(String::from_utf8_lossy(path).into_owned()));
        }
        if !clean.is_empty() {
            clean.push(b'/');
        }
        clean.extend_from_slice(part);
    }
    Ok(clean)
}

/// Returns `path` without `directory`, if it lies under it.
pub(super) fn below<'a>(path: &'a [u8], directory: &[u8]) -> Option<&'a [u8]> {
    if directory.is_empty() {
        return (!path.is_empty()).then_some(path);
    }
    path.strip_prefix(directory)?.strip_prefix(b"/")
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => {
            let (parent, name) = path.split_at(slash);
            (parent, name.get(1..).unwrap_or_default())
        }
        None => (&[], path),
    }
}

fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_never_lead_out() {
        for (path, expected) in
            [("./a/b", "a/b"), ("/a//b/", "a/b"), ("a/./b", "a/b"), (".", ""), ("/", "")]
        {
            assert_eq!(clean(path.as_bytes()).unwrap(), expected.as_bytes());
        }
        for path in ["../a", "a/../b", "..", "/.."] {
            assert!(matches!(clean(path.as_bytes()), Err(LayerFault::Tainted(_))), "{path}");
        }
        assert_eq!(clean(b"..a/b..").unwrap(), b"..a/b..");
    }

    #[test]
    fn below_goes_by_whole_names() {
        assert_eq!(below(b"configs/a", b"configs"), Some(&b"a"[..]));
        assert_eq!(below(b"configs2/a", b"configs"), None);
        assert_eq!(below(b"configs", b"configs"), None);
        assert_eq!(below(b"a", b""), Some(&b"a"[..]));
    }

    #[test]
    fn marks_are_read() {
        assert_eq!(Mark::of(b"a/.wh.b"), Mark::Gone(b"a/b".to_vec()));
        assert_eq!(Mark::of(b".wh.b"), Mark::Gone(b"b".to_vec()));
        assert_eq!(Mark::of(b"a/.wh..wh..opq"), Mark::Emptied(b"a".to_vec()));
        assert_eq!(Mark::of(b".wh..wh..opq"), Mark::Emptied(Vec::new()));
        assert_eq!(Mark::of(b"a/.wh.d/c"), Mark::Plain);
    }

    #[test]
    fn what_is_above_hides_what_is_below() {
        let mut cover = Cover::default();
        cover.mark(Mark::Gone(b"a".to_vec())).unwrap();
        cover.mark(Mark::Emptied(b"b".to_vec())).unwrap();
        cover.directory(b"c/d").unwrap();
        cover.other(b"e/f").unwrap();
        for hidden in ["a", "a/x", "b", "b/x", "b/x/y", "c", "c/d", "e", "e/f", "e/f/g"] {
            assert!(cover.hides(hidden.as_bytes()), "{hidden}");
        }
        for seen in ["aa", "c/x", "c/d/x", "e/x", "x"] {
            assert!(!cover.hides(seen.as_bytes()), "{seen}");
        }
        assert!(cover.hides_under(b"a") && cover.hides_under(b"b") && !cover.hides_under(b"c"));
        cover.mark(Mark::Emptied(Vec::new())).unwrap();
        assert!(cover.hides(b"x") && cover.hides_under(b"c"));
    }
}
