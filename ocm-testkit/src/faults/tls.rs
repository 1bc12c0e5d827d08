use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
    server::danger::ClientCertVerifier,
};

/// Why certificates could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The certificate could not be made: a name is none that a certificate can have.
    #[error("could not make a certificate for `{name}`")]
    Make {
        /// The first name.
        name: String,
        /// What the maker says.
        source: rcgen::Error,
    },
    /// TLS could not be set up with it.
    #[error("could not set up TLS")]
    Tls(#[from] rustls::Error),
    /// The clients' authority could not be used.
    #[error("could not set up the verification of clients")]
    Clients(#[from] rustls::server::VerifierBuilderError),
    /// No port could be listened on.
    #[error("could not listen for connections")]
    Bind(#[from] std::io::Error),
}

/// A certificate authority that nobody trusts unless told to. It lives as long as its value.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key: of a server, or of a client.
#[derive(Debug)]
pub struct Identity {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// Whether a certificate is still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It is.
    Valid,
    /// It ended long ago.
    Expired,
}

impl Authority {
    /// Makes an authority called `name`.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`] when the system gives no randomness.
    pub fn new(name: &str) -> Result<Self, CertificateError> {
        let failed = |source| CertificateError::Make { name: name.to_owned(), source };
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        CertifiedIssuer::self_signed(params, key).map(Self).map_err(failed)
    }

    /// Returns its certificate: what a file of trusted authorities holds.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Makes a server's certificate for `names`: host names and addresses.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`] when a name is none.
    pub fn server(&self, names: &[&str]) -> Result<Identity, CertificateError> {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, |_valid| {})
    }

    /// Makes a server's certificate that ended long ago.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`] when a name is none.
    pub fn expired_server(&self, names: &[&str]) -> Result<Identity, CertificateError> {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, |params| {
            params.not_after = date_time_ymd(2000, 1, 1);
        })
    }

    /// Makes a client's certificate.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`] when the name is none.
    pub fn client(&self, name: &str) -> Result<Identity, CertificateError> {
        self.issue(&[name], ExtendedKeyUsagePurpose::ClientAuth, |_valid| {})
    }

    fn issue(
        &self,
        names: &[&str],
        usage: ExtendedKeyUsagePurpose,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Identity, CertificateError> {
        let name = names.first().copied().unwrap_or_default();
        let failed = |source| CertificateError::Make { name: name.to_owned(), source };
        let all: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(all).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &self.0).map_err(failed)?;
        Ok(Identity { certificate, key })
    }
}

impl Identity {
    /// Makes a server that signed its own certificate, as an authority: what
    /// `openssl req -x509` does unless told otherwise.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`] when a name is none.
    pub fn self_signed(names: &[&str], age: Age) -> Result<Self, CertificateError> {
        let name = names.first().copied().unwrap_or_default();
        let failed = |source| CertificateError::Make { name: name.to_owned(), source };
        let all: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(all).map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        if age == Age::Expired {
            params.not_after = date_time_ymd(2000, 1, 1);
        }
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self { certificate, key })
    }

    /// Returns the certificate, as a file holds it.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// Returns the key, as a file holds it.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// Sets up TLS for a server of this identity; with `clients`, only for those who come with a
    /// certificate of that authority.
    pub(crate) fn server_config(
        &self,
        clients: Option<&Authority>,
    ) -> Result<Arc<ServerConfig>, CertificateError> {
        // Passed in: a provider that is installed for the process would hide from a test that the
        // code under test needs one.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = match clients {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(authority) => verifier(authority, &provider)?,
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn verifier(
    authority: &Authority,
    provider: &Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, CertificateError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.0.der().clone())?;
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    Ok(builder.build()?)
}
