use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use rustls_native_certs::load_certs_from_paths;

use super::{SystemRoots, TlsError};

/// Where Unix systems keep one file with all authorities; the first that is there is read.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Largest file of certificates that is read; a system's whole bundle has a quarter of a MiB.
const FILE_LIMIT: u64 = 16 << 20;

/// A certificate to show, and its key.
pub(super) struct Identity {
    pub(super) path: PathBuf,
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// Reads what the system trusts. What cannot be read is left out, as systems are often set up so.
pub(super) fn system(roots: &SystemRoots) -> Vec<CertificateDer<'static>> {
    match roots {
        SystemRoots::None => Vec::new(),
        SystemRoots::At { file, dir } => {
            load_certs_from_paths(file.as_deref(), dir.as_deref()).certs
        }
        SystemRoots::Usual if cfg!(all(unix, not(target_os = "macos"))) => {
            let bundle = BUNDLES.into_iter().map(Path::new).find(|path| path.is_file());
            bundle.map(|bundle| load_certs_from_paths(Some(bundle), None).certs).unwrap_or_default()
        }
        SystemRoots::Usual => rustls_native_certs::load_native_certs().certs,
    }
}

/// Lists the files of `dir` with that extension, in order of name.
pub(super) fn with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, TlsError> {
    let failed = |source| TlsError::Read { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|it| it == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Reads all certificates of a file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let read = read.map_err(|source| TlsError::Pem { path: path.to_owned(), source })?;
    if read.is_empty() { Err(TlsError::Empty { path: path.to_owned() }) } else { Ok(read) }
}

/// Reads the first `NAME.cert` and its `NAME.key`.
pub(super) fn identity(dir: &Path) -> Result<Option<Identity>, TlsError> {
    for key in with_extension(dir, "key")? {
        let missing = key.with_extension("cert");
        if !missing.is_file() {
            return Err(TlsError::Unpaired { path: key, missing });
        }
    }
    let Some(path) = with_extension(dir, "cert")?.into_iter().next() else { return Ok(None) };
    let key_path = path.with_extension("key");
    if !key_path.is_file() {
        return Err(TlsError::Unpaired { path, missing: key_path });
    }
    let chain = certificates(&path)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&key_path)?)
        .map_err(|source| TlsError::Pem { path: key_path, source })?;
    Ok(Some(Identity { path, chain, key }))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read { path: path.to_owned(), source };
    if fs::metadata(path).map_err(failed)?.len() > FILE_LIMIT {
        return Err(failed(io::ErrorKind::FileTooLarge.into()));
    }
    fs::read(path).map_err(failed)
}
