//! Signatures and other statements about images travel with them.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use ocm_mirror::{
    Attaching, AttachingScope, Code, Group, PlatformIndex, Prepared, Report, Signatures, Tally,
    mirror_sets,
};
use ocm_oci::{Descriptor, Digest, MediaType, Platform, RepoName, Tag, TagOrDigest};
use ocm_resources::Scope;
use ocm_testkit::{Blob, Content, Format};
use ocm_transport::{Kind as Cause, Transport as _};

use crate::world::{World, repository, tag};

mod archive;
mod registry;
mod standing;

const COSIGN: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Makes a statement of some type; about `subject` if it is to be a referrer.
fn statement(kind: &str, about: &str, subject: Option<&Descriptor>) -> Content {
    let payload = Blob::of(MediaType::from(kind.to_owned()), format!("{kind} of {about}"));
    Content::artifact(kind, subject, payload)
}

/// Two images and an index of both.
fn index(name: &str) -> (Content, Content, Content) {
    let (amd64, arm64) = (Platform::new("linux", "amd64"), Platform::new("linux", "arm64"));
    let layers = || vec![Blob::layer(7, 3000)];
    let one = Content::image(Format::Oci, &amd64, name, layers());
    let other = Content::image(Format::Oci, &arm64, name, layers());
    let both = vec![(Some(amd64), one.clone()), (Some(arm64), other.clone())];
    (one, other, Content::index(Format::Oci, both))
}

/// Returns cosign's tag for what is said about `digest`.
fn about(digest: &Digest, ending: &str) -> Tag {
    tag(&format!("sha256-{}.{ending}", digest.hex()))
}

async fn put(world: &World, name: &str, content: &Content, tag: Option<&Tag>) {
    let at = world.from.destination(&repository(name)).unwrap();
    content.push(&*at, tag).await.unwrap();
}

/// What the destination has under a tag.
async fn tagged(world: &World, name: &str, tag: &Tag) -> Option<Digest> {
    let found = world.to.source(&repository(name)).head(&tag.into()).await.unwrap();
    found.map(|found| found.digest)
}

async fn referrers(world: &World, name: &str, subject: &Digest) -> Vec<Digest> {
    let found = world.to.source(&repository(name)).referrers(subject, None).await.unwrap();
    found.into_iter().map(|one| one.descriptor.digest).collect()
}

/// A signed index with everything that can be said about it: returns its root, its first child,
/// and how many statements there are.
async fn signed(world: &mut World) -> (Content, Content, usize) {
    let (child, _, root) = index("signed");
    put(world, "signed", &root, None).await;
    let tags = [(root.digest(), "sig"), (root.digest(), "att"), (root.digest(), "sbom")];
    for (digest, ending) in tags.into_iter().chain([(child.digest(), "sig")]) {
        let content = statement(COSIGN, &format!("{digest}.{ending}"), None);
        put(world, "signed", &content, Some(&about(digest, ending))).await;
    }
    for (kind, subject) in [(BUNDLE, &root), ("application/spdx+json", &child)] {
        put(world, "signed", &statement(kind, "it", Some(subject.descriptor())), None).await;
    }
    world.wish("signed", TagOrDigest::Digest(root.digest().clone()), &[]);
    (root, child, 6)
}

fn with(signatures: Signatures) -> Attaching {
    Attaching { signatures, ..Attaching::default() }
}

#[tokio::test]
async fn everything_that_is_said_about_an_image_comes_with_it() {
    let mut world = World::default();
    let (root, child, statements) = signed(&mut world).await;
    let plain = world.image("plain", &["a layer"]).await;
    world.wish("plain", TagOrDigest::Digest(plain), &[]);
    let Prepared { planned, .. } = world.plan().await;
    let summary = planned.plan.summary();
    assert_eq!((summary.images, summary.attachments, summary.lost), (2, statements, 0));
    let json = serde_json::to_string(&planned.plan).unwrap();
    assert_eq!(serde_json::from_str::<ocm_mirror::Plan>(&json).unwrap(), planned.plan);

    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    for (digest, ending) in [(&root, "sig"), (&root, "att"), (&root, "sbom"), (&child, "sig")]
        .map(|(c, e)| (c.digest(), e))
    {
        let there = tagged(&world, "signed", &about(digest, ending)).await;
        let content = statement(COSIGN, &format!("{digest}.{ending}"), None);
        assert_eq!(there.as_ref(), Some(content.digest()), "{ending}");
    }
    let bundle = statement(BUNDLE, "it", Some(root.descriptor()));
    assert_eq!(referrers(&world, "signed", root.digest()).await, [bundle.digest().clone()]);
    assert_eq!(referrers(&world, "signed", child.digest()).await.len(), 1);
    // Nobody asked for them: they are counted by themselves, and no cluster hears of them.
    let tally = |number| Tally { expected: number, done: number, failed: 0 };
    assert_eq!(report.groups[&Group::Additional], tally(2));
    assert_eq!(report.attachments[&Group::Additional], tally(statements));
    let sets = mirror_sets(&planned.plan, &report, Scope::Repository);
    assert_eq!(sets.left_out().len(), 0);
    let again = world.plan().await.planned.plan;
    assert_eq!((again.images().count(), again.present().len()), (0, 2));
}

#[tokio::test]
async fn nothing_is_asked_for_where_nothing_is_wanted() {
    let mut world = World::default();
    let (root, ..) = signed(&mut world).await;
    world.attaching = with(Signatures::Skip);
    let (report, _) = world.run().await;
    assert!(report.is_complete() && report.attachments.is_empty(), "{report:?}");
    assert_eq!(tagged(&world, "signed", &about(root.digest(), "sig")).await, None);
}

/// Wishes for an index of which `signed` are; returns whether it is mirrored.
async fn is_mirrored(attaching: Attaching, signed: &[usize]) -> (Report, World) {
    let mut world = World::default();
    let (one, other, root) = index("it");
    put(&world, "it", &root, None).await;
    for nth in signed {
        let digest = [&root, &one, &other][*nth].digest();
        let content = statement(COSIGN, &digest.to_string(), None);
        put(&world, "it", &content, Some(&about(digest, "sig"))).await;
    }
    world.wish("it", TagOrDigest::Digest(root.digest().clone()), &[]);
    let plain = world.image("plain", &["a layer"]).await;
    world.wish("plain", TagOrDigest::Digest(plain.clone()), &[]);
    put(&world, "plain", &statement(COSIGN, "p", None), Some(&about(&plain, "sig"))).await;
    world.attaching = attaching;
    let (report, _) = world.run().await;
    (report, world)
}

#[tokio::test]
async fn where_a_signature_is_required_each_image_or_the_index_has_one() {
    for (signed, is_enough) in
        [(&[][..], false), (&[0], true), (&[1], false), (&[1, 2], true), (&[0, 1, 2], true)]
    {
        let (report, _) = is_mirrored(with(Signatures::Require), signed).await;
        assert_eq!(report.is_complete(), is_enough, "{signed:?}: {report:?}");
        assert_eq!(report.groups[&Group::Additional].done, 1 + usize::from(is_enough));
        if !is_enough {
            let failure = &report.lost[0].failure;
            assert_eq!(failure.code, Code::Signature);
            assert!(failure.chain[0].ends_with("there is no signature beside it"), "{failure:?}");
            assert!(failure.image.starts_with("far.example/it@"), "{failure:?}");
        }
        let (report, _) = is_mirrored(with(Signatures::Copy), signed).await;
        assert!(report.is_complete(), "{signed:?}: {report:?}");
    }
}

/// As for a release whose cluster refuses to run it unsigned.
#[tokio::test]
async fn one_image_can_need_a_signature_while_others_do_not() {
    let mut world = World::default();
    let (one, other) = (world.image("one", &["a"]).await, world.image("other", &["b"]).await);
    let first = world.wish("one", TagOrDigest::Digest(one), &[]);
    world.wish("other", TagOrDigest::Digest(other), &[]);
    for signatures in [Signatures::Copy, Signatures::Skip] {
        world.attaching = Attaching { required: BTreeSet::from([first]), ..with(signatures) };
        let (report, _) = world.run().await;
        assert_eq!(report.lost.len(), 1, "{report:?}");
        assert_eq!(report.lost[0].failure.code, Code::Signature);
        assert_eq!(tagged(&world, "one", &tag("v1")).await, None);
        assert!(tagged(&world, "other", &tag("v1")).await.is_some());
    }
}

/// Runs after the payload of the signature has gone.
async fn with_a_broken_signature(signatures: Signatures) -> (Report, World, Tag) {
    let mut world = World::default();
    let image = world.image("it", &["a layer"]).await;
    world.wish("it", TagOrDigest::Digest(image.clone()), &[]);
    let (content, name) = (statement(COSIGN, "it", None), about(&image, "sig"));
    put(&world, "it", &content, Some(&name)).await;
    world.attaching = with(signatures);
    let (_, run) = world.start().await;
    let payload = content.blobs()[1].descriptor().digest.clone();
    world.from.destination(&repository("it")).unwrap().delete_blob(&payload).await.unwrap();
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    (report, world, name)
}

#[tokio::test]
async fn a_signature_that_fails_is_told_and_takes_the_image_along_only_if_required() {
    let (report, world, name) = with_a_broken_signature(Signatures::Copy).await;
    assert!(tagged(&world, "it", &tag("v1")).await.is_some());
    assert_eq!(tagged(&world, "it", &name).await, None);
    let failure = report.failed.values().next().unwrap();
    assert_eq!(failure.code, Code::Transport(Cause::NotFound));
    assert_eq!(failure.image, format!("far.example/it:{name}"));
    assert_eq!(report.groups[&Group::Additional], Tally { expected: 1, done: 1, failed: 0 });
    assert_eq!(report.attachments[&Group::Additional], Tally { expected: 1, done: 0, failed: 1 });
    assert_eq!(report.incomplete_groups().collect::<Vec<_>>(), [Group::Additional]);

    let (report, world, _) = with_a_broken_signature(Signatures::Require).await;
    assert_eq!(tagged(&world, "it", &tag("v1")).await, None);
    assert_eq!((report.failed.len(), report.skipped.len()), (1, 1), "{report:?}");
    assert!(report.failed.contains_key(report.skipped.values().next().unwrap()));
}

#[tokio::test]
async fn what_is_about_an_image_that_fails_is_left_out() {
    let mut world = World::default();
    let image = world.image("it", &["a layer"]).await;
    world.wish("it", TagOrDigest::Digest(image.clone()), &[]);
    let name = about(&image, "sig");
    put(&world, "it", &statement(COSIGN, "it", None), Some(&name)).await;
    let (plan, run) = world.start().await;
    let gone = Digest::of(b"a layer");
    world.from.destination(&repository("it")).unwrap().delete_blob(&gone).await.unwrap();
    let mut report = Report::default();
    report.extend(&run.collect::<Vec<_>>().await);
    let [subject, signature] = plan.images().map(|(id, _)| id).collect::<Vec<_>>()[..] else {
        panic!("an image and its signature were planned")
    };
    assert!(report.failed.contains_key(&subject), "{report:?}");
    assert_eq!(report.skipped.get(&signature), Some(&subject));
    assert_eq!(tagged(&world, "it", &name).await, None);
}

#[tokio::test]
async fn what_was_signed_since_is_found_when_asked_for() {
    let mut world = World::default();
    let image = world.image("it", &["a layer"]).await;
    world.wish("it", TagOrDigest::Digest(image.clone()), &[]);
    assert!(world.run().await.0.is_complete());
    let name = about(&image, "sig");
    put(&world, "it", &statement(COSIGN, "it", None), Some(&name)).await;
    assert_eq!(world.plan().await.planned.plan.images().count(), 0);
    world.attaching.scope = AttachingScope::All;
    let (report, _) = world.run().await;
    assert!(report.is_complete() && report.present.len() == 1, "{report:?}");
    assert!(tagged(&world, "it", &name).await.is_some());
    assert_eq!(report.attachments[&Group::Additional].done, 1);
    assert_eq!(world.plan().await.planned.plan.images().count(), 0, "it is there now");
}

/// Nobody has signed an index that we cut down; what is left in it is signed as before.
#[tokio::test]
async fn a_rewritten_index_leaves_its_signature_behind() {
    let mut world = World { platform_index: PlatformIndex::Rewrite, ..World::default() };
    let (root, child, _) = signed(&mut world).await;
    let only = ocm_oci::PlatformFilter::Only([Platform::new("linux", "amd64")].into());
    let wanted: Vec<_> = world.wishes.iter().map(|(_, wanted)| wanted.clone()).collect();
    world.wishes = ocm_mirror::Wishes::default();
    for wanted in wanted {
        world.wishes.add(ocm_mirror::Wanted { platforms: only.clone(), ..wanted });
    }
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_ne!(tagged(&world, "signed", &tag("v1")).await.as_ref(), Some(root.digest()));
    assert_eq!(tagged(&world, "signed", &about(root.digest(), "sig")).await, None);
    assert!(tagged(&world, "signed", &about(child.digest(), "sig")).await.is_some());
    assert_eq!(report.attachments[&Group::Additional].done, 2);
}

/// Two indexes of one repository share a child, and its signature; and somebody wants that by name.
#[tokio::test]
async fn a_signature_that_several_need_is_copied_once() {
    let mut world = World::default();
    let (amd64, name) = (Platform::new("linux", "amd64"), "shared");
    let child = Content::image(Format::Oci, &amd64, name, vec![Blob::layer(7, 3000)]);
    let signature = statement(COSIGN, "child", None);
    let signature_tag = about(child.digest(), "sig");
    for (nth, format) in [Format::Oci, Format::Docker].into_iter().enumerate() {
        let root = Content::index(format, vec![(Some(amd64.clone()), child.clone())]);
        put(&world, name, &root, None).await;
        let id = world.wish(name, TagOrDigest::Digest(root.digest().clone()), &[]);
        let _ = (nth, id);
    }
    put(&world, name, &signature, Some(&signature_tag)).await;
    let wanted: Vec<_> = world.wishes.iter().map(|(_, wanted)| wanted.clone()).collect();
    world.wishes = ocm_mirror::Wishes::default();
    for (nth, wanted) in wanted.into_iter().enumerate() {
        world.wishes.add(ocm_mirror::Wanted { tag: tag(&format!("v{nth}")), ..wanted });
    }
    let named: RepoName = repository(name);
    world.wishes.add(ocm_mirror::Wanted {
        origin: "the signature".to_owned(),
        from: ocm_mirror::Location { place: crate::world::far(), repository: named.clone() },
        reference: TagOrDigest::from(&signature_tag),
        platforms: ocm_oci::PlatformFilter::All,
        repository: named,
        tag: signature_tag.clone(),
        kind: ocm_mirror::Kind::Additional,
        needs: BTreeSet::new(),
    });
    for signatures in [Signatures::Copy, Signatures::Require] {
        world.attaching = with(signatures);
        let plan = world.plan().await.planned.plan;
        let of_signature = plan.images().filter(|(_, image)| image.root == *signature.digest());
        assert_eq!(of_signature.count(), 1);
    }
    world.attaching = with(Signatures::Copy);
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.groups[&Group::Additional], Tally { expected: 3, done: 3, failed: 0 });
    assert_eq!(tagged(&world, name, &signature_tag).await.as_ref(), Some(signature.digest()));
}
