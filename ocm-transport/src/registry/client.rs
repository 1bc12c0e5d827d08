use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ocm_oci::Host;

use super::{
    Registry,
    endpoint::Endpoint,
    proxy::{Proxies, ProxyError},
    tls::{TlsError, TlsOptions},
    wire::Wire,
};
use crate::{Credentials, Limits};

/// How a [`Client`] speaks to registries.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    pub(crate) tls: TlsOptions,
    pub(crate) credentials: Credentials,
    pub(crate) proxies: Proxies,
    pub(crate) limits: Limits,
    pub(crate) user_agent: String,
    pub(crate) request_timeout: Duration,
    pub(crate) stall_timeout: Duration,
}

impl Default for ClientOptions {
    /// Verifies certificates, knows no credentials, uses no proxy, and waits a minute.
    fn default() -> Self {
        Self {
            tls: TlsOptions::default(),
            credentials: Credentials::none(),
            proxies: Proxies::default(),
            limits: Limits::default(),
            user_agent: concat!("ocm/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: Duration::from_mins(1),
            stall_timeout: Duration::from_mins(1),
        }
    }
}

impl ClientOptions {
    /// Secures connections so.
    #[must_use]
    pub fn with_tls(self, tls: TlsOptions) -> Self {
        Self { tls, ..self }
    }

    /// Takes logins from there.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    /// Goes through these proxies, and through no others whatever the environment says.
    #[must_use]
    pub fn with_proxies(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// Has so many requests under way to each registry.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Introduces itself so.
    #[must_use]
    pub fn with_user_agent(self, user_agent: String) -> Self {
        Self { user_agent, ..self }
    }

    /// Gives each request that moves no blob so much time, all in all.
    #[must_use]
    pub fn with_request_timeout(self, request_timeout: Duration) -> Self {
        Self { request_timeout, ..self }
    }

    /// Gives up on a blob when no byte has moved for so long, in either direction.
    #[must_use]
    pub fn with_stall_timeout(self, stall_timeout: Duration) -> Self {
        Self { stall_timeout, ..self }
    }
}

/// Why a [`Client`] could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Certificates that were named cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A proxy cannot be used.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Connections to registries: their pools, tokens and permits. Cheap to clone.
///
/// One serves one side, source or destination, since their settings differ.
///
/// ```
/// use ocm_transport::{Client, ClientOptions};
///
/// let client = Client::new(ClientOptions::default())?;
/// let registry = client.registry(&"quay.io".parse()?);
/// assert_eq!(registry.to_string(), "quay.io");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    wire: Arc<Wire>,
    endpoints: Mutex<BTreeMap<Host, Arc<Endpoint>>>,
}

impl Client {
    /// Makes a client. Reads the certificate files that `options` name, and connects to nobody.
    ///
    /// # Errors
    ///
    /// When such a file, or a proxy, cannot be used.
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let wire = Arc::new(Wire::new(options)?);
        Ok(Self(Arc::new(Shared { wire, endpoints: Mutex::default() })))
    }

    /// Opens a registry. Does no I/O; whoever opens it twice shares connections and tokens.
    pub fn registry(&self, host: &Host) -> Registry {
        let mut endpoints = self.0.endpoints.lock().unwrap_or_else(PoisonError::into_inner);
        let endpoint = endpoints
            .entry(host.clone())
            .or_insert_with(|| Arc::new(Endpoint::new(host.clone(), Arc::clone(&self.0.wire))));
        Registry::new(Arc::clone(endpoint))
    }

    pub(super) fn wire(&self) -> &Arc<Wire> {
        &self.0.wire
    }

    /// Whether credentials for `host` have gone over plain HTTP, which people should be told.
    ///
    /// Only known after the first request, [`Registry::check`] for instance.
    pub fn sends_credentials_in_clear(&self, host: &Host) -> bool {
        self.0.wire.was_in_clear(host)
    }
}
