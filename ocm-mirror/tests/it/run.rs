use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    num::NonZeroUsize,
    sync::Arc,
};

use futures::{Stream, StreamExt as _};
use ocm_mirror::{
    Asking, Code, Event, Failure, Group, Kind, Lost, Means, Options, Prepared, Report, Request,
    Run, Side, Tally, execute, prepare,
};
use ocm_oci::{Digest, TagOrDigest};
use ocm_transport::{Kind as Cause, Memory, Page, Tally as Asked, Transport as _};

use crate::world::{World, near, quick, repository, tag};

/// A layer that forty images share.
const SHARED: &str = "a layer that many images have in common";

async fn forty() -> World {
    let mut world = World::default();
    for number in 0..40 {
        let name = format!("image/{number}");
        let root = world.image(&name, &[SHARED]).await;
        world.wish(&name, TagOrDigest::Digest(root), &[]);
    }
    world
}

#[tokio::test]
async fn a_blob_that_forty_images_want_moves_once() {
    let world = forty().await;
    let before = world.from.tally();
    let (report, events) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    // Forty configurations, each an image's own, and the one layer.
    let Asked { stored, mounted, .. } = world.to.tally();
    assert_eq!((stored, mounted, world.from.tally().read - before.read), (41, 39, 41));
    assert_eq!((report.blobs.copied, report.blobs.mounted, report.blobs.present), (41, 39, 0));
    let json = serde_json::to_string(&events).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Event>>(&json).unwrap(), events);
    // All is there now, so there is nothing to copy, and the report says so too.
    assert_eq!(world.plan().await.planned.plan.images().count(), 0);
    let (report, _) = world.run().await;
    let tally = Tally { expected: 40, done: 40, failed: 0 };
    assert_eq!(report.groups, BTreeMap::from([(Group::Additional, tally)]));
    assert!(report.is_complete() && report.present.len() == 40);
}

#[tokio::test]
async fn a_bad_image_fails_only_what_needs_it() {
    let mut world = World::default();
    let bad = world.image("bad", &["a layer that will be gone"]).await;
    let (bundle, other) =
        (world.image("bundle", &[SHARED]).await, world.image("o", &[SHARED]).await);
    let first = world.wish("bad", TagOrDigest::Digest(bad), &[]);
    world.wish("bundle", TagOrDigest::Digest(bundle.clone()), &[first]);
    world.wish("o", TagOrDigest::Digest(other), &[]);
    let (plan, run) = world.start().await;
    let gone = Digest::of(b"a layer that will be gone");
    world.from.destination(&repository("bad")).unwrap().delete_blob(&gone).await.unwrap();
    let events: Vec<_> = run.collect().await;
    let mut report = Report::default();
    report.extend(&events);
    let [bad, bundle_id, other] = plan.images().map(|(id, _)| id).collect::<Vec<_>>()[..] else {
        panic!("three images were planned")
    };
    assert_eq!(report.done, BTreeSet::from([other]));
    assert_eq!(report.skipped.get(&bundle_id), Some(&bad));
    let failure = &report.failed[&bad];
    assert_eq!((failure.code, failure.side), (Code::Transport(Cause::NotFound), Side::Source));
    assert!(failure.image.starts_with("far.example/bad@"), "{failure:?}");
    assert_eq!(report.incomplete_groups().collect::<Vec<_>>(), [Group::Additional]);
    // Its blobs are there for the next run; its manifest is not, for nobody could use it.
    let there = world.to.source(&repository("bundle"));
    assert_eq!(there.head(&TagOrDigest::Tag(tag("v1"))).await.unwrap(), None);
    assert_eq!(there.head(&TagOrDigest::Digest(bundle)).await.unwrap(), None);
    assert!(there.blob_size(&Digest::of(SHARED.as_bytes())).await.unwrap().is_some());
}

/// The place in memory refuses a parent before its children, so success is the proof.
#[tokio::test]
async fn an_index_goes_after_its_children() {
    let mut world = World::default();
    let mut children = Vec::new();
    for layers in [["amd64", SHARED], ["arm64", SHARED]] {
        let child = world.image("multi", &layers).await;
        children
            .push(world.from.source(&repository("multi")).head(&(&child).into()).await.unwrap());
    }
    let index = world.manifest("multi", &serde_json::json!({ "manifests": children })).await;
    let nested = world.from.source(&repository("multi")).head(&(&index).into()).await.unwrap();
    let nested = world.manifest("multi", &serde_json::json!({ "manifests": [nested] })).await;
    world.wish("multi", TagOrDigest::Digest(nested), &[]);
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let left = world.plan().await.planned.plan.images().count();
    assert_eq!((report.blobs.copied, left), (4, 0));
}

#[test]
fn a_run_can_be_sent_anywhere() {
    fn check<T: Stream<Item = Event> + Send + 'static>() {}
    check::<Run>();
}

#[tokio::test]
async fn an_interrupted_blob_goes_on_where_it_stopped() {
    let mut world = World::default();
    let root = world.image("a", &[SHARED]).await;
    world.wish("a", TagOrDigest::Digest(root), &[]);
    let Prepared { planned, pack } = world.plan().await;
    let before = world.from.tally();
    world.from.cut_next_read(5);
    let options = Options::default().with_jobs(NonZeroUsize::MIN).with_retry(quick());
    let means = Means { places: world.places(), pack };
    let run = execute(Arc::new(planned.plan), means, options);
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    assert!(report.is_complete(), "{report:?}");
    let after = world.from.tally();
    assert_eq!((after.read - before.read, report.retries), (3, 1));
    assert_eq!(after.bytes_read - before.bytes_read, report.blobs.bytes, "a byte was read twice");
}

/// A package that a catalog does not have is no image that failed, and is in the exit code.
#[tokio::test]
async fn what_no_catalog_has_is_counted_among_no_images() {
    let mut world = World::default();
    let root = world.image("catalog", &["a layer"]).await;
    world.wish("catalog", TagOrDigest::Digest(root), &[]);
    let failure = Failure {
        code: Code::Catalog,
        side: Side::Source,
        image: "far.example/catalog:v1".to_owned(),
        chain: vec!["there is no package `baz`".to_owned()],
        hint: None,
    };
    let request = Request {
        lost: vec![Lost { kind: Kind::Selection, failure }],
        asking: Asking { retry: quick(), ..Asking::default() },
        ..Request::new(world.wishes.clone(), near(), env::temp_dir())
    };
    let Prepared { planned, pack } = prepare(request, &world.places()).await.unwrap();
    let summary = planned.plan.summary();
    assert_eq!((summary.images, summary.lost), (1, 0));
    let means = Means { places: world.places(), pack };
    let run = execute(Arc::new(planned.plan), means, Options::default());
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    let tally = Tally { expected: 1, done: 1, failed: 0 };
    assert_eq!(report.groups, BTreeMap::from([(Group::Additional, tally)]));
    assert_eq!((report.lost.len(), report.is_complete()), (1, false));
    assert_eq!(report.incomplete_groups().collect::<Vec<_>>(), [Group::Operator]);
}

/// Every tag that is visible leads to an image that is whole.
async fn check_whole(place: &Memory) {
    let page = Page { after: None, limit: NonZeroUsize::MAX };
    for name in place.repositories(&page).await.unwrap().items {
        let source = place.source(&name);
        for tag in source.tags(&page).await.unwrap().items {
            let manifest = source.manifest(&(&tag).into(), usize::MAX).await.unwrap();
            for blob in manifest.children().unwrap().blobs {
                let size = source.blob_size(&blob.digest).await.unwrap();
                assert_eq!(size, Some(blob.size), "{name}:{tag} is not whole");
            }
        }
    }
}

#[tokio::test]
async fn dropping_the_stream_leaves_nothing_half_visible() {
    for polls in (0..120).step_by(3) {
        let world = forty().await;
        let (_, run) = world.start().await;
        let (mut report, events) = (Report::default(), run.take(polls).collect::<Vec<_>>().await);
        report.extend(&events);
        let stored = world.to.tally();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.to.tally(), stored, "work went on after {polls} events");
        assert!(!report.is_complete(), "{report:?}");
        check_whole(&world.to).await;
        let (report, _) = world.run().await;
        assert!(report.is_complete(), "the second run is not: {report:?}");
        check_whole(&world.to).await;
    }
}
