//! What a writer leaves in a directory, and when.

use std::{fs, path::Path, pin::pin, time::Duration};

use bytes::Bytes;
use futures::future::{Either, join_all, select};
use ocm_oci::{Digest, MediaType, TagOrDigest};
use ocm_transport::{
    Begun, BlobStream, Kind, Manifest, SourceExt as _, Stored, Transport as _,
    archive::{ArchiveError, ArchiveLayout, ArchiveReader, ArchiveWriter, Contents, Sealed},
    conformance::{body, describe},
};

use crate::archive::{Images, files, names, noise, repository, tag};

/// Around the sizes at which a tar pads, and around those at which pieces are written.
const SIZES: [usize; 10] =
    [0, 1, 511, 512, 513, 5000, 20_000, (512 << 10) - 1, 512 << 10, (1 << 20) + 4321];

async fn check(reader: &ArchiveReader, images: &Images) {
    for (number, manifest) in images.manifests.iter().enumerate() {
        let (name, tag) = Images::name(number);
        let from = reader.source(&name);
        let found = from.manifest(&TagOrDigest::Tag(tag), 4 << 20).await.unwrap();
        assert_eq!(&found, manifest);
        for blob in &images.blobs {
            assert_eq!(from.blob_bytes(&describe(blob)).await.unwrap(), blob[..]);
        }
    }
}

#[tokio::test]
async fn what_was_written_is_read() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &SIZES));
    for size in [None, Some(1_500_000), Some(700_000), Some(200_000)] {
        images.archive(directory.path(), size).await;
        let reader = ArchiveReader::open(directory.path()).await.unwrap();
        assert_eq!(reader.set(), &images.contents.set);
        assert_eq!(reader.created(), Some("2026-11-20T17:51:16Z"));
        assert_eq!(reader.records().collect::<Vec<_>>(), ["config.yaml", "plan.json"]);
        assert_eq!(reader.record("plan.json").await.unwrap().unwrap(), b"plan"[..]);
        assert_eq!(reader.record("other").await.unwrap(), None);
        assert_eq!(reader.absent().count(), 0);
        assert_eq!(reader.volumes().count(), names(directory.path()).len());
        check(&reader, &images).await;
        for (at, volume) in reader.volumes().enumerate() {
            assert!(fs::metadata(volume).unwrap().len() <= size.unwrap_or(u64::MAX));
            let one = ArchiveReader::open(volume).await.unwrap();
            assert_eq!(one.set(), reader.set(), "opened by volume {at}");
        }
    }
}

#[tokio::test]
async fn ranges_cross_volumes() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &[100_000]));
    images.archive(directory.path(), Some(9_000)).await;
    let reader = ArchiveReader::open(directory.path()).await.unwrap();
    assert!(reader.volumes().count() > 10);
    let (from, layer) = (reader.source(&repository("any")), &images.blobs[2]);
    for range in [0..1, 0..100_000, 5_000..95_000, 99_999..100_000, 50_000..50_000] {
        let body = from.blob(&Digest::of(layer), Some(range.clone())).await.unwrap();
        assert_eq!(body.starts_at, range.start);
        let chunks: Vec<Bytes> = futures::TryStreamExt::try_collect(body.bytes).await.unwrap();
        let (start, end) = (usize::try_from(range.start).unwrap(), usize::try_from(range.end));
        assert_eq!(chunks.concat(), layer[start..end.unwrap()]);
    }
    let beyond = from.blob(&Digest::of(layer), Some(5..100_001)).await.unwrap_err();
    assert_eq!(beyond.kind(), Kind::Refused);
}

/// Pushes nothing of the second image but half of its layer.
async fn push_but_one(images: &Images, writer: &ArchiveWriter) {
    for number in (0..images.manifests.len()).filter(|number| *number != 1) {
        images.push(writer, number).await;
    }
    let to = writer.destination(&Images::name(1).0).unwrap();
    let (blob, half) = (describe(&images.blobs[3]), images.blobs[3].len() / 2);
    let Begun::Open(upload) = to.begin(&blob.digest, None, None).await.unwrap() else {
        panic!("it is there")
    };
    let broken = body(&[&images.blobs[3][..half]], Some(Kind::Reset));
    let interrupted = upload.finish(BlobStream::new(blob, broken)).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Reset);
}

/// Pushes one image, its blobs all at the same time and backwards.
async fn push_at_once(images: &Images, writer: &ArchiveWriter, number: usize) {
    let (name, tag) = Images::name(number);
    let to = writer.destination(&name).unwrap();
    let blobs = [2 + number, 1, 0].map(|at| &images.blobs[at]);
    join_all(blobs.map(async |blob| {
        if let Begun::Open(upload) = to.begin(&Digest::of(blob), None, None).await.unwrap() {
            let stream = BlobStream::new(describe(blob), body(&[blob], None));
            upload.finish(stream).await.map(drop).unwrap();
        }
    }))
    .await;
    to.push_manifest(&images.manifests[number], Some(&tag)).await.map(drop).unwrap();
}

#[tokio::test]
async fn the_same_contents_give_the_same_bytes() {
    let images = Images::new("plan", &[5000, 1_200_000, 700, 20_000]);
    for size in [None, Some(50_000)] {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        images.archive(one.path(), size).await;
        let writer = images.writer(other.path(), size).await;
        let backwards = (0..images.manifests.len()).rev();
        join_all(backwards.map(|number| push_at_once(&images, &writer, number))).await;
        writer.seal().await.unwrap();
        assert!(files(one.path()) == files(other.path()), "{size:?}");
    }
}

#[tokio::test]
async fn what_never_came_is_absent_and_moves_nothing() {
    let images = Images::new("plan", &[5000, 1_200_000, 700, 20_000]);
    for size in [None, Some(50_000)] {
        let [whole, one, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        images.archive(whole.path(), size).await;
        let mut absent =
            [Digest::of(&images.blobs[3]), images.manifests[1].descriptor().digest.clone()];
        absent.sort();
        let writer = images.writer(one.path(), size).await;
        push_but_one(&images, &writer).await;
        assert_eq!(writer.seal().await.unwrap().absent, absent);
        let writer = images.writer(other.path(), size).await;
        for number in [3, 2, 0] {
            images.push(&writer, number).await;
        }
        writer.seal().await.unwrap();
        assert!(files(one.path()) == files(other.path()), "{size:?}: it shows what was tried");
        let lengths = |directory: &Path| {
            files(directory)
                .into_iter()
                .map(|(name, bytes)| (name, bytes.len()))
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(whole.path()), lengths(one.path()));
        let reader = ArchiveReader::open(one.path()).await.unwrap();
        assert_eq!(reader.absent().collect::<Vec<_>>(), absent.iter().collect::<Vec<_>>());
        let from = reader.source(&Images::name(1).0);
        assert_eq!(from.head(&(&tag("v1")).into()).await.unwrap(), None);
        assert_eq!(from.blob_size(&Digest::of(&images.blobs[3])).await.unwrap(), None);
        for number in [0, 2, 3] {
            let from = reader.source(&Images::name(number).0);
            assert!(from.head(&(&tag("v1")).into()).await.unwrap().is_some());
            let layer = &images.blobs[number + 2];
            assert_eq!(from.blob_bytes(&describe(layer)).await.unwrap(), layer[..]);
        }
    }
}

#[tokio::test]
async fn a_second_repository_costs_nothing() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &[5000]));
    let writer = images.writer(directory.path(), None).await;
    images.push_all(&writer).await;
    let to = writer.destination(&repository("another/one")).unwrap();
    for blob in &images.blobs {
        let begun = to.begin(&Digest::of(blob), None, Some(&repository("team/app0"))).await;
        assert!(matches!(begun.unwrap(), Begun::Present));
    }
}

#[tokio::test]
async fn what_was_not_planned_is_refused() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &[5000, 6000]));
    let writer = images.writer(directory.path(), None).await;
    let to = writer.destination(&repository("team/app0")).unwrap();
    let unplanned = describe(b"unplanned");
    let refused = to.begin(&unplanned.digest, Some(unplanned.size), None).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    let layer = describe(&images.blobs[2]);
    let refused = to.begin(&layer.digest, Some(layer.size + 1), None).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    let manifest = Manifest::new(MediaType::OciIndex, Bytes::from_static(b"{}"));
    assert_eq!(to.push_manifest(&manifest, None).await.unwrap_err().kind(), Kind::Refused);
    images.push(&writer, 0).await;
    for (name, tag) in [("team/app0", tag("v2")), ("team/app1", tag("v1"))] {
        let to = writer.destination(&repository(name)).unwrap();
        let refused = to.push_manifest(&images.manifests[0], Some(&tag)).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Refused, "{name}:{tag}");
    }
    let blob_as_manifest = Manifest::new(MediaType::OciManifest, images.blobs[0].clone());
    let refused = to.push_manifest(&blob_as_manifest, None).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
}

#[tokio::test]
async fn the_older_set_stands_until_the_newer_is_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (Images::new("older", &[90_000]), Images::new("newer", &[5000, 6000]));
    older.archive(directory.path(), Some(20_000)).await;
    let before = files(directory.path());
    assert!(before.len() > 3);
    let others = "isc.yaml mirror_1.tar mirror_0000001.tar xmirror_000009.tar";
    for name in others.split(' ') {
        fs::write(directory.path().join(name), name).unwrap();
    }
    let writer = newer.writer(directory.path(), None).await;
    newer.push_all(&writer).await;
    assert_eq!(ArchiveReader::open(directory.path()).await.unwrap().set(), &older.contents.set);
    let Sealed { volumes, absent } = writer.seal().await.unwrap();
    assert_eq!(absent, []);
    let path = directory.path().join("mirror_000001.tar");
    assert_eq!(volumes, [(path.clone(), fs::metadata(&path).unwrap().len())]);
    let mut expected: Vec<_> = others.split(' ').chain(["mirror_000001.tar"]).collect();
    expected.sort_unstable();
    assert_eq!(names(directory.path()), expected);
    check(&ArchiveReader::open(directory.path()).await.unwrap(), &newer).await;
}

#[tokio::test]
async fn a_writer_that_is_dropped_leaves_nothing_but_the_older_set() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (Images::new("older", &[5000]), Images::new("newer", &[90_000]));
    older.archive(directory.path(), None).await;
    let before = files(directory.path());
    let writer = newer.writer(directory.path(), Some(20_000)).await;
    newer.push_all(&writer).await;
    let place = writer.place();
    assert!(names(directory.path()).len() > before.len());
    drop(writer);
    assert!(files(directory.path()) == before);
    let to = place.destination(&repository("team/app0")).unwrap();
    let refused = to.push_manifest(&newer.manifests[0], Some(&tag("v1"))).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Refused);
    // One that was killed leaves its files to the next.
    fs::write(directory.path().join(".mirror_000009.tar.partial"), "killed").unwrap();
    newer.archive(directory.path(), None).await;
    assert_eq!(names(directory.path()), ["mirror_000001.tar"]);
}

#[tokio::test]
async fn a_sealed_archive_takes_nothing_more() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &[5000]));
    let writer = images.writer(directory.path(), None).await;
    let place = writer.place();
    let to = place.destination(&repository("team/app0")).unwrap();
    let Begun::Open(open) = to.begin(&Digest::of(&images.blobs[2]), None, None).await.unwrap()
    else {
        panic!("it is there")
    };
    assert_eq!(writer.seal().await.unwrap().absent.len(), 4);
    let before = files(directory.path());
    let stream = BlobStream::new(describe(&images.blobs[2]), body(&[&images.blobs[2]], None));
    assert_eq!(open.finish(stream).await.unwrap_err().cause.kind(), Kind::Refused);
    assert!(files(directory.path()) == before);
    // Who keeps the place keeps nobody from writing the next archive.
    images.archive(directory.path(), None).await;
}

#[tokio::test]
async fn an_error_says_what_is_in_the_way() {
    let (directory, images) = (tempfile::tempdir().unwrap(), Images::new("plan", &[5000]));
    let layout = ArchiveLayout::of(&images.contents, None).unwrap();
    let writer = images.writer(directory.path(), None).await;
    let error = ArchiveWriter::create(directory.path(), layout.clone(), &images.contents).await;
    assert!(matches!(error, Err(ArchiveError::Busy { .. })), "{error:?}");
    drop(writer);
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = ArchiveWriter::create(&file, layout.clone(), &images.contents).await.unwrap_err();
    assert_eq!(error.to_string(), format!("could not create `{}`", file.display()));
    let other = Images::new("plan", &[5001]).contents;
    let error = ArchiveWriter::create(directory.path(), layout, &other).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Unplanned { .. }), "{error:?}");
    assert_eq!(names(directory.path()), ["file"]);
}

/// No file system has room for four petabytes.
#[tokio::test]
async fn a_disk_that_is_too_small_is_found_before_anything_is_fetched() {
    let directory = tempfile::tempdir().unwrap();
    let mut contents = Contents::new(Digest::of(b""));
    contents.blobs = vec![(Digest::of(b"large"), 1 << 52)];
    let layout = ArchiveLayout::of(&contents, None).unwrap();
    match ArchiveWriter::create(directory.path(), layout, &contents).await {
        Ok(_) => return eprintln!("skipped: this file system cannot set room aside"),
        Err(error) => {
            assert!(matches!(error, ArchiveError::Full { .. }), "{error:?}");
            assert!(error.hint().is_some());
        }
    }
    assert!(names(directory.path()).is_empty());
}

/// A disk that fills up while it is written to, as `/dev/full` does at once.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_fills_up_says_so_and_leaves_the_older_set() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (Images::new("older", &[5000]), Images::new("newer", &[90_000]));
    older.archive(directory.path(), None).await;
    let before = files(directory.path());
    let writer = newer.writer(directory.path(), None).await;
    let partial = directory.path().join(".mirror_000001.tar.partial");
    fs::remove_file(&partial).unwrap();
    std::os::unix::fs::symlink("/dev/full", &partial).unwrap();
    let to = writer.destination(&repository("team/app0")).unwrap();
    let blob = describe(&newer.blobs[2]);
    let Begun::Open(upload) = to.begin(&blob.digest, None, None).await.unwrap() else {
        panic!("it is there")
    };
    let stream = BlobStream::new(blob, body(&[&newer.blobs[2]], None));
    let interrupted = upload.finish(stream).await.unwrap_err();
    assert_eq!(interrupted.cause.kind(), Kind::Full);
    assert!(writer.seal().await.is_err());
    assert!(files(directory.path()) == before);
}

/// An upload that wrote something wrong and goes on doing so, while another one is right.
#[tokio::test]
async fn who_writes_a_blob_writes_it_alone() {
    let directory = tempfile::tempdir().unwrap();
    let images = Images::new("plan", &[3 << 20]);
    let writer = images.writer(directory.path(), Some(1 << 20)).await;
    let to = writer.destination(&repository("team/app0")).unwrap();
    let (layer, wrong) = (images.blobs[2].clone(), noise(7, 3 << 20));
    let begin = async || match to.begin(&Digest::of(&layer), None, None).await.unwrap() {
        Begun::Open(upload) => upload,
        begun => panic!("{begun:?}"),
    };
    let (mut first, second) = (begin().await, begin().await);
    first.append(wrong.slice(..1 << 20)).await.unwrap();
    let mut right = pin!(second.finish(BlobStream::new(describe(&layer), body(&[&layer], None))));
    // Were the second one not waiting, it would be done by then.
    for _ in 0..20 {
        let soon = tokio::time::sleep(Duration::from_millis(5));
        assert!(matches!(select(right.as_mut(), pin!(soon)).await, Either::Right(_)));
    }
    first.append(wrong.slice(1 << 20..2 << 20)).await.unwrap();
    drop(first);
    assert_eq!(right.await.unwrap(), Stored::New);
    assert_eq!(to.blob_bytes(&describe(&layer)).await.unwrap(), layer[..]);
}
