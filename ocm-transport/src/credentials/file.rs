use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use ocm_oci::{Host, RepoName};
use serde::Deserialize;
use serde_json::error::Category;

use super::{CredentialsError, Login};

/// Largest file that is read; with a hundred registries one has 20 KiB.
const FILE_LIMIT: u64 = 4 << 20;
/// Docker Hub as references name it.
const DOCKER_HUB: &str = "docker.io";
/// Docker Hub as Docker's files name it.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// One file of containers' or Docker's format, which are the same.
///
/// Source: <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>.
#[derive(Debug)]
pub(super) struct AuthFile {
    path: PathBuf,
    content: Content,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: Option<String>,
}

/// An entry for a registry or a part of it. Helpers leave empty ones behind.
#[derive(Deserialize, Default)]
struct Auth {
    #[serde(default, rename = "auth")]
    basic: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
    #[serde(default)]
    registrytoken: String,
}

/// What a file has for a registry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The login itself.
    Login(Login),
    /// The end of the name of a program that knows it.
    Helper(String),
}

impl AuthFile {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file that may be missing, or lie behind something that is no directory.
    pub(super) fn read_if_there(path: &Path) -> Result<Option<Self>, CredentialsError> {
        match Self::read(path) {
            Err(CredentialsError::Read { source, .. }) if is_absent(&source) => Ok(None),
            read => read.map(Some),
        }
    }

    pub(super) fn read(path: &Path) -> Result<Self, CredentialsError> {
        let failed =
            |source| CredentialsError::Read { path: path.to_owned(), source: Arc::new(source) };
        let mut text = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(FILE_LIMIT + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > FILE_LIMIT {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(Self { path: path.to_owned(), content: Content::parse(path, &text)? })
    }

    /// Finds what applies: the helper of the registry, then the entry of the longest path, then
    /// one that means the registry in another spelling, then the helper for everything else.
    pub(super) fn find(
        &self,
        host: &Host,
        repository: Option<&RepoName>,
    ) -> Result<Option<Entry>, CredentialsError> {
        let content = &self.content;
        if let Some(helper) = content.cred_helpers.get(host.as_str()) {
            return Ok(Some(Entry::Helper(helper.clone())));
        }
        let is_host = |key: &&String| normalised(key) == normalised(host.as_str());
        let spelled = content.auths.keys().filter(is_host).cloned();
        for key in keys(host, repository).into_iter().chain(spelled) {
            let Some(auth) = content.auths.get(&key) else { continue };
            let invalid = |fault| CredentialsError::Entry { path: self.path.clone(), key, fault };
            if let Some(login) = auth.login().map_err(invalid)? {
                return Ok(Some(Entry::Login(login)));
            }
        }
        Ok(content.creds_store.clone().filter(|name| !name.is_empty()).map(Entry::Helper))
    }
}

/// Lists the keys for a repository: `host/a/b`, `host/a`, `host`.
fn keys(host: &Host, repository: Option<&RepoName>) -> Vec<String> {
    let repositories = std::iter::successors(repository.cloned(), RepoName::parent);
    let mut keys: Vec<_> = repositories.map(|repository| format!("{host}/{repository}")).collect();
    keys.push(host.to_string());
    keys
}

/// Lists the names under which a helper may keep a registry.
pub(super) fn servers(host: &Host) -> Vec<String> {
    let mut servers = vec![host.to_string()];
    if host.as_str() == DOCKER_HUB {
        servers.insert(0, DOCKER_HUB_KEY.to_owned());
    }
    servers
}

/// Returns which registry a key means. One with a scheme is an address, whose path says nothing;
/// one without can be a part of a registry, which the registry is not.
fn normalised(key: &str) -> &str {
    let address = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = address.map_or(key, |rest| rest.split_once('/').map_or(rest, |(host, _)| host));
    match host {
        "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        other => other,
    }
}

impl Content {
    fn parse(path: &Path, text: &[u8]) -> Result<Self, CredentialsError> {
        // An empty file, `/dev/null` above all, is how people say that there are none.
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let invalid = |error: serde_json::Error| CredentialsError::Invalid {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            fault: fault(error.classify()),
        };
        // `.dockercfg`, from before 2015, has the entries at the top.
        if path.file_name().is_some_and(|name| name == ".dockercfg") {
            let auths = serde_json::from_slice(text).map_err(invalid)?;
            return Ok(Self { auths, ..Self::default() });
        }
        serde_json::from_slice(text).map_err(invalid)
    }
}

fn fault(category: Category) -> &'static str {
    match category {
        Category::Eof => "end too early",
        Category::Data => "do not have the form of an auth file",
        Category::Syntax | Category::Io => "are not valid JSON",
    }
}

impl Auth {
    /// Returns the login; `None` where the entry is empty, as helpers leave them.
    fn login(&self) -> Result<Option<Login>, &'static str> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Login::registry_token(self.registrytoken.as_str())));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::Identity { token: self.identitytoken.clone() }));
        }
        if self.basic.is_empty() {
            let is_given = !self.username.is_empty();
            return Ok(
                is_given.then(|| Login::basic(self.username.as_str(), self.password.as_str()))
            );
        }
        let text = self.basic.trim();
        let bytes = STANDARD.decode(text).or_else(|_padded| STANDARD_NO_PAD.decode(text));
        let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or("has an `auth` that is not Base64 of text")?;
        let (username, password) =
            text.split_once(':').ok_or("has an `auth` that is not `user:password`")?;
        // Docker ends some passwords with zero bytes.
        Ok(Some(Login::basic(username, password.trim_end_matches('\0'))))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Shows no secret.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content")
            .field("auths", &self.auths.keys())
            .field("cred_helpers", &self.cred_helpers)
            .field("creds_store", &self.creds_store)
            .finish()
    }
}
