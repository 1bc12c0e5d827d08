//! Where the data of the update graph comes from.
//!
//! ```text
//! a server: https://…/graph-data          ─► tar.gz ─────┐
//! a file: graph-data.tar.gz               ─► tar.gz ─────┤
//! an archive that has a graph image       ─► its layers ─┼─► without signatures ─► GraphData
//! a graph image in a registry: docker://… ─► its layers ─┘
//! ```
//!
//! Signatures that an earlier image has are those of the releases of an earlier run, and those that
//! a server has were verified by nobody here. They are left out: what is in the image is what this configuration means, and the same data, base and
//! signatures have the same digest, whichever way the data came.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use ocm_oci::{ImageRef, Reference, ReferenceError};
use ocm_transport::{
    Transport as _,
    archive::{ArchiveError, ArchiveReader},
};
use tokio::{fs::File, io::AsyncReadExt as _};

use super::{Resolving, update_graph::ORIGIN};
use crate::{
    Archived, ArchivedError, Code, Failure, GraphData, GraphDataError, ImageFiles, Side,
    rebuild::GZIP, retry::Patience,
};

/// Where Red Hat publishes the data.
///
/// Source: <https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/updating_clusters/performing-a-cluster-update#update-service-graph-data_updating-disconnected-cluster-osus>.
pub(super) const GRAPH_DATA: &str = "https://api.openshift.com/api/upgrades_info/graph-data";
/// Most bytes of the data as it is served. In 2026 it has about 1 MB.
const DATA_LIMIT: usize = 64 << 20;
/// What helps where there is none.
const ELSEWHERE: &str = "`--graph-data` takes it from elsewhere: an address, a file \
                         `graph-data.tar.gz`, an earlier archive, or `docker://` and an earlier \
                         graph image";

/// Where the data of the update graph is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphDataOrigin {
    /// An address, of a tar in a gzip file.
    Web(String),
    /// A tar in a gzip file; or the directory or the only file of an archive, which has an image of
    /// the update graph.
    Path(PathBuf),
    /// An image of the update graph in a registry.
    Image(ImageRef),
}

/// Some text says of no place where the data of the update graph could be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphDataOriginError {
    /// It begins in a way that means nothing here.
    #[error("write `https://…`, a file, the directory of an archive, or `docker://IMAGE`")]
    Unknown,
    /// The image has no name.
    #[error("could not read the name of the image")]
    Image(#[source] ReferenceError),
}

impl FromStr for GraphDataOrigin {
    type Err = GraphDataOriginError;

    fn from_str(text: &str) -> Result<Self, GraphDataOriginError> {
        match text.split_once("://") {
            Some(("http" | "https", rest)) if !rest.is_empty() => Ok(Self::Web(text.to_owned())),
            Some(("docker", image)) => {
                image.parse().map(Self::Image).map_err(GraphDataOriginError::Image)
            }
            Some(("file", path)) if !path.is_empty() => Ok(Self::Path(path.into())),
            None if !text.is_empty() => Ok(Self::Path(text.into())),
            _ => Err(GraphDataOriginError::Unknown),
        }
    }
}

impl fmt::Display for GraphDataOrigin {
    /// Writes it without user, password and query, which can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(address) => f.write_str(&shown(address)),
            Self::Path(path) => path.display().fmt(f),
            Self::Image(image) => f.write_str(image.as_written()),
        }
    }
}

/// Why a file has no data.
#[derive(Debug, thiserror::Error)]
enum FileFault {
    #[error("could not read the file")]
    Io(#[from] io::Error),
    #[error("the file is longer than {DATA_LIMIT} bytes")]
    TooLarge,
    #[error(transparent)]
    Data(#[from] GraphDataError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Archived(#[from] ArchivedError),
}

/// What an update service knows beside the releases.
#[derive(Debug)]
pub(super) struct FoundData {
    pub(super) data: GraphData,
    /// The image that it was in.
    pub(super) image: Option<ImageFiles>,
}

impl FoundData {
    /// Reads it where it is to be found.
    pub(super) async fn read(resolving: &Resolving<'_>) -> Result<Self, Failure> {
        let usual = || GraphDataOrigin::Web(GRAPH_DATA.to_owned());
        let origin = resolving.graph_image.data.clone().unwrap_or_else(usual);
        let found = match &origin {
            GraphDataOrigin::Web(address) => from_web(address, resolving).await,
            GraphDataOrigin::Path(path) => from_path(path, resolving).await,
            GraphDataOrigin::Image(image) => from_registry(image, resolving).await,
        };
        found.map_err(|mut failure| {
            failure
                .chain
                .insert(0, format!("could not read the data of the update graph from `{origin}`"));
            match failure.hint {
                None => failure.with_hint(ELSEWHERE),
                Some(_) => failure,
            }
        })
    }
}

impl From<GraphData> for FoundData {
    fn from(data: GraphData) -> Self {
        Self { data, image: None }
    }
}

async fn from_web(address: &str, resolving: &Resolving<'_>) -> Result<FoundData, Failure> {
    let Some(web) = resolving.releasing.web else {
        let what = "it can be asked for of nobody".to_owned();
        return Err(Failure::without(Code::Release, Side::Source, what));
    };
    let hint = format!(
        "where updates are served by a server of your own, its data is expected beside its graph: \
         `UPDATE_URL_OVERRIDE` is `https://…/graph`, and the data `https://…/graph-data`; {ELSEWHERE}"
    );
    let patience = Patience::new(resolving.retry);
    let got = patience.run(|| web.get(address, "application/gzip", DATA_LIMIT)).await;
    let got = got.map_err(|error| Failure::at(Side::Source, &error))?;
    let bytes = got.ok_or_else(|| {
        let what = format!("there is no data of the update graph at {}", shown(address));
        Failure::without(Code::Release, Side::Source, what).with_hint(&*hint)
    })?;
    GraphData::unpack(&bytes).map(FoundData::from).map_err(|error| failed(&error).with_hint(hint))
}

/// Reads a file with the data, or an archive that has it.
async fn from_path(path: &Path, resolving: &Resolving<'_>) -> Result<FoundData, Failure> {
    match packed(path).await {
        Ok(Some(data)) => return Ok(data.into()),
        Ok(None) => {}
        Err(fault) => return Err(failed(&fault)),
    }
    let opened = async {
        let reader = ArchiveReader::open(path).await?;
        Ok::<_, FileFault>((Archived::read(&reader).await?, reader))
    };
    let (archived, reader) = opened.await.map_err(|fault| failed(&fault))?;
    let (location, reference) = archived.find(ORIGIN).map_err(|failure| {
        failure.with_hint(format!(
            "an archive has it that was written with `graph: true`; {ELSEWHERE}"
        ))
    })?;
    let source = reader.source(&location.repository);
    from_image(ImageFiles::open(source, &reference, resolving.retry).await).await
}

/// Reads a file that is a tar in a gzip file; `None` where it is something else, or a directory.
async fn packed(path: &Path) -> Result<Option<GraphData>, FileFault> {
    if tokio::fs::metadata(path).await?.is_dir() {
        return Ok(None);
    }
    let mut file = File::open(path).await?.take(DATA_LIMIT as u64 + 1);
    let mut bytes = vec![0; GZIP.len()];
    // A volume of an archive can have any size, and is not read.
    if file.read_exact(&mut bytes).await.is_err() || bytes != GZIP {
        return Ok(None);
    }
    file.read_to_end(&mut bytes).await?;
    if bytes.len() > DATA_LIMIT {
        return Err(FileFault::TooLarge);
    }
    Ok(Some(GraphData::unpack(&bytes)?))
}

async fn from_registry(image: &ImageRef, resolving: &Resolving<'_>) -> Result<FoundData, Failure> {
    let reference = Reference::Image(image.clone());
    let (location, reference) = resolving.upstream.find(image.as_written(), &reference)?;
    let source = resolving.source(&location)?;
    from_image(ImageFiles::open(source, &reference, resolving.retry).await).await
}

async fn from_image(image: Result<ImageFiles, crate::LayersError>) -> Result<FoundData, Failure> {
    let image = image.map_err(|error| failed(&error))?;
    let data = GraphData::of_image(&image).await.map_err(|error| failed(&error))?;
    Ok(FoundData { data, image: Some(image) })
}

fn failed(error: &dyn Error) -> Failure {
    Failure::new(Code::Release, Side::Source, error)
}

/// Returns what is shown of an address: user, password and query can hold secrets.
fn shown(address: &str) -> String {
    let Ok(url) = address.parse::<url::Url>() else { return "that address".to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_no_secrets() {
        let told = GraphDataOrigin::Web("http://me:sekret@h:8080/graph-data?token=sekret".into());
        assert_eq!(told.to_string(), "http://h:8080/graph-data");
    }

    #[test]
    fn where_data_is_can_be_said_in_several_ways() {
        let path = |text: &str| GraphDataOrigin::Path(text.into());
        let image = "registry.lab:5000/mirror/openshift/graph-image:latest";
        let table = [
            ("https://h/graph-data", GraphDataOrigin::Web("https://h/graph-data".into())),
            ("file:///media/usb", path("/media/usb")),
            ("file://usb", path("usb")),
            ("graph-data.tar.gz", path("graph-data.tar.gz")),
            (&format!("docker://{image}"), GraphDataOrigin::Image(image.parse().unwrap())),
        ];
        for (text, origin) in table {
            assert_eq!(text.parse::<GraphDataOrigin>().unwrap(), origin, "{text}");
        }
        for text in ["", "file://", "https://", "ftp://h/x", "docker://", "docker://A/B"] {
            assert!(text.parse::<GraphDataOrigin>().is_err(), "{text}");
        }
    }
}
