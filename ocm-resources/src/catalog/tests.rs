use std::{collections::BTreeSet, sync::LazyLock};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::testing::{at, catalog, stamp};

const HEX: &str = "7c4ef7434c97c8aae3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c";

fn named(catalogs: Vec<Catalog>, naming: Naming) -> Catalogs {
    Catalogs::name(catalogs, naming).unwrap()
}

/// Returns the names of the sources of catalogs at `places`.
fn source_names(places: &[&str]) -> Vec<String> {
    let catalogs = places.iter().map(|place| catalog("quay.io/some/origin:v1", place)).collect();
    let names = named(catalogs, Naming::Place);
    names.as_slice().iter().map(|named| named.source_name().to_owned()).collect()
}

/// What oc-mirror names, and how.
#[test]
fn worked_examples() {
    let long = "n".repeat(47);
    let table = [
        ("r/redhat/redhat-operator-index:v4.15", "cs-redhat-operator-index-v4-15"),
        (
            &format!("r/x/redhat-operator-index@sha256:{HEX}"),
            "cs-redhat-operator-index-7c4ef7434c97",
        ),
        (&format!("r/x/idx:sha256-{HEX}"), "cs-idx-sha256-7c4ef"),
        ("r/x/idx:7c4ef7434c97c8aa", "cs-idx-7c4ef7434c97"),
        ("r/x/idx:V4.15_RC", "cs-idx-v4-15-rc"),
        ("r/idx:v1", "cs-idx-v1"),
        ("r/x/a.b--c:v1", "cs-a-b--c-v1"),
        (&format!("r/{long}:123456789012"), &format!("cs-{long}-123456789012")),
    ];
    for (place, expected) in table {
        assert_eq!(source_names(&[place]), [expected], "{place}");
    }
}

/// What oc-mirror ends at, after everything was copied.
#[test]
fn names_that_were_none_are_mended() {
    let (long, cut) = ("n".repeat(48), "n".repeat(40));
    let table = [
        ("r/x/idx:1.2.3-alpha-7", "cs-idx-1-2-3-alpha"),
        ("r/x/my_catalog:v1", "cs-my-catalog-v1"),
        ("r/x/my__catalog.x:_", "cs-my-catalog-x"),
        (&format!("r/{long}:123456789012"), &format!("cs-{cut}-123456789012-db6473")),
        (&format!("r/{long}:123456789013"), &format!("cs-{cut}-123456789013-03dd75")),
    ];
    for (place, expected) in table {
        assert_eq!(source_names(&[place]), [expected], "{place}");
    }
}

/// Where oc-mirror writes one file over the other.
#[test]
fn the_later_of_two_gets_another_name() {
    let places = ["r/a/idx:v4.15", "r/b/idx:v4.15", "r/b/idx:v4.15-2024-01-01"];
    let later = "cs-idx-v4-15-e0711d";
    assert_eq!(source_names(&places), ["cs-idx-v4-15", later, "cs-idx-v4-15-2024-0"]);
    let catalogs = places.map(|place| catalog("quay.io/some/origin:v1", place)).to_vec();
    let names = named(catalogs, Naming::Place);
    let [notice] = names.notices() else { panic!("{names:?}") };
    assert_eq!(
        notice.to_string(),
        format!(
            "the CatalogSource of quay.io/some/origin:v1 is called `{later}`, as another catalog \
             already has the name `cs-idx-v4-15`; with a `catalogSourceName` it is called as you \
             like"
        )
    );
    let days = ["r/a/idx:v4.15-2024-01-01", "r/a/idx:v4.15-2024-02-01"];
    let [first, second] = &source_names(&days)[..] else { panic!() };
    assert_eq!(first, "cs-idx-v4-15-2024-0");
    assert!(second.starts_with("cs-idx-v4-15-2024-0-"), "{second}");
}

fn chosen(name: &str, place: &str) -> Catalog {
    let source_name = Some(name.parse().unwrap());
    Catalog { source_name, ..catalog("quay.io/some/origin:v1", place) }
}

#[test]
fn a_chosen_name_is_kept_and_others_make_way() {
    let catalogs = vec![
        catalog("quay.io/some/origin:v1", "r/a/idx:v4.15"),
        chosen("cs-idx-v4-15", "r/b/x:v1"),
        chosen("mine", "r/b/x:v2"),
    ];
    let names = named(catalogs, Naming::Place);
    let all: Vec<_> =
        names.as_slice().iter().map(|named| (named.source_name(), named.cluster_name())).collect();
    let hashed = all[0].0.strip_prefix("cs-idx-v4-15-").unwrap();
    assert_eq!(hashed.len(), 6);
    assert_eq!(all[1], ("cs-idx-v4-15", "cc-idx-v4-15".to_owned()));
    assert_eq!(all[2], ("mine", "cc-mine".to_owned()));
    let files: Vec<_> = names.as_slice()[2].documents(&stamp());
    let files: Vec<_> = files.iter().map(|document| document.file_name.as_str()).collect();
    assert_eq!(files, ["cs-mine.yaml", "cc-mine.yaml"]);
}

#[test]
fn well_known_catalogs_keep_their_names_over_versions() {
    let table = [
        ("registry.redhat.io/redhat/redhat-operator-index:v4.18", "redhat-operators"),
        ("registry.redhat.io/redhat/certified-operator-index:v4.18", "certified-operators"),
        ("registry.redhat.io/redhat/community-operator-index:v4.18", "community-operators"),
        ("registry.redhat.io/redhat/redhat-marketplace-index:v4.18", "redhat-marketplace"),
        ("oci:///images/redhat-operator-index", "redhat-operators"),
        ("quay.io/team/our-index:v4.18", "cs-ours-v1"),
    ];
    for (origin, expected) in table {
        let names = named(vec![catalog(origin, "r/ours:v1")], Naming::WellKnown);
        assert_eq!(names.as_slice()[0].source_name(), expected, "{origin}");
        let names = named(vec![catalog(origin, "r/ours:v1")], Naming::Place);
        assert_eq!(names.as_slice()[0].source_name(), "cs-ours-v1", "{origin}");
    }
    let one =
        Catalog { source_name: Some("our-own".parse().unwrap()), ..catalog(table[0].0, "r/x:1") };
    let other = catalog(table[0].0, "r/x:2");
    let names = named(vec![one, other], Naming::WellKnown);
    let names: Vec<_> = names.as_slice().iter().map(NamedCatalog::source_name).collect();
    assert_eq!(names, ["our-own", "redhat-operators"], "what was chosen goes before");
}

#[test]
fn all_faults_are_known_before_anything_is_copied() {
    let index = |tag: &str| format!("registry.redhat.io/redhat/redhat-operator-index:{tag}");
    let catalogs = vec![
        catalog(&index("v4.17"), "r/x:v4.17"),
        catalog(&index("v4.18"), "r/x:v4.18"),
        chosen("ours", "r/x:v4.18"),
        chosen("cs-ours", "r/y:v1"),
    ];
    let faults = Catalogs::name(catalogs, Naming::WellKnown).unwrap_err();
    let told: Vec<_> = faults.as_slice().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            format!(
                "{} and {} would both have the CatalogSource `redhat-operators`; expected a \
                 `catalogSourceName` of its own for one of them",
                index("v4.17"),
                index("v4.18")
            ),
            format!(
                "{} and quay.io/some/origin:v1 would both be at `r/x:v4.18`; expected another \
                 `targetCatalog` or `targetTag` for one of them",
                index("v4.18")
            ),
            "quay.io/some/origin:v1 and quay.io/some/origin:v1 would both have the CatalogSource \
             `cs-ours`; expected a `catalogSourceName` of its own for one of them"
                .to_owned(),
        ]
    );
    assert_eq!(faults.to_string(), told.join("; "));
}

#[test]
fn a_chosen_name_is_one_that_clusters_take() {
    let fine = ["redhat-operators", "a", "4you", "cs-x", &format!("cs-{}", "x".repeat(60))];
    for name in fine {
        assert_eq!(name.parse::<SourceName>().unwrap().as_str(), name);
    }
    let table = [
        ("", None),
        ("-", None),
        ("Redhat Operators", Some("`redhat-operators` would be one")),
        ("a.b", Some("`a-b` would be one")),
        ("a-", Some("`a` would be one")),
        ("é", None),
        ("../../etc/x", Some("`etc-x` would be one")),
    ];
    for (text, hint) in table {
        let error = text.parse::<SourceName>().unwrap_err();
        assert_eq!(error.hint().as_deref(), hint, "{text}");
        assert!(error.to_string().starts_with(&format!("`{text}` cannot be the name")));
    }
    let long = "x".repeat(61);
    let hint = long.parse::<SourceName>().unwrap_err().hint().unwrap();
    assert_eq!(hint, format!("`{}` would be one", "x".repeat(60)));
}

#[test]
fn both_objects_name_the_image_at_the_mirror() {
    let index = "registry.example.com:5000/ns/redhat/redhat-operator-index:v4.15";
    let origin = "registry.redhat.io/redhat/redhat-operator-index:v4.15";
    let names = named(vec![catalog(origin, index)], Naming::Place);
    let documents = names.as_slice()[0].documents(&stamp());
    let [source, cluster] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!(source.file_name, "cs-redhat-operator-index-v4-15.yaml");
    assert_eq!(source.text, include_str!("golden/cs-redhat-operator-index-v4-15.yaml"));
    assert_eq!(cluster.file_name, "cc-redhat-operator-index-v4-15.yaml");
    assert_eq!(cluster.text, include_str!("golden/cc-redhat-operator-index-v4-15.yaml"));
}

#[test]
fn no_cluster_catalog_that_a_cluster_refuses() {
    let path = "p".repeat(120);
    let (fine, long) = (format!("r:1/{path}:v1"), format!("r:5000/{path}:v1"));
    let (by_digest, longest) =
        (format!("r:5000/{path}@sha256:{HEX}"), format!("r/{}@sha256:{HEX}", "p".repeat(1000)));
    let host = "it takes no IPv6 addresses and no `_` in hosts, and this one is";
    let table = [
        (fine.as_str(), None),
        (&by_digest, None),
        ("[::1]:5000/x:v1", Some(format!("{host} `[::1]:5000`"))),
        ("my_host/x:v1", Some(format!("{host} `my_host`"))),
        (&long, Some(format!("behind the first colon, and this one is `{long}`"))),
        (&longest, Some(format!("and this one is `{longest}`"))),
    ];
    for (place, expected) in table {
        let names = named(vec![catalog("quay.io/some/origin:v1", place)], Naming::Place);
        let documents = names.as_slice()[0].documents(&stamp());
        match (names.notices(), expected) {
            ([], None) => assert_eq!(documents.len(), 2, "{place}"),
            ([notice], Some(expected)) => {
                assert_eq!(documents.len(), 1, "{place}");
                let told = notice.to_string();
                let begins = "there is no ClusterCatalog for quay.io/some/origin:v1: ";
                assert!(told.starts_with(begins) && told.ends_with(&expected), "{told}");
            }
            (notices, expected) => panic!("{place}: {notices:?}, not {expected:?}"),
        }
    }
}

fn places() -> impl Strategy<Value = AtMirror> {
    let repository = select(vec!["a", "b/a", "c/a", "a.b", "a_b", "a--b", "b/a-v1"]);
    let other = "[a-z0-9]{1,70}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,3}";
    let repository = prop_oneof![repository.prop_map(str::to_owned), other.prop_map(String::from)];
    let tag =
        select(vec!["v1", "V1", "v1_", "v1-", "_", "-v1", "v4.15-2024-01-01", "v4.15-2024-02"]);
    let tag = tag.prop_filter("a tag", |tag| tag.parse::<ocm_oci::Tag>().is_ok());
    let digest = "[0-9a-f]{64}".prop_map(|hex| format!("@sha256:{hex}"));
    let any = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}".prop_map(|tag| format!(":{tag}"));
    let selector = prop_oneof![tag.prop_map(|tag| format!(":{tag}")), digest, any];
    (repository, selector)
        .prop_map(|(repository, selector)| at(&format!("r/{repository}{selector}")))
}

fn origins() -> impl Strategy<Value = &'static str> {
    let known = "registry.redhat.io/redhat/redhat-operator-index:v1";
    select(vec![known, "oci:///x/certified-operator-index", "quay.io/a/b:1", "quay.io/a/c:1"])
}

fn chosen_names() -> impl Strategy<Value = SourceName> {
    "(cs-)?[ab]([-ab]{0,3}[ab1])?".prop_map(|name| name.parse().unwrap())
}

/// By RFC 1123, as API servers check it.
fn is_label(name: &str) -> bool {
    static LABEL: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$").unwrap());
    LABEL.is_match(name)
}

proptest! {
    #[test]
    fn names_are_legal_and_no_two_are_the_same(
        catalogs in vec((origins(), places(), option::weighted(0.2, chosen_names())), 1..9),
        naming in select(vec![Naming::Place, Naming::WellKnown]),
    ) {
        let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let catalogs = catalogs.into_iter().map(|(origin, place, source_name)| {
            Catalog { origin: origin.parse().unwrap(), place, source_name, template: None, files: None }
        });
        let catalogs: Vec<_> = catalogs.filter(|catalog| {
            let fixed = catalog.fixed_name(naming);
            seen.insert(catalog.place.clone())
                && fixed.is_none_or(|name| names.insert(name.stem().to_owned()))
        }).collect();
        let count = catalogs.len();
        let named = named(catalogs, naming);
        let sources: BTreeSet<_> = named.as_slice().iter().map(NamedCatalog::source_name).collect();
        let clusters: BTreeSet<_> = named.as_slice().iter().map(NamedCatalog::cluster_name).collect();
        prop_assert_eq!((sources.len(), clusters.len()), (count, count));
        for name in sources.into_iter().chain(clusters.iter().map(String::as_str)) {
            prop_assert!(is_label(name), "{}", name);
        }
        let documents: Vec<_> =
            named.as_slice().iter().flat_map(|named| named.documents(&stamp())).collect();
        let files: BTreeSet<_> = documents.iter().map(|document| &document.file_name).collect();
        prop_assert_eq!(files.len(), documents.len());
    }

    /// What was copied cannot change a name: it is the whole configuration that is named.
    #[test]
    fn one_catalog_more_changes_no_name_before_it(places in vec(places(), 2..9)) {
        let mut seen = BTreeSet::new();
        let places: Vec<_> = places.into_iter().filter(|place| seen.insert(place.clone())).collect();
        let origin: Reference = "quay.io/some/origin:v1".parse().unwrap();
        let names = |places: &[AtMirror]| {
            let catalog = |place: &AtMirror| Catalog {
                origin: origin.clone(),
                place: place.clone(),
                source_name: None,
                template: None,
                files: None,
            };
            let names = named(places.iter().map(catalog).collect(), Naming::Place);
            names.as_slice().iter().map(|named| named.source_name().to_owned()).collect::<Vec<_>>()
        };
        let (all, fewer) = (names(&places), names(&places[..places.len() - 1]));
        prop_assert_eq!(&all[..fewer.len()], &fewer[..]);
    }
}
