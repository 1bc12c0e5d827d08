use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

/// What we show a registry, or the token server it sends us to. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login {
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password, or what the registry gave out in its place.
        password: String,
    },
    /// A token that token servers exchange for those that registries take.
    Identity {
        /// The token.
        token: String,
    },
    /// A token that the registry takes as it is.
    Registry {
        /// The token.
        token: String,
    },
}

/// User name by which helpers and files say that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

impl Login {
    /// Makes a login of a name and a password. The name `<token>` makes it an identity token, as
    /// container tools have it.
    pub fn basic(username: impl Into<String>, password: impl Into<String>) -> Self {
        let (username, password) = (username.into(), password.into());
        if username == TOKEN_USER {
            Self::Identity { token: password }
        } else {
            Self::Basic { username, password }
        }
    }

    /// Makes a login of a token that the registry takes as it is.
    pub fn registry_token(token: impl Into<String>) -> Self {
        Self::Registry { token: token.into() }
    }

    /// Returns the header of Basic authentication; `None` where this is no name and password.
    pub(crate) fn basic_header(&self) -> Option<HeaderValue> {
        let Self::Basic { username, password } = self else { return None };
        secret(&format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
    }
}

/// Returns the header that shows `token`; `None` where no header can hold it.
pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    secret(&format!("Bearer {token}"))
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { username, password: _ } => {
                f.debug_struct("Basic").field("username", username).finish_non_exhaustive()
            }
            Self::Identity { token: _ } => f.debug_struct("Identity").finish_non_exhaustive(),
            Self::Registry { token: _ } => f.debug_struct("Registry").finish_non_exhaustive(),
        }
    }
}
