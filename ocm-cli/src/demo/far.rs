use std::{path::Path, sync::Arc};

use ocm_oci::Host;
use ocm_registry::ServerError;
use ocm_testkit::{Demo, Loopback, Published, Release, Reserved};

/// Everything that is on the near side of the gap to the internet, on loopback.
#[derive(Debug)]
pub(super) struct Far {
    registry: Loopback,
    updates: Loopback,
    signatures: Loopback,
}

impl Far {
    /// Serves the demo, and returns what is served.
    pub(super) async fn serve() -> Result<(Self, Demo), ServerError> {
        let reserved = Reserved::take().await?;
        let demo = Demo::new(&reserved.host());
        let registry = reserved.serve(Arc::new(demo.upstream()))?;
        let updates = demo.updates().serve().await?;
        let signatures = demo.signatures().serve().await?;
        Ok((Self { registry, updates, signatures }, demo))
    }

    /// Returns where the images are.
    pub(super) fn host(&self) -> Host {
        self.registry.host()
    }

    /// Says what is where.
    pub(super) fn lines(&self) -> [String; 3] {
        [
            format!("a registry with synthetic images is at {}", self.registry.url()),
            format!("an update server is at {}", self.updates.url()),
            format!("a store of signatures is at {}", self.signatures.url()),
        ]
    }

    /// Returns the variables that make the program ask here for releases, and trust `key`.
    pub(super) fn variables(&self, key: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("UPDATE_URL_OVERRIDE", format!("{}/graph", self.updates.url())),
            ("OCP_SIGNATURE_URL", format!("{}{}", self.signatures.url(), Demo::STORE)),
            trusting(key),
        ]
    }
}

/// Returns the variable that makes the program trust `key`.
pub(super) fn trusting(key: &Path) -> (&'static str, String) {
    ("OCP_SIGNATURE_VERIFICATION_PK", key.display().to_string())
}

/// Writes the configuration that asks for what `demo` has at `host`.
pub(super) fn configuration(demo: &Demo, host: &Host) -> String {
    let (channel, package, since) = (Demo::CHANNEL, Demo::SELECTED, Demo::SELECTED_SINCE);
    let versions = demo.releases().iter().map(Release::version);
    let (first, last) = (versions.clone().next(), versions.last());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let catalog = name(demo.catalog().image(), host);
    let line = |image: &Published| format!("  - name: {}\n", name(image, host));
    let images: String = demo.images().iter().map(line).collect();
    format!(
        "# Made by `ocm demo`.\n\
         kind: ImageSetConfiguration\n\
         apiVersion: mirror.openshift.io/v2alpha1\n\
         mirror:\n\
         \x20 platform:\n\
         \x20   graph: true\n\
         \x20   channels:\n\
         \x20   - name: {channel}\n\
         \x20     minVersion: {first}\n\
         \x20     maxVersion: {last}\n\
         \x20 operators:\n\
         \x20 - catalog: {catalog}\n\
         \x20   packages:\n\
         \x20   - name: {package}\n\
         \x20     minVersion: {since}\n\
         \x20 additionalImages:\n{images}"
    )
}

/// Names `image` as people write it.
fn name(image: &Published, host: &Host) -> String {
    match &image.tag {
        Some(tag) => format!("{host}/{}:{tag}", image.repository),
        None => format!("{host}/{}@{}", image.repository, image.content.digest()),
    }
}
