//! Mirrors out of a backend of our own, behind the `Transport` trait: here a place that makes up
//! its images when it is asked for them. `cargo run -p ocm-mirror --example own_backend`.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::{env, error::Error, fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use ocm_mirror::{Means, Options, Place, Places, Report, Request, Wanted, Wishes};
use ocm_oci::{Descriptor, Digest, MediaType, RepoName, Tag, TagOrDigest};
use ocm_transport::{
    Body, Destination, Kind, Listing, Manifest, Memory, Operation, Page, Referrer, Retry, Source,
    Transport, TransportError, Verb,
};

/// Every repository here holds one image, whose only blob says the repository's name.
#[derive(Debug)]
struct Greetings;

#[derive(Debug)]
struct Greeting(RepoName);

impl fmt::Display for Greetings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("greetings")
    }
}

#[async_trait]
impl Transport for Greetings {
    fn source(&self, repository: &RepoName) -> Arc<dyn Source> {
        Arc::new(Greeting(repository.clone()))
    }

    fn destination(&self, _: &RepoName) -> Option<Arc<dyn Destination>> {
        None
    }

    async fn repositories(&self, _: &Page) -> Result<Listing<RepoName>, TransportError> {
        Ok(Listing { items: Vec::new(), next: None })
    }
}

impl Greeting {
    fn blob(&self) -> Vec<u8> {
        format!("hello from {}", self.0).into_bytes()
    }

    fn image(&self) -> Manifest {
        let (digest, size) = (Digest::of(&self.blob()), self.blob().len());
        let json = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"text/plain","digest":"{digest}","size":{size}}},"layers":[]}}"#
        );
        Manifest::new(MediaType::OciManifest, json.into())
    }

    fn fetch(&self, what: &dyn fmt::Display) -> Operation {
        let reference = format!("{}@{what}", self.0);
        Operation { place: "greetings".to_owned(), verb: Verb::Fetch, reference }
    }
}

#[async_trait]
impl Source for Greeting {
    async fn head(&self, _: &TagOrDigest) -> Result<Option<Descriptor>, TransportError> {
        Ok(Some(self.image().descriptor().clone()))
    }

    async fn manifest(&self, _: &TagOrDigest, _: usize) -> Result<Manifest, TransportError> {
        Ok(self.image())
    }

    async fn blob_size(&self, digest: &Digest) -> Result<Option<u64>, TransportError> {
        let blob = self.blob();
        Ok((Digest::of(&blob) == *digest).then_some(blob.len() as u64))
    }

    async fn blob(
        &self,
        digest: &Digest,
        _whole_whatever_is_asked: Option<Range<u64>>,
    ) -> Result<Body, TransportError> {
        let (operation, blob) = (self.fetch(digest), self.blob());
        if Digest::of(&blob) != *digest {
            return Err(TransportError::new(operation, Kind::NotFound, Retry::Never));
        }
        Ok(Body {
            operation,
            starts_at: 0,
            bytes: stream::iter([Ok(blob.into())]).boxed(),
            kept_in: None,
        })
    }

    async fn tags(&self, _: &Page) -> Result<Listing<Tag>, TransportError> {
        Ok(Listing { items: vec![Tag::latest()], next: None })
    }

    async fn referrers(
        &self,
        _: &Digest,
        _: Option<&str>,
    ) -> Result<Vec<Referrer>, TransportError> {
        Ok(Vec::new())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let to = Place::Registry("mirror.example".parse()?);
    let places = Places::default()
        .with_source(Place::Registry("greetings.example".parse()?), Arc::new(Greetings))
        .with_destination(to.clone(), Arc::new(Memory::default()));
    let mut wishes = Wishes::default();
    for name in ["team/app", "team/tool"] {
        wishes.add(Wanted::image(&format!("greetings.example/{name}:latest").parse()?));
    }
    let request = Request::new(wishes, to, env::temp_dir());
    let prepared = ocm_mirror::prepare(request, &places).await?;
    let means = Means { places, pack: prepared.pack };
    let run = ocm_mirror::execute(Arc::new(prepared.planned.plan), means, Options::default());
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    println!("complete: {}, {:?}", report.is_complete(), report.blobs);
    Ok(())
}
