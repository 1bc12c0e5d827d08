use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use ocm_transport::Transport;
use tokio::{
    net::{TcpListener, TcpStream, ToSocketAddrs},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{ServerOptions, router};

/// How long a connection may stay without a request; longer than clients keep one in their pools,
/// so that they rarely meet one that is being closed.
const HEADER_TIMEOUT: Duration = Duration::from_mins(2);

/// How long to wait when the system has no descriptor for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why a server could not be started, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("could not listen for connections")]
    Bind(#[source] io::Error),
}

/// A registry that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    router: Router,
    options: ServerOptions,
}

impl Server {
    /// Listens on `address`; with port 0, on a free one, which [`local_addr`](Self::local_addr)
    /// tells.
    ///
    /// # Errors
    ///
    /// [`ServerError::Bind`] when the address is in use, or not one of this machine.
    pub async fn bind(
        address: impl ToSocketAddrs,
        place: Arc<dyn Transport>,
        options: ServerOptions,
    ) -> Result<Self, ServerError> {
        let listener = TcpListener::bind(address).await.map_err(ServerError::Bind)?;
        Self::over(listener, place, options)
    }

    /// Serves on a listener that exists: inherited, or bound with options of the caller's own.
    ///
    /// # Errors
    ///
    /// [`ServerError::Bind`] when the listener has no address.
    pub fn over(
        listener: TcpListener,
        place: Arc<dyn Transport>,
        options: ServerOptions,
    ) -> Result<Self, ServerError> {
        let local_addr = listener.local_addr().map_err(ServerError::Bind)?;
        let router = router(place, &options);
        Ok(Self { listener, local_addr, router, options })
    }

    /// Puts something in front of the registry, or beside it: authentication, a log, other paths.
    #[must_use]
    pub fn map_router(self, act: impl FnOnce(Router) -> Router) -> Self {
        Self { router: act(self.router), ..self }
    }

    /// Returns where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers until `shutdown` is ready, and then for a grace period what is being asked.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes every connection at once. Uploads that are not complete leave
    /// nothing visible.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let Self { listener, local_addr: _, router, options } = self;
        let (stop, stopped) = watch::channel(());
        let permits = Arc::new(Semaphore::new(options.max_connections.max(1)));
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (permit, accept(&listener).await)
            };
            tokio::select! {
                () = shutdown.as_mut() => break,
                (permit, stream) = accepted => {
                    let connection = converse(stream, router.clone(), stopped.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(permit);
                    });
                }
                Some(_ended) = connections.join_next() => {}
            }
        }
        drop((listener, stop));
        let all_ended = async { while connections.join_next().await.is_some() {} };
        // Who has not come to an end by now is cut off as the set is dropped.
        drop(timeout(options.grace, all_ended).await);
    }
}

/// Accepts the next connection; waits where the system can give none.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => return stream,
            Err(_connection_lost_or_no_descriptor) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Answers the requests of one connection until it ends or `stopped` closes.
///
/// What ends a connection concerns nobody but its client, which sees it.
async fn converse(stream: TcpStream, router: Router, mut stopped: watch::Receiver<()>) {
    // Small answers would otherwise wait for the acknowledgement of the one before.
    let _without_it_slower = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _closed = stopped.changed() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}
