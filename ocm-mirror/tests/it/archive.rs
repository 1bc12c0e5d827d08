//! From a registry to an archive, and from the archive to another registry.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use futures::StreamExt as _;
use ocm_config::{ImageSet, parse};
use ocm_mirror::{
    Archived, Asking, Attaching, Code, DestinationRules, Holdings, Layouts, Means, Options, Place,
    Places, Plan, PlatformIndex, Report, Request, Resolved, Upstream as From, additional_images,
    contents, execute, prepare,
};
use ocm_oci::{Host, Platform, TagOrDigest};
use ocm_testkit::{Blob, Content, Format, Published, Shape, Upstream};
use ocm_transport::{
    Memory, Transport,
    archive::{ArchiveLayout, ArchiveReader, ArchiveWriter, Sealed},
};

use crate::world::quick;

const SHAPE: Shape = Shape { images: 4, layers: 3, shared: 1, layer_bytes: 40_000 };

pub(crate) fn far() -> Host {
    "far.example".parse().unwrap()
}

/// A configuration of all images of `upstream`, and `more` lines.
fn image_set(upstream: &Upstream, more: &str) -> ImageSet {
    let mut text = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n\
                    mirror:\n  additionalImages:\n"
        .to_owned();
    for image in upstream.published() {
        let reference = image.reference(&far()).unwrap();
        text.extend(["  - name: ", reference.as_written(), "\n"]);
    }
    text.push_str(more);
    parse(text.as_bytes()).unwrap().image_set
}

async fn run(plan: Plan, means: Means) -> Report {
    let options = Options::default().with_retry(quick());
    let events: Vec<_> = execute(Arc::new(plan), means, options).collect().await;
    let mut report = Report::default();
    report.extend(&events);
    report
}

/// Mirrors to disk; returns what happened.
pub(crate) async fn to_disk(
    upstream: &Upstream,
    set: &ImageSet,
    (directory, size): (&Path, Option<u64>),
) -> (Report, Sealed) {
    let Resolved { wishes, lost, .. } =
        additional_images(set, None, From::Origins(&Layouts::default()));
    let places = Places::default().with_source(Place::Registry(far()), Arc::new(upstream.clone()));
    let asking = Asking { holdings: Holdings::Nothing, retry: quick(), ..Asking::default() };
    let request = Request::new(wishes, Place::Archive, std::env::temp_dir());
    let prepared = prepare(Request { lost, asking, ..request }, &places).await.unwrap();
    let contents = contents(&prepared.planned.plan, BTreeMap::new()).unwrap();
    let layout = ArchiveLayout::of(&contents, size).unwrap();
    let writer = ArchiveWriter::create(directory, layout, &contents).await.unwrap();
    let places = places.with_destination(Place::Archive, writer.place());
    let report = run(prepared.planned.plan, Means { places, pack: prepared.pack }).await;
    (report, writer.seal().await.unwrap())
}

/// Mirrors from disk into `to`.
pub(crate) async fn from_disk(set: &ImageSet, directory: &Path, to: &Memory) -> Report {
    from_disk_as(set, directory, to, PlatformIndex::Keep).await
}

async fn from_disk_as(
    set: &ImageSet,
    directory: &Path,
    to: &Memory,
    platform_index: PlatformIndex,
) -> Report {
    let reader = ArchiveReader::open(directory).await.unwrap();
    let archived = Archived::read(&reader).await.unwrap();
    let rules: DestinationRules = "docker://mirror.example:5000/ns".parse().unwrap();
    let Resolved { wishes, lost, attachments, .. } =
        additional_images(set, Some(&rules), From::Archive(&archived));
    let attaching = Attaching { archived: attachments, ..Attaching::default() };
    let place = Place::Registry(rules.host().clone());
    let places = Places::default()
        .with_source(Place::Archive, Arc::new(reader))
        .with_destination(place.clone(), Arc::new(to.clone()));
    let request = Request::new(wishes, place, std::env::temp_dir());
    let request = Request { lost, platform_index, attaching, ..request };
    let prepared = prepare(request, &places).await.unwrap();
    run(prepared.planned.plan, Means { places, pack: prepared.pack }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_in_comes_out_in_volumes_of_any_size() {
    let upstream = Upstream::of(&SHAPE, 7);
    let set = image_set(&upstream, "");
    for size in [None, Some(100_000), Some(60_000)] {
        let (directory, to) = (tempfile::tempdir().unwrap(), Memory::default());
        let (report, sealed) = to_disk(&upstream, &set, (directory.path(), size)).await;
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.blobs.copied as u64, SHAPE.distinct_blobs());
        assert_eq!(sealed.volumes.len() > 1, size.is_some());
        let report = from_disk(&set, directory.path(), &to).await;
        assert!(report.is_complete(), "{report:?}");
        assert_eq!(report.blobs.copied as u64, SHAPE.distinct_blobs());
        for image in upstream.published() {
            let name = image.repository.under(&"ns".parse().unwrap());
            let tag = TagOrDigest::Tag(image.tag.clone().unwrap());
            let found = to.source(&name).head(&tag).await.unwrap().unwrap();
            assert_eq!(found.digest, *image.content.digest());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_makes_the_same_bytes_in_every_directory() {
    let upstream = Upstream::of(&SHAPE, 7);
    let set = image_set(&upstream, "");
    let mut seen = Vec::new();
    for _ in 0..2 {
        let directory = tempfile::tempdir().unwrap();
        let (_, sealed) = to_disk(&upstream, &set, (directory.path(), Some(100_000))).await;
        let bytes = sealed.volumes.iter().map(|(path, _)| std::fs::read(path).unwrap());
        seen.push(bytes.collect::<Vec<_>>());
    }
    assert!(seen[0] == seen[1], "two archives of the same content differ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_had_is_told_on_the_far_side_too() {
    let upstream = Upstream::of(&SHAPE, 7);
    let set = image_set(&upstream, "  - name: far.example/not/there:v1\n  - name: nonsense\n");
    let directory = tempfile::tempdir().unwrap();
    let (report, _) = to_disk(&upstream, &set, (directory.path(), None)).await;
    assert_eq!((report.done.len(), report.lost.len()), (4, 2));
    let more = "  - name: far.example/not/there:v1\n  - name: far.example/new/one:v1\n";
    let report = from_disk(&image_set(&upstream, more), directory.path(), &Memory::default()).await;
    assert_eq!((report.done.len(), report.lost.len()), (4, 2));
    let why: Vec<_> = report.lost.iter().map(|lost| &lost.failure).collect();
    assert!(why.iter().all(|failure| failure.code == Code::Archive), "{why:?}");
    assert!(why[0].chain[0].contains("when the archive was written"), "{why:?}");
    assert!(why[0].chain[1].contains("no `v1`"), "{why:?}");
    assert!(why[1].chain[0].contains("not in the archive"), "{why:?}");
}

/// An archive carries images by what they are called in the configuration, not by where they go.
#[tokio::test(flavor = "multi_thread")]
async fn a_target_may_change_after_the_archive_was_written() {
    let upstream = Upstream::of(&Shape { images: 1, ..SHAPE }, 7);
    let directory = tempfile::tempdir().unwrap();
    let (report, _) = to_disk(&upstream, &image_set(&upstream, ""), (directory.path(), None)).await;
    assert!(report.is_complete());
    let moved = image_set(&upstream, "    targetRepo: else/where\n    targetTag: new\n");
    let to = Memory::default();
    assert!(from_disk(&moved, directory.path(), &to).await.is_complete());
    let tag = TagOrDigest::Tag("new".parse().unwrap());
    let found = to.source(&"ns/else/where".parse().unwrap()).head(&tag).await.unwrap();
    assert_eq!(found.unwrap().digest, *upstream.published()[0].content.digest());
}

/// An index for two platforms, of which an archive carries one.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_some_platforms_is_told_from_a_broken_one() {
    let image = |arch: &str| {
        let platform = Platform::new("linux", arch);
        let layers = vec![Blob::noise(ocm_oci::MediaType::OctetStream, arch.len() as u64, 5000)];
        (Some(platform.clone()), Content::image(Format::Oci, &platform, arch, layers))
    };
    let index = Content::index(Format::Oci, vec![image("amd64"), image("s390x-like")]);
    let upstream = Upstream::new(vec![Published::tagged("team/multi", "v1", index)]);
    let some = image_set(&upstream, "    platforms: [{os: linux, architecture: amd64}]\n");
    let directory = tempfile::tempdir().unwrap();
    let (report, sealed) = to_disk(&upstream, &some, (directory.path(), None)).await;
    assert!(report.is_complete() && sealed.absent.is_empty(), "{report:?}");
    // The place in memory refuses an index that names what is not there, as many registries do.
    let report = from_disk(&some, directory.path(), &Memory::default()).await;
    let hint = report.failed.values().next().unwrap().hint.clone().unwrap();
    assert!(hint.contains("--platform-index rewrite"), "{hint}");
    // On the far side the platforms need not be said again: what was carried is what there is.
    for set in [&some, &image_set(&upstream, "")] {
        let to = Memory::default();
        let rewrite = PlatformIndex::Rewrite;
        assert!(from_disk_as(set, directory.path(), &to, rewrite).await.is_complete());
    }
    let other = image_set(&upstream, "    platforms: [{os: linux, architecture: s390x-like}]\n");
    let report = from_disk(&other, directory.path(), &Memory::default()).await;
    assert_eq!(report.lost.len(), 1, "a platform that was not carried: {report:?}");
}

/// What a pattern blocks is in no archive, and nobody misses it on the far side.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_blocked_is_not_looked_for_in_the_archive() {
    let upstream = Upstream::of(&SHAPE, 7);
    let set = image_set(&upstream, "  blockedImages:\n  - name: app-0001\n");
    let directory = tempfile::tempdir().unwrap();
    let (report, _) = to_disk(&upstream, &set, (directory.path(), None)).await;
    assert!(report.is_complete() && report.done.len() == 3, "{report:?}");
    let report = from_disk(&set, directory.path(), &Memory::default()).await;
    assert!(report.is_complete() && report.done.len() == 3, "{report:?}");
}
