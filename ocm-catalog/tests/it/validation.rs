//! What OLM does not accept.

use ocm_catalog::{Catalog, Defect, validate};

use crate::{
    corpus::{self, corpus},
    fixture::{catalog, chain, package},
};

/// Returns everything that is wrong with a catalog, without the words that all have in common.
fn flaws(catalog: &Catalog) -> Vec<String> {
    let defects = validate(catalog);
    let text = |defect: &Defect| {
        let package = &defect.package;
        chain(defect).replace(&format!("OLM does not accept package `{package}`: "), "")
    };
    defects.iter().map(text).collect()
}

fn version(name: &str) -> Option<String> {
    name.starts_with(|c: char| c.is_ascii_digit()).then(|| name.to_owned())
}

fn of_channels(channels: &[(&str, &str)]) -> Vec<String> {
    flaws(&catalog(&[&package("p", "c", channels, version)]))
}

#[test]
fn channels() {
    let sound = "2.0.0<1.0.0{0.9.0} 1.0.0<gone 0.9.0";
    assert_eq!(of_channels(&[("c", sound)]), [""; 0]);
    for (entries, expected) in [
        ("1.0.0 2.0.0", "its channel `c` makes no sense: it has several heads: `1.0.0`, `2.0.0`"),
        (
            "3.0.0<2.0.0{2.0.0} 2.0.0<1.0.0 1.0.0",
            "nothing on the way to the head of its channel `c` replaces or skips `1.0.0`",
        ),
        (
            "1.0.0<0.0.1 0.0.1<0.0.2 0.0.2<0.0.1",
            "its channel `c` makes no sense: there is a cycle in it: `0.0.1`, `0.0.2`",
        ),
    ] {
        assert_eq!(of_channels(&[("c", entries)]), [expected], "{entries}");
    }
    assert_eq!(of_channels(&[("d", "1.0.0")]), ["its default channel `c` is not there"]);
    assert_eq!(of_channels(&[]), ["it has no channels"]);
}

#[test]
fn names_and_default_channels() {
    let text = package("p", "", &[("c", "1.0.0")], version);
    assert_eq!(flaws(&catalog(&[&text])), ["it has no default channel"]);
    let channel =
        "{\"schema\": \"olm.channel\", \"package\": \"q\", \"name\": \"c\", \"entries\": []}";
    assert_eq!(
        flaws(&catalog(&[channel])),
        ["there is no `olm.package` for it", "its channel `c` makes no sense: it has no entries"]
    );
}

#[test]
fn bundles() {
    let sound = package("p", "c", &[("c", "2.0.0<1.0.0 1.0.0")], version);
    let changed = |from: &str, to: &str| {
        assert!(sound.contains(from), "{from}");
        flaws(&catalog(&[&sound.replacen(from, to, 1)]))
    };
    for (from, to, expected) in [
        (
            "\"packageName\": \"p\"",
            "\"packageName\": \"q\"",
            "its bundle `1.0.0` says that it belongs to package `q`",
        ),
        (
            "\"version\": \"1.0.0\"",
            "\"version\": \"1.0\"",
            "its bundle `1.0.0` has no version: `1.0` is not a semantic version: unexpected end of \
             input while parsing minor version number",
        ),
        (
            "\"version\": \"1.0.0\"",
            "\"version\": \"2.0.0\"",
            "its bundles `1.0.0` and `2.0.0` are both of version 2.0.0",
        ),
        (
            "\"type\": \"olm.package\"",
            "\"type\": \"olm.gvk\"",
            "its bundle `1.0.0` has 0 properties `olm.package` instead of one",
        ),
        (
            "\"image\": \"registry.example/1.0.0-bundle:v1\"",
            "\"image\": \"registry.example/UPPER:v1\"",
            "its bundle `1.0.0` has an image that is none: `registry.example/UPPER:v1`",
        ),
        (
            "\"image\": \"registry.example/1.0.0-bundle:v1\"",
            "\"image\": \"\"",
            "its bundle `1.0.0` has no image",
        ),
        (
            "\"name\": \"2.0.0\",\n      \"replaces\": \"1.0.0\"",
            "\"name\": \"2.0.0\",\n      \"skipRange\": \"<v2\", \"replaces\": \"1.0.0\"",
            "entry `2.0.0` of its channel `c` has a `skipRange` that is none: `<v2` is not a range \
             of versions: `<v` compares nothing",
        ),
    ] {
        assert_eq!(changed(from, to), [expected], "{to}");
    }
    // A name alone means its tag `latest`.
    assert_eq!(changed("registry.example/1.0.0-bundle:v1", "registry.example/b"), [""; 0]);
    assert_eq!(
        changed("\"name\": \"1.0.0\",\n  \"package\"", "\"name\": \"x\",\n  \"package\""),
        [
            "there is no bundle `1.0.0`, which is in its channel `c`",
            "its bundle `x` is in no channel"
        ]
    );
    // Two builds of a version differ in their release.
    let release = "\"version\": \"2.0.0\", \"release\": \"2\"";
    assert_eq!(changed("\"version\": \"1.0.0\"", release), [""; 0]);
}

#[test]
fn deprecations() {
    let sound = package("p", "c", &[("c", "1.0.0")], version);
    let with = |entries: &str| {
        let object = format!(
            "{{\"schema\": \"olm.deprecations\", \"package\": \"p\", \"entries\": {entries}}}"
        );
        flaws(&catalog(&[&sound, &object]))
    };
    let entry = |schema: &str, name: &str| {
        format!(
            "{{\"reference\": {{\"schema\": \"{schema}\", \"name\": \"{name}\"}}, \"message\": \"old\"}}"
        )
    };
    let all = ["olm.package", "olm.channel", "olm.bundle"].map(|schema| {
        entry(
            schema,
            match schema {
                "olm.package" => "",
                "olm.channel" => "c",
                _ => "1.0.0",
            },
        )
    });
    assert_eq!(with(&format!("[{}]", all.join(","))), [""; 0]);
    assert_eq!(with("[]"), [""; 0]);
    for (schema, name, expected) in [
        ("olm.channel", "d", "it deprecates `olm.channel` `d`, which is not there"),
        ("olm.bundle", "d", "it deprecates `olm.bundle` `d`, which is not there"),
        ("olm.package", "p", "it deprecates `olm.package` `p`, which is not there"),
        ("other", "", "it deprecates `other` ``, which is not there"),
    ] {
        assert_eq!(with(&format!("[{}]", entry(schema, name))), [expected]);
    }
    let [_, channel, _] = &all;
    assert_eq!(with(&format!("[{channel}, {channel}]")), ["it deprecates `olm.channel` `c` twice"]);
    let silent = channel.replace("old", "");
    assert_eq!(with(&format!("[{silent}]")), ["it deprecates `olm.channel` `c` without a message"]);
}

/// Catalogs that are in use are accepted: what OLM serves is not refused here.
#[test]
fn catalogs_in_use() {
    let Some(corpus) = corpus() else { return };
    for folder in [
        "fbc/art-fbc-4.17/catalog",
        "fbc/community-operators-prod/catalogs/v4.16",
        "fbc/community-operators-prod/catalogs/v4.18",
        "fbc/konflux-coo-fbc/catalog/coo-product-v4.21",
        "fbc/konflux-tempo/catalog/tempo-product-4.17",
        "fbc/lightspeed-operator/lightspeed-catalog-4.21",
        "fbc/rhods-operator/main/catalog/rhoai-3.5/v4.19",
        "fbc-fixtures/deprecations",
    ] {
        let catalog = corpus::catalog(&corpus.join(folder)).unwrap();
        let refused: Vec<_> =
            validate(&catalog).into_iter().filter(|defect| defect.flaw.is_refused()).collect();
        assert!(refused.is_empty(), "{folder}: {refused:#?}");
    }
}
