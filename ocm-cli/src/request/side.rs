use std::{fmt, path::PathBuf};

use super::UsageError;
use crate::args::{LowSide, Secret};

/// How the registries of one end of a copy are spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Side {
    /// Whether certificates are checked.
    pub(crate) verify: Verify,
    /// Who asks.
    pub(crate) login: Login,
    /// Directory with certificates and keys, in place of those of the system.
    pub(crate) cert_dir: Option<PathBuf>,
}

/// Whether certificates are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verify {
    /// They are, and plain HTTP is not spoken.
    Always,
    /// They are not, and plain HTTP is.
    Never,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Login {
    /// Whoever the files of the system name.
    Search,
    /// Whoever this file names, for all registries.
    File(PathBuf),
    /// One user, for all registries.
    User {
        /// The name.
        name: String,
        /// The password.
        password: Secret,
    },
    /// Whoever holds this token.
    Token(Secret),
    /// Nobody.
    Anonymous,
}

/// An end of a copy, as its flags name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SideName {
    /// What is read.
    Source,
    /// What is written.
    Destination,
}

impl fmt::Display for SideName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "src-",
            Self::Destination => "dest-",
        })
    }
}

impl Side {
    /// Concludes what was said of one end.
    ///
    /// # Errors
    ///
    /// When credentials are given twice, or half.
    pub(crate) fn new(
        name: SideName,
        typed: LowSide,
        authfile: Option<PathBuf>,
        ineffective: &mut Vec<&'static str>,
    ) -> Result<Self, UsageError> {
        ineffective.extend(&typed.ineffective);
        let verify = if typed.tls_verify.is_on() { Verify::Always } else { Verify::Never };
        let cert_dir = typed.cert_dir.clone();
        Ok(Self { verify, login: Login::new(name, typed, authfile)?, cert_dir })
    }
}

impl Login {
    fn new(side: SideName, typed: LowSide, authfile: Option<PathBuf>) -> Result<Self, UsageError> {
        let exclusive = |first, second| Err(UsageError::Exclusive { side, first, second });
        let (has_creds, has_name) = (typed.creds.is_some(), typed.username.is_some());
        if typed.no_creds.is_on() && has_creds {
            return exclusive("creds", "no-creds");
        }
        if typed.no_creds.is_on() && has_name {
            return exclusive("username", "no-creds");
        }
        if has_creds && has_name {
            return exclusive("creds", "username");
        }
        let user = match (typed.creds, typed.username, typed.password) {
            (Some(creds), _, _) => Some(from_creds(side, &creds)?),
            (None, Some(name), Some(password)) => Some((name, password)),
            (None, Some(_), None) => return incomplete(side, "username", "password"),
            (None, None, Some(_)) => return incomplete(side, "password", "username"),
            (None, None, None) => None,
        };
        if user.as_ref().is_some_and(|(name, _)| name.is_empty()) {
            let flag = if has_creds { "creds" } else { "username" };
            return Err(UsageError::NoUser { side, flag });
        }
        Ok(match (typed.registry_token, user, typed.authfile.or(authfile)) {
            _ if typed.no_creds.is_on() => Self::Anonymous,
            (Some(token), _, _) => Self::Token(token),
            (None, Some((name, password)), _) => Self::User { name, password },
            (None, None, Some(file)) => Self::File(file),
            (None, None, None) => Self::Search,
        })
    }
}

fn incomplete<T>(
    side: SideName,
    given: &'static str,
    missing: &'static str,
) -> Result<T, UsageError> {
    Err(UsageError::Incomplete { side, given, missing })
}

/// Splits `USER[:PASSWORD]`; without a colon the password is empty.
fn from_creds(side: SideName, creds: &Secret) -> Result<(String, Secret), UsageError> {
    let text = creds.reveal();
    if text.is_empty() {
        return Err(UsageError::NoUser { side, flag: "creds" });
    }
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    Ok((name.to_owned(), Secret::from(password)))
}
