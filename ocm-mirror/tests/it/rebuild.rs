//! Images built from others.

mod catalog;
mod graph;
mod odd;
mod store;

use std::{collections::BTreeMap, env, sync::Arc};

use bytes::Bytes;
use futures::StreamExt as _;
use ocm_mirror::{
    Asking, Built, CatalogImage, Collected, ContentStore, ImageFiles, Kind, Limits, Location,
    Means, Options, Overlay, Place, Places, Prepared, Report, Request, Wanted, Wishes, execute,
    prepare,
};
use ocm_oci::{Digest, PlatformFilter, TagOrDigest};
use ocm_transport::{Memory, Source, SourceExt as _, Transport as _};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{near, quick, repository, tag};

/// A content store in a directory that goes with it.
struct Workshop {
    store: ContentStore,
    _directory: TempDir,
}

impl Workshop {
    async fn new() -> Self {
        Self::with_room(1 << 30).await
    }

    async fn with_room(room: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = ContentStore::create(&directory.path().join("store"), room).await.unwrap();
        Self { store, _directory: directory }
    }

    /// Makes a place of what was built upon `base`.
    fn place(&self, built: &Built, base: &Arc<dyn Source>) -> Arc<Overlay> {
        let mut overlay = Overlay::new(&self.store);
        overlay.add(&repository("it"), built, Some(Arc::clone(base)));
        Arc::new(overlay)
    }
}

fn digest(built: &Built) -> Digest {
    built.root().unwrap().descriptor().digest.clone()
}

/// Copies what was built to a new registry, as a run does; returns that.
async fn mirror(overlay: &Arc<Overlay>, built: &Built) -> Memory {
    let (to, mut wishes) = (Memory::default(), Wishes::default());
    wishes.add(Wanted {
        origin: "it".to_owned(),
        from: Location { place: Place::Built, repository: repository("it") },
        reference: TagOrDigest::from(&digest(built)),
        platforms: PlatformFilter::All,
        repository: repository("mirrored"),
        tag: tag("v1"),
        kind: Kind::Additional,
        needs: [].into(),
    });
    let places = Places::default()
        .with_source(Place::Built, Arc::clone(overlay) as Arc<dyn ocm_transport::Transport>)
        .with_destination(near(), Arc::new(to.clone()));
    let asking = Asking { retry: quick(), ..Asking::default() };
    let request = Request { asking, ..Request::new(wishes, near(), env::temp_dir()) };
    let Prepared { planned, pack } = prepare(request, &places).await.unwrap();
    let run = execute(Arc::new(planned.plan), Means { places, pack }, Options::default());
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    assert!(report.is_complete(), "{report:?}");
    to
}

/// Opens what was mirrored.
async fn reopen(mirror: &Memory) -> ImageFiles {
    let source = mirror.source(&repository("mirrored"));
    ImageFiles::open(source, &TagOrDigest::Tag(tag("v1")), quick()).await.unwrap()
}

async fn catalog_files(files: ImageFiles) -> BTreeMap<String, Bytes> {
    let catalog = CatalogImage::open(files).await.unwrap();
    let read = catalog.read(Limits::default(), Collected::all(1 << 20)).await.unwrap();
    read.visitor.into_files()
}

/// Reads the configuration of an image that `manifest` is.
async fn configuration(source: &Arc<dyn Source>, manifest: &ocm_transport::Manifest) -> Value {
    let config = &manifest.children().unwrap().blobs[0];
    serde_json::from_slice(&source.blob_bytes(config).await.unwrap()).unwrap()
}

fn json(manifest: &ocm_transport::Manifest) -> Value {
    serde_json::from_slice(manifest.bytes()).unwrap()
}
