//! Images that stand at the destination already, and need a signature.

use super::*;

/// A destination that has an index, by its digest, and what `signed` says of it: the root, its
/// children, or a bundle about the root.
async fn world(signed: &[&str]) -> (World, Content) {
    let mut world = World::default();
    let (one, other, root) = index("it");
    put(&world, "it", &root, None).await;
    let name = TagOrDigest::Digest(root.digest().clone());
    let id = world.wish("it", name, &[]);
    world.attaching = with(Signatures::Skip);
    assert!(world.run().await.0.is_complete());
    world.attaching = Attaching { required: BTreeSet::from([id]), ..with(Signatures::Skip) };
    let at = world.to.destination(&repository("it")).unwrap();
    for what in signed {
        let content = match *what {
            "bundle" => statement(BUNDLE, "it", Some(root.descriptor())),
            "root" => Content::cosign(root.digest()),
            "one" => Content::cosign(one.digest()),
            "other" => Content::cosign(other.digest()),
            // None that a node counts.
            "random" => statement("application/vnd.example", "it", None),
            "stray" => Content::cosign(one.digest()),
            "notation" => statement(NOTATION, "it", Some(root.descriptor())),
            other => unreachable!("{other}"),
        };
        let signature = |content: &Content| about(content.digest(), "sig");
        let name = match *what {
            "root" | "random" | "stray" => Some(signature(&root)),
            "one" => Some(signature(&one)),
            "other" => Some(signature(&other)),
            _ => None,
        };
        content.push(&*at, name.as_ref()).await.unwrap();
    }
    (world, root)
}

#[tokio::test]
async fn what_the_destination_has_counts_as_at_the_source() {
    let table = [
        (&[][..], false),
        (&["root"], true),
        (&["one"], false),
        (&["one", "other"], true),
        (&["bundle"], true),
        (&["random"], false),
        (&["stray"], false),
        (&["notation"], false),
        (&["notation", "random", "one", "other"], true),
    ];
    for (signed, is_enough) in table {
        // Somebody else has deleted it at the source since, or has not.
        for is_gone in [false, true] {
            let (mut world, _) = world(signed).await;
            if is_gone {
                world.from = ocm_transport::Memory::default();
            }
            let (report, _) = world.run().await;
            assert_eq!(report.is_complete(), is_enough, "{signed:?} {is_gone}: {report:?}");
            let Some(lost) = report.lost.first() else { continue };
            let chain = &lost.failure.chain;
            if is_gone {
                assert!(chain[0].ends_with("and it cannot be looked for"), "{chain:?}");
                assert!(chain.len() > 1, "{chain:?}");
            } else {
                assert!(chain[0].ends_with("there is no signature beside it"), "{chain:?}");
            }
            assert!(lost.failure.hint.as_deref().unwrap().contains("--allow-unsigned-release"));
        }
    }
}

/// One platform's is at the destination, the other's comes.
#[tokio::test]
async fn what_is_missing_comes_from_the_source() {
    let (world, root) = world(&["one"]).await;
    let (_, other, _) = index("it");
    let name = about(other.digest(), "sig");
    put(&world, "it", &Content::cosign(other.digest()), Some(&name)).await;
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(report.attachments[&Group::Additional].done, 1);
    assert!(tagged(&world, "it", &name).await.is_some());
    assert_eq!(tagged(&world, "it", &about(root.digest(), "sig")).await, None);
}

/// Both have the same one, and it is asked for again: it is not copied, and counts.
#[tokio::test]
async fn one_that_is_there_counts_when_all_are_looked_at() {
    let (mut world, root) = world(&["bundle"]).await;
    put(&world, "it", &statement(BUNDLE, "it", Some(root.descriptor())), None).await;
    world.attaching.scope = AttachingScope::All;
    let (report, _) = world.run().await;
    assert!(report.is_complete() && report.attachments.is_empty(), "{report:?}");
    // A source that is gone is no reason to fail.
    world.from = ocm_transport::Memory::default();
    assert!(world.run().await.0.is_complete());
}

/// What was cut down here is looked at as it stands there.
#[tokio::test]
async fn an_index_that_was_rewritten_needs_its_images_signed() {
    let mut world = World { platform_index: PlatformIndex::Rewrite, ..World::default() };
    let (one, _, root) = index("it");
    put(&world, "it", &root, None).await;
    world.wish("it", TagOrDigest::Digest(root.digest().clone()), &[]);
    let only = ocm_oci::PlatformFilter::Only([Platform::new("linux", "amd64")].into());
    let wanted: Vec<_> = world.wishes.iter().map(|(_, wanted)| wanted.clone()).collect();
    world.wishes = ocm_mirror::Wishes::default();
    for wanted in wanted {
        world.wishes.add(ocm_mirror::Wanted { platforms: only.clone(), ..wanted });
    }
    assert!(world.run().await.0.is_complete());
    world.attaching = with(Signatures::Require);
    assert_eq!(world.run().await.0.lost.len(), 1);
    let name = about(one.digest(), "sig");
    put(&world, "it", &statement(COSIGN, "one", None), Some(&name)).await;
    let (report, _) = world.run().await;
    assert!(report.is_complete(), "{report:?}");
    assert!(tagged(&world, "it", &name).await.is_some());
}
