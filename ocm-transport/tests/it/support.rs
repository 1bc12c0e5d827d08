//! What several tests need.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use ocm_oci::{Host, RepoName};
use ocm_transport::{
    Client, ClientOptions, Destination, Listing, Page, Registry, Source, TlsOptions, Transport,
    TransportError, Verify,
};

/// A registry client for plain HTTP.
pub(crate) fn plain() -> ClientOptions {
    let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
    ClientOptions::default().with_tls(tls)
}

pub(crate) fn open(host: &Host, options: ClientOptions) -> Registry {
    Client::new(options).unwrap().registry(host)
}

/// A registry, and what has to live as long as it is asked.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    pub(crate) registry: Registry,
    pub(crate) _server: T,
}

impl<T> fmt::Display for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.fmt(f)
    }
}

#[async_trait]
impl<T: fmt::Debug + Send + Sync + 'static> Transport for Kept<T> {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        self.registry.source(repository)
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        self.registry.destination(repository)
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        self.registry.repositories(page).await
    }
}

/// Waits within a function that is called from a test on several threads.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

/// Returns everything an error says, causes last.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
