use std::{collections::BTreeMap, sync::Arc};

use axum::{Router, extract::State};
use bytes::Bytes;
use http::{StatusCode, Uri};
use ocm_oci::Digest;
use ocm_registry::ServerError;

use crate::Loopback;

/// Files of a web server, by path: update graphs, signatures, charts. What is not here is 404.
///
/// ```
/// use ocm_testkit::Website;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let site = Website::default().with("/graph.json", "{}").serve().await?;
/// assert!(site.url().starts_with("http://127.0.0.1:"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Website {
    files: BTreeMap<String, Bytes>,
}

impl Website {
    /// Adds a file; `path` begins with a slash, and what comes after `?` does not matter.
    #[must_use]
    pub fn with(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.files.insert(path.to_owned(), content.into());
        self
    }

    /// Adds the `nth` signature of a release, counted from 1, to the store at `base`, a path with
    /// a slash at both ends.
    #[must_use]
    pub fn with_signature(
        self,
        base: &str,
        release: &Digest,
        nth: usize,
        signature: impl Into<Bytes>,
    ) -> Self {
        let (algorithm, hex) = (release.algorithm(), release.hex());
        self.with(&format!("{base}{}={hex}/signature-{nth}", algorithm.as_str()), signature)
    }

    /// Returns what answers with these files: to put something in front of it.
    pub fn router(self) -> Router {
        Router::new().fallback(answer).with_state(Arc::new(self))
    }

    /// Serves the files over plain HTTP.
    ///
    /// # Errors
    ///
    /// As [`Loopback::serve_router`].
    pub async fn serve(self) -> Result<Loopback, ServerError> {
        Loopback::serve_router(self.router()).await
    }
}

async fn answer(State(site): State<Arc<Website>>, uri: Uri) -> Result<Bytes, StatusCode> {
    site.files.get(uri.path()).cloned().ok_or(StatusCode::NOT_FOUND)
}
