use ocm_oci::{Digest, Host, Platform};
use serde_json::{Value, json};

use crate::{Blob, Content, Files, Format, Published, Settings, chance::derive};

/// Where releases are, and where their components.
const PAYLOADS: &str = "openshift-release-dev/ocp-release";
const COMPONENTS: &str = "openshift-release-dev/ocp-v4.0-art-dev";

/// What some components of real releases are called; the others have numbers.
const NAMES: [&str; 8] = [
    "cli",
    "cluster-version-operator",
    "console",
    "etcd",
    "haproxy-router",
    "machine-config-operator",
    "oauth-proxy",
    "prometheus",
];

/// How many of the components' layers are of one family.
const FAMILIES: u64 = 4;

/// Releases of `OpenShift` as they are in a registry, some kilobytes each.
///
/// ```text
/// openshift-release-dev/ocp-release:4.16.1-x86_64           the payload, which names
/// openshift-release-dev/ocp-v4.0-art-dev@sha256:…           its components
/// ```
///
/// All components share one layer, and some of them another. From one version to the next about
/// half of them stay what they are. The same seed gives the same digests for the same registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releases {
    seed: u64,
    registry: Host,
    components: usize,
    architectures: Vec<String>,
    has_boot_images: bool,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    version: String,
    payload: Published,
    components: Vec<(String, Published)>,
}

impl Releases {
    /// Makes releases of eight components for amd64, which call `registry` their home.
    pub fn new(seed: u64, registry: &Host) -> Self {
        let architectures = vec!["amd64".to_owned()];
        let (registry, components) = (registry.clone(), NAMES.len());
        Self { seed, registry, components, architectures, has_boot_images: false }
    }

    /// Gives each so many components.
    #[must_use]
    pub fn with_components(self, components: usize) -> Self {
        Self { components, ..self }
    }

    /// Makes them for one architecture, or for several: then all images are indexes.
    #[must_use]
    pub fn for_architectures(self, architectures: &[&str]) -> Self {
        Self { architectures: architectures.iter().map(|&one| one.to_owned()).collect(), ..self }
    }

    /// Gives each an image that virtual machines boot from, for `x86_64` and `s390x`.
    #[must_use]
    pub fn with_boot_images(self) -> Self {
        Self { has_boot_images: true, ..self }
    }

    /// Makes the release `version`, to which one may update from `previous`.
    pub fn release(&self, version: &str, previous: &[&str]) -> Release {
        let mut components: Vec<_> = (0..self.components as u64)
            .map(|nth| {
                let name = usize::try_from(nth).ok().and_then(|nth| NAMES.get(nth).copied());
                let name = name.map_or_else(|| format!("component-{nth:02}"), str::to_owned);
                let image = self.image(&name, nth, generation(version, nth));
                (name, untagged(image))
            })
            .collect();
        components.sort_by(|one, other| one.0.cmp(&other.0));
        let mut files = Files::default()
            .with(manifest("image-references"), self.references(version, &components))
            .with(manifest("release-metadata"), self.metadata(version, previous));
        if self.has_boot_images {
            let names = ["kube-virt-container-s390x", "kube-virt-container-x86_64"];
            let boot = [(names[0], 1000), (names[1], 1001)].map(|(name, nth)| {
                let platform = Platform::new("linux", "amd64");
                (name.to_owned(), untagged(self.single(&platform, name, (nth, 0))))
            });
            files = files.with(manifest(BOOT_IMAGES), self.boot_images(&boot));
            components.extend(boot);
        }
        let payload = self.payload(version, &files);
        let tag = format!("{version}-{}", self.suffix());
        let payload = Published::tagged(PAYLOADS, &tag, payload);
        Release { version: version.to_owned(), payload, components }
    }

    /// Returns how tags call the architecture.
    fn suffix(&self) -> &str {
        match self.architectures.as_slice() {
            [one] if one == "amd64" => "x86_64",
            [one] if one == "arm64" => "aarch64",
            [one] => one,
            _ => "multi",
        }
    }

    fn payload(&self, version: &str, files: &Files) -> Content {
        let settings = Settings::named("release").with_label("io.openshift.release", version);
        self.indexed(|platform| {
            let own = Blob::layer(derive(self.seed, 7_000_000), 3100);
            let layers = vec![self.base(), own, Blob::files(files)];
            Content::configured(Format::Docker, platform, &settings, layers)
        })
    }

    /// Makes a component, for all architectures.
    fn image(&self, name: &str, nth: u64, generation: u64) -> Content {
        self.indexed(|platform| self.single(platform, name, (nth, generation)))
    }

    fn indexed(&self, make: impl Fn(&Platform) -> Content) -> Content {
        let platforms = self.architectures.iter().map(|one| Platform::new("linux", one.as_str()));
        let mut images: Vec<_> = platforms.map(|one| (Some(one.clone()), make(&one))).collect();
        match images.pop() {
            Some((_, image)) if images.is_empty() => image,
            last => Content::index(Format::Docker, images.into_iter().chain(last).collect()),
        }
    }

    fn single(&self, platform: &Platform, name: &str, (nth, generation): (u64, u64)) -> Content {
        let family = Blob::layer(derive(self.seed, 1 + nth % FAMILIES), 2600);
        let which = (nth + 1) * 1_000_000 + generation;
        let own = Blob::layer(derive(self.seed, which), 2100 + nth % 7 * 64);
        Content::image(Format::Docker, platform, name, vec![self.base(), family, own])
    }

    /// The layer that all images share.
    fn base(&self) -> Blob {
        Blob::layer(derive(self.seed, 0), 4000)
    }

    fn references(&self, version: &str, components: &[(String, Published)]) -> String {
        let tag = |(name, component): &(String, Published)| {
            let from = self.reference(component);
            json!({ "name": name, "from": { "kind": "DockerImage", "name": from } })
        };
        let tags: Vec<_> = components.iter().map(tag).collect();
        text(&json!({
            "kind": "ImageStream",
            "apiVersion": "image.openshift.io/v1",
            "metadata": { "name": version },
            "spec": { "lookupPolicy": { "local": false }, "tags": tags },
        }))
    }

    fn metadata(&self, version: &str, previous: &[&str]) -> String {
        let mut more = json!({ "url": format!("https://errata.example/{version}") });
        if let (true, Some(more)) = (self.architectures.len() > 1, more.as_object_mut()) {
            more.insert("release.openshift.io/architecture".to_owned(), "multi".into());
        }
        let kind = "cincinnati-metadata-v0";
        text(&json!({ "kind": kind, "version": version, "previous": previous, "metadata": more }))
    }

    fn boot_images(&self, images: &[(String, Published)]) -> String {
        let architecture = |(name, image): &(String, Published)| {
            let key = name.rsplit('-').next().unwrap_or_default().to_owned();
            let found = json!({ "kubevirt": { "digest-ref": self.reference(image) } });
            (key, json!({ "images": found }))
        };
        let architectures: Value = images.iter().map(architecture).collect();
        let stream = text(&json!({ "stream": "rhcos", "architectures": architectures }));
        let stream = stream.replace('\n', "\n    ");
        format!("apiVersion: v1\ndata:\n  stream: |\n    {}\nkind: ConfigMap\n", stream.trim_end())
    }

    fn reference(&self, published: &Published) -> String {
        let Published { repository, content, .. } = published;
        format!("{}/{repository}@{}", self.registry, content.digest())
    }
}

impl Release {
    /// Returns the version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the payload.
    pub fn payload(&self) -> &Published {
        &self.payload
    }

    /// Returns the digest of the payload, which a release is known by.
    pub fn digest(&self) -> &Digest {
        self.payload.content.digest()
    }

    /// Returns the components by name, and after them the images to boot from.
    pub fn components(&self) -> &[(String, Published)] {
        &self.components
    }

    /// Returns all images, the payload last.
    pub fn published(&self) -> Vec<Published> {
        let components = self.components.iter().map(|(_, component)| component.clone());
        components.chain([self.payload.clone()]).collect()
    }
}

const BOOT_IMAGES: &str = "0000_50_installer_coreos-bootimages.yaml";

fn manifest(name: &str) -> String {
    format!("release-manifests/{name}")
}

fn untagged(content: Content) -> Published {
    let tagged = Published::tagged(COMPONENTS, "none", content);
    Published { tag: None, ..tagged }
}

fn text(json: &Value) -> String {
    format!("{json:#}\n")
}

/// Returns what tells a component of `version` from that of another one: it changes with every
/// patch, with every second or with every third.
fn generation(version: &str, nth: u64) -> u64 {
    let numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().ok());
    let mut numbers = numbers.map(|number: Option<u64>| number.unwrap_or_default());
    let (_, minor, patch) = (numbers.next(), numbers.next(), numbers.next());
    minor.unwrap_or_default() * 1000 + patch.unwrap_or_default() / (1 + nth % 3)
}
