use std::{future::pending, net::SocketAddr, sync::Arc};

use axum::Router;
use ocm_oci::Host;
use ocm_registry::{Server, ServerError, ServerOptions};
use ocm_transport::Transport;
use tokio::task::JoinSet;

/// A registry on a free port of this machine, for as long as this value lives.
///
/// Dropping it closes the port and every connection at once.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    _server: JoinSet<()>,
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
        let server = Server::bind("127.0.0.1:0", place, options).await?.map_router(front);
        let address = server.local_addr();
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(pending()));
        Ok(Self { address, _server: tasks })
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
        self.address.to_string().parse().expect("an address and a port are a host")
    }

    /// Returns the beginning of every URL here, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
