//! Where update graphs come from: a server, a directory, or an archive.
//!
//! What was read is kept under [`graph_file`]'s names, in the working directory and in archives, so
//! that the far side decides by the same graphs, without a network.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use ocm_graph::{Channel, Graph, GraphError};
use ocm_transport::TransportError;
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};

/// Where graphs are kept, below the working directory.
const GRAPHS: &str = "hold-release/cincinnati-graph-data";
/// What servers answer where they know no such channel.
const NO_RELEASES: &[u8] = br#"{"nodes":[],"edges":[]}"#;
/// Longest part of a file's name that is taken from a configuration.
const LONGEST_NAME: usize = 100;

/// Who has update graphs.
#[async_trait]
pub trait UpdateGraphs: fmt::Debug + Send + Sync {
    /// Returns a channel's graph for an architecture, as it was served. A channel that does not
    /// exist has a graph without releases.
    ///
    /// # Errors
    ///
    /// [`UpdateGraphError`], when it cannot be had. Whether it is a graph is for the caller to see.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops asking.
    async fn fetch(&self, channel: &Channel, architecture: &str)
    -> Result<Bytes, UpdateGraphError>;
}

/// Why a channel's graph is not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateGraphError {
    /// What is to be asked is no address.
    #[error("`{address}` is not the address of an update server")]
    Address {
        /// The address.
        address: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The server did not answer with a file.
    #[error("could not read the update graph of channel `{channel}` for {architecture}")]
    Fetch {
        /// The channel.
        channel: Channel,
        /// The architecture.
        architecture: String,
        /// Why not.
        source: TransportError,
    },
    /// The server has nothing at that address.
    #[error("there is no update server at {address}")]
    NoServer {
        /// Where it was looked for.
        address: String,
    },
    /// What came is no graph.
    #[error("what came for channel `{channel}` and {architecture} is not an update graph")]
    NotAGraph {
        /// The channel.
        channel: Channel,
        /// The architecture.
        architecture: String,
        /// What is wrong with it.
        source: GraphError,
    },
    /// A file of a graph cannot be read.
    #[error("could not read the update graph in `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file of a graph cannot be written.
    #[error("could not keep an update graph as `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The archive was made without it.
    #[error("the archive has no update graph of channel `{channel}` for {architecture}")]
    NotKept {
        /// The channel.
        channel: Channel,
        /// The architecture.
        architecture: String,
    },
    /// A channel or architecture is called what no file can be called.
    #[error("`{name}` is the name of no channel or architecture")]
    Name {
        /// What it is called.
        name: String,
    },
}

impl UpdateGraphError {
    /// Returns what it is about, as people know it: a channel, and an architecture.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Fetch { channel, architecture, .. }
            | Self::NotAGraph { channel, architecture, .. }
            | Self::NotKept { channel, architecture } => format!("{channel} for {architecture}"),
            Self::Address { address, .. } | Self::NoServer { address } => address.clone(),
            Self::Read { path, .. } | Self::Write { path, .. } => path.display().to_string(),
            Self::Name { name } => name.clone(),
        }
    }

    /// Returns what can be done about it, where that can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address { .. } | Self::NoServer { .. } => {
                Some("check `UPDATE_URL_OVERRIDE`; it ends in `/graph` mostly")
            }
            Self::NotAGraph { .. } => {
                Some("what answers may be a proxy or a login page; open the address to see")
            }
            Self::NotKept { .. } => {
                Some("make the archive with the configuration that it is read with")
            }
            _ => None,
        }
    }
}

/// Returns the name of the file in which a graph is kept, below the working directory.
///
/// # Errors
///
/// [`UpdateGraphError::Name`], where a name would lead elsewhere.
pub fn graph_file(channel: &Channel, architecture: &str) -> Result<String, UpdateGraphError> {
    for name in [&channel.name, architecture] {
        let is_bad = |c: char| c.is_control() || matches!(c, '/' | '\\');
        if name.is_empty() || name.len() > LONGEST_NAME || name.contains(is_bad) {
            let name = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
            return Err(UpdateGraphError::Name { name });
        }
    }
    Ok(format!("{GRAPHS}/{architecture}-{}.json", channel.name))
}

/// Writes graphs below a working directory, each whole or not at all.
///
/// # Errors
///
/// [`UpdateGraphError::Write`], for the first that cannot be written.
///
/// # Cancel safety
///
/// Dropping the future can leave a file `….part` behind, and never half a graph.
pub async fn keep_graphs(
    working_dir: &Path,
    graphs: &BTreeMap<String, Bytes>,
) -> Result<(), UpdateGraphError> {
    for (name, bytes) in graphs {
        let path = working_dir.join(name);
        let kept = write_whole(&path, bytes).await;
        kept.map_err(|source| UpdateGraphError::Write { path, source })?;
    }
    Ok(())
}

async fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).await?;
    }
    let part = path.with_extension("json.part");
    let mut file = File::create(&part).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&part, path).await
}

/// Graphs in files of one directory: `amd64-stable-4.18.json`, as they are kept, or
/// `stable-4.18.json`. A channel without a file does not exist.
#[derive(Debug, Clone)]
pub struct GraphDirectory {
    directory: PathBuf,
}

impl GraphDirectory {
    /// Takes the graphs in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
}

#[async_trait]
impl UpdateGraphs for GraphDirectory {
    async fn fetch(
        &self,
        channel: &Channel,
        architecture: &str,
    ) -> Result<Bytes, UpdateGraphError> {
        let kept = graph_file(channel, architecture)?;
        let kept = kept.rsplit('/').next().unwrap_or_default();
        for name in [kept, &format!("{}.json", channel.name)] {
            let path = self.directory.join(name);
            match read_bounded(&path).await {
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(UpdateGraphError::Read { path, source }),
            }
        }
        // A directory that is not there has no files either, and somebody mistyped it.
        match fs::metadata(&self.directory).await {
            Ok(_) => Ok(Bytes::from_static(NO_RELEASES)),
            Err(source) => Err(UpdateGraphError::Read { path: self.directory.clone(), source }),
        }
    }
}

/// Reads a file; one byte more than a graph may have shows that it is none.
async fn read_bounded(path: &Path) -> io::Result<Bytes> {
    let limit = u64::try_from(Graph::MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path).await?.take(limit).read_to_end(&mut bytes).await?;
    Ok(bytes.into())
}

/// Graphs that an archive carries along, by [`graph_file`]'s names.
#[derive(Debug, Clone, Default)]
pub struct KeptGraphs {
    graphs: BTreeMap<String, Bytes>,
}

impl KeptGraphs {
    /// Takes graphs by the names under which they were kept; what else there is does no harm.
    pub fn new(graphs: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self { graphs: graphs.into_iter().collect() }
    }
}

#[async_trait]
impl UpdateGraphs for KeptGraphs {
    async fn fetch(
        &self,
        channel: &Channel,
        architecture: &str,
    ) -> Result<Bytes, UpdateGraphError> {
        let kept = self.graphs.get(&graph_file(channel, architecture)?).cloned();
        kept.ok_or_else(|| UpdateGraphError::NotKept {
            channel: channel.clone(),
            architecture: architecture.to_owned(),
        })
    }
}
