//! Registries: our own client of the distribution API.
//!
//! ```text
//! Registry ─► Repository ─► Endpoint ─────────► Wire
//!             one per name  one per host:        one per client:
//!             what to ask   address, challenge,  TLS, proxies, pools
//!                           tokens, permits
//! ```
//!
//! Source: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>.

mod answer;
mod authority;
mod authorization;
mod begin;
mod blob;
mod call;
mod challenge;
mod client;
mod date;
mod endpoint;
mod failure;
mod fetch;
mod flight;
mod manifest;
mod pages;
mod proxy;
mod referrers;
mod repository;
mod scope;
mod subject;
mod tls;
mod token;
mod transmit;
mod upload;
mod url;
mod wire;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::Method;
use ocm_oci::RepoName;

use self::{call::Call, endpoint::Endpoint, repository::Repository, scope::Scope};
pub use self::{
    client::{Client, ClientError, ClientOptions},
    proxy::{Proxies, ProxyError},
    tls::{SystemRoots, TlsError, TlsOptions, Verify},
};
pub(crate) use self::{failure::classify, flight::Flight, manifest::media_type_of, pages::listing};
use crate::{Destination, Listing, Operation, Page, Source, Transport, TransportError, Verb};

/// Most bytes of the answer that says we are welcome.
const WELCOME_LIMIT: usize = 64 << 10;

/// A registry, spoken to over the network. `Display` is its host.
#[derive(Debug, Clone)]
pub struct Registry {
    endpoint: Arc<Endpoint>,
}

impl Registry {
    fn new(endpoint: Arc<Endpoint>) -> Self {
        Self { endpoint }
    }

    /// Asks whether the registry is there and knows us, before anything depends on it.
    ///
    /// # Errors
    ///
    /// Those of any request; [`Kind::Auth`](crate::Kind::Auth) where credentials are missing or
    /// wrong.
    pub async fn check(&self) -> Result<(), TransportError> {
        self.check_as(None).await
    }

    /// As [`check`](Self::check), with the credentials for a part of the registry.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub async fn check_within(&self, namespace: &RepoName) -> Result<(), TransportError> {
        self.check_as(Some(namespace)).await
    }

    async fn check_as(&self, namespace: Option<&RepoName>) -> Result<(), TransportError> {
        let call = Call::new(Method::GET, "v2/".to_owned(), Scope::presence(namespace));
        let answer = self.endpoint.ask(&call, WELCOME_LIMIT).await;
        let checked = answer.and_then(answer::Answer::checked);
        let operation = || Operation {
            place: self.to_string(),
            verb: Verb::LookUp,
            reference: "/v2/".to_owned(),
        };
        checked.map(drop).map_err(|failure| failure.during(&operation()))
    }

    fn open(&self, name: &RepoName, scope: Scope) -> Repository {
        Repository { endpoint: Arc::clone(&self.endpoint), name: name.clone(), scope }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.endpoint.host.fmt(f)
    }
}

#[async_trait]
impl Transport for Registry {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(self.open(repository, Scope::pull(repository)))
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        Some(Arc::new(self.open(repository, Scope::push(repository))))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        let operation = || Operation {
            place: self.to_string(),
            verb: Verb::LookUp,
            reference: "_catalog".to_owned(),
        };
        let listing = pages::repositories(&self.endpoint, page).await;
        listing.map_err(|failure| failure.during(&operation()))
    }
}
