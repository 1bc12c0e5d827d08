use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::fmt;

use ocm_oci::Digest;

/// Docker's header for the digest of what is sent.
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// Docker's header for the name of an upload.
pub(crate) const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
/// The API's version, which old clients look for on every answer.
pub(crate) const API_VERSION: HeaderName =
    HeaderName::from_static("docker-distribution-api-version");
/// Says that `subject` was understood, so that the client keeps no list of its own.
pub(crate) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
/// A tag that a manifest pushed by digest was given.
pub(crate) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// Which filters an answer about referrers went through.
pub(crate) const OCI_FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// An answer in the making.
#[derive(Debug)]
pub(crate) struct Reply(Response);

impl Reply {
    pub(crate) fn new(status: StatusCode) -> Self {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        Self(response)
    }

    /// Adds a header; a value that no header can hold is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: impl fmt::Display) -> Self {
        if let Ok(value) = HeaderValue::try_from(value.to_string()) {
            self.0.headers_mut().append(name, value);
        }
        self
    }

    /// Says which content this is about.
    pub(crate) fn content(self, digest: &Digest) -> Self {
        self.header(CONTENT_DIGEST, digest).header(header::ETAG, format_args!("\"{digest}\""))
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.0.body_mut() = body.into();
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.header(API_VERSION, "registry/2.0").0
    }
}
