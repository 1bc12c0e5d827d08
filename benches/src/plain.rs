use futures::{Stream, TryStream, TryStreamExt as _};
use ocm_oci::{Descriptor, RepoName, Tag};
use ocm_transport::Manifest;
use reqwest::{
    Body, Client, Response, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};

/// A registry on this machine, spoken to in the plainest way that works: POST, then one PUT.
///
/// It shares no code with what is measured, so that it can stand beside it.
#[derive(Debug, Clone)]
pub struct Plain {
    client: Client,
    url: String,
}

/// Why something could not be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// No answer came.
    #[error("could not push to `{repository}`")]
    Http {
        /// Where to.
        repository: RepoName,
        /// Why not.
        source: reqwest::Error,
    },
    /// Another answer came than the one that was hoped for.
    #[error("`{repository}` answered {status}")]
    Refused {
        /// Which repository.
        repository: RepoName,
        /// The answer.
        status: StatusCode,
    },
}

impl Plain {
    /// Speaks to the registry at `url`.
    ///
    /// # Errors
    ///
    /// When this machine has no certificates, which HTTP does not need and the client asks for.
    pub fn new(url: &str) -> Result<Self, reqwest::Error> {
        let client = Client::builder().no_proxy().build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    /// Pushes a blob, or has it mounted from `other` if that is asked for and has it.
    ///
    /// # Errors
    ///
    /// [`PlainError`].
    pub async fn push_blob<S>(
        &self,
        repository: &RepoName,
        content: &Descriptor,
        (bytes, other): (S, Option<&RepoName>),
    ) -> Result<(), PlainError>
    where
        S: Stream + TryStream<Error: std::error::Error + Send + Sync> + Send + 'static,
        bytes::Bytes: From<S::Ok>,
    {
        let (url, digest) = (&self.url, &content.digest);
        let mount = other.map(|other| format!("?mount={digest}&from={other}"));
        let begin = format!("{url}/v2/{repository}/blobs/uploads/{}", mount.unwrap_or_default());
        let answer = sent(repository, self.client.post(begin).header(CONTENT_LENGTH, 0)).await?;
        let to = match (answer.status(), answer.headers().get(LOCATION)) {
            (StatusCode::CREATED, _) => return Ok(()),
            (StatusCode::ACCEPTED, Some(to)) => String::from_utf8_lossy(to.as_bytes()).into_owned(),
            (status, _) => return Err(refused(repository, status)),
        };
        let join = if to.contains('?') { '&' } else { '?' };
        let put = self.client.put(format!("{to}{join}digest={digest}"));
        let put = put.header(CONTENT_LENGTH, content.size);
        let put = put.body(Body::wrap_stream(bytes.map_err(Box::new)));
        match sent(repository, put).await?.status() {
            StatusCode::CREATED => Ok(()),
            status => Err(refused(repository, status)),
        }
    }

    /// Pushes a manifest under a tag.
    ///
    /// # Errors
    ///
    /// [`PlainError`].
    pub async fn push_manifest(
        &self,
        repository: &RepoName,
        manifest: &Manifest,
        tag: &Tag,
    ) -> Result<(), PlainError> {
        let put = self.client.put(format!("{}/v2/{repository}/manifests/{tag}", self.url));
        let put = put.header(CONTENT_TYPE, manifest.descriptor().media_type.to_string());
        match sent(repository, put.body(manifest.bytes().clone())).await?.status() {
            StatusCode::CREATED => Ok(()),
            status => Err(refused(repository, status)),
        }
    }
}

async fn sent(
    repository: &RepoName,
    request: reqwest::RequestBuilder,
) -> Result<Response, PlainError> {
    let failed = |source| PlainError::Http { repository: repository.clone(), source };
    request.send().await.map_err(failed)
}

fn refused(repository: &RepoName, status: StatusCode) -> PlainError {
    PlainError::Refused { repository: repository.clone(), status }
}
