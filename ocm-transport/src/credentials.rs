//! Who we are to which registry, as container tools and their files say it.

mod file;
mod helper;
mod login;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use ocm_oci::{Host, RepoName};

use self::file::{AuthFile, Entry};
pub(crate) use self::login::bearer_header;
pub use self::{helper::HelperError, login::Login};
use crate::registry::Flight;

/// Which files say who we are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialFiles {
    /// The one file to read, where somebody chose it; it must be there.
    pub explicit: Option<PathBuf>,
    /// Otherwise these, in this order, as far as they are there; the first that knows a registry
    /// decides. Usually `$XDG_RUNTIME_DIR/containers/auth.json`,
    /// `$XDG_CONFIG_HOME/containers/auth.json`, `$DOCKER_CONFIG/config.json`, `~/.dockercfg`.
    pub search: Vec<PathBuf>,
}

/// Finds the login for a registry or for a part of it. Cheap to clone.
///
/// ```
/// use ocm_transport::{Credentials, Login};
///
/// let credentials = Credentials::fixed(Login::basic("me", "secret"));
/// assert!(!format!("{credentials:?}").contains("secret"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Credentials(Arc<Known>);

#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    One(Login),
    Files {
        files: Vec<AuthFile>,
        helpers: Mutex<BTreeMap<(String, String), Asked>>,
    },
}

/// What a helper said of one server; it is asked once.
type Asked = Arc<Flight<Option<Login>, Arc<HelperError>>>;

/// Why credentials could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A file could not be read.
    #[error("could not read credentials from {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
    /// A file is not what it should be. What stands there is not repeated: it may be a secret.
    #[error("{}, line {line}, column {column}: credentials {fault}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong.
        fault: &'static str,
    },
    /// The entry for a registry cannot be used.
    #[error("{}: entry `{key}` {fault}", path.display())]
    Entry {
        /// In which file.
        path: PathBuf,
        /// Which.
        key: String,
        /// What is wrong.
        fault: &'static str,
    },
    /// A program that keeps credentials failed.
    #[error("{} names the credential helper `{program}`, which failed", path.display())]
    Helper {
        /// In which file.
        path: PathBuf,
        /// The program.
        program: String,
        /// How it failed.
        source: Arc<HelperError>,
    },
}

impl Credentials {
    /// Knows nobody: every registry is asked anonymously.
    pub fn none() -> Self {
        Self::default()
    }

    /// Is `login` to every registry.
    pub fn fixed(login: Login) -> Self {
        Self(Arc::new(Known::One(login)))
    }

    /// Reads `files`.
    ///
    /// # Errors
    ///
    /// When the explicit file is missing, or when any file is not what it should be.
    pub fn load(files: &CredentialFiles) -> Result<Self, CredentialsError> {
        let files = if let Some(path) = &files.explicit {
            vec![AuthFile::read(path)?]
        } else {
            let read = files.search.iter().map(|path| AuthFile::read_if_there(path));
            read.filter_map(Result::transpose).collect::<Result<_, _>>()?
        };
        Ok(Self(Arc::new(Known::Files { files, helpers: Mutex::default() })))
    }

    /// Returns the login for `repository` of `host`, or for the whole registry.
    ///
    /// A helper program is started where a file says so. Dropping the future ends it.
    ///
    /// # Errors
    ///
    /// When the entry that applies cannot be used, or its helper fails.
    pub async fn lookup(
        &self,
        host: &Host,
        repository: Option<&RepoName>,
    ) -> Result<Option<Login>, CredentialsError> {
        let files = match &*self.0 {
            Known::Nothing => return Ok(None),
            Known::One(login) => return Ok(Some(login.clone())),
            Known::Files { files, .. } => files,
        };
        for file in files {
            let found = match file.find(host, repository)? {
                Some(Entry::Login(login)) => Some(login),
                Some(Entry::Helper(name)) => self.ask(file, &name, host).await?,
                None => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn ask(
        &self,
        file: &AuthFile,
        name: &str,
        host: &Host,
    ) -> Result<Option<Login>, CredentialsError> {
        let Known::Files { helpers, .. } = &*self.0 else { return Ok(None) };
        let program = format!("docker-credential-{name}");
        for server in file::servers(host) {
            let asked = {
                let mut helpers = helpers.lock().unwrap_or_else(PoisonError::into_inner);
                let key = (program.clone(), server.clone());
                Arc::clone(helpers.entry(key).or_default())
            };
            let fetch = async { helper::ask(&program, &server).await.map_err(Arc::new) };
            let answer = asked.get(|_| true, fetch).await;
            let failed = |source| CredentialsError::Helper {
                path: file.path().to_owned(),
                program: program.clone(),
                source,
            };
            if let Some(login) = answer.map_err(failed)? {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

impl fmt::Display for Login {
    /// Says what kind of login it is, and nothing secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { username, .. } => write!(f, "user `{username}`"),
            Self::Identity { .. } => f.write_str("an identity token"),
            Self::Registry { .. } => f.write_str("a registry token"),
        }
    }
}
