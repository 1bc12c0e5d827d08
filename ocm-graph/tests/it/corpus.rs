//! Real data, where it is.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ocm_graph::Graph;

/// Returns where the corpus is, and says so where it is nowhere.
pub(crate) fn folder() -> Option<PathBuf> {
    let corpus = env::var_os("OCM_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: OCM_CORPUS names no corpus");
    }
    corpus
}

/// Returns the derived graph of a channel; an empty one where there is no such channel.
pub(crate) fn derived(corpus: &Path, channel: &str) -> Arc<Graph> {
    let file = corpus.join(format!("graphs/derived/amd64/{channel}_amd64.json"));
    fs::read(file).map(|bytes| Graph::from_json(&bytes).unwrap()).unwrap_or_default().into()
}
