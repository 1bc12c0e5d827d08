use std::fmt;

use ocm_config::ReleaseKind;
use ocm_oci::{Digest, RepoName};

use super::{Keyring, Repositories};

/// Where Red Hat publishes signatures, the preferred place first. An upgrading cluster asks both.
///
/// Source: <https://github.com/openshift/cluster-update-keys>, `stores`; the same for OKD.
const RED_HAT_STORES: [&str; 2] = [
    "https://mirror.openshift.com/pub/openshift-v4/signatures/openshift/release/",
    "https://storage.googleapis.com/openshift-release/official/signatures/openshift/release/",
];

/// Where OpenShift's build system publishes signatures, those of OKD among them.
const OKD_STORE: &str =
    "https://storage.googleapis.com/openshift-ci-release/releases/signatures/openshift/release/";

/// What Red Hat signs releases as, on whatever host.
const RED_HAT_REPOSITORY: &str = "openshift-release-dev/ocp-release";

/// Whose word counts for a kind of release, and where it is found.
#[derive(Debug, Clone)]
pub struct Trust {
    pub(super) keyring: Keyring,
    pub(super) stores: Vec<Store>,
    pub(super) repositories: Repositories,
}

impl Trust {
    /// Trusts those who sign releases of that kind.
    pub fn of(kind: ReleaseKind) -> Self {
        match kind {
            ReleaseKind::Ocp => Self {
                keyring: Keyring::red_hat(),
                stores: RED_HAT_STORES.map(|base| Store(base.to_owned())).to_vec(),
                repositories: Repositories::Ending(vec![red_hat_repository()]),
            },
            ReleaseKind::Okd => Self {
                keyring: Keyring::openshift_ci(),
                stores: vec![Store(OKD_STORE.to_owned())],
                repositories: Repositories::Any,
            },
        }
    }

    /// Trusts these keys and no others, whatever they call a release: a key that somebody names
    /// for the purpose signs what he wants to be releases.
    #[must_use]
    pub fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring, repositories: Repositories::Any, ..self }
    }

    /// Looks in this store and in no other.
    #[must_use]
    pub fn with_store(self, store: Store) -> Self {
        Self { stores: vec![store], ..self }
    }

    /// Looks in this store as well, after the others.
    #[must_use]
    pub fn and_store(mut self, store: Store) -> Self {
        self.stores.push(store);
        self
    }
}

fn red_hat_repository() -> RepoName {
    RED_HAT_REPOSITORY.parse().expect("the constant is a repository's name")
}

/// A place on the web with signatures, by digest and number: `…/sha256=HEX/signature-1`. `Display`
/// leaves out a password.
///
/// Source: <https://github.com/containers/image/blob/v5.33.0/docs/signature-protocols.md>.
#[derive(Clone, PartialEq, Eq)]
pub struct Store(String);

/// Some text is not the address of a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{address}` is no address of a signature store: it begins with neither `https://` nor `http://`"
)]
pub struct StoreError {
    /// The text, without a password.
    pub address: String,
}

impl Store {
    /// Takes the address below which the signatures lie; a slash at its end is not needed.
    ///
    /// # Errors
    ///
    /// [`StoreError`], when it does not begin as an address does.
    pub fn at(address: &str) -> Result<Self, StoreError> {
        let is_address = ["https://", "http://"]
            .iter()
            .any(|scheme| address.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
        if is_address {
            Ok(Self(format!("{}/", address.trim_end_matches('/'))))
        } else {
            Err(StoreError { address: without_password(address) })
        }
    }

    /// Returns where the `nth` signature of a release lies, counted from 1.
    pub(super) fn address(&self, release: &Digest, nth: usize) -> String {
        below(&self.0, release, nth)
    }

    /// Returns the same, to be shown.
    pub(super) fn shown(&self, release: &Digest, nth: usize) -> String {
        below(&self.to_string(), release, nth)
    }
}

fn below(base: &str, release: &Digest, nth: usize) -> String {
    format!("{base}{}={}/signature-{nth}", release.algorithm(), release.hex())
}

/// Cuts out what stands before `@` in the part that names the server.
fn without_password(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match server.rsplit_once('@') {
        Some((_, server)) if scheme.is_empty() => format!("{server}{path}"),
        Some((_, server)) => format!("{scheme}://{server}{path}"),
        None => address.to_owned(),
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_an_address() {
        let release = Digest::of(b"");
        let of_empty = "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for base in ["https://a.example/b", "https://a.example/b/", "https://a.example/b//"] {
            let address = Store::at(base).unwrap().address(&release, 2);
            assert_eq!(address, format!("https://a.example/b/{of_empty}/signature-2"));
        }
        let secret = Store::at("https://me:secret@a.example/b@c").unwrap();
        assert_eq!(secret.to_string(), "https://a.example/b@c/");
        assert!(secret.address(&release, 1).starts_with("https://me:secret@a.example/"));
        assert!(secret.shown(&release, 1).starts_with("https://a.example/b@c/sha256="));
        let error = Store::at("ftp://me:secret@a.example/b").unwrap_err();
        assert_eq!(error.address, "ftp://a.example/b");
        assert_eq!(format!("{secret:?}"), "Store(https://a.example/b@c/)");
        for base in ["", "https://", "a.example/b", "file:///a"] {
            let error = Store::at(base).unwrap_err();
            assert!(error.to_string().starts_with(&format!("`{base}` is no address")));
        }
    }
}
