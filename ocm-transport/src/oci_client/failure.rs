use ::oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};
use http::StatusCode;

use crate::{Kind, Operation, Retry, TransportError, registry::classify};

/// Decides what a caller can do about `error`, as far as `oci-client` lets it be known.
pub(super) fn failure(error: OciDistributionError, operation: Operation) -> TransportError {
    let (kind, retry) = consequence(&error);
    let failed = TransportError::new(operation, kind, retry);
    match error {
        // The address may be signed, after a redirect.
        OciDistributionError::RequestError(error) => failed.caused_by(error.without_url()),
        error => failed.caused_by(error),
    }
}

fn consequence(error: &OciDistributionError) -> (Kind, Retry) {
    use OciDistributionError as E;
    match error {
        E::UnauthorizedError { .. } | E::AuthenticationFailure(_) => (Kind::Auth, Retry::Never),
        E::ImageManifestNotFoundError(_) => (Kind::NotFound, Retry::Never),
        E::RegistryError { envelope, .. } => of_envelope(envelope),
        E::ServerError { code, .. } => of_status(*code),
        E::RequestError(error) => {
            let status = error.status().as_ref().map(StatusCode::as_u16);
            status.map_or_else(|| classify(error), of_status)
        }
        E::DigestError(_) => (Kind::Corrupt, Retry::Again),
        E::IoError(_) => (Kind::Reset, Retry::Again),
        _ => (Kind::Refused, Retry::Never),
    }
}

fn of_status(status: u16) -> (Kind, Retry) {
    match status {
        401 | 403 => (Kind::Auth, Retry::Never),
        404 => (Kind::NotFound, Retry::Never),
        405 | 501 => (Kind::Unsupported, Retry::Never),
        429 => (Kind::Refused, Retry::Throttled(None)),
        500 | 502..=504 | 520..=529 => (Kind::Refused, Retry::Again),
        _ => (Kind::Refused, Retry::Never),
    }
}

/// The status is lost, so only the codes can tell.
fn of_envelope(envelope: &OciEnvelope) -> (Kind, Retry) {
    match envelope.errors.first().map(|error| &error.code) {
        Some(
            OciErrorCode::ManifestUnknown
            | OciErrorCode::NameUnknown
            | OciErrorCode::BlobUnknown
            | OciErrorCode::NotFound,
        ) => (Kind::NotFound, Retry::Never),
        Some(OciErrorCode::Unauthorized | OciErrorCode::Denied) => (Kind::Auth, Retry::Never),
        Some(OciErrorCode::Toomanyrequests) => (Kind::Refused, Retry::Throttled(None)),
        Some(OciErrorCode::Unsupported) => (Kind::Unsupported, Retry::Never),
        _ => (Kind::Refused, Retry::Never),
    }
}
