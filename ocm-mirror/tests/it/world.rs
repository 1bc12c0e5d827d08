//! A source and a destination in memory, and images made up in the source.

use std::{env, num::NonZeroUsize, sync::Arc};

use futures::StreamExt as _;
use ocm_mirror::{
    Asking, Attaching, Event, Kind, Location, Means, Options, Place, Places, Plan, PlatformIndex,
    Prepared, Report, Request, RetryPolicy, Run, Wanted, WishId, Wishes, execute, prepare,
};
use ocm_oci::{Digest, MediaType, PlatformFilter, RepoName, Tag, TagOrDigest};
use ocm_transport::{Manifest, Memory, Stored, Transport as _, conformance};

pub(crate) struct World {
    pub(crate) from: Memory,
    pub(crate) to: Memory,
    pub(crate) wishes: Wishes,
    pub(crate) platform_index: PlatformIndex,
    pub(crate) attaching: Attaching,
}

impl Default for World {
    fn default() -> Self {
        let memory = || Memory::default().with_chunks_of(NonZeroUsize::new(16).unwrap());
        let (from, to) = (memory(), memory());
        let (wishes, attaching) = Default::default();
        Self { from, to, wishes, platform_index: PlatformIndex::Keep, attaching }
    }
}

pub(crate) fn far() -> Place {
    Place::Registry("far.example".parse().unwrap())
}

pub(crate) fn near() -> Place {
    Place::Registry("near.example".parse().unwrap())
}

pub(crate) fn repository(name: &str) -> RepoName {
    name.parse().unwrap()
}

impl World {
    /// Puts an image at the source: a configuration of its own, and `layers`.
    pub(crate) async fn image(&self, name: &str, layers: &[&str]) -> Digest {
        let at = self.from.destination(&repository(name)).unwrap();
        let config = conformance::push(&*at, format!("config of {name}").as_bytes()).await;
        let mut blobs = Vec::new();
        for layer in layers {
            blobs.push(conformance::push(&*at, layer.as_bytes()).await);
        }
        self.manifest(name, &serde_json::json!({ "config": config, "layers": blobs })).await
    }

    /// Puts a manifest at the source, which has what it names.
    pub(crate) async fn manifest(&self, name: &str, json: &serde_json::Value) -> Digest {
        let at = self.from.destination(&repository(name)).unwrap();
        let is_index = json.get("manifests").is_some();
        let media_type = if is_index { MediaType::OciIndex } else { MediaType::OciManifest };
        let manifest = Manifest::new(media_type, json.to_string().into());
        assert_eq!(at.push_manifest(&manifest, None).await.unwrap(), Stored::New);
        manifest.descriptor().digest.clone()
    }

    /// Wishes for an image under the tag `v1`, and under the name it has at the source.
    pub(crate) fn wish(&mut self, name: &str, what: TagOrDigest, needs: &[WishId]) -> WishId {
        self.wishes.add(Wanted {
            origin: format!("far.example/{name}@{what}"),
            from: Location { place: far(), repository: repository(name) },
            reference: what,
            platforms: PlatformFilter::All,
            repository: repository(name),
            tag: tag("v1"),
            kind: Kind::Additional,
            needs: needs.iter().copied().collect(),
        })
    }

    pub(crate) fn places(&self) -> Places {
        Places::default()
            .with_source(far(), Arc::new(self.from.clone()))
            .with_destination(near(), Arc::new(self.to.clone()))
    }

    pub(crate) async fn plan(&self) -> Prepared {
        let request = Request {
            asking: Asking { retry: quick(), ..Asking::default() },
            platform_index: self.platform_index,
            attaching: self.attaching.clone(),
            ..Request::new(self.wishes.clone(), near(), env::temp_dir())
        };
        prepare(request, &self.places()).await.unwrap()
    }

    pub(crate) async fn start(&self) -> (Plan, Run) {
        let Prepared { planned, pack } = self.plan().await;
        let means = Means { places: self.places(), pack };
        let options = Options::default().with_retry(quick());
        (planned.plan.clone(), execute(Arc::new(planned.plan), means, options))
    }

    pub(crate) async fn run(&self) -> (Report, Vec<Event>) {
        let (_, run) = self.start().await;
        let events: Vec<_> = run.collect().await;
        let mut report = Report::default();
        report.extend(&events);
        (report, events)
    }
}

pub(crate) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// Tries again without waiting.
pub(crate) fn quick() -> RetryPolicy {
    RetryPolicy::default().with_constant_pause(std::time::Duration::ZERO)
}
