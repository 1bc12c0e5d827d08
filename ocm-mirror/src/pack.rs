use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt as _, path::Path};

use ocm_oci::{Digest, MediaType};
use ocm_transport::Manifest;

/// The manifests that were read while expanding, in one unnamed file.
///
/// Ten thousand manifests are a hundred megabytes; what stays in memory is where each one lies.
#[derive(Debug)]
pub struct Pack {
    file: File,
    end: u64,
    entries: BTreeMap<Digest, Entry>,
}

#[derive(Debug)]
struct Entry {
    offset: u64,
    len: usize,
    media_type: MediaType,
}

impl Pack {
    /// Makes an empty one; its file lies in `directory` and has no name there, so that nothing
    /// is left behind whatever happens.
    ///
    /// # Errors
    ///
    /// When the file cannot be made.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        Ok(Self { file, end: 0, entries: BTreeMap::new() })
    }

    /// Adds a manifest, once.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn add(&mut self, manifest: &Manifest) -> io::Result<()> {
        let digest = &manifest.descriptor().digest;
        if self.entries.contains_key(digest) {
            return Ok(());
        }
        let (bytes, media_type) = (manifest.bytes(), manifest.descriptor().media_type.clone());
        self.file.write_all_at(bytes, self.end)?;
        let entry = Entry { offset: self.end, len: bytes.len(), media_type };
        self.end = self.end.saturating_add(bytes.len() as u64);
        self.entries.insert(digest.clone(), entry);
        Ok(())
    }

    /// Reads a manifest back; `None` where it was never added.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or no longer holds what was written.
    pub fn get(&self, digest: &Digest) -> io::Result<Option<Manifest>> {
        let Some(Entry { offset, len, media_type }) = self.entries.get(digest) else {
            return Ok(None);
        };
        let mut bytes = vec![0; *len];
        self.file.read_exact_at(&mut bytes, *offset)?;
        let manifest = Manifest::verify(media_type.clone(), bytes.into(), digest);
        manifest.map(Some).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_added() {
        let directory = tempfile::tempdir().unwrap();
        let mut pack = Pack::create(directory.path()).unwrap();
        let manifests = ["{}", "{\"a\":1}", "{}"]
            .map(|text| Manifest::new(MediaType::OciManifest, text.as_bytes().into()));
        for manifest in &manifests {
            pack.add(manifest).unwrap();
        }
        for manifest in &manifests {
            let read = pack.get(&manifest.descriptor().digest).unwrap();
            assert_eq!(read.as_ref(), Some(manifest));
        }
        assert_eq!(pack.end, 9, "the same manifest is kept once");
        assert_eq!(pack.get(&Digest::of(b"other")).unwrap(), None);
        let names = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(names, 0, "the pack left a name behind");
    }
}
