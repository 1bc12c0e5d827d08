use std::collections::BTreeMap;

use ocm_oci::{Descriptor, Digest, MediaType, Platform, RepoName, Tag};
use ocm_transport::{Begun, BlobStream, Destination, Manifest, Operation, TransportError, Verb};

use crate::Blob;

/// Which family of media types an image is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Those of the OCI.
    #[default]
    Oci,
    /// Docker's schema 2.
    Docker,
}

/// What an image says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    entrypoint: Vec<String>,
    command: Vec<String>,
    labels: BTreeMap<String, String>,
}

/// A manifest and everything that it names: an image, an index, an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    manifest: Manifest,
    blobs: Vec<Blob>,
    children: Vec<Self>,
}

impl Format {
    fn manifest(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OciManifest,
            Self::Docker => MediaType::DockerManifest,
        }
    }

    fn index(self) -> MediaType {
        match self {
            Self::Oci => MediaType::OciIndex,
            Self::Docker => MediaType::DockerList,
        }
    }

    fn config(self) -> MediaType {
        MediaType::from(match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json".to_owned(),
            Self::Docker => "application/vnd.docker.container.image.v1+json".to_owned(),
        })
    }

    fn layer(self) -> MediaType {
        MediaType::from(match self {
            Self::Oci => "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
            Self::Docker => "application/vnd.docker.image.rootfs.diff.tar.gzip".to_owned(),
        })
    }
}

impl Settings {
    /// Calls an image `name`, by which it differs from others of the same layers.
    pub fn named(name: impl Into<String>) -> Self {
        let title = "org.opencontainers.image.title".to_owned();
        let labels = BTreeMap::from([(title, name.into())]);
        Self { entrypoint: Vec::new(), command: vec!["/usr/bin/app".to_owned()], labels }
    }

    /// Adds a label.
    #[must_use]
    pub fn with_label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Says which program the image runs, with its command behind it.
    #[must_use]
    pub fn with_entrypoint(self, entrypoint: &[&str]) -> Self {
        Self { entrypoint: entrypoint.iter().map(|&word| word.to_owned()).collect(), ..self }
    }

    /// Says what the image runs.
    #[must_use]
    pub fn with_command(self, command: &[&str]) -> Self {
        Self { command: command.iter().map(|&word| word.to_owned()).collect(), ..self }
    }
}

impl Content {
    /// Makes an image for `platform` of `layers`.
    ///
    /// `name` goes into its configuration, so that images of the same layers differ.
    pub fn image(format: Format, platform: &Platform, name: &str, layers: Vec<Blob>) -> Self {
        Self::configured(format, platform, &Settings::named(name), layers)
    }

    /// Makes an image for `platform` of `layers`, which says of itself what `settings` do.
    pub fn configured(
        format: Format,
        platform: &Platform,
        settings: &Settings,
        layers: Vec<Blob>,
    ) -> Self {
        let config = Blob::of(format.config(), configuration(platform, settings, &layers));
        let layers: Vec<Blob> =
            layers.into_iter().map(|layer| layer.typed(format.layer())).collect();
        let (media_type, list) = (format.manifest(), join(layers.iter().map(entry)));
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{media_type}","config":{},"layers":[{list}]}}"#,
            entry(&config)
        );
        let blobs = [config].into_iter().chain(layers).collect();
        Self { manifest: Manifest::new(media_type, text.into()), blobs, children: Vec::new() }
    }

    /// Makes an index of images, or of indexes, each with what it runs on.
    pub fn index(format: Format, children: Vec<(Option<Platform>, Self)>) -> Self {
        let one = |(platform, child): &(Option<Platform>, Self)| {
            let platform = platform.as_ref().map(|one| format!(r#","platform":{}"#, runs_on(one)));
            described(child.descriptor(), &platform.unwrap_or_default())
        };
        let (media_type, list) = (format.index(), join(children.iter().map(one)));
        let text =
            format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{list}]}}"#);
        let children = children.into_iter().map(|(_, child)| child).collect();
        Self { manifest: Manifest::new(media_type, text.into()), blobs: Vec::new(), children }
    }

    /// Makes a statement of some type about `subject`, or about nothing: a signature, say.
    pub fn artifact(artifact_type: &str, subject: Option<&Descriptor>, payload: Blob) -> Self {
        let config =
            Blob::of(MediaType::from("application/vnd.oci.empty.v1+json".to_owned()), &b"{}"[..]);
        let subject =
            subject.map(|one| format!(r#","subject":{}"#, described(one, ""))).unwrap_or_default();
        let media_type = MediaType::OciManifest;
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{media_type}","artifactType":{},"config":{},"layers":[{}]{subject}}}"#,
            quoted(artifact_type),
            entry(&config),
            entry(&payload),
        );
        let manifest = Manifest::new(media_type, text.into());
        Self { manifest, blobs: vec![config, payload], children: Vec::new() }
    }

    /// Makes what cosign puts beside an image that it signs, with a text that names `subject`. The
    /// signature itself is noise.
    pub fn cosign(subject: &Digest) -> Self {
        let kind = "application/vnd.dev.cosign.simplesigning.v1+json";
        let text = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":""}},"image":{{"docker-manifest-digest":"{subject}"}},"type":"cosign container image signature"}},"optional":null}}"#
        );
        Self::artifact(kind, None, Blob::of(MediaType::from(kind.to_owned()), text))
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns what the manifest is.
    pub fn descriptor(&self) -> &Descriptor {
        self.manifest.descriptor()
    }

    /// Returns the manifest's digest.
    pub fn digest(&self) -> &Digest {
        &self.descriptor().digest
    }

    /// Returns the blobs that the manifest itself names.
    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// Returns what the index lists.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Returns every manifest, children first.
    pub fn manifests(&self) -> Vec<&Manifest> {
        let below = self.children.iter().flat_map(Self::manifests);
        below.chain([&self.manifest]).collect()
    }

    /// Returns every blob once, by digest.
    pub fn all_blobs(&self) -> BTreeMap<&Digest, &Blob> {
        let below = self.children.iter().flat_map(Self::all_blobs);
        let own = self.blobs.iter().map(|blob| (&blob.descriptor().digest, blob));
        below.chain(own).collect()
    }

    /// Stores everything in `to`, children first, and tags it.
    ///
    /// # Errors
    ///
    /// The first that `to` gives.
    pub async fn push(
        &self,
        to: &dyn Destination,
        tag: Option<&Tag>,
    ) -> Result<(), TransportError> {
        self.push_mounting(to, tag, &BTreeMap::new()).await
    }

    /// As [`push`](Self::push); blobs that have a home in another repository are mounted from it.
    ///
    /// # Errors
    ///
    /// The first that `to` gives.
    pub async fn push_mounting(
        &self,
        to: &dyn Destination,
        tag: Option<&Tag>,
        homes: &BTreeMap<Digest, RepoName>,
    ) -> Result<(), TransportError> {
        for (digest, blob) in self.all_blobs() {
            push_blob(blob, to, homes.get(digest)).await?;
        }
        let manifests = self.manifests();
        let last = manifests.len().saturating_sub(1);
        for (nth, manifest) in manifests.into_iter().enumerate() {
            to.push_manifest(manifest, tag.filter(|_| nth == last)).await.map(drop)?;
        }
        Ok(())
    }
}

async fn push_blob(
    blob: &Blob,
    to: &dyn Destination,
    mount_from: Option<&RepoName>,
) -> Result<(), TransportError> {
    let content = blob.descriptor();
    match to.begin(&content.digest, Some(content.size), mount_from).await? {
        Begun::Present | Begun::Mounted => Ok(()),
        Begun::Open(upload) => {
            let (place, reference) = ("synthetic content".to_owned(), content.digest.to_string());
            let operation = Operation { place, verb: Verb::Fetch, reference };
            let stream = BlobStream::new(content.clone(), blob.body(operation, 0..content.size));
            // A place may have kept a part from before.
            let stored = upload.offset();
            let stored = upload.finish(stream.starting_at(stored)).await;
            stored.map(drop).map_err(|interrupted| interrupted.cause)
        }
    }
}

/// Written by hand, so that the bytes depend on no library's order of keys.
fn configuration(platform: &Platform, settings: &Settings, layers: &[Blob]) -> String {
    let command = join(settings.command.iter().map(|word| quoted(word)));
    let entrypoint = match settings.entrypoint.as_slice() {
        [] => String::new(),
        words => format!(r#""Entrypoint":[{}],"#, join(words.iter().map(|word| quoted(word)))),
    };
    let label = |(key, value): (&String, &String)| format!("{}:{}", quoted(key), quoted(value));
    let labels = join(settings.labels.iter().map(label));
    let diff_ids = join(layers.iter().map(|layer| format!(r#""{}""#, layer.diff_id())));
    let step = |(nth, _): (usize, _)| {
        let step = quoted(&format!("COPY step-{nth} /"));
        format!(r#"{{"created":"1970-01-01T00:00:00Z","created_by":{step}}}"#)
    };
    let history = join(layers.iter().enumerate().map(step));
    let mut runs_on = runs_on(platform);
    runs_on.truncate(runs_on.len().saturating_sub(1));
    format!(
        r#"{runs_on},"created":"1970-01-01T00:00:00Z","config":{{"Env":["PATH=/usr/bin"],{entrypoint}"Cmd":[{command}],"Labels":{{{labels}}}}},"rootfs":{{"type":"layers","diff_ids":[{diff_ids}]}},"history":[{history}]}}"#
    )
}

fn runs_on(platform: &Platform) -> String {
    let Platform { os, architecture, variant } = platform;
    let variant = variant.as_ref().map(|one| format!(r#","variant":{}"#, quoted(one)));
    let (os, architecture, variant) =
        (quoted(os), quoted(architecture), variant.unwrap_or_default());
    format!(r#"{{"architecture":{architecture},"os":{os}{variant}}}"#)
}

fn entry(blob: &Blob) -> String {
    described(blob.descriptor(), "")
}

fn described(content: &Descriptor, more: &str) -> String {
    let Descriptor { media_type, digest, size } = content;
    let media_type = quoted(&media_type.to_string());
    format!(r#"{{"mediaType":{media_type},"digest":"{digest}","size":{size}{more}}}"#)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}
