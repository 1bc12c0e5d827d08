use ocm_oci::Digest;

use crate::{Base, Below, ImageConfiguration, ImageFiles, LayersError, Limits, Seen, Visitor};

/// Where a catalog says in which directory its files are.
///
/// Source: <https://olm.operatorframework.io/docs/reference/file-based-catalogs/#building-a-custom-catalog>.
pub(crate) const CONFIGS_LABEL: &str = "operators.operatorframework.io.index.configs.v1";
/// Where a catalog of the older kind says where its data base is.
const DATABASE_LABEL: &str = "operators.operatorframework.io.index.database.v1";

/// An image that lists operators, opened to be read.
#[derive(Debug, Clone)]
pub struct CatalogImage {
    files: ImageFiles,
    directory: String,
    has_program: bool,
}

/// Why an image is not read as a catalog.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogImageError {
    /// It could not be read.
    #[error(transparent)]
    Layers(#[from] LayersError),
    /// It does not say where its files are.
    #[error("image `{0}` is no catalog: it lacks the label `{CONFIGS_LABEL}`")]
    NoLabel(Digest),
    /// It is of the kind that was given up in 2023.
    #[error("catalog `{0}` is a data base (sqlite), which is not supported: use a file-based one")]
    Database(Digest),
    /// It says that all files of the image are its own.
    #[error("catalog `{image}` has its files in `{directory}`, which is no directory of its own")]
    Directory {
        /// Which.
        image: Digest,
        /// What it says.
        directory: String,
    },
    /// There is nothing where it says.
    #[error("catalog `{image}` has no files in its directory `/{directory}`")]
    Empty {
        /// Which.
        image: Digest,
        /// Where it says they are.
        directory: String,
    },
    /// There is a link where it says.
    #[error("catalog `{image}` has only links in `/{directory}`, which are not followed")]
    Links {
        /// Which.
        image: Digest,
        /// Where it says they are.
        directory: String,
    },
}

impl CatalogImage {
    /// Takes an image for a catalog.
    ///
    /// # Errors
    ///
    /// [`CatalogImageError`], where it is none.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the request.
    pub async fn open(files: ImageFiles) -> Result<Self, CatalogImageError> {
        let ImageConfiguration { labels, entrypoint, .. } = files.configuration().await?;
        let image = || files.manifest().descriptor().digest.clone();
        let Some(directory) = labels.get(CONFIGS_LABEL) else {
            let is_database = labels.contains_key(DATABASE_LABEL);
            let error =
                if is_database { CatalogImageError::Database } else { CatalogImageError::NoLabel };
            return Err(error(image()));
        };
        let parts = directory.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts: Vec<_> = parts.collect();
        if parts.is_empty() || parts.contains(&"..") {
            let directory = directory.clone();
            return Err(CatalogImageError::Directory { image: image(), directory });
        }
        let directory = parts.join("/");
        Ok(Self { files, directory, has_program: !entrypoint.is_empty() })
    }

    /// Returns the directory with its files, without a slash at either end: `configs`.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Whether a program is in it that serves it.
    pub fn has_program(&self) -> bool {
        self.has_program
    }

    /// Returns the image, for all platforms, as something to build upon.
    pub fn base(&self) -> Base {
        self.files.base()
    }

    /// Hands the catalog's files to `visitor`, by their path below its directory.
    ///
    /// All layers are read, from the top, until one hides what is below: a file of a lower layer
    /// belongs to the catalog too. Links are not followed; how many there were is told.
    ///
    /// # Errors
    ///
    /// [`CatalogImageError`], also where there are no files.
    ///
    /// # Cancel safety
    ///
    /// As [`ImageFiles::read`].
    pub async fn read<V: Visitor>(
        &self,
        limits: Limits,
        visitor: V,
    ) -> Result<Seen<V>, CatalogImageError> {
        let wanted = Below::new(&self.directory).with_limits(limits);
        let seen = self.files.read(&wanted, visitor).await?;
        let (image, directory) =
            (self.files.manifest().descriptor().digest.clone(), self.directory.clone());
        match (seen.files, seen.links) {
            (0, 0) => Err(CatalogImageError::Empty { image, directory }),
            (0, _) => Err(CatalogImageError::Links { image, directory }),
            _ => Ok(seen),
        }
    }
}
