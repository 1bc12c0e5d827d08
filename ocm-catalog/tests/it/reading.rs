//! Files of catalogs: whatever order they come in, and whatever is wrong with some of them.

use ocm_catalog::{BrokenCatalog, Wanted, assemble, read};

use crate::fixture::{chain, package};

type File<'a> = (&'a str, &'a str);

fn assembled(files: &[File<'_>], wanted: &Wanted) -> Result<ocm_catalog::Assembled, BrokenCatalog> {
    assemble(files.iter().map(|(path, text)| read(path, text.as_bytes(), wanted)))
}

fn named(name: &str) -> Wanted {
    Wanted::Named([name.to_owned()].into())
}

/// Returns everything that is wrong, with its causes.
fn faults(files: &[File<'_>], wanted: &Wanted) -> Vec<String> {
    let broken = assembled(files, wanted).map(|_| ()).expect_err("it is broken");
    broken.errors().iter().map(|error| chain(error)).collect()
}

fn sound(name: &str) -> String {
    package(name, "stable", &[("stable", "b<a a")], |name| Some(format!("{}.0.0", name.len())))
}

#[test]
fn the_order_of_files_does_not_matter() {
    let (foo, bar) = (sound("foo"), sound("bar"));
    let others = ["{\"schema\": \"x\", \"n\": 1}", "{\"schema\": \"x\", \"n\": 2}"];
    let files =
        [("foo/c.json", foo.as_str()), ("bar.json", &bar), ("1", others[1]), ("2", others[0])];
    let catalog = assembled(&files, &Wanted::All).unwrap().catalog;
    for turn in 1..files.len() {
        let mut turned = files;
        turned.rotate_left(turn);
        assert!(assembled(&turned, &Wanted::All).unwrap().catalog == catalog);
    }
}

#[test]
fn json_and_yaml_in_one_file() {
    let yaml = "
schema: olm.package
name: foo
defaultChannel: stable # the only one
---
{\"schema\": \"olm.channel\", \"package\": \"foo\", \"name\": \"stable\", \"entries\": [{\"name\": \"a\"}]}
{\"schema\": \"olm.bundle\", \"package\": \"foo\", \"name\": \"a\", \"image\": \"quay.io/foo/a:v1\",
 \"properties\": [{\"type\": \"olm.package\", \"value\": {\"packageName\": \"foo\", \"version\": \"1.0.0\"}}]}
---
schema: other
package: foo
text: |
  ---
  schema: olm.package
";
    let catalog = assembled(&[("any/name.txt", yaml)], &Wanted::All).unwrap().catalog;
    let foo = &catalog.packages()["foo"];
    assert_eq!((foo.bundles().len(), foo.channels().len(), foo.others().len()), (1, 1, 1));
    let files: Vec<_> = catalog.render().collect();
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["foo/catalog.json", "foo/catalog.yaml"]);
    let text = String::from_utf8_lossy(&files[1].bytes);
    assert!(text.starts_with("---\nschema: olm.package\nname: foo\n"), "{text}");
    assert!(text.contains("# the only one"), "as it was written: {text}");
}

#[test]
fn what_is_broken_names_itself() {
    let bundle =
        "{\"schema\": \"olm.bundle\", \"package\": \"foo\", \"name\": \"a\", \"properties\": [1]}";
    let channel = "schema: olm.channel\npackage: foo\nname: stable\nentries:\n- replaces: a\n";
    for (text, expected) in [
        (
            bundle,
            "could not read `olm.bundle` `a` of package `foo` at line 1 of `foo/c`: its `properties` \
             cannot be read: invalid type: integer `1`, expected an object at line 1 column 2",
        ),
        (
            channel,
            "could not read `olm.channel` `stable` of package `foo` at line 1 of `foo/c`: its \
             `entries` cannot be read: an entry has no `name` at line 1 column 17",
        ),
        (
            "---\n\n---\nname: x\n",
            "could not read an object at line 4 of `foo/c`: it has no `schema`",
        ),
        (
            "schema: a\n---\nschema: olm.bundle\nname: x\n",
            "could not read `olm.bundle` `x` at line 3 of `foo/c`: it has no `package`",
        ),
        (
            "{\"schema\": \"olm.channel\", \"package\": \"foo\"}",
            "could not read `olm.channel` of package `foo` at line 1 of `foo/c`: it has no `name`",
        ),
        ("- a\n", "could not read an object at line 1 of `foo/c`: it is not an object"),
        (
            "{\"schema\": \"x\", \"schema\": \"x\"}",
            "could not read an object at line 1 of `foo/c`: it has `schema` twice",
        ),
        (
            "schema: x\nname: 4.8\n",
            "could not read an object at line 1 of `foo/c`: its `name` is no text: invalid type: \
             floating point `4.8`, expected a text at line 1 column 3",
        ),
    ] {
        assert_eq!(faults(&[("foo/c", text)], &Wanted::All), [expected]);
    }
    let cut = &faults(&[("c", "{\"schema\": \"x\"}\n{\"schema\": ")], &Wanted::All)[0];
    assert!(
        cut.starts_with("could not read an object at line 2 of `c`: it is not JSON: EOF"),
        "{cut}"
    );
    let yaml = &faults(&[("c", "schema: [\n")], &Wanted::All)[0];
    assert!(yaml.contains("at line 1 of `c`: it is not YAML: "), "{yaml}");
}

#[test]
fn what_is_there_twice_names_both_places() {
    let foo = sound("foo");
    let found = faults(&[("a/c", &foo), ("b/c", &foo)], &Wanted::All);
    assert_eq!(found.len(), 4, "package, channel, two bundles: {found:?}");
    assert_eq!(
        found[0],
        "could not read `olm.package` `foo` at line 1 of `b/c`: it is in `a/c` as well"
    );
}

/// What is broken harms nobody who does not want it.
#[test]
fn what_is_broken_elsewhere_is_ignored() {
    let (foo, bar) = (sound("foo"), sound("bar"));
    let bar = bar.as_str();
    let broken_bundle = foo.replace("\"properties\": [", "\"properties\": [1,");
    let broken_yaml = "schema: olm.bundle\npackage: foo\nname: x\nproperties: [\n---\nname: x\n";
    for (file, ignored) in [
        (("foo/c", broken_bundle.as_str()), 0),
        (("foo/c", broken_yaml), 1),
        (("foo/c", "nonsense"), 1),
        (("foo/c", &format!("{foo}\n{{\"schema\": }}")), 1),
        (("c", &format!("{foo}\n{{\"schema\": }}")), 1),
    ] {
        let files = [file, ("bar/c", bar)];
        let found = assembled(&files, &named("bar")).unwrap_or_else(|e| panic!("{file:?}: {e:?}"));
        assert_eq!(found.ignored.len(), ignored, "{file:?}");
        assert_eq!(found.catalog.packages().keys().collect::<Vec<_>>(), ["bar"]);
        assert!(!faults(&files, &named("foo")).is_empty() || file.1 == "nonsense");
        assert!(!faults(&files, &Wanted::All).is_empty());
    }
    // It may belong to what is wanted.
    for file in [("c", "nonsense"), ("bar/d", "nonsense"), ("c", &format!("{bar}\n{{\"x\": }}"))] {
        assert!(!faults(&[file], &named("bar")).is_empty(), "{file:?}");
    }
}

#[test]
fn files_that_are_none_of_the_catalog() {
    let foo = sound("foo");
    let files = [
        ("foo/c", foo.as_str()),
        ("foo/README.md", "# Not a catalog"),
        ("foo/.indexignore", "*.md\n"),
        (".indexignore", "/notes\n*.txt\n"),
        ("notes/any", "nonsense"),
    ];
    let catalog = assembled(&files, &Wanted::All).unwrap().catalog;
    assert_eq!(catalog.packages().len(), 1);
    assert_eq!(faults(&[("foo/README.md", "# Not a catalog\ntext")], &Wanted::All).len(), 1);
}

/// Icons are not looked at, and neither is what nobody asks for.
/// A package is written to a directory of its name, and never beside it.
#[test]
fn names_of_packages_that_lead_elsewhere_are_refused() {
    for name in ["..", "../foo", "/tmp/foo", "a/b", "a\\b", "a\nb"] {
        let name = serde_json::Value::from(name);
        let objects = [
            format!(r#"{{"schema": "olm.package", "name": {name}}}"#),
            format!(r#"{{"schema": "io.other", "package": {name}}}"#),
            format!("schema: io.other\npackage: {name}\n"),
            format!("schema: olm.channel\npackage: {name}\nname: a\n"),
        ];
        for object in objects {
            let found = faults(&[("c", &object)], &Wanted::All);
            assert!(found[0].contains("cannot be that of a directory"), "{object}: {found:?}");
            let files = [("c", &*object), ("foo/c", &*sound("foo"))];
            let others = assembled(&files, &named("foo"));
            assert!(others.is_ok_and(|others| others.ignored.len() == 1), "{object}");
        }
    }
}

#[test]
fn rules_without_end_are_refused() {
    let rules = "*a\n".repeat(6_000);
    let found = faults(&[("foo/.indexignore", &rules)], &Wanted::All);
    assert!(found[0].contains("longer than 16 KiB"), "{found:?}");
}

#[test]
fn names_of_packages_are_known_without_their_content() {
    let (foo, bar) = (sound("foo"), sound("bar"));
    let files = [("foo/c", foo.as_str()), ("bar/c", bar.as_str())];
    let catalog = assembled(&files, &named("foo")).unwrap().catalog;
    assert_eq!(catalog.packages().len(), 1);
    assert_eq!(catalog.known_packages().iter().collect::<Vec<_>>(), ["bar", "foo"]);
}
