use std::{future::pending, net::SocketAddr, sync::Arc};

use axum::Router;
use ocm_oci::Host;
use ocm_registry::{Server, ServerError, ServerOptions};
use ocm_transport::{Memory, Transport};
use tokio::{net::TcpListener, task::JoinSet};

/// A port of this machine that is taken and not served yet: for content that names its own home.
#[derive(Debug)]
pub struct Reserved {
    listener: TcpListener,
    address: SocketAddr,
}

/// A registry, or another server, on a free port of this machine, for as long as this value lives.
///
/// Dropping it closes the port and every connection at once.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    scheme: &'static str,
    _server: JoinSet<()>,
    #[cfg(feature = "faults")]
    _tls: Option<tls::Stop>,
}

impl Reserved {
    /// Takes a free port.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub async fn take() -> Result<Self, ServerError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(ServerError::Bind)?;
        let address = listener.local_addr().map_err(ServerError::Bind)?;
        Ok(Self { listener, address })
    }

    /// Returns the host that references to its images will begin with.
    ///
    /// # Panics
    ///
    /// Never: an address is a host.
    pub fn host(&self) -> Host {
        host(self.address)
    }

    /// Serves `place` there, over plain HTTP.
    ///
    /// # Errors
    ///
    /// As [`Server::over`].
    pub fn serve(self, place: Arc<dyn Transport>) -> Result<Loopback, ServerError> {
        let server = Server::over(self.listener, place, ServerOptions::default())?;
        Ok(Loopback::of(server))
    }
}

impl Loopback {
    /// Serves `place` over plain HTTP.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub async fn serve(place: Arc<dyn Transport>) -> Result<Self, ServerError> {
        Self::serve_with(place, ServerOptions::default(), |router| router).await
    }

    /// Serves `place` behind whatever `front` puts before it.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub async fn serve_with(
        place: Arc<dyn Transport>,
        options: ServerOptions,
        front: impl FnOnce(Router) -> Router,
    ) -> Result<Self, ServerError> {
        let server = Server::bind("127.0.0.1:0", place, options).await?;
        Ok(Self::of(server.map_router(front)))
    }

    fn of(server: Server) -> Self {
        let address = server.local_addr();
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(pending()));
        Self {
            address,
            scheme: "http",
            _server: tasks,
            #[cfg(feature = "faults")]
            _tls: None,
        }
    }

    /// Serves anything else than a registry over plain HTTP.
    ///
    /// # Errors
    ///
    /// As [`Server::bind`].
    pub async fn serve_router(router: Router) -> Result<Self, ServerError> {
        let nothing = Arc::new(Memory::default());
        Self::serve_with(nothing, ServerOptions::default(), |_registry| router).await
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the host that references to its images begin with.
    ///
    /// # Panics
    ///
    /// Never: an address is a host.
    pub fn host(&self) -> Host {
        host(self.address)
    }

    /// Returns the beginning of every URL here, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }
}

fn host(address: SocketAddr) -> Host {
    address.to_string().parse().expect("an address and a port are a host")
}

#[cfg(feature = "faults")]
mod tls {
    use std::net::{SocketAddr, TcpListener};

    use axum::Router;
    use axum_server::{Handle, tls_rustls::RustlsConfig};
    use tokio::task::JoinSet;

    use super::Loopback;
    use crate::faults::{Authority, CertificateError, Identity};

    /// Stops a TLS server as it goes: that one keeps its connections in tasks of its own.
    #[derive(Debug)]
    pub(super) struct Stop(Handle<SocketAddr>);

    impl Drop for Stop {
        fn drop(&mut self) {
            self.0.shutdown();
        }
    }

    impl Loopback {
        /// Serves `router` over HTTPS as `identity`; with `clients`, only to those who come with a
        /// certificate of that authority.
        ///
        /// [`ocm_registry::router`] makes a router of a place.
        ///
        /// # Errors
        ///
        /// [`CertificateError`] when the identity cannot be used, or no port be listened on.
        pub fn serve_tls(
            router: Router,
            identity: &Identity,
            clients: Option<&Authority>,
        ) -> Result<Self, CertificateError> {
            let config = RustlsConfig::from_config(identity.server_config(clients)?);
            let listener = TcpListener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            let (address, handle) = (listener.local_addr()?, Handle::new());
            let server = axum_server::from_tcp_rustls(listener, config)?.handle(handle.clone());
            let mut tasks = JoinSet::new();
            tasks.spawn(async move {
                // It ends when it is told to, and there is nobody to be told how.
                drop(server.serve(router.into_make_service()).await);
            });
            let tls = Some(Stop(handle));
            Ok(Self { address, scheme: "https", _server: tasks, _tls: tls })
        }
    }
}
