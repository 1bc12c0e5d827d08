//! An OCI image layout in a directory: what `skopeo copy … oci:directory:tag` makes, and reads.
//!
//! ```text
//! oci-layout                   {"imageLayoutVersion":"1.0.0"}
//! index.json                   which manifests have names
//! blobs/sha256/<hex>           manifests and blobs alike
//! .ocm/                        files that are not whole yet
//! ```
//!
//! # Repositories in a layout
//!
//! A layout knows manifests by one name each, the annotation `org.opencontainers.image.ref.name`.
//! Here that name is `path:tag`, so that one layout holds many repositories. A manifest that was
//! pushed without a tag is listed too, with its repository in the annotation `dev.ocm.repository`:
//! its type, which its bytes may not say, has no other place.
//!
//! Most layouts were made by other programs, and hold one image under a bare tag, or under no name
//! at all. What has no repository's name is *nameless*, and **every repository sees it**, behind its
//! own: whatever repository is asked for `v1`, it answers with its own tag `v1`, or with the
//! nameless one. So `source()` of any name reads such a layout; [`OciLayout::images`] lists what is
//! in it. Repositories are listed only where they have a name.
//!
//! Blobs are shared: what one repository has brought, all others find present. A manifest belongs
//! to the repositories that list it, or that list an index which leads to it.
//!
//! # What is kept
//!
//! `index.json` is replaced at once and as a whole, in one order: entries of others first, in the
//! order they had, then ours by repository and tag. Whatever other programs have written into it
//! stays. A manifest that another one of its repository names cannot be deleted, nor a blob that any
//! manifest names: nothing is left behind that leads to nothing.
//!
//! # Directories of others
//!
//! Nothing is trusted: `index.json` may have 64 MiB, manifests 4 MiB where they are read to see
//! what they name; symbolic links are refused, and digests are verified.
//!
//! ```
//! use ocm_transport::{Transport as _, layout::OciLayout};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let layout = OciLayout::create(directory.path()).await?;
//! let v1 = "v1".parse()?;
//! assert_eq!(layout.source(&"team/app".parse()?).head(&v1).await?, None);
//! # Ok(())
//! # }
//! ```

mod destination;
mod error;
mod index;
mod shared;
mod source;
mod upload;

use std::{fmt, io, path::Path, sync::Arc};

use async_trait::async_trait;
use ocm_oci::{Descriptor, RepoName, Tag};
use tokio::task::spawn_blocking;

pub use error::OciLayoutError;

use self::{
    index::Index,
    shared::{Repository, Shared},
    source::listing,
};
use crate::{
    Destination, Listing, Operation, Page, Source, Transport, TransportError, Verb, memory::list,
};

/// A directory that is an OCI image layout. Cheap to clone; see the [module](self).
///
/// Several may work on one directory at the same time, in one process or in several.
#[derive(Debug, Clone)]
pub struct OciLayout {
    shared: Arc<Shared>,
}

/// A manifest that a layout lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// Which manifest.
    pub descriptor: Descriptor,
    /// Whose it is; `None` if it is nameless.
    pub repository: Option<RepoName>,
    /// Its tag.
    pub tag: Option<Tag>,
}

impl OciLayout {
    /// Opens a layout that is there.
    ///
    /// # Errors
    ///
    /// [`OciLayoutError`] where there is none, or one that cannot be read.
    pub async fn open(directory: &Path) -> Result<Self, OciLayoutError> {
        Self::with(directory, Shared::open).await
    }

    /// Opens the layout in `directory`, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), and where the directory cannot be made or is not empty.
    pub async fn create(directory: &Path) -> Result<Self, OciLayoutError> {
        Self::with(directory, Shared::create).await
    }

    async fn with(
        directory: &Path,
        open: fn(&Path) -> Result<Shared, OciLayoutError>,
    ) -> Result<Self, OciLayoutError> {
        let path = directory.to_owned();
        let made = spawn_blocking(move || open(&path)).await.unwrap_or_else(|error| {
            let (action, path) = ("open", directory.to_owned());
            Err(OciLayoutError::Io { action, path, source: io::Error::other(error) })
        });
        Ok(Self { shared: Arc::new(made?) })
    }

    /// Lists every manifest that has a place in `index.json`, in its order.
    ///
    /// # Errors
    ///
    /// Those of reading `index.json`.
    pub async fn images(&self) -> Result<Vec<ListedImage>, TransportError> {
        let operation = self.look_up("index.json");
        listing(&self.shared, operation, Index::images).await
    }

    fn look_up(&self, reference: &str) -> Operation {
        let (place, reference) = (self.to_string(), reference.to_owned());
        Operation { place, verb: Verb::LookUp, reference }
    }

    fn repository(&self, name: &RepoName) -> Repository {
        Repository { shared: Arc::clone(&self.shared), name: name.clone() }
    }
}

impl fmt::Display for OciLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

#[async_trait]
impl Transport for OciLayout {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(self.repository(repository))
    }

    fn destination(&self, repository: &RepoName) -> Option<Arc<dyn Destination>> {
        Some(Arc::new(self.repository(repository)))
    }

    async fn repositories(&self, page: &Page) -> Result<Listing<RepoName>, TransportError> {
        let (operation, page) = (self.look_up("its repositories"), page.clone());
        listing(&self.shared, operation, move |index| list(index.repositories(), &page)).await
    }
}
