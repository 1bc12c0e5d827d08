use proptest::{collection::vec, prelude::*};
use serde_yaml::{Mapping, Value as Tree};

use super::*;
use crate::{
    Catalog, Catalogs, Naming,
    testing::{catalog, stamp},
};

const HEADER: &str = "apiVersion: operators.coreos.com/v1alpha1\nkind: CatalogSource\n";

fn template(rest: &str) -> Template {
    let text = format!("{HEADER}{rest}");
    Template::parse("t.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Returns the text of the `CatalogSource` that is made of a template.
fn written(template: Template) -> String {
    let place = "reg/ns/redhat/redhat-operator-index:v4.15";
    let template = Some(template);
    let catalog = Catalog { template, ..catalog("quay.io/a/b:1", place) };
    let names = Catalogs::name(vec![catalog], Naming::Place).unwrap();
    names.as_slice()[0].documents(&stamp()).swap_remove(0).text
}

/// Returns the part of `spec` that says how a catalog without a program is served.
fn served(template: Option<Template>) -> String {
    let files = Some("/configs".to_owned());
    let catalog = Catalog { template, files, ..catalog("quay.io/a/b:1", "reg/ns/own:v1") };
    let names = Catalogs::name(vec![catalog], Naming::Place).unwrap();
    let text = names.as_slice()[0].documents(&stamp()).swap_remove(0).text;
    let tree: Tree = serde_yaml::from_str(&text).unwrap();
    serde_json::to_string(&tree["spec"]["grpcPodConfig"]).unwrap()
}

#[test]
fn a_catalog_without_a_program_is_served_by_the_clusters() {
    let ours = r#"{"extractContent":{"catalogDir":"/configs"}}"#;
    assert_eq!(served(None), ours);
    assert_eq!(served(Some(template("spec: {grpcPodConfig: null}\n"))), ours);
    let other = "spec: {grpcPodConfig: {nodeSelector: {a: b}}}\n";
    let both = r#"{"extractContent":{"catalogDir":"/configs"},"nodeSelector":{"a":"b"}}"#;
    assert_eq!(served(Some(template(other))), both);
    let own = "spec: {grpcPodConfig: {extractContent: {catalogDir: /c, cacheDir: /d}}}\n";
    let said = r#"{"extractContent":{"cacheDir":"/d","catalogDir":"/c"}}"#;
    assert_eq!(served(Some(template(own))), said);
    assert!(!written(template("")).contains("extractContent"));
}

/// Returns what is said of `text`, which is no template.
fn refused(text: impl AsRef<[u8]>) -> Vec<String> {
    let error = Template::parse("t.yaml", text.as_ref()).unwrap_err();
    let faults: Vec<_> = error.faults.iter().map(ToString::to_string).collect();
    let begins = "cannot use `t.yaml` as the template of a CatalogSource: ";
    assert_eq!(error.to_string(), format!("{begins}{}", faults.join("; ")));
    faults
}

#[test]
fn worked_example() {
    let template = template(
        "metadata:
  name: ignored
  labels: {team: a}
spec:
  image: ignored
  displayName: Ours
  updateStrategy:
    registryPoll: {interval: 30m0s}
",
    );
    let expected = "\
apiVersion: operators.coreos.com/v1alpha1
kind: CatalogSource
metadata:
  annotations:
    createdAt: \"2026-08-21T10:11:12Z\"
    createdBy: ocm
    oc-mirror_version: v0.1.0
  labels:
    team: a
  name: cs-redhat-operator-index-v4-15
  namespace: openshift-marketplace
spec:
  displayName: Ours
  image: reg/ns/redhat/redhat-operator-index:v4.15
  sourceType: grpc
  updateStrategy:
    registryPoll:
      interval: 30m0s
";
    assert_eq!(written(template), expected);
}

/// What oc-mirror loses, mangles, or ends at.
#[test]
fn nothing_of_it_is_lost() {
    let template = Template::parse("t.yaml", include_bytes!("golden/template.yaml")).unwrap();
    let expected = include_str!("golden/cs-redhat-operator-index-v4-15.yaml");
    assert_eq!(written(template), expected);
}

#[test]
fn what_a_server_fills_in_is_left_out_and_told() {
    let template = template(
        "metadata: {uid: 1-2, resourceVersion: '5', creationTimestamp: null, generateName: x}
status: {message: fine}
",
    );
    assert_eq!(template.left_out(), ["metadata.resourceVersion", "metadata.uid", "status"]);
    let text = written(template);
    assert!(text.contains("  generateName: x\n"));
    for key in ["uid", "resourceVersion", "creationTimestamp", "status"] {
        assert!(!text.contains(key), "{text}");
    }
    assert_eq!(
        Template::parse("", format!("{HEADER}status: {{}}").as_bytes()).unwrap().left_out(),
        [""; 0]
    );
}

#[test]
fn anchors_merges_and_tags_mean_what_they_mean() {
    let template = template(
        "metadata: &m
  labels: &l {a: b, c: d}
spec:
  one: {<<: *l, a: own}
  two: {<<: [{a: first}, *l]}
  three: [*l, !!str 5, !!int 5, !!seq [], &s word, *s]
",
    );
    let tree: Tree = serde_yaml::from_str(&written(template)).unwrap();
    let expected: Tree = serde_yaml::from_str(
        "{one: {a: own, c: d}, two: {a: first, c: d}, three: [{a: b, c: d}, '5', 5, [], word, word]}",
    )
    .unwrap();
    for key in ["one", "two", "three"] {
        assert_eq!(tree["spec"][key], expected[key], "{key}");
    }
}

#[test]
fn what_says_nothing_is_no_fault() {
    for rest in ["", "metadata:\nspec: ~\n", "metadata: {annotations: , labels: null}\n", "---\n"] {
        assert_eq!(template(rest).left_out(), [""; 0]);
    }
    let spec = "spec: {sourceType: '', configMap: }\n";
    assert!(written(template(spec)).contains("  configMap: null\n"));
    let text = format!("\u{feff}{HEADER}");
    assert!(Template::parse("t.yaml", text.as_bytes()).is_ok());
}

#[test]
fn all_faults_come_with_line_and_field() {
    let text = "apiVersion: config.openshift.io/v1
kind: [ImageDigestMirrorSet]
metadata:
  labels: x
  annotations: [y]
spec:
  sourceType: internal
  configMap: mine
";
    let expected = [
        "line 1, apiVersion: expected operators.coreos.com/v1alpha1, not `config.openshift.io/v1`",
        "line 2, kind: expected CatalogSource, not a list",
        "line 5, metadata.annotations: expected a mapping, not a list",
        "line 4, metadata.labels: expected a mapping, not `x`",
        "line 7, spec.sourceType: expected grpc, not `internal`",
        "line 8, spec.configMap: expected nothing, not `mine`",
    ];
    assert_eq!(refused(text), expected);
    let missing = [
        "line 1, apiVersion: this is missing; expected operators.coreos.com/v1alpha1",
        "line 1, kind: this is missing; expected CatalogSource",
    ];
    assert_eq!(refused(""), missing);
    assert_eq!(refused("# nothing\n---\n"), missing.map(|fault| fault.replace("line 1", "line 2")));
}

#[test]
fn what_cannot_be_read_is_said_where_it_is() {
    let table: [(&str, &str); 12] = [
        ("a: 1\nb: [\n", "line 2, b[0]: this is not YAML: "),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "line 4, b.c: this is already there, in line 3"),
        ("a: 1\n---\nb: 2\n", "line 3: another document begins here; expected only one"),
        ("a: [x, *b]\n", "line 1, a[1]: nothing before this has that name"),
        ("a: &a [*a]\n", "line 1, a[0]: nothing before this has that name"),
        ("a: !mine b\n", "line 1, a: this tag means nothing here; expected a plain value"),
        ("a: !!binary b\n", "line 1, a: this tag means nothing here; expected a plain value"),
        ("a: !!int b\n", "line 1, a: this tag means nothing here; expected a plain value"),
        ("a: !!set {b}\n", "line 1, a: this tag means nothing here; expected a plain value"),
        ("a: {[b]: c}\n", "line 1, a: this cannot be a key; expected text"),
        ("a: {\"\\e[31m\": c}\n", "line 1, a: this cannot be a key; expected text"),
        ("a: {<<: b}\n", "line 1, a: expected a mapping, or a list of mappings, not `b`"),
    ];
    for (text, expected) in table {
        let faults = refused(text);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with(expected), "{}", faults[0]);
    }
    assert_eq!(refused(b"a: 1\nb: \xff\n"), ["line 2: this is not UTF-8"]);
    assert_eq!(refused("[a]"), ["line 1: expected a mapping, not a list"]);
}

/// A message goes to a terminal.
#[test]
fn messages_repeat_a_template_cut_and_tamed() {
    let value = format!("\"\\e[31m{}\"", "é".repeat(100));
    let faults = refused(format!("apiVersion: {value}\nkind: CatalogSource\n"));
    let shown = format!("`\\u{{1b}}[31m{}…`", "é".repeat(75));
    let expected = "line 1, apiVersion: expected operators.coreos.com/v1alpha1, not ";
    assert_eq!(faults, [format!("{expected}{shown}")]);
}

#[test]
fn hostile_templates_are_refused_soon() {
    let level = |level: u32| {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("a{level}: &a{level} [{items}]\n")
    };
    let bomb = format!("a0: &a0 [x, x]\n{}", (1..20).map(level).collect::<String>());
    let [fault] = &refused(bomb)[..] else { panic!() };
    assert!(fault.ends_with("with all aliases written out this is more than 1024 KiB"), "{fault}");

    let nested = format!("a: {}{}", "[".repeat(64), "]".repeat(64));
    let [fault] = &refused(nested)[..] else { panic!() };
    assert!(fault.ends_with("this is nested more than 64 deep"), "{fault}");
    let half = |inner: &str| format!("{}{inner}{}", "[".repeat(40), "]".repeat(40));
    let [fault] = &refused(format!("a: &a {}\nb: {}\n", half("x"), half("*a")))[..] else {
        panic!()
    };
    assert!(fault.ends_with("this is nested more than 64 deep"), "{fault}");
    refused("[".repeat(100_000));
    refused("{a: ".repeat(100_000));

    let large = format!("a: {}\n", "x".repeat(2 << 20));
    assert!(refused(large)[0].ends_with("more than 1024 KiB"));
    let long = format!("{}: x\n", "k".repeat(318));
    assert!(refused(long)[0].ends_with("this cannot be a key; expected text"));
    assert!(
        refused(format!("{HEADER}? {}\n: x\n", "k ".repeat(1000)))[0].contains("cannot be a key")
    );
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Tree::from),
        any::<i64>().prop_map(Tree::from),
        (-1e9..1e9).prop_map(Tree::from),
        Just(Tree::Null),
        // YAML 1.1 breaks lines at three characters more, and the library that writes here folds
        // them so that no reader of 1.2 finds them again.
        any::<Vec<char>>().prop_map(|text| {
            let is_kept = |c: &char| !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}');
            Tree::from(text.into_iter().filter(is_kept).collect::<String>())
        }),
        proptest::sample::select(vec![
            "yes",
            "4.10",
            "2026-08-21",
            "0x1f",
            "~",
            "a: b",
            ".inf",
            "=",
            "<<"
        ])
        .prop_map(Tree::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Tree::from),
            mappings(inner).prop_map(Tree::Mapping),
        ]
    })
}

fn mappings(values: impl Strategy<Value = Tree>) -> impl Strategy<Value = Mapping> {
    let key = prop_oneof!["x[a-z]{0,3}", "[0-9]{1,3}", "y|no|on|true|null|~", "x[ -~éß€]{0,20}"];
    let entry = (key.prop_map(Tree::from), values);
    vec(entry, 0..6).prop_map(|entries| entries.into_iter().collect())
}

fn overwrite(tree: &mut Tree, path: &[&str], text: &str) {
    let mut at = tree;
    for key in path {
        at = &mut at[*key];
    }
    *at = Tree::from(text);
}

proptest! {
    /// Whatever is in it, unknown fields included, is in what is written, as the same value.
    #[test]
    fn what_is_written_is_read_as_the_same_tree(
        metadata in mappings(trees()), spec in mappings(trees()), rest in mappings(trees()),
    ) {
        let mut tree = Tree::Mapping(rest);
        tree["metadata"] = Tree::Mapping(metadata);
        tree["spec"] = Tree::Mapping(spec);
        overwrite(&mut tree, &["kind"], "CatalogSource");
        overwrite(&mut tree, &["apiVersion"], "operators.coreos.com/v1alpha1");
        let text = serde_yaml::to_string(&tree).unwrap();
        let template = Template::parse("t.yaml", text.as_bytes());
        let template = template.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(template.left_out(), [""; 0]);
        tree["metadata"]["annotations"] = Tree::Mapping(Mapping::new());
        for (key, value) in stamp().annotations() {
            overwrite(&mut tree, &["metadata", "annotations", key], value);
        }
        overwrite(&mut tree, &["metadata", "name"], "cs-redhat-operator-index-v4-15");
        overwrite(&mut tree, &["metadata", "namespace"], "openshift-marketplace");
        overwrite(&mut tree, &["spec", "image"], "reg/ns/redhat/redhat-operator-index:v4.15");
        overwrite(&mut tree, &["spec", "sourceType"], "grpc");
        let written = written(template);
        let read: Tree = serde_yaml::from_str(&written).unwrap();
        prop_assert_eq!(read, tree, "{}\n{}", text, written);
    }

    /// Bytes of anybody are refused, or read.
    #[test]
    fn no_text_ends_it(text in "[-a:{}\\[\\]*&!|>'\"%@#?, \n\t<]{0,60}") {
        Template::parse("t.yaml", format!("{HEADER}{text}").as_bytes()).map(written).ok();
        Template::parse("t.yaml", text.as_bytes()).map(written).ok();
    }
}
