//! Credentials: where they come from, and whether there are any.

use std::path::PathBuf;

use ocm_oci::{Host, RepoName};
use ocm_transport::{CredentialFiles, Credentials, CredentialsError, Login as Known};

use crate::{environment::Environment, request::Login};

/// Reads the credentials of one side.
///
/// # Errors
///
/// When a file is missing, or is not what it should be.
pub(super) fn credentials(
    login: &Login,
    environment: &Environment,
) -> Result<Credentials, CredentialsError> {
    let load = |explicit, search| Credentials::load(&CredentialFiles { explicit, search });
    Ok(match login {
        Login::Search => load(None, environment.credential_files())?,
        Login::File(file) => load(Some(file.clone()), Vec::new())?,
        Login::User { name, password } => {
            Credentials::fixed(Known::basic(name.clone(), password.reveal()))
        }
        Login::Token(token) => Credentials::fixed(Known::registry_token(token.reveal())),
        Login::Anonymous => Credentials::none(),
    })
}

/// Says which credentials a registry was shown that did not let us in.
pub(super) async fn story(
    login: &Login,
    (host, repository): (&Host, Option<&RepoName>),
    environment: &Environment,
) -> String {
    let files = match login {
        Login::User { name, .. } => {
            return format!("{host} was asked as `{name}`, as the flags say");
        }
        Login::Token(_) => return format!("{host} was shown the token that the flags give"),
        Login::Anonymous => return format!("{host} was asked without credentials, as a flag says"),
        Login::File(file) => vec![file.clone()],
        Login::Search => environment.credential_files(),
    };
    for file in &files {
        if knows(file.clone(), (host, repository)).await {
            return format!("credentials for {host} were found in {}", file.display());
        }
    }
    let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    format!("no credentials for {host} were found; looked for in {}", files.join(", "))
}

/// Returns whether a file has something for a registry.
async fn knows(file: PathBuf, (host, repository): (&Host, Option<&RepoName>)) -> bool {
    let search = CredentialFiles { explicit: None, search: vec![file] };
    let Ok(credentials) = Credentials::load(&search) else { return false };
    matches!(credentials.lookup(host, repository).await, Ok(Some(_)))
}
