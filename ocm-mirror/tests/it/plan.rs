use ocm_mirror::{Code, Places, Plan, Request, Warning, Wishes, prepare};
use ocm_oci::{Digest, TagOrDigest};
use ocm_transport::{Transport as _, conformance};
use serde_json::{Value, json};

use crate::world::{World, repository, tag};

/// Two images with a layer in common, the second of which needs the first.
async fn pair() -> World {
    let mut world = World::default();
    let (a, b) = (world.image("a", &["base"]).await, world.image("b", &["base", "top"]).await);
    let first = world.wish("a", TagOrDigest::Digest(a), &[]);
    world.wish("b", TagOrDigest::Digest(b), &[first]);
    world
}

#[tokio::test]
async fn a_plan_read_back_equals_itself() {
    let planned = pair().await.plan().await.planned;
    let json = serde_json::to_vec(&planned.plan).unwrap();
    let read: Plan = serde_json::from_slice(&json).unwrap();
    assert_eq!(read, planned.plan);
    assert_eq!(*read.name(), Digest::of(&json));
    let again = pair().await.plan().await.planned;
    assert_eq!(serde_json::to_vec(&again.plan).unwrap(), json);
}

#[tokio::test]
async fn a_forged_plan_is_refused() {
    let planned = pair().await.plan().await.planned;
    let honest = serde_json::to_value(&planned.plan).unwrap();
    let base = Digest::of(b"base").to_string();
    let root = honest["images"][1]["root"].as_str().unwrap().to_owned();
    let other = honest["images"][0]["root"].clone();
    let forgeries: [(&str, Value, &str); 10] = [
        ("/version", json!(2), "version 2"),
        ("/places", json!([]), "missing"),
        ("/images/0/needs", json!([1]), "does not come before"),
        ("/images/0/needs", json!([0]), "does not come before"),
        ("/images/1", honest["images"][0].clone(), "of no use"),
        ("/images/1/root", json!(Digest::of(b"?")), "missing"),
        (&format!("/blobs/{base}/sources"), json!([]), "missing"),
        (&format!("/blobs/{base}/wanted_by"), json!([1]), "missing"),
        (&format!("/manifests/{root}/children"), json!([root]), "come down"),
        (&format!("/manifests/{root}/blobs"), json!([other]), "missing"),
    ];
    for (path, value, why) in forgeries {
        let mut forged = honest.clone();
        *forged.pointer_mut(path).unwrap() = value;
        let error = serde_json::from_value::<Plan>(forged).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
    assert!(serde_json::from_value::<Plan>(honest).is_ok());
}

#[tokio::test]
async fn a_circle_of_manifests_is_refused() {
    let planned = pair().await.plan().await.planned;
    let mut forged = serde_json::to_value(&planned.plan).unwrap();
    let roots = [forged["images"][0]["root"].clone(), forged["images"][1]["root"].clone()];
    for (from, to) in [(&roots[0], &roots[1]), (&roots[1], &roots[0])] {
        let path = format!("/manifests/{}/children", from.as_str().unwrap());
        *forged.pointer_mut(&path).unwrap() = json!([to]);
    }
    let error = serde_json::from_value::<Plan>(forged).unwrap_err();
    assert!(error.to_string().contains("come down"), "{error}");
}

#[tokio::test]
async fn two_wishes_for_one_tag() {
    let mut world = World::default();
    let (old, new) = (world.image("r", &["old"]).await, world.image("r", &["new"]).await);
    for digest in [&old, &old, &new] {
        world.wish("r", digest.into(), &[]);
    }
    let planned = world.plan().await.planned;
    let images: Vec<_> = planned.plan.images().map(|(_, i)| (&i.root, i.tags.len())).collect();
    assert_eq!(images, [(&old, 0), (&new, 1)]);
    let (repository, tag) = (repository("r"), tag("v1"));
    let [from, to] = [old, new].map(|digest| format!("far.example/r@{digest}"));
    assert_eq!(planned.warnings, [Warning::TagMoved { repository, tag, from, to }]);
}

#[tokio::test]
async fn what_needs_a_lost_image_is_lost_with_it() {
    let mut world = World::default();
    let (a, b) = (world.image("a", &[]).await, world.image("b", &[]).await);
    let absent = world.wish("gone", TagOrDigest::Tag(tag("v9")), &[]);
    world.wish("a", TagOrDigest::Digest(a), &[absent]);
    world.wish("b", TagOrDigest::Digest(b.clone()), &[]);
    let planned = world.plan().await.planned;
    let codes: Vec<_> = planned.plan.lost().iter().map(|lost| lost.failure.code).collect();
    assert_eq!(codes, [Code::Transport(ocm_transport::Kind::NotFound), Code::Needs]);
    assert_eq!(planned.plan.images().map(|(_, image)| &image.root).collect::<Vec<_>>(), [&b]);
}

/// An embedder may plan in a task of its own.
#[test]
fn planning_can_be_sent_anywhere() {
    fn check<T: Send>(_: T) {}
    let places = Places::default();
    let request = Request::new(Wishes::default(), crate::world::near(), std::env::temp_dir());
    check(async move { prepare(request, &places).await });
}

/// A size that nobody has, or that another manifest denies, costs its image and no other.
#[tokio::test]
async fn absurd_sizes_cost_only_their_image() {
    let mut world = World::default();
    let good = world.image("good", &["layer"]).await;
    let of_good = json!({ "mediaType": "l", "digest": good, "size": 3 });
    let huge = json!({ "mediaType": "l", "digest": Digest::of(b"?"), "size": u64::MAX - 1 });
    world.wish("good", TagOrDigest::Digest(good.clone()), &[]);
    let good = world.from.source(&repository("good")).manifest(&(&good).into(), 4096).await;
    let good = good.unwrap().bytes().clone();
    for (name, layer, blob) in [("huge", huge, &b"?"[..]), ("liar", of_good, &good)] {
        let at = world.from.destination(&repository(name)).unwrap();
        conformance::push(&*at, blob).await;
        let bad = world.manifest(name, &json!({ "layers": [layer] })).await;
        world.wish(name, TagOrDigest::Digest(bad), &[]);
    }
    let plan = world.plan().await.planned.plan;
    let codes: Vec<_> = plan.lost().iter().map(|lost| lost.failure.code).collect();
    assert_eq!((codes.len(), plan.images().count()), (2, 1), "{codes:?}");
    assert!(codes.iter().all(|code| *code == Code::Manifest));
    assert!(plan.summary().bytes_in_all < 10_000);
}
