//! The examples of the specification, on catalogs of the same shape.

use std::{fmt::Write as _, sync::LazyLock};

use ocm_catalog::{
    Catalog, Extent, FilterError, Filtered, Missing, Package, PreReleases, Selection, Warning,
};

use crate::fixture::{bundles, catalog, channels, filtered, package, refused, selection, words};

const THREESCALE_2_11: &str = "v0.8.0 v0.8.0-0.1634606167.p{v0.8.0} v0.8.1<v0.8.0-0.1634606167.p \
    v0.8.2<v0.8.1 v0.8.3 v0.8.3-0.1645735250.p v0.8.3-0.1646619125.p v0.8.3-0.1646742992.p \
    v0.8.3-0.1649688682.p<v0.8.2{v0.8.3,v0.8.3-0.1645735250.p,v0.8.3-0.1646619125.p,v0.8.3-0.1646742992.p} \
    v0.8.4 v0.8.4-0.1655690146.p<v0.8.3-0.1649688682.p{v0.8.4} ";
const THREESCALE_2_12: &str =
    "v0.9.0<v0.8.4-0.1655690146.p v0.9.1 v0.9.1-0.1664967752.p<v0.9.0{v0.9.1} ";
const THREESCALE_MAS: &str = "v0.10.0-mas<v0.9.1-0.1664967752.p v0.11.0-mas<v0.10.0-mas";
const DEVWORKSPACE: &str = "v0.9.0 v0.10.0<v0.9.0 v0.11.0<v0.10.0 v0.12.0<v0.11.0 v0.13.0<v0.12.0 \
    v0.14.1<v0.13.0 v0.15.2 v0.15.2-0.1661828401.p<v0.14.1{v0.15.2} v0.16.0 \
    v0.16.0-0.1666668361.p<v0.15.2-0.1661828401.p{v0.16.0} v0.17.0<v0.16.0-0.1666668361.p v0.18.1 \
    v0.18.1-0.1675929565.p<v0.17.0{v0.18.1} v0.19.1 v0.19.1-0.1679521112.p \
    v0.19.1-0.1682321189.p<v0.18.1-0.1675929565.p{v0.19.1,v0.19.1-0.1679521112.p}";
const JAEGER: &str = "v1.30.2 v1.34.1-5<v1.30.2 v1.42.0-5 \
    v1.42.0-5-0.1687199951.p<v1.34.1-5{v1.42.0-5} v1.47.1-5<v1.42.0-5-0.1687199951.p \
    v1.51.0-1<v1.47.1-5";

/// `3.v0.8.3-0.1645735250.p` is of version `0.8.3+0.1645735250.p`.
fn version(name: &str) -> Option<String> {
    let version = name.split_once(".v")?.1;
    Some(match version.rsplit_once("-0.16") {
        Some((version, build)) => format!("{version}+0.16{build}"),
        None => version.to_owned(),
    })
}

/// Three packages: `3`, `d` and `j`, which bundles have before their versions.
static T: LazyLock<Catalog> = LazyLock::new(|| {
    let named = |prefix: &str, entries: &str| entries.replace('v', &format!("{prefix}.v"));
    let three = [
        named("3", THREESCALE_2_11),
        named("3", &format!("{THREESCALE_2_11}{THREESCALE_2_12}")),
        named("3", &format!("{THREESCALE_2_11}{THREESCALE_2_12}{THREESCALE_MAS}")),
    ];
    let [older, newer, mas] = three.each_ref().map(String::as_str);
    let three = [("threescale-2.11", older), ("threescale-2.12", newer), ("threescale-mas", mas)];
    let (fast, stable) = (named("d", DEVWORKSPACE), named("j", JAEGER));
    catalog(&[
        &package("3scale-operator", "threescale-mas", &three, version),
        &package("devworkspace-operator", "fast", &[("fast", &fast)], version),
        &package("jaeger-product", "stable", &[("stable", &stable)], version),
    ])
});

const HEADS: &str = "3.v0.11.0-mas 3.v0.8.4-0.1655690146.p 3.v0.9.1-0.1664967752.p \
    d.v0.19.1-0.1682321189.p j.v1.51.0-1";
const ALL_OF_2_11: &str = "3.v0.8.0 3.v0.8.0-0.1634606167.p 3.v0.8.1 3.v0.8.2 3.v0.8.3 \
    3.v0.8.3-0.1645735250.p 3.v0.8.3-0.1646619125.p 3.v0.8.3-0.1646742992.p \
    3.v0.8.3-0.1649688682.p 3.v0.8.4 3.v0.8.4-0.1655690146.p";

/// Selections, and the bundles that remain.
const REMAIN: &[(&str, &str)] = &[
    ("", HEADS),
    ("3scale-operator; devworkspace-operator; jaeger-product", HEADS),
    (
        "devworkspace-operator[0.18.1..]",
        "d.v0.18.1 d.v0.18.1-0.1675929565.p d.v0.19.1 d.v0.19.1-0.1679521112.p d.v0.19.1-0.1682321189.p",
    ),
    (
        "devworkspace-operator[..0.18.1]",
        "d.v0.10.0 d.v0.11.0 d.v0.12.0 d.v0.13.0 d.v0.14.1 d.v0.15.2 d.v0.15.2-0.1661828401.p \
         d.v0.16.0 d.v0.16.0-0.1666668361.p d.v0.17.0 d.v0.18.1 d.v0.18.1-0.1675929565.p d.v0.9.0",
    ),
    ("devworkspace-operator[0.16.0..0.17.0]", "d.v0.16.0 d.v0.16.0-0.1666668361.p d.v0.17.0"),
    (
        "3scale-operator default=threescale-2.11 threescale-2.11[0.8.3..]",
        "3.v0.8.3 3.v0.8.3-0.1645735250.p 3.v0.8.3-0.1646619125.p 3.v0.8.3-0.1646742992.p \
         3.v0.8.3-0.1649688682.p 3.v0.8.4 3.v0.8.4-0.1655690146.p",
    ),
    (
        "3scale-operator default=threescale-2.11 threescale-2.11; \
         devworkspace-operator default=fast fast",
        "3.v0.8.4-0.1655690146.p d.v0.19.1-0.1682321189.p",
    ),
    ("3scale-operator threescale-2.11 threescale-mas", "3.v0.11.0-mas 3.v0.8.4-0.1655690146.p"),
    (
        "3scale-operator default=threescale-2.11 threescale-2.11[..0.8.2]",
        "3.v0.8.0 3.v0.8.0-0.1634606167.p 3.v0.8.1 3.v0.8.2",
    ),
    (
        "3scale-operator default=threescale-2.11 threescale-2.11[0.8.1..0.8.3]",
        "3.v0.8.1 3.v0.8.2 3.v0.8.3 3.v0.8.3-0.1645735250.p 3.v0.8.3-0.1646619125.p \
         3.v0.8.3-0.1646742992.p 3.v0.8.3-0.1649688682.p",
    ),
    ("3scale-operator[0.10.0-mas..]", "3.v0.10.0-mas 3.v0.11.0-mas"),
    ("jaeger-product stable[1.47.1-5..]", "j.v1.47.1-5 j.v1.51.0-1"),
    (
        "jaeger-product stable[1.34.1-5..1.42.0-5]",
        "j.v1.34.1-5 j.v1.42.0-5 j.v1.42.0-5-0.1687199951.p",
    ),
    (
        "3scale-operator threescale-mas threescale-2.12[..0.8.0+0.1634606167.p]",
        "3.v0.11.0-mas 3.v0.8.0 3.v0.8.0-0.1634606167.p",
    ),
    ("3scale-operator default=threescale-2.12 threescale-2.12", "3.v0.9.1-0.1664967752.p"),
    (
        "jaeger-product; 3scale-operator",
        "3.v0.11.0-mas 3.v0.8.4-0.1655690146.p 3.v0.9.1-0.1664967752.p j.v1.51.0-1",
    ),
    (
        "3scale-operator threescale-mas[0.9.1..0.10.0-mas]",
        "3.v0.10.0-mas 3.v0.9.1 3.v0.9.1-0.1664967752.p",
    ),
    ("3scale-operator threescale-mas[0.9.0..]", "3.v0.9.0 3.v0.9.1 3.v0.9.1-0.1664967752.p"),
    ("3scale-operator default=threescale-2.12 threescale-2.12[..0.8]", ALL_OF_2_11),
];

#[test]
fn bundles_that_remain() {
    let three = "3scale-operator";
    for (text, expected) in REMAIN {
        let filtered = filtered(&T, text);
        assert_eq!(bundles(&filtered.catalog).join(" "), *expected, "{text}");
        if text.starts_with(three) && text.contains("default=") {
            let default = filtered.catalog.packages()[three].default_channel();
            assert!(text.contains(&format!("default={default} ")), "{text}: {default}");
        }
    }
}

#[test]
fn everything() {
    let full = Selection { extent: Extent::Full, ..Selection::default() };
    let whole = T.filter(&full).unwrap().catalog;
    assert_eq!(whole, *T);
    assert_eq!(bundles(&whole).len(), 38);
    let packages = selection("3scale-operator; devworkspace-operator; jaeger-product").packages;
    let all = T.filter(&Selection { packages, ..full.clone() }).unwrap().catalog;
    assert_eq!((bundles(&all).len(), channels(&all).split("; ").count()), (38, 5));
    let text = "3scale-operator default=threescale-2.11 threescale-2.11";
    let packages = selection(text).packages;
    let one = T.filter(&Selection { packages, ..full }).unwrap().catalog;
    assert_eq!(bundles(&one).join(" "), ALL_OF_2_11);
}

#[test]
fn channels_without_the_versions_are_left_out() {
    let Filtered { catalog, warnings, .. } = filtered(&T, "3scale-operator[0.10.0-mas..]");
    assert_eq!(channels(&catalog), "threescale-mas: 3.v0.10.0-mas 3.v0.11.0-mas");
    let emptied = |channel: &str| Warning::ChannelEmptied {
        package: "3scale-operator".to_owned(),
        channel: channel.to_owned(),
        range: ">=0.10.0-mas".to_owned(),
    };
    assert_eq!(warnings, [emptied("threescale-2.11"), emptied("threescale-2.12")]);
}

#[test]
fn what_cannot_be_had() {
    for (text, expected) in [
        (
            "3scale-operator[0.8.0..0.8.1] default=threescale-2.11 threescale-2.11[1.2.3..]",
            "package `3scale-operator` is selected by versions, and so is its channel `threescale-2.11`",
        ),
        (
            "3scale-operator[77.77.77]",
            "package `3scale-operator` has no bundle of version 77.77.77",
        ),
        (
            "3scale-operator threescale-2.11",
            "package `3scale-operator` would lose its default channel `threescale-mas`",
        ),
        (
            "3scale-operator threescale-2.11 default=threescale-2.12",
            "package `3scale-operator` cannot have the default channel `threescale-2.12`: it is not selected",
        ),
        (
            "jaeger-product stable[100..]",
            "package `jaeger-product`: its default channel `stable` has no version >=100",
        ),
        ("jaeger-product[2..1]", "package `jaeger-product`: no version is both >=2 <=1"),
    ] {
        assert!(refused(&T, text).contains(expected), "{text}: {}", refused(&T, text));
    }
    let full = Selection {
        extent: Extent::Full,
        packages: selection("3scale-operator[0.8.0..0.8.1]").packages,
        ..Selection::default()
    };
    assert_eq!(
        words(&T.filter(&full).unwrap_err()),
        "package `3scale-operator` is selected by versions `>=0.8.0 <=0.8.1`, but the catalog is `full`"
    );
}

#[test]
fn pre_releases_that_a_bound_hides_are_named() {
    let filtered = filtered(&T, "3scale-operator threescale-mas[0.9.0..]");
    let Some(Warning::PreReleasesHidden { versions, instead, .. }) = filtered.warnings.first()
    else {
        panic!("{:?}", filtered.warnings);
    };
    assert_eq!(
        versions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["0.10.0-mas", "0.11.0-mas"]
    );
    assert_eq!((&*instead.range, instead.is_same_range), (">=0.9.0-0", true));
    let opened = crate::fixture::filtered(&T, "3scale-operator threescale-mas[0.9.0-0..]");
    assert!(bundles(&opened.catalog).contains(&"3.v0.11.0-mas"));
    assert_eq!(opened.warnings, []);

    let text = refused(&T, "jaeger-product stable[1.34.1..]");
    assert!(text.contains("`stable` has no version >=1.34.1"), "{text}");
    let admitted = Selection {
        pre_releases: PreReleases::Admitted,
        ..selection("3scale-operator threescale-mas[0.9.0..]")
    };
    let admitted = T.filter(&admitted).unwrap();
    assert!(bundles(&admitted.catalog).contains(&"3.v0.11.0-mas"));
    assert_eq!(admitted.warnings, []);
}

/// `--include-prereleases` does not help with `1.51.0` and higher, below which 1.51.0-1 is.
#[test]
fn hints_lead_to_versions_that_are_there() {
    let hints = |text| {
        let errors = T.filter(&selection(text)).unwrap_err();
        errors.errors().iter().filter_map(FilterError::hint).collect::<Vec<_>>().join("; ")
    };
    let hint = hints("jaeger-product stable[1.51.0..]");
    assert!(hint.contains(">=1.51.0-0") && !hint.contains("--include"), "{hint}");
    let hint = hints("3scale-operator threescale-mas[0.9.2..]");
    assert!(hint.contains("--include-prereleases"), "{hint}");
    assert!(hints("jaeger-product stable[1.51.0]").contains("`1.51.0-1`"));
}

/// A name that is misspelt is told, whatever else is wrong.
#[test]
fn what_is_not_there_is_reported_beside_errors() {
    let errors = T.filter(&selection("jaegr; jaeger-product[2..1]; 3scale-operator a b"));
    let errors = errors.unwrap_err();
    assert!(words(&errors).starts_with("package `jaeger-product`: no version is both >=2 <=1"));
    let missing: Vec<_> = errors.missing().iter().map(ToString::to_string).collect();
    assert_eq!(
        missing,
        [
            "there is no package `jaegr`",
            "package `3scale-operator` has no channel `a`",
            "package `3scale-operator` has no channel `b`"
        ]
    );
}

/// A package without any of the channels is as if it were not there: it holds nobody up.
#[test]
fn a_package_that_has_none_of_the_channels_is_missing() {
    let filtered = filtered(&T, "3scale-operator stabel; jaeger-product stable");
    assert_eq!(bundles(&filtered.catalog), ["j.v1.51.0-1"]);
    assert_eq!(filtered.missing.len(), 1);
}

#[test]
fn what_is_not_there_is_reported_and_the_rest_is_there() {
    let text = "3scale-operater[1.0..2.0]; jaeger; jaeger-product stable stabel; nothing-like-it";
    let filtered = filtered(&T, text);
    assert_eq!(bundles(&filtered.catalog), ["j.v1.51.0-1"]);
    let near = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let package = |package: &str, names: &[&str]| Missing::Package {
        package: package.to_owned(),
        near: near(names),
    };
    let channel = Missing::Channel {
        package: "jaeger-product".to_owned(),
        channel: "stabel".to_owned(),
        near: near(&["stable"]),
    };
    assert_eq!(
        filtered.missing,
        [
            package("3scale-operater", &["3scale-operator"]),
            package("jaeger", &["jaeger-product"]),
            package("nothing-like-it", &[]),
            channel,
        ]
    );
}

/// Returns what is left of channel `c`, or nothing.
fn cut(entries: &str, versions: &str, unversioned: &str) -> (Vec<String>, usize) {
    let version = |name: &str| (name != unversioned).then(|| name.to_owned());
    let keep = ("keep", "9.9.9");
    let catalog = catalog(&[&package("p", "keep", &[("c", entries), keep], version)]);
    let filtered = filtered(&catalog, &format!("p c[{versions}] keep"));
    let package = &filtered.catalog.packages()["p"];
    let kept = package.channels().get("c").map(|channel| channel.entries().names());
    let mut kept: Vec<_> = kept.into_iter().flatten().map(str::to_owned).collect();
    kept.sort();
    let out_of_range = |warning: &&Warning| matches!(warning, Warning::OutOfRange { .. });
    (kept, filtered.warnings.iter().filter(out_of_range).count())
}

#[test]
fn cuts() {
    for (entries, versions, expected, warnings) in [
        ("1.0.0", "1.0.0..1.9.9", "1.0.0", 0),
        ("2.0.0", "1.0.0..1.9.9", "", 0),
        ("1.1.0<1.0.0 1.0.0<0.1.0 0.1.0", "1.0.0..1.9.9", "1.0.0 1.1.0", 0),
        ("2.0.0<1.1.0 1.1.0<1.0.0 1.0.0", "1.0.0..1.9.9", "1.0.0 1.1.0", 0),
        ("2.0.0<1.1.0 1.1.0<1.0.0 1.0.0<0.1.0 0.1.0", "1.0.0..1.9.9", "1.0.0 1.1.0", 0),
        ("2.0.0{1.0.0} 1.0.0", "1.0.0..1.9.9", "1.0.0 2.0.0", 1),
        ("2.0.0<1.1.1{1.1.0} 1.1.1 1.1.0", "1.0.0..1.9.9", "1.1.0 1.1.1 2.0.0", 1),
        ("1.1.0<2.0.0 2.0.0<1.0.0 1.0.0<0.1.0 0.1.0", "1.0.0..1.9.9", "1.0.0 1.1.0 2.0.0", 1),
        (
            "1.1.3<1.1.2{1.1.0} 1.1.2<1.1.1{1.1.0} 1.1.1{1.1.0} 1.1.0",
            "1.1.0..1.1.1",
            "1.1.0 1.1.1",
            0,
        ),
        ("1.0.0", "1.0.0", "1.0.0", 0),
        ("1.1.0{1.0.0} 1.0.0", "1.0.0", "1.0.0", 0),
    ] {
        let (kept, warned) = cut(entries, versions, "");
        assert_eq!((kept.join(" ").as_str(), warned), (expected, warnings), "{entries}");
    }
}

/// OLM would refuse the catalog if a bundle without a version was kept.
#[test]
fn a_bundle_without_a_version_harms_only_where_it_is_kept() {
    let (kept, _) = cut("1.1.0<1.0.0 1.0.0<0.1.0 0.1.0", "1.0.0..1.9.9", "0.1.0");
    assert_eq!(kept, ["1.0.0", "1.1.0"]);
    let broken = |name: &str| (name != "2.0.0").then(|| name.to_owned());
    let channels = [("c", "2.0.0<1.1.1{1.1.0} 1.1.1 1.1.0")];
    let catalog = catalog(&[&package("p", "c", &channels, broken)]);
    let text = refused(&catalog, "p c[1.0.0..1.9.9]");
    assert_eq!(
        text,
        "what remains of the catalog is nothing that OLM accepts: OLM does not accept package `p`: \
         its bundle `2.0.0` has no version: `none` is not a semantic version: unexpected character \
         'n' while parsing major version number"
    );
}

#[test]
fn several_bundles_of_one_version() {
    let entries = "1.0.0+a 1.0.0+b<1.0.0+a 1.0.0+c<1.0.0+b";
    for (versions, expected) in
        [("1.0.0", "1.0.0+c"), ("1.0.0+a", "1.0.0+a"), ("v1.0.0+b", "1.0.0+b"), ("1", "1.0.0+c")]
    {
        assert_eq!(cut(entries, versions, "").0, [expected], "{versions}");
    }
}

#[test]
fn packages() {
    let channels = [("ch1", "b1<b0 b0"), ("ch2", "b3<b2 b2")];
    let version = |name: &str| Some(format!("{}.0.0", name.trim_start_matches('b')));
    let sound = package("pkg1", "ch1", &channels, version);
    let catalog = catalog(&[&sound]);
    let left = |text: &str| crate::fixture::channels(&filtered(&catalog, text).catalog);
    assert_eq!(left("pkg1"), "ch1: b1; ch2: b3");
    assert_eq!(left("pkg1 default=ch2 ch2"), "ch2: b3");
    let moved = filtered(&catalog, "pkg1 default=ch2 ch2").catalog;
    assert_eq!(moved.packages()["pkg1"].default_channel(), "ch2");
    assert_eq!(
        refused(&catalog, "pkg1 ch2"),
        "package `pkg1` would lose its default channel `ch1`"
    );
    assert_eq!(
        refused(&catalog, "pkg1 default=ch2 ch1"),
        "package `pkg1` cannot have the default channel `ch2`: it is not selected"
    );
    assert_eq!(
        refused(&catalog, "pkg1 default=ch2 ch1 ch2[100..]"),
        "package `pkg1`: its default channel `ch2` has no version >=100"
    );
    // What was the default one is no exception when another is asked for.
    assert_eq!(left("pkg1 default=ch2 ch1[100..] ch2"), "ch2: b3");

    let bundle = sound.find("{\n  \"image\"").expect("bundles come last");
    let without_bundles = crate::fixture::catalog(&[&sound[..bundle]]);
    assert!(refused(&without_bundles, "pkg1").contains("there is no bundle `b1`"));
}

#[test]
fn deprecations_go_with_what_they_deprecate() {
    let channels = [("ch1", "b2<b1{b0} b1"), ("ch2", "b5<b4{b3} b4")];
    let version = |name: &str| Some(format!("{}.0.0", name.trim_start_matches('b')));
    let mut text = package("pkg1", "ch1", &channels, version);
    let deprecated = [
        ("olm.package", ""),
        ("olm.channel", "ch1"),
        ("olm.channel", "ch2"),
        ("olm.bundle", "b1"),
        ("olm.bundle", "b2"),
        ("olm.bundle", "b4"),
    ];
    let entries = deprecated.map(|(schema, name)| {
        serde_json::json!({ "reference": { "schema": schema, "name": name }, "message": "gone" })
    });
    let object = serde_json::json!({
        "schema": "olm.deprecations", "package": "pkg1", "entries": entries,
    });
    writeln!(text, "{object} {{\"schema\": \"some.other\"}}").unwrap();
    let filtered = filtered(&catalog(&[&text]), "pkg1 ch1");
    assert_eq!(channels_and_deprecated(&filtered.catalog), "ch1: b2 | ,ch1,b2");
    assert_eq!(filtered.catalog.others().len(), 1);
}

fn channels_and_deprecated(catalog: &Catalog) -> String {
    let lists = catalog.packages().values().flat_map(Package::deprecations);
    let names = lists.flat_map(|list| list.entries()).map(|deprecated| deprecated.name.as_str());
    format!("{} | {}", channels(catalog), names.collect::<Vec<_>>().join(","))
}

/// The catalog of oc-mirror's own end-to-end tests, and objects of another schema.
#[test]
fn foo_bar_baz() {
    let foo = "foo.v0.1.0 foo.v0.2.0<foo.v0.1.0{foo.v0.1.1,foo.v0.1.2} foo.v0.3.0<foo.v0.2.0 \
               foo.v0.3.1<foo.v0.2.0{foo.v0.3.0}";
    let bar = "bar.v0.1.0 bar.v0.2.0<bar.v0.1.0{bar.v0.1.0} bar.v1.0.0<bar.v0.2.0";
    let baz = "baz.v1.0.0 baz.v1.0.1{baz.v1.0.0} baz.v1.1.0<baz.v1.0.1";
    let objects = r#"{"schema": "io.openshift.operators.lifecycles.v1alpha1", "package": "bar"}
                     {"schema": "io.openshift.operators.lifecycles.v1alpha1"}"#;
    let catalog = catalog(&[
        &package("foo", "beta", &[("beta", foo)], version),
        &package("bar", "stable", &[("alpha", bar), ("stable", "bar.v1.0.0")], version),
        &package("baz", "stable", &[("stable", baz)], version),
        objects,
    ]);
    for (text, expected) in [
        ("foo[0.2.0..0.3.1]", "foo.v0.2.0 foo.v0.3.0 foo.v0.3.1"),
        ("foo[0.3.1..0.3.1]", "foo.v0.3.1"),
        ("foo", "foo.v0.3.1"),
        ("foo; bar; baz", "bar.v1.0.0 baz.v1.1.0 foo.v0.3.1"),
    ] {
        assert_eq!(bundles(&filtered(&catalog, text).catalog).join(" "), expected, "{text}");
    }
    assert_eq!(
        refused(&catalog, "foo[0.3.1..0.2.0]").split("; ").next(),
        Some("package `foo`: no version is both >=0.3.1 <=0.2.0")
    );
    let all = filtered(&catalog, "foo; bar; baz").catalog;
    let objects = |name: &str| all.packages()[name].others().len();
    assert_eq!((objects("foo"), objects("bar"), objects("baz"), all.others().len()), (0, 1, 0, 1));
}
