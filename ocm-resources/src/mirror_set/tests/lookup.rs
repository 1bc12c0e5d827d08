//! Looks images up as a node does, which has the entries of all sets in one file and looks at the
//! longest source only.

use std::collections::BTreeSet;

use ocm_oci::{Digest, TagOrDigest};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::*, Generic, Operator, ReleaseContent, ReleaseImage, Repository, SHA256, Shortest,
    mirrored,
};

/// Returns the places at which a node looks for the repository `name`, by tag or by digest.
fn places(sets: &MirrorSets, name: &str, kind: MirrorKind) -> BTreeSet<String> {
    let begins = |source: &&String| {
        name.strip_prefix(source.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let sources = sets.sets().iter().flat_map(|set| set.entries.keys());
    let Some(longest) = sources.filter(begins).max_by_key(|source| source.len()) else {
        return BTreeSet::new();
    };
    let of_kind = sets.sets().iter().filter(|set| set.kind == kind);
    let mirrors = of_kind.filter_map(|set| set.entries.get(longest)).flatten();
    mirrors.map(|mirror| name.replacen(longest, mirror, 1)).collect()
}

/// Returns the first image that a node does not find where it is.
fn lost<'i>(images: &'i [Mirrored], sets: &MirrorSets) -> Option<(&'i Mirrored, MirrorKind)> {
    let kinds = |image: &'i Mirrored| {
        let asked = match image.origin.selector() {
            TagOrDigest::Tag(_) => MirrorKind::Tag,
            TagOrDigest::Digest(_) => MirrorKind::Digest,
        };
        // The installer looks for releases among the digests, whatever they are asked for by.
        let installer = (image.kind == ReleaseImage).then_some(MirrorKind::Digest);
        [Some(asked), installer].into_iter().flatten().map(move |kind| (image, kind))
    };
    images.iter().flat_map(kinds).find(|(image, kind)| {
        let name = format!("{}/{}", image.origin.host(), image.origin.repository());
        let there = format!("{}/{}", image.host, image.repository);
        !places(sets, &name, *kind).contains(&there)
    })
}

fn images() -> impl Strategy<Value = Vec<Mirrored>> {
    let host = select(vec!["quay.io", "quay.io:5000", "reg.example"]);
    let path = select(vec!["a", "a/b", "a/b/c", "a/bc", "a/b/c/d", "e"]);
    let pin = select(vec![":1", ":2", "@DIGEST", ":3@DIGEST"]);
    let namespace = select(vec!["", "ns/", "ns/quay.io/"]);
    let other = select(vec![None, None, Some("x"), Some("x/c"), Some("x/a/b")]);
    let kind = select(vec![Generic, Operator, ReleaseContent, ReleaseImage]);
    let image = (host, path, pin, namespace, other, kind);
    let image = image.prop_map(|(host, path, pin, namespace, other, kind)| {
        let mirror = format!("m.example/{namespace}{}", other.unwrap_or(path));
        mirrored(&format!("{host}/{path}{pin}"), &mirror, kind)
    });
    vec(image, 1..8)
}

proptest! {
    #[test]
    fn every_image_is_found(images in images(), scope in select(vec![Shortest, Repository])) {
        let sets = MirrorSets::of(&images, scope);
        prop_assert_eq!(lost(&images, &sets), None, "{:?}", sets);
        prop_assert_eq!(sets.notices(), []);
    }
}

/// Returns the entries of all sets, as text.
fn entries(sets: &MirrorSets) -> Vec<String> {
    let line = |set: &MirrorSet| {
        let name = set.name();
        let entry = |(source, mirrors): (&String, &Vec<String>)| {
            format!("{name}: {source} -> {}", mirrors.join(" "))
        };
        set.entries.iter().map(entry).collect::<Vec<_>>()
    };
    sets.sets().iter().flat_map(line).collect()
}

#[test]
fn a_repository_with_an_entry_of_its_own_lists_all_its_mirrors() {
    let images = [
        mirrored("quay.io/team/app:1", "m/x/renamed", Generic),
        mirrored("quay.io/team/app:2", "m/ns/team/app", Generic),
        mirrored("quay.io/team/other:2", "m/ns/team/other", Generic),
    ];
    let expected = [
        "itms-generic-0: quay.io/team -> m/ns/team",
        "itms-generic-0: quay.io/team/app -> m/x/renamed m/ns/team/app",
    ];
    assert_eq!(entries(&MirrorSets::of(&images, Shortest)), expected);
}

#[test]
fn sets_of_one_kind_hide_those_of_the_other() {
    let images = [
        mirrored("quay.io/team/app:latest", "m/ns/team/app", Generic),
        mirrored("quay.io/team/app@DIGEST", "m/x/renamed", Operator),
    ];
    let expected = [
        "idms-operator-0: quay.io/team/app -> m/x/renamed",
        "itms-generic-0: quay.io/team -> m/ns/team",
        "itms-generic-0: quay.io/team/app -> m/ns/team/app",
    ];
    assert_eq!(entries(&MirrorSets::of(&images, Shortest)), expected);
}

#[test]
fn a_namespace_that_is_a_repository_too_is_in_the_way_of_it() {
    let images = [
        mirrored("quay.io/team/app:1", "m/ns/team/app", Generic),
        mirrored("quay.io/team/app/sub@DIGEST", "m/ns/team/app/sub", Generic),
    ];
    let expected = [
        "idms-generic-0: quay.io/team/app -> m/ns/team/app",
        "itms-generic-0: quay.io/team -> m/ns/team",
        "itms-generic-0: quay.io/team/app -> m/ns/team/app",
    ];
    assert_eq!(entries(&MirrorSets::of(&images, Shortest)), expected);
}

fn retagged(image: Mirrored, tag: &str) -> Mirrored {
    Mirrored { tag: tag.parse().unwrap(), ..image }
}

fn notices(sets: &MirrorSets) -> Vec<String> {
    sets.notices().iter().map(|notice| format!("{} {}", notice.origin, notice.change)).collect()
}

#[test]
fn another_tag_is_written_all_the_same_and_noticed() {
    let image = |origin| mirrored(origin, "m/x/y", Generic);
    let sets = MirrorSets::of(&[retagged(image("quay.io/team/app:v1"), "z")], Shortest);
    assert_eq!(entries(&sets), ["itms-generic-0: quay.io/team/app -> m/x/y"]);
    let [notice] = &notices(&sets)[..] else { panic!("{sets:?}") };
    assert!(notice.starts_with("quay.io/team/app:v1 is at the mirror under another tag"));
    assert!(notice.contains("`m/x/y:z`"), "{notice}");

    let found = [retagged(image("quay.io/team/app:v1"), "z"), image("quay.io/team/app:v1")];
    assert_eq!(MirrorSets::of(&found, Shortest).notices(), [], "it has its own tag too");
    for by_digest in ["quay.io/team/app@DIGEST", "quay.io/team/app:v1@DIGEST"] {
        let sets = MirrorSets::of(&[retagged(image(by_digest), "z")], Shortest);
        assert_eq!(sets.notices(), [], "{by_digest}");
    }
}

#[test]
fn another_digest_has_no_entry_and_is_noticed() {
    let rewritten = |origin| {
        let digest = Digest::of(b"rewritten");
        Mirrored { digest, ..mirrored(origin, "m/ns/team/app", Generic) }
    };
    let sets = MirrorSets::of(&[rewritten("quay.io/team/app@DIGEST")], Shortest);
    assert!(sets.sets().is_empty());
    let [notice] = &notices(&sets)[..] else { panic!("{sets:?}") };
    let there = format!("`m/ns/team/app@{}`", Digest::of(b"rewritten"));
    assert!(notice.starts_with(&format!("quay.io/team/app@{SHA256} has another digest")));
    assert!(notice.contains(&there), "{notice}");

    let sets = MirrorSets::of(&[rewritten("quay.io/team/app:v1@DIGEST")], Shortest);
    assert_eq!(entries(&sets), ["itms-generic-0: quay.io/team -> m/ns/team"]);
    assert_eq!(sets.notices().len(), 1);
    let sets = MirrorSets::of(&[rewritten("quay.io/team/app:v1")], Shortest);
    assert_eq!(sets.notices(), [], "it was asked for by tag, and has it");
}
