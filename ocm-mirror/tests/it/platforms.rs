use std::collections::BTreeSet;

use ocm_mirror::{Code, Kind, PlatformIndex, Wanted, Wishes};
use ocm_oci::{Digest, Platform, PlatformFilter, TagOrDigest};
use ocm_transport::{Kind as Cause, Transport as _};
use serde_json::json;

use crate::world::{World, repository, tag};

/// A source with an index for two processors, of which `wanted` are wished for.
async fn world(wanted: &[&str]) -> (World, Digest) {
    let mut world = World::default();
    let mut entries = Vec::new();
    for arch in ["amd64", "arm64"] {
        let child = world.image("multi", &[arch]).await;
        let found = world.from.source(&repository("multi")).head(&(&child).into()).await.unwrap();
        let mut entry = serde_json::to_value(found).unwrap();
        entry["platform"] = json!({ "os": "linux", "architecture": arch });
        entries.push(entry);
    }
    let index = json!({ "schemaVersion": 2, "manifests": entries, "annotations": { "k": "v" } });
    let root = world.manifest("multi", &index).await;
    world.wish("multi", TagOrDigest::Digest(root.clone()), &[]);
    let platforms: BTreeSet<_> = wanted.iter().map(|arch| Platform::new("linux", *arch)).collect();
    let wish: Vec<Wanted> = world.wishes.iter().map(|(_, wanted)| wanted.clone()).collect();
    world.wishes = Wishes::default();
    for wanted in wish {
        let platforms = PlatformFilter::Only(platforms.clone());
        world.wishes.add(Wanted { platforms, ..wanted });
    }
    (world, root)
}

#[tokio::test]
async fn only_the_platforms_wanted_are_planned() {
    let (world, root) = world(&["arm64"]).await;
    let plan = world.plan().await.planned.plan;
    let node = plan.manifest(&root).unwrap();
    assert!(node.sparse);
    assert_eq!((node.children.len(), plan.blobs_in_order().len()), (1, 2));
}

/// The place in memory refuses a sparse index, as docker-registry does.
#[tokio::test]
async fn a_refused_sparse_index_names_the_way_out() {
    let (world, _) = world(&["arm64"]).await;
    let (report, _) = world.run().await;
    let failure = report.failed.values().next().unwrap();
    assert_eq!(failure.code, Code::Transport(Cause::Incomplete));
    assert!(failure.hint.as_ref().unwrap().contains("--platform-index rewrite"), "{failure:?}");
}

#[tokio::test]
async fn a_rewritten_index_is_whole_and_recognised_again() {
    let (mut world, root) = world(&["arm64"]).await;
    world.platform_index = PlatformIndex::Rewrite;
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    let there = world.to.source(&repository("multi"));
    let index = there.manifest(&(&tag("v1")).into(), 4096).await.unwrap();
    assert_ne!(index.descriptor().digest, root);
    let children = index.children().unwrap();
    let kept: Vec<_> = children.manifests.into_iter().map(|entry| entry.platform).collect();
    assert_eq!(kept, [Some(Platform::new("linux", "arm64"))]);
    assert_eq!(children.annotations["k"], "v");
    let plan = world.plan().await.planned.plan;
    assert_eq!((plan.images().count(), plan.present().len()), (0, 1));
}

/// A payload is signed by its digest, and names its components by theirs.
#[tokio::test]
async fn what_is_of_a_release_is_never_rewritten() {
    for kind in [Kind::Release, Kind::ReleaseContent] {
        let (mut world, root) = world(&["arm64"]).await;
        world.platform_index = PlatformIndex::Rewrite;
        let wanted = world.wishes.iter().next().unwrap().1.clone();
        world.wishes = Wishes::default();
        world.wishes.add(Wanted { kind, ..wanted });
        let plan = world.plan().await.planned.plan;
        let roots: Vec<_> = plan.images().map(|(_, image)| &image.root).collect();
        assert_eq!(roots, [&root], "{kind:?}");
        let (report, _) = world.run().await;
        let failure = report.failed.values().next().unwrap();
        let hint = failure.hint.as_ref().unwrap();
        assert!(hint.contains("mirror all platforms") && !hint.contains("rewrite"), "{hint}");
    }
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_named() {
    let (world, _) = world(&["arm64", "s390x"]).await;
    let plan = world.plan().await.planned.plan;
    let [lost] = plan.lost() else { panic!("one image is lost: {:?}", plan.lost()) };
    assert_eq!(lost.failure.code, Code::Platform);
    assert!(lost.failure.chain[0].contains("linux/s390x"), "{lost:?}");
    assert!(lost.failure.hint.as_ref().unwrap().contains("linux/amd64"), "{lost:?}");
    assert_eq!(plan.images().count(), 0);
}

/// What one wish lacks of an index is no loss to another, that has not asked for it.
#[tokio::test]
async fn a_missing_platform_fails_only_who_wants_it() {
    let (mut world, root) = world(&["amd64"]).await;
    let index = world.from.source(&repository("multi")).manifest(&(&root).into(), 4096).await;
    let arm64 = index.unwrap().children().unwrap().manifests[1].descriptor.digest.clone();
    let at = world.from.destination(&repository("multi")).unwrap();
    at.delete_manifest(&arm64).await.unwrap();
    let all = world.wishes.iter().next().unwrap().1.clone();
    let elsewhere = repository("else/where");
    let all = Wanted { platforms: PlatformFilter::All, repository: elsewhere, ..all };
    world.wishes.add(Wanted { origin: "all of it".to_owned(), ..all });
    let plan = world.plan().await.planned.plan;
    let lost: Vec<_> = plan.lost().iter().map(|lost| lost.failure.image.as_str()).collect();
    assert_eq!((lost, plan.images().count()), (vec!["all of it"], 1));
    assert_eq!(plan.manifest(&root).unwrap().children.len(), 1);
}
