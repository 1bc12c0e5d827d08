//! Blobs, before they are written: found, mounted, or given a session to be sent in.

use http::{
    HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, LOCATION},
};
use ocm_oci::{Digest, RepoName};

use super::{
    answer::Answer,
    call::Call,
    failure::Failure,
    repository::{NOTHING_LIMIT, Repository},
    scope::Scope,
    upload::Session,
    url::{Location, LocationError, locate, query},
};
use crate::{Begun, Kind, Retry, Upload};

impl Repository {
    pub(crate) async fn begin_upload(
        &self,
        digest: &Digest,
        size: Option<u64>,
        mount_from: Option<&RepoName>,
    ) -> Result<Begun, Failure> {
        if let Some(from) = mount_from {
            match self.mount(digest, from).await {
                // A refusal of the mount is not one of the blob.
                Err(failure) if is_about_the_mount(&failure) => {}
                Ok(Begun::Open(session)) => {
                    return self.instead_of_mounting(session, digest, size).await;
                }
                begun => return begun,
            }
        }
        if self.has_blob(digest, size).await? {
            return Ok(Begun::Present);
        }
        let scope = Scope::push(&self.name);
        let path = self.path("blobs/uploads/");
        self.open(digest, Call::new(Method::POST, path, scope)).await
    }

    /// Decides what to do with the session that came in the place of a mount: the blob may have
    /// been here all along.
    async fn instead_of_mounting(
        &self,
        session: Box<dyn Upload>,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<Begun, Failure> {
        // Where the question fails there is a session all the same.
        if !self.has_blob(digest, size).await.unwrap_or(false) {
            return Ok(Begun::Open(session));
        }
        // The registry forgets it in the end, whatever it says now.
        drop(session.abort().await);
        Ok(Begun::Present)
    }

    /// Whether the blob is here, with that size: one of another is not that blob.
    async fn has_blob(&self, digest: &Digest, size: Option<u64>) -> Result<bool, Failure> {
        let found = self.head_blob(digest).await?;
        Ok(found.is_some_and(|found| size.is_none_or(|size| size == found)))
    }

    async fn mount(&self, digest: &Digest, from: &RepoName) -> Result<Begun, Failure> {
        let digest_text = digest.to_string();
        let query = query([("mount", digest_text.as_str()), ("from", from.as_str())]);
        let path = self.path(&format!("blobs/uploads/{query}"));
        self.open(digest, Call::new(Method::POST, path, Scope::mount(&self.name, from))).await
    }

    /// Opens a session that nothing was ever sent to.
    pub(crate) async fn open_session(&self) -> Option<Location> {
        let call = Call::new(Method::POST, self.path("blobs/uploads/"), Scope::push(&self.name));
        let call = call.with_header(CONTENT_LENGTH, HeaderValue::from(0));
        let answer = self.endpoint.ask(&call, NOTHING_LIMIT).await.ok()?.checked().ok()?;
        self.location(&answer).await.ok()
    }

    async fn open(&self, digest: &Digest, call: Call) -> Result<Begun, Failure> {
        let call = call.with_header(CONTENT_LENGTH, HeaderValue::from(0));
        let answer = self.endpoint.ask(&call, NOTHING_LIMIT).await?.checked()?;
        match answer.status {
            StatusCode::CREATED => Ok(Begun::Mounted),
            StatusCode::ACCEPTED => {
                let location = self.location(&answer).await?;
                Ok(Begun::Open(Box::new(Session::new(self, digest, location))))
            }
            status => {
                let what = format!("is {status} instead of an upload");
                Err(Failure::odd(&answer.request, what))
            }
        }
    }

    /// Reads where the session goes on.
    pub(crate) async fn location(&self, answer: &Answer) -> Result<Location, Failure> {
        let base = self.endpoint.reach().await?.base;
        let odd = |error: LocationError| Failure::odd(&answer.request, error.to_string());
        let location = answer.header(&LOCATION).ok_or_else(|| odd(LocationError::Missing))?;
        locate(&answer.url, &base, location).map_err(odd)
    }
}

/// A refusal that another question may get around.
fn is_about_the_mount(failure: &Failure) -> bool {
    failure.retry() == Retry::Never
        && matches!(failure.kind(), Kind::Auth | Kind::NotFound | Kind::Refused | Kind::Unsupported)
}
