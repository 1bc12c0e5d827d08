use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ocm_oci::Host;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::sleep,
};

/// What becomes of one connection: by default, it is passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conduct {
    cut_down: Option<u64>,
    cut_up: Option<u64>,
    delay: Duration,
}

impl Conduct {
    /// Breaks the connection after so many bytes came from the server.
    #[must_use]
    pub fn cut_down_after(self, bytes: u64) -> Self {
        Self { cut_down: Some(bytes), ..self }
    }

    /// Breaks the connection after so many bytes came from the client.
    #[must_use]
    pub fn cut_up_after(self, bytes: u64) -> Self {
        Self { cut_up: Some(bytes), ..self }
    }

    /// Holds up every piece for so long, both ways.
    #[must_use]
    pub fn delayed_by(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// A wire between clients and a server: it passes bytes on, and breaks on demand.
///
/// Dropping it closes every connection.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    _work: JoinSet<()>,
}

impl TcpProxy {
    /// Listens on a free port for connections to `target`; `conduct` says what becomes of each,
    /// the first being 0.
    ///
    /// # Errors
    ///
    /// When no port can be listened on.
    pub async fn to(
        target: SocketAddr,
        conduct: impl Fn(usize) -> Conduct + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (accepted, open) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counts = Counts { accepted: Arc::clone(&accepted), open: Arc::clone(&open) };
        let mut work = JoinSet::new();
        work.spawn(accept(listener, target, counts, conduct));
        Ok(Self { address, accepted, open, _work: work })
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the host that references to images behind it begin with.
    ///
    /// # Panics
    ///
    /// Never: an address is a host.
    pub fn host(&self) -> Host {
        self.address.to_string().parse().expect("an address and a port are a host")
    }

    /// Returns how many connections were made so far.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Returns how many connections are open.
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

struct Counts {
    accepted: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

/// Counts one connection for as long as it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    counts: Counts,
    conduct: impl Fn(usize) -> Conduct + Send,
) {
    let mut wires = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _peer)) = listener.accept() => {
                let nth = counts.accepted.fetch_add(1, Ordering::Relaxed);
                let (open, conduct) = (Open::new(&counts.open), conduct(nth));
                wires.spawn(async move {
                    // Whatever ends it, both sides see it.
                    drop(pass(client, target, conduct).await);
                    drop(open);
                });
            }
            Some(_ended) = wires.join_next() => {}
        }
    }
}

async fn pass(client: TcpStream, target: SocketAddr, conduct: Conduct) -> Result<(), Broken> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // A break is a reset, not an orderly end: those are what long-lived networks give.
    for socket in [&client, &server] {
        socket.set_zero_linger()?;
    }
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let up = copy(from_client, to_server, conduct.cut_up, conduct.delay);
    let down = copy(from_server, to_client, conduct.cut_down, conduct.delay);
    tokio::try_join!(up, down).map(drop)
}

/// Passes bytes one way until there are no more, or until `cut` of them have passed.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    cut: Option<u64>,
    delay: Duration,
) -> Result<(), Broken> {
    let mut left = cut.unwrap_or(u64::MAX);
    let mut buffer = vec![0; 64 << 10];
    while left > 0 {
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = from.read(buffer.get_mut(..room).unwrap_or_default()).await?;
        if read == 0 {
            return Ok(to.shutdown().await?);
        }
        sleep(delay).await;
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
        left -= read as u64;
    }
    Err(Broken)
}

/// A connection was to break, or broke.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection broke")
    }
}

impl From<io::Error> for Broken {
    fn from(_why: io::Error) -> Self {
        Self
    }
}
