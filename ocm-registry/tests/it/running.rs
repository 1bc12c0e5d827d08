use std::{future::pending, sync::Arc};

use ocm_oci::Digest;
use ocm_registry::{Server, ServerOptions};
use ocm_transport::{Memory, Transport};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry that answers until this is dropped, and somebody to ask it.
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) client: Client,
    _server: JoinSet<()>,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Asserts a status, and that the error carries this code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.json()["errors"][0]["code"], code, "{self:?}");
        assert_ne!(self.json()["errors"][0]["message"], "");
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{:?} {text}", self.headers);
        assert_eq!(self.header("docker-distribution-api-version"), "registry/2.0");
        self
    }
}

impl Running {
    pub(crate) async fn memory() -> Self {
        Self::over(Arc::new(Memory::default()), ServerOptions::default()).await
    }

    pub(crate) async fn over(place: Arc<dyn Transport>, options: ServerOptions) -> Self {
        let server = Server::bind("127.0.0.1:0", place, options).await.unwrap();
        let url = format!("http://{}", server.local_addr());
        let mut tasks = JoinSet::new();
        tasks.spawn(server.run(pending()));
        let client = Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        Self { url, client: client.build().unwrap(), _server: tasks }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        Answer::read(self.request(method, path).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref().to_vec();
        Answer::read(self.request(method, path).body(body).send().await.unwrap()).await
    }

    /// Stores a blob in one request.
    pub(crate) async fn blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::of(content);
        let path = format!("/v2/{name}/blobs/uploads/?digest={digest}");
        self.send("POST", &path, content).await.is(201);
        digest
    }

    pub(crate) async fn manifest(&self, path: &str, media_type: &str, manifest: &str) -> Answer {
        let request = self.request("PUT", path).header("content-type", media_type);
        Answer::read(request.body(manifest.to_owned()).send().await.unwrap()).await
    }

    /// Opens an upload and returns where it goes on.
    pub(crate) async fn session(&self, name: &str) -> String {
        let begun = self.ask("POST", &format!("/v2/{name}/blobs/uploads/")).await.is(202);
        assert_eq!(begun.header("range"), "0-0");
        begun.header("location").to_owned()
    }

    /// Stores an image of one layer under `tag`, and returns its text.
    pub(crate) async fn image(&self, name: &str, tag: &str, layer: &[u8]) -> String {
        let entry = |content: &[u8], media_type| {
            json!({ "mediaType": media_type,
            "digest": Digest::of(content), "size": content.len() })
        };
        for content in [b"{}", layer] {
            self.blob(name, content).await;
        }
        let text = json!({ "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": entry(b"{}", "application/vnd.oci.image.config.v1+json"),
            "layers": [entry(layer, "application/vnd.oci.image.layer.v1.tar")] })
        .to_string();
        self.manifest(&format!("/v2/{name}/manifests/{tag}"), OCI_MANIFEST, &text).await.is(201);
        text
    }
}
