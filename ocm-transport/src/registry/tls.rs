//! Which certificates are trusted, and which one is shown.

mod accept;
mod files;
mod pinned;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ocm_oci::Host;
use rustls::{
    ClientConfig, RootCertStore,
    client::WebPkiServerVerifier,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::CertificateDer,
};

use self::{
    accept::AcceptAny,
    files::{certificates, identity, system},
    pinned::Pinned,
};

/// Whether the registry has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// HTTPS with a trusted certificate, and nothing else; loopback is no exception.
    #[default]
    Always,
    /// HTTPS with any certificate, then plain HTTP.
    Never,
}

/// Where the system keeps the certificate authorities that it trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SystemRoots {
    /// In the usual place. That there is none is no error before one is needed.
    #[default]
    Usual,
    /// In this file of PEM, if any, and in the files of this directory, if any.
    At {
        /// A file of any number of certificates.
        file: Option<PathBuf>,
        /// A directory of such files.
        dir: Option<PathBuf>,
    },
    /// Nowhere: only what is named besides is trusted.
    None,
}

/// How connections are secured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsOptions {
    /// Whether the registry has to prove who it is.
    pub verify: Verify,
    /// Where the system's certificate authorities are.
    pub system_roots: SystemRoots,
    /// Files with further authorities; each must be there. A certificate of a registry itself is
    /// trusted as well, for the names that it carries.
    pub ca_files: Vec<PathBuf>,
    /// Directories that hold a directory for each registry, named `host` or `host:port`; the first
    /// that knows a registry is used. Missing ones are passed over.
    pub certs_dirs: Vec<PathBuf>,
    /// One such directory for every registry: `*.crt` are authorities, `*.cert` and `*.key` are
    /// what is shown to registries that ask who we are. It must be there.
    pub cert_dir: Option<PathBuf>,
}

/// Why certificates could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file or directory could not be read.
    #[error("could not read certificates from {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no PEM.
    #[error("{} is not a valid PEM file", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// A file of certificates holds none.
    #[error("{} holds no certificate", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
    /// A certificate cannot be used, or does not belong to its key.
    #[error("certificate in {} cannot be used", path.display())]
    Unusable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// A client certificate lacks its key, or a key its certificate.
    #[error("{} has no counterpart {}", path.display(), missing.display())]
    Unpaired {
        /// What is there.
        path: PathBuf,
        /// What is not.
        missing: PathBuf,
    },
    /// The cryptography does not support what is needed.
    #[error("TLS could not be set up")]
    Setup(#[source] rustls::Error),
}

/// What is trusted by all registries of one client.
#[derive(Debug)]
pub(crate) struct Trust {
    provider: Arc<CryptoProvider>,
    options: TlsOptions,
    /// Of `ca_files` and `cert_dir`: read first, since a mistake in them is the caller's.
    named: Named,
}

/// What somebody named, as authorities and as it stood in the files.
#[derive(Debug, Clone)]
struct Named {
    roots: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Reads what was named explicitly.
    pub(crate) fn new(options: &TlsOptions) -> Result<Self, TlsError> {
        let mut named = Named { roots: RootCertStore::empty(), certificates: Vec::new() };
        for path in &options.ca_files {
            named.add(path)?;
        }
        if let Some(dir) = &options.cert_dir {
            for path in files::with_extension(dir, "crt")? {
                named.add(&path)?;
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        Ok(Self { provider, options: options.clone(), named })
    }

    /// Returns the directory with certificates of `host` alone.
    pub(crate) fn directory_of(&self, host: &Host) -> Option<PathBuf> {
        let mut dirs = self.options.certs_dirs.iter().map(|dir| dir.join(host.as_str()));
        dirs.find(|dir| dir.is_dir())
    }

    /// Makes the configuration for a registry with or without a directory of its own; says
    /// whether anything at all is trusted.
    pub(crate) fn config(&self, dir: Option<&Path>) -> Result<(ClientConfig, bool), TlsError> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?;
        let (builder, is_blind) = match self.options.verify {
            Verify::Never => {
                let any = Arc::new(AcceptAny::new(&self.provider));
                (builder.dangerous().with_custom_certificate_verifier(any), false)
            }
            Verify::Always => {
                let Named { roots, certificates } = self.trusted(dir)?;
                if certificates.is_empty() {
                    let is_blind = roots.is_empty();
                    (builder.with_root_certificates(roots), is_blind)
                } else {
                    let pinned = Arc::new(self.pinned(roots, certificates)?);
                    (builder.dangerous().with_custom_certificate_verifier(pinned), false)
                }
            }
        };
        let dirs = dir.into_iter().chain(self.options.cert_dir.as_deref());
        let mut shown = None;
        for dir in dirs {
            shown = shown.or(identity(dir)?);
        }
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some(shown) => builder
                .with_client_auth_cert(shown.chain, shown.key)
                .map_err(|source| TlsError::Unusable { path: shown.path, source })?,
        };
        Ok((config, is_blind))
    }

    fn pinned(
        &self,
        roots: RootCertStore,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Result<Pinned, TlsError> {
        let provider = Arc::clone(&self.provider);
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let chains = chains.map_err(|error| {
            TlsError::Setup(rustls::Error::Other(rustls::OtherError(Arc::new(error))))
        })?;
        Ok(Pinned::new(chains, certificates))
    }

    fn trusted(&self, dir: Option<&Path>) -> Result<Named, TlsError> {
        let mut named = self.named.clone();
        // The system's own may hold some that rustls does not take: the rest serves.
        named.roots.add_parsable_certificates(system(&self.options.system_roots));
        if let Some(dir) = dir {
            for path in files::with_extension(dir, "crt")? {
                named.add(&path)?;
            }
        }
        Ok(named)
    }
}

impl Named {
    /// Adds every certificate of a file that somebody named; all of them must be usable.
    fn add(&mut self, path: &Path) -> Result<(), TlsError> {
        for certificate in certificates(path)? {
            let added = self.roots.add(certificate.clone());
            added.map_err(|source| TlsError::Unusable { path: path.to_owned(), source })?;
            self.certificates.push(certificate);
        }
        Ok(())
    }
}
