//! What bundles require of others, and what is added for it.

use ocm_catalog::{Catalog, Closure, Outline, Wanted, assemble, read};

use crate::fixture::{bundles, channels, package, selection};

/// Writes a package; `properties` are those of its bundles, by name.
fn with(name: &str, list: &[(&str, &str)], properties: &[(&str, &str)]) -> String {
    let version = |name: &str| Some(name.split_once(".v")?.1.to_owned());
    let mut text = package(name, list[0].0, list, version);
    for (bundle, property) in properties {
        let at = text.find(&format!("\"image\": \"registry.example/{bundle}-")).unwrap();
        let at = at + text[at..].find("\"properties\": [").unwrap() + "\"properties\": [".len();
        text.insert_str(at, &format!("{property}, "));
    }
    text
}

fn requires_package(name: &str, range: &str) -> String {
    format!(
        "{{\"type\": \"olm.package.required\", \"value\": {{\"packageName\": \"{name}\", \"versionRange\": \"{range}\"}}}}"
    )
}

fn kind(property: &str, kind: &str) -> String {
    format!(
        "{{\"type\": \"{property}\", \"value\": {{\"group\": \"g\", \"version\": \"v1\", \"kind\": \"{kind}\"}}}}"
    )
}

fn catalog(files: &[String], wanted: &Wanted) -> Catalog {
    let paths = (0..).map(|nth| format!("{nth}"));
    let files = paths.zip(files).map(|(path, text)| read(&path, text.as_bytes(), wanted));
    assemble(files).unwrap().catalog
}

/// Adds what is required, and returns the bundles that are there then, what was added, and what is
/// still not there.
fn closed(files: &[String], text: &str) -> (String, Vec<String>, Vec<String>) {
    let paths = (0..).map(|nth| format!("{nth}"));
    let outline =
        paths.zip(files).map(|(path, text)| read(&path, text.as_bytes(), &Wanted::Outline));
    let Closure { selection, added } = Outline::assemble(outline).close(&selection(text)).unwrap();
    let whole = catalog(files, &selection.wanted());
    let left = whole.filter(&selection).unwrap().catalog;
    let added = added.iter().map(ToString::to_string).collect();
    let unmet = left.unmet().iter().map(ToString::to_string).collect();
    (bundles(&left).join(" "), added, unmet)
}

#[test]
fn what_is_required_and_not_there() {
    let foo =
        with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &requires_package("bar", ">=0.1.0"))]);
    let bar = with("bar", &[("c", "bar.v0.2.0<bar.v0.1.0 bar.v0.1.0")], &[]);
    let files = [foo, bar];
    let left = catalog(&files, &Wanted::All).filter(&selection("foo")).unwrap().catalog;
    let unmet: Vec<_> = left.unmet().iter().map(ToString::to_string).collect();
    assert_eq!(unmet, ["bundle `foo.v1.0.0` of package `foo` requires package `bar` >=0.1.0"]);
    let both = catalog(&files, &Wanted::All).filter(&selection("foo; bar")).unwrap().catalog;
    assert_eq!(both.unmet(), []);
    let (left, added, unmet) = closed(&files, "foo");
    assert_eq!(left, "bar.v0.2.0 foo.v1.0.0", "the head of the default channel will do");
    assert_eq!(
        added,
        [
            "added bundle `bar.v0.2.0` of package `bar`, channel `c`: bundle `foo.v1.0.0` of package \
         `foo` requires package `bar` >=0.1.0"
        ]
    );
    assert_eq!(unmet, [""; 0]);
}

#[test]
fn the_newest_that_will_do() {
    let bar = with(
        "bar",
        &[
            ("stable", "bar.v3.0.0<bar.v2.0.0 bar.v2.0.0"),
            ("old", "bar.v1.5.0<bar.v1.0.0 bar.v1.0.0"),
        ],
        &[],
    );
    for (range, expected) in [
        (">=1.0.0", "bar.v3.0.0 foo.v1.0.0"),
        (">=1.0.0 <3.0.0", "bar.v2.0.0 foo.v1.0.0"),
        ("<2.0.0", "bar.v1.5.0 foo.v1.0.0"),
        ("1.0.0", "bar.v1.0.0 foo.v1.0.0"),
        (">=4.0.0", "foo.v1.0.0"),
        ("no range", "foo.v1.0.0"),
    ] {
        let foo =
            with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &requires_package("bar", range))]);
        let (left, added, unmet) = closed(&[foo, bar.clone()], "foo");
        assert_eq!(left, expected, "{range}");
        assert_eq!(added.len() + unmet.len(), 1, "{range}");
    }
}

#[test]
fn kinds_and_what_they_require() {
    let foo =
        with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &kind("olm.gvk.required", "A"))]);
    let a = with(
        "a",
        &[("c", "a.v1.0.0")],
        &[("a.v1.0.0", &kind("olm.gvk", "A")), ("a.v1.0.0", &kind("olm.gvk.required", "B"))],
    );
    let b =
        with("b", &[("c", "b.v2.0.0<b.v1.0.0 b.v1.0.0")], &[("b.v1.0.0", &kind("olm.gvk", "B"))]);
    let other = with("other", &[("c", "other.v1.0.0")], &[("other.v1.0.0", &kind("olm.gvk", "C"))]);
    let files = [foo, a, b, other];
    let (left, added, unmet) = closed(&files, "foo");
    assert_eq!((left.as_str(), added.len(), unmet), ("a.v1.0.0 b.v1.0.0 foo.v1.0.0", 2, vec![]));
    // What is selected stays as it is: its head does not have the kind.
    let (left, added, unmet) = closed(&files, "foo; b");
    assert_eq!((left.as_str(), added.len()), ("a.v1.0.0 b.v2.0.0 foo.v1.0.0", 1));
    assert_eq!(unmet, ["bundle `a.v1.0.0` of package `a` requires kind `B` of `g/v1`"]);
}

#[test]
fn several_bundles_of_one_package() {
    let list = "b.v3.0.0<b.v2.0.0 b.v2.0.0<b.v1.0.0{b.v1.5.0} b.v1.5.0 b.v1.0.0<b.v0.1.0 b.v0.1.0";
    let b = with("b", &[("c", list)], &[]);
    let foo = with(
        "foo",
        &[("c", "foo.v1.0.0")],
        &[
            ("foo.v1.0.0", &requires_package("b", "1.0.0")),
            ("foo.v1.0.0", &requires_package("b", "2.0.0")),
        ],
    );
    let (left, added, unmet) = closed(&[foo, b], "foo");
    assert_eq!((left.as_str(), unmet.len()), ("b.v1.0.0 b.v2.0.0 foo.v1.0.0", 0));
    assert_eq!(added.len(), 2);
}

#[test]
fn constraints() {
    let constraint = |value: &str| format!("{{\"type\": \"olm.constraint\", \"value\": {value}}}");
    let package = |name: &str| {
        format!("{{\"package\": {{\"packageName\": \"{name}\", \"versionRange\": \">=0.0.0\"}}}}")
    };
    let a = with("a", &[("c", "a.v1.0.0")], &[]);
    let b = with("b", &[("c", "b.v1.0.0")], &[("b.v1.0.0", &kind("olm.gvk", "B"))]);
    let both = format!("{{\"all\": {{\"constraints\": [{}, {}]}}}}", package("a"), package("b"));
    let one = format!("{{\"any\": {{\"constraints\": [{}, {}]}}}}", package("gone"), package("b"));
    let nested = format!(
        "{{\"any\": {{\"constraints\": [{{\"all\": {{\"constraints\": [{}, {}]}}}}, {}]}}}}",
        package("a"),
        package("gone"),
        package("b")
    );
    let gvk = "{\"gvk\": {\"group\": \"g\", \"version\": \"v1\", \"kind\": \"B\"}}";
    for (value, expected) in [
        (both.as_str(), "a.v1.0.0 b.v1.0.0 foo.v1.0.0"),
        (&one, "b.v1.0.0 foo.v1.0.0"),
        (&nested, "b.v1.0.0 foo.v1.0.0"),
        (gvk, "b.v1.0.0 foo.v1.0.0"),
        ("{\"cel\": {\"rule\": \"true\"}}", "foo.v1.0.0"),
        ("[]", "foo.v1.0.0"),
    ] {
        let foo = with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &constraint(value))]);
        let (left, _, unmet) = closed(&[foo, a.clone(), b.clone()], "foo");
        assert_eq!((left.as_str(), unmet.len()), (expected, 0), "{value}");
    }
    let deep = format!(
        "{}{}{}",
        "{\"all\": {\"constraints\": [".repeat(20),
        package("gone"),
        "]}}".repeat(20)
    );
    let foo = with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &constraint(&deep))]);
    assert_eq!(closed(&[foo], "foo").2, [""; 0], "what is too deep is not looked at");
}

/// What is broken elsewhere is left out of an outline.
#[test]
fn an_outline_of_a_broken_catalog() {
    let foo =
        with("foo", &[("c", "foo.v1.0.0")], &[("foo.v1.0.0", &requires_package("bar", ">=0.1.0"))]);
    let bar = with("bar", &[("c", "bar.v0.2.0")], &[]);
    let files = [("1", foo.as_str()), ("2", bar.as_str()), ("3", "nonsense"), ("4", bar.as_str())];
    let files = files.iter().map(|(path, text)| read(path, text.as_bytes(), &Wanted::Outline));
    let closure = Outline::assemble(files).close(&selection("foo")).unwrap();
    assert_eq!(closure.added.len(), 1);
    let left = catalog(&[foo, bar], &closure.selection.wanted());
    let left = left.filter(&closure.selection).unwrap().catalog;
    assert_eq!(channels(&left), "c: bar.v0.2.0; c: foo.v1.0.0");
}
