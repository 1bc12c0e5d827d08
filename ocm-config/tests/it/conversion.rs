//! From version 1 to version 2: what it meant, and what is said of it.

use ocm_config::{Code, Converted, Document, Severity, convert};

use crate::rendering::meaning;

fn converted(document: &str) -> Converted {
    convert(document.as_bytes()).unwrap_or_else(|faults| panic!("{faults:#?}\n{document}"))
}

fn v1(version: &str, mirror: &str) -> Converted {
    converted(&format!(
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/{version}\nmirror:\n{mirror}"
    ))
}

/// Returns the lines below `mirror:` that are no comments.
fn body(converted: &Converted) -> String {
    let lines = converted.yaml.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.skip(3).flat_map(|line| [line, "\n"]).collect()
}

/// Version, what it has below `mirror`, and what that is in version 2.
const TABLE: &[(&str, &str, &str)] = &[
    ("v1alpha1", "  ocp: {graph: true}\n", "  platform:\n    graph: true\n"),
    (
        "v1alpha1",
        "  ocp: {channels: [{name: stable-4.6, versions: [4.6.36, '4.6.4']}]}\n",
        "  platform:\n    channels:\n    - name: stable-4.6\n      minVersion: 4.6.4\n      \
         maxVersion: 4.6.36\n",
    ),
    (
        "v1alpha1",
        "  operators: [{catalog: 'q.io/a/b:1', headsOnly: false}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    full: true\n",
    ),
    (
        "v1alpha1",
        "  operators: [{catalog: 'q.io/a/b:1', headsonly: true, skipDeps: true, pullSecret: x}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    skipDependencies: true\n",
    ),
    (
        "v1alpha1",
        "  operators: [{catalog: 'q.io/a/b:1', packages: [{name: p, startingVersion: 1.2.3}]}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    packages:\n    - name: p\n      \
         minVersion: 1.2.3\n",
    ),
    (
        "v1alpha1",
        "  operators: [{catalog: 'q.io/a/b:1', packages: [{name: p, versions: [v1.10.0, v1.9.0]}]}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    packages:\n    - name: p\n      \
         minVersion: v1.9.0\n      maxVersion: v1.10.0\n",
    ),
    (
        "v1alpha1",
        "  helm: {repos: [{name: a, url: 'https://c.io', charts: [{name: c, imagepaths: [x]}]}]}\n",
        "  helm:\n    repositories:\n    - name: a\n      url: https://c.io\n      charts:\n      \
         - name: c\n        imagePaths:\n        - x\n",
    ),
    (
        "v1alpha2",
        "  operators: [{catalog: 'q.io/a/b:1', targetName: c, originalRef: 'q.io/d:1'}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    targetCatalog: a/c\n",
    ),
    (
        "v1alpha2",
        "  operators: [{catalog: 'q.io/a/b:1', targetName: c, targetCatalog: d/e}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    targetCatalog: d/e\n",
    ),
    (
        "v1alpha2",
        "  operators: [{catalog: 'q.io/a/b:1', packages: [{name: p, minBundle: p.v1.2.3-4, \
         channels: [{name: c, minBundle: p-q.1.2.4}]}, {name: q, minBundle: q.v2.0.0}]}]\n",
        "",
    ),
    (
        "v1alpha2",
        "  operators: [{catalog: 'q.io/a/b:1', packages: [{name: p, minBundle: p.v1.2.3-4}]}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    packages:\n    - name: p\n      \
         minVersion: 1.2.3-4\n",
    ),
    (
        "v1alpha2",
        "  operators: [{catalog: 'q.io/a/b:1', originalRef: x, full: true, packages: [{name: p}, \
         {name: q, channels: [{name: c, maxVersion: '2'}, {name: d}]}]}]\n",
        "  operators:\n  - catalog: q.io/a/b:1\n    packages:\n    - name: p\n      \
         minVersion: 0.0.0-0\n    - name: q\n      channels:\n      - name: c\n        \
         maxVersion: \"2\"\n      - name: d\n        minVersion: 0.0.0-0\n",
    ),
];

#[test]
fn keys_of_version_1_become_keys_of_version_2() {
    for (version, mirror, expected) in TABLE.iter().filter(|row| !row.2.is_empty()) {
        let converted = v1(version, mirror);
        assert_eq!(body(&converted), *expected, "{mirror}{}", converted.yaml);
        assert!(converted.yaml.contains("was: line 4: "), "{}", converted.yaml);
        let again = converted_again(&converted);
        assert_eq!(body(&again), *expected);
    }
}

fn converted_again(first: &Converted) -> Converted {
    let again = converted(&first.yaml);
    assert_eq!(meaning(&again.document), meaning(&first.document), "{}", first.yaml);
    let is_old =
        |code| matches!(code, Code::OldKey | Code::OldMeaning | Code::ApiVersion | Code::KeyCase);
    assert!(!again.warnings.iter().any(|w| is_old(w.code)), "{:#?}", again.warnings);
    again
}

#[test]
fn both_levels_with_a_bundle_exclude_each_other() {
    let (version, mirror, _) = TABLE[9];
    let document =
        format!("kind: ImageSetConfiguration\napiVersion: a/{version}\nmirror:\n{mirror}");
    let faults = convert(document.as_bytes()).unwrap_err();
    assert!(faults.iter().any(|fault| fault.code == Code::Conflict), "{faults:#?}");
}

#[test]
fn bundles_that_do_not_tell_their_version_are_errors() {
    for bundle in ["etcd", "etcd.stable", "etcd.v1.2"] {
        let document = format!(
            "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v1alpha2\nmirror:\n  \
             operators: [{{catalog: 'q.io/a:1', packages: [{{name: p, minBundle: {bundle}}}]}}]\n"
        );
        let faults = convert(document.as_bytes()).unwrap_err();
        let fault = faults.iter().find(|fault| fault.severity == Severity::Error).unwrap();
        assert_eq!(fault.code, Code::OldKey, "{fault}");
        assert!(fault.help.as_ref().unwrap().contains("minVersion"), "{fault:?}");
    }
}

/// Version 2 reads such a document by its own rules, and so it is here.
#[test]
fn without_keys_of_version_1_the_meaning_is_that_of_version_2() {
    let Document::ImageSet(image_set) =
        v1("v1alpha2", "  additionalImages: [{name: q.io/a/b}]\n").document
    else {
        panic!("it is an image set")
    };
    assert!(image_set.mirror.additional_images[0].wanted.is_err());
    let document = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v1alpha2\n\
                    storageConfig: {}\nmirror:\n  additionalImages: [{name: q.io/a/b}]\n";
    let converted = converted(document);
    let Document::ImageSet(image_set) = &converted.document else { panic!() };
    assert_eq!(image_set.mirror.additional_images[0].name, "q.io/a/b:latest");
    assert!(converted.warnings.iter().any(|w| w.code == Code::OldMeaning));
    converted_again(&converted);
}

#[test]
fn keys_of_a_version_that_the_document_is_not_of_are_refused() {
    for (version, key) in [("v1alpha2", "ocp"), ("v2alpha1", "ocp")] {
        let document = format!(
            "kind: ImageSetConfiguration\napiVersion: x/{version}\nmirror:\n  {key}: {{}}\n"
        );
        let faults = convert(document.as_bytes()).unwrap_err();
        let fault = faults.iter().find(|fault| fault.code == Code::OldKey).unwrap();
        assert_eq!(fault.help.as_deref(), Some("write `platform`"));
    }
}

#[test]
fn comments_of_the_author_stay_where_they_belong() {
    let text = include_str!("../fixtures/commented.yaml");
    assert_eq!(converted(text).yaml, include_str!("../fixtures/commented.out.yaml"));
}
