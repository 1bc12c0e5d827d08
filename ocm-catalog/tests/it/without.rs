//! Catalogs without bundles that cannot be had.

use std::collections::BTreeSet;

use ocm_catalog::{Catalog, Reduced, validate};

use crate::{
    corpus::{self, corpus},
    fixture::{catalog, channels, filtered, package},
    properties::{Dice, check_bodies, made_up, read_again, roots},
};

fn gone(bundles: &[&str]) -> BTreeSet<(String, String)> {
    bundles.iter().map(|bundle| ("p".to_owned(), (*bundle).to_owned())).collect()
}

fn made(channels: &[(&str, &str)]) -> Catalog {
    let version = |name: &str| Some(format!("{}.0.0", name.as_bytes()[0]));
    catalog(&[&package("p", channels[0].0, channels, version)])
}

/// Returns the channels that are left, and what else had to go.
fn left(channels_before: &[(&str, &str)], bundles: &[&str]) -> (String, Vec<String>) {
    let Reduced { catalog, dropped, .. } = made(channels_before).without(&gone(bundles));
    let refused = validate(&catalog);
    assert!(refused.is_empty(), "{refused:?}");
    (channels(&catalog), dropped.iter().map(ToString::to_string).collect())
}

#[test]
fn the_newest_part_of_a_channel_remains() {
    let cases = [
        ("d<c c<b b<a a", "d", "one: c b a"),
        ("d<c c<b b<a a", "c", "one: d"),
        ("d<c c<b b<a a", "b", "one: d c"),
        ("d<c c<b b<a a", "a", "one: d c b"),
        ("d<c c<b b<a a", "d b", "one: c"),
        ("d<c c<b b<a a", "d c", "one: b a"),
        // What is skipped is reached, whatever is missing between.
        ("d<c{b} c<b b<a a", "c", "one: d b"),
        ("d<c{b,a} c<b b<a a", "c", "one: d b a"),
        ("d<c{b} c<b b<a{z} a z", "c", "one: d b z"),
        ("d<c{b} c<b b<a{a} a", "c", "one: d b a"),
        // Nothing skips it any more, and upgrades lead nowhere from it.
        ("d<c{x} c<b x<b b", "d", "one: c b"),
        // It is replaced and skipped at once: OLM looks no further than that.
        ("e<d{b,a} d<c{b} c<b b<a a", "e", "one: d c b"),
        ("d<gone", "x", "one: d"),
    ];
    for (before, bundles, after) in cases {
        let bundles: Vec<_> = bundles.split(' ').collect();
        let (channels, _) = left(&[("one", before)], &bundles);
        let sort = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(sort(&channels), sort(after), "{before} without {bundles:?}");
    }
}

#[test]
fn what_has_to_go_as_well_is_told() {
    let (channels, dropped) = left(&[("one", "c<b b<a a")], &["b"]);
    assert_eq!(channels, "one: c");
    let told = "package `p` goes without `a` too, from which no upgrade leads on any more";
    assert_eq!(dropped, [told]);
    let (channels, dropped) = left(&[("one", "a"), ("two", "b")], &["b"]);
    assert_eq!(channels, "one: a");
    assert_eq!(dropped, ["channel `two` of package `p` has no bundle left"]);
    let (channels, dropped) = left(&[("one", "a"), ("two", "b")], &["a"]);
    assert_eq!(channels, "");
    let told = "package `p` is left out: its default channel `one` has no bundle left";
    assert_eq!(dropped, [told]);
    // It is in a channel still.
    let (channels, dropped) = left(&[("one", "c<b b<a a"), ("two", "a")], &["b"]);
    assert_eq!((channels.as_str(), dropped.len()), ("one: c; two: a", 0));
}

#[test]
fn what_loses_nothing_stays_as_it_is() {
    let catalog = made(&[("one", "c<b b<a a")]);
    let Reduced { catalog: left, dropped, unmet } = catalog.without(&gone(&["z"]));
    assert!(left == catalog && dropped.is_empty() && unmet.is_empty());
    let other = BTreeSet::from([("q".to_owned(), "a".to_owned())]);
    assert!(catalog.without(&other).catalog == catalog, "that of another package");
}

#[test]
fn what_remains_may_require_what_had_to_go() {
    let text = r#"
        {"schema":"olm.package","name":"p","defaultChannel":"one"}
        {"schema":"olm.channel","package":"p","name":"one","entries":[{"name":"a"}]}
        {"schema":"olm.bundle","package":"p","name":"a","image":"r/a:1","properties":[
            {"type":"olm.package","value":{"packageName":"p","version":"1.0.0"}}]}
        {"schema":"olm.package","name":"q","defaultChannel":"one"}
        {"schema":"olm.channel","package":"q","name":"one","entries":[{"name":"b"}]}
        {"schema":"olm.bundle","package":"q","name":"b","image":"r/b:1","properties":[
            {"type":"olm.package","value":{"packageName":"q","version":"1.0.0"}},
            {"type":"olm.package.required","value":{"packageName":"p","versionRange":">=1.0.0"}},
            {"type":"olm.package.required","value":{"packageName":"x","versionRange":">=1.0.0"}}]}"#;
    let Reduced { catalog, unmet, .. } = catalog(&[text]).without(&gone(&["a"]));
    assert_eq!(channels(&catalog), "one: b");
    // That of `x` was told before.
    assert_eq!(unmet.len(), 1, "{unmet:?}");
    assert!(unmet[0].to_string().contains("`p`"), "{}", unmet[0]);
}

/// Takes bundles out; returns whether something changed and something remains.
fn check(catalog: &Catalog, dice: &mut Dice) -> bool {
    let packages = catalog.packages().iter();
    let names = packages.flat_map(|(package, content)| {
        content.bundles().keys().map(move |bundle| (package.clone(), bundle.clone()))
    });
    let rarely = 2 + dice.roll(20);
    let gone: BTreeSet<_> = names.filter(|_| dice.once_in(rarely)).collect();
    let Reduced { catalog: left, .. } = catalog.without(&gone);
    let before: Vec<_> = validate(catalog).into_iter().map(|defect| defect.package).collect();
    for defect in validate(&left) {
        let is_touched = gone.iter().any(|(package, _)| *package == defect.package);
        assert!(before.contains(&defect.package), "{defect:?}");
        assert!(!is_touched || !defect.flaw.is_refused(), "{defect:?}");
    }
    for (package, bundle) in &gone {
        let still = left.packages().get(package).map(ocm_catalog::Package::bundles);
        assert!(!still.is_some_and(|bundles| bundles.contains_key(bundle)), "{bundle}");
    }
    assert!(left.without(&gone).catalog == left, "once more");
    check_bodies(catalog, &left);
    if dice.once_in(8) {
        assert!(read_again(&left).packages() == left.packages(), "written");
    }
    !gone.is_empty() && !left.packages().is_empty()
}

#[test]
fn what_remains_of_catalogs_made_up_is_accepted() {
    let mut remaining = 0;
    for seed in 0..3_000 {
        let mut dice = Dice(seed);
        let catalog = made_up(&mut dice);
        for _ in 0..4 {
            remaining += u32::from(check(&catalog, &mut dice));
        }
    }
    eprintln!("of {remaining} something remains");
    assert!(remaining > 1_000, "{remaining}");
}

#[test]
fn what_remains_of_the_corpus_is_accepted() {
    let Some(corpus) = corpus() else { return };
    let (mut remaining, mut all) = (0, 0);
    for root in roots(&corpus) {
        let Ok(catalog) = corpus::catalog(&root) else { continue };
        let mut dice = Dice(all);
        for _ in 0..20 {
            remaining += u32::from(check(&catalog, &mut dice));
            all += 1;
        }
    }
    eprintln!("{all} times bundles were taken out, of {remaining} something remains");
    assert!(remaining * 2 > u32::try_from(all).unwrap(), "{remaining} of {all}");
}

/// The head of each channel: without it, there is nothing.
#[test]
fn of_heads_alone_nothing_older_is_taken() {
    let catalog = made(&[("one", "c<b b<a a"), ("two", "b<a a")]);
    let heads = filtered(&catalog, "p").catalog;
    assert_eq!(channels(&heads), "one: c; two: b");
    assert_eq!(channels(&heads.without(&gone(&["b"])).catalog), "one: c");
    assert_eq!(channels(&heads.without(&gone(&["c"])).catalog), "");
}
