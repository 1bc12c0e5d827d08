mod auth;
mod proxy;
mod registry;
mod tls;

use std::sync::Arc;

use ocm_oci::{Digest, MediaType};
use ocm_testkit::{Blob, Content, Format, faults::FaultRegistry};
use ocm_transport::{Memory, Transport as _};
use reqwest::{Client, Method, RequestBuilder};

/// Bytes of the blob that is served.
pub(crate) const LEN: usize = 300_000;

/// Asks plain questions; verifies nothing and no proxy is in between.
pub(crate) fn client() -> Client {
    Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap()
}

/// A registry with one image, `app:v1`, and the digest of its one large blob.
pub(crate) async fn served() -> (Memory, FaultRegistry, Digest) {
    let (memory, digest) = filled().await;
    let registry = FaultRegistry::serve(Arc::new(memory.clone())).await.unwrap();
    (memory, registry, digest)
}

pub(crate) async fn filled() -> (Memory, Digest) {
    let memory = Memory::default();
    let layer = Blob::noise(MediaType::OctetStream, 5, LEN as u64);
    let digest = layer.descriptor().digest.clone();
    let platform = ocm_oci::Platform::new("linux", "amd64");
    let image = Content::image(Format::Oci, &platform, "app", vec![layer]);
    let to = memory.destination(&"app".parse().unwrap()).unwrap();
    image.push(&*to, Some(&"v1".parse().unwrap())).await.unwrap();
    (memory, digest)
}

/// Asks a registry.
pub(crate) fn ask(registry: &FaultRegistry, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}{path}", registry.loopback().url()))
}
