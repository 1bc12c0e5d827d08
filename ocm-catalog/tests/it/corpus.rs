//! Catalogs of the corpus.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use ocm_catalog::{BrokenCatalog, Catalog, Wanted, assemble, read};

/// Returns where the corpus is; says that a test is skipped where there is none.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = env::var_os("OCM_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: OCM_CORPUS names no corpus");
    }
    corpus
}

/// Reads the files below a directory: paths relative to it, and bytes.
pub(crate) fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut directories) = (Vec::new(), vec![root.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

/// Reads a catalog.
pub(crate) fn catalog(root: &Path) -> Result<Catalog, BrokenCatalog> {
    let files = files(root);
    let files = files.iter().map(|(path, bytes)| read(path, bytes, &Wanted::All));
    assemble(files).map(|assembled| assembled.catalog)
}
