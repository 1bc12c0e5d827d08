//! What is said of a document that cannot be used: every fault, in its place.

use ocm_config::{Code, Severity};

use crate::{HEADER, refused};

/// Below the header: code, line, column, path, a part of the message, a part of the help.
type Expected = (Code, u32, u32, &'static str, &'static str, &'static str);

const TABLE: &[(&str, Expected)] = &[
    (
        "mirror:\n  additionalImage: []\n",
        (
            Code::UnknownKey,
            4,
            3,
            "mirror.additionalImage",
            "expected `platform`",
            "`additionalImages`",
        ),
    ),
    (
        "mirror:\n  additionalImages:\n  - nmae: a\n",
        (Code::UnknownKey, 5, 5, "mirror.additionalImages[0].nmae", "`targetRepo`", "`name`"),
    ),
    (
        "mirror:\n  blockedImages:\n  - {name: a, targetRepo: b}\n",
        (Code::UnknownKey, 5, 15, "mirror.blockedImages[0].targetRepo", "expected `name`", ""),
    ),
    ("mirror:\nmetadata: {}\n", (Code::UnknownKey, 4, 1, "metadata", "`archiveSize`", "")),
    (
        "storageConfig: {}\nmirror:\n",
        (Code::OldKey, 3, 1, "storageConfig", "v1alpha2", "recognised"),
    ),
    ("mirror:\n  ocp: {}\n", (Code::OldKey, 4, 3, "mirror.ocp", "v1alpha1", "platform")),
    ("archiveSize: 4\n", (Code::MissingKey, 1, 1, "", "`mirror`", "below")),
    (
        "mirror:\n  additionalImages:\n  - targetTag: a\n",
        (Code::MissingKey, 5, 5, "mirror.additionalImages[0]", "`name`", ""),
    ),
    (
        "mirror:\n  additionalImages: []\n  additionalImages: []\n",
        (Code::DuplicateKey, 5, 3, "mirror.additionalImages", "in line 4", "once"),
    ),
    (
        "mirror:\n  additionalImages:\n  - name: q.io/a:1\n    NAME: q.io/b:1\n",
        (Code::DuplicateKey, 6, 5, "mirror.additionalImages[0].NAME", "in line 5", "case"),
    ),
    ("mirror:\nmirror:\n", (Code::DuplicateKey, 4, 1, "mirror", "in line 3", "once")),
    (
        "mirror:\n  additionalImages:\n    name: q.io/a:1\n",
        (Code::WrongType, 5, 5, "mirror.additionalImages", "expected a list", "`- `"),
    ),
    (
        "mirror:\n  additionalImages: q.io/a:1\n",
        (Code::WrongType, 4, 21, "mirror.additionalImages", "expected a list, found text", ""),
    ),
    (
        "mirror:\n  additionalImages:\n  - q.io/a:1\n",
        (Code::WrongType, 5, 5, "mirror.additionalImages[0]", "a `name`", "`- name: q.io/a:1`"),
    ),
    (
        "mirror:\n  additionalImages:\n  -\n  - name: q.io/a:1\n",
        (Code::WrongType, 5, 4, "mirror.additionalImages[0]", "found nothing", "`- name: …`"),
    ),
    (
        "mirror:\n  additionalImages:\n  - name: 4\n",
        (Code::WrongType, 5, 11, "mirror.additionalImages[0].name", "found a number", "\"4\""),
    ),
    (
        "mirror:\n  additionalImages:\n  - name: [q.io/a:1]\n",
        (Code::WrongType, 5, 11, "mirror.additionalImages[0].name", "found a list", ""),
    ),
    (
        "mirror:\n  additionalImages:\n  - name: q.io/a:1\n    targetTag: on\n",
        (Code::WrongType, 6, 16, "mirror.additionalImages[0].targetTag", "yes or no", "\"on\""),
    ),
    (
        "mirror:\n  additionalImages:\n  - name: q.io/a:1\n    platforms: [linux/amd64]\n",
        (
            Code::WrongType,
            6,
            17,
            "mirror.additionalImages[0].platforms[0]",
            "expected a mapping",
            "",
        ),
    ),
    ("mirror: []\n", (Code::WrongType, 3, 9, "mirror", "expected a mapping, found a list", "")),
    ("mirror: {{ images }}\n", (Code::WrongType, 3, 10, "mirror", "cannot be a key", "template")),
    ("mirror: !custom {}\n", (Code::WrongType, 3, 17, "mirror", "tag", "")),
    ("mirror: *nowhere\n", (Code::Syntax, 3, 9, "mirror", "`nowhere`", "\"*nowhere\"")),
    (
        "mirror: &self {additionalImages: *self}\n",
        (Code::Syntax, 3, 34, "mirror.additionalImages", "contain itself", "write out"),
    ),
    ("mirror:\n  <<: text\n", (Code::WrongType, 4, 7, "mirror", "`<<`", "")),
    (
        "mirror:\n  additionalImages:\n\t- name: q.io/a:1\n",
        (Code::Syntax, 5, 2, "mirror.additionalImages", "not YAML", "blanks"),
    ),
    (
        "mirror: {additionalImages: [\n",
        (Code::Syntax, 3, 28, "mirror.additionalImages[0]", "`[` is not closed", "`]`"),
    ),
    ("mirror: 'open\n", (Code::Syntax, 3, 1, "", "not closed", "close them")),
    (
        "mirror:\n---\nkind: ImageSetConfiguration\n",
        (Code::SeveralDocuments, 5, 1, "", "another document", "`---`"),
    ),
    (
        "mirror:\n  blockedImages:\n  - name: a(\n",
        (Code::Pattern, 5, 11, "mirror.blockedImages[0].name", "character 2", "before a bracket"),
    ),
    (
        "mirror:\n  blockedImages:\n  - name: '*nvidia*'\n",
        (Code::Pattern, 5, 11, "mirror.blockedImages[0].name", "nothing before `*`", ".*"),
    ),
    (
        "mirror:\n  helm: {local: [{path: a, imagePaths: ['{.image']}]}\n",
        (
            Code::Pattern,
            4,
            41,
            "mirror.helm.local[0].imagePaths[0]",
            "`{` is not closed",
            "`{.spec.",
        ),
    ),
    ("mirror:\narchiveSize: -1\n", (Code::InvalidValue, 4, 14, "archiveSize", "`-1`", "4")),
    ("mirror:\narchiveSize: 4.5\n", (Code::InvalidValue, 4, 14, "archiveSize", "`4.5`", "4")),
    ("mirror:\narchiveSize: 010\n", (Code::InvalidValue, 4, 14, "archiveSize", "`010`", "4")),
    (
        "mirror:\narchiveSize: 500000000000\n",
        (Code::InvalidValue, 4, 14, "archiveSize", "too large", "not bytes"),
    ),
    ("mirror:\narchiveSize: '4'\n", (Code::WrongType, 4, 14, "archiveSize", "number of GiB", "")),
];

#[test]
fn each_fault_alone() {
    for (body, (code, line, column, path, message, help)) in TABLE {
        let document = format!("{HEADER}{body}");
        let faults = refused(&document);
        let [fault] = faults.as_slice() else { panic!("{document}{faults:#?}") };
        assert_eq!(fault.severity, Severity::Error);
        let found = (fault.code, fault.location.line, fault.location.column);
        assert_eq!(found, (*code, *line, *column), "{document}{fault:#?}");
        assert_eq!(fault.location.path, *path, "{document}");
        assert!(fault.message.contains(message), "{document}{fault:#?}");
        let found = fault.help.as_deref().unwrap_or_default();
        assert!(!found.is_empty(), "{document}{fault:#?}");
        assert!(found.contains(help), "{document}{fault:#?}");
        assert!(!fault.to_string().contains('\n'), "{fault}");
    }
}

/// Whole documents that are something else.
#[test]
fn what_is_no_configuration_at_all() {
    let table: &[(&[u8], Code)] = &[
        (b"", Code::Empty),
        (b"\n# nothing\n", Code::Empty),
        (b"---\n---\n", Code::Empty),
        (b"{}", Code::MissingKey),
        (b"just text", Code::WrongType),
        (b"- a\n- b\n", Code::WrongType),
        (b"\xff\xfek\0i\0n\0d\0", Code::Encoding),
        (b"kind: \xe9", Code::Encoding),
        (b"mirror: {}\n", Code::MissingKey),
        (b"kind: 4\n", Code::WrongType),
        (b"kind: ConfigMap\nmirror: {}\n", Code::Kind),
        (b"kind: imagesetconfiguration\nmirror: {}\n", Code::Kind),
        (b"kind: DeleteImageSetConfiguration\nmirror: {}\n", Code::Kind),
    ];
    for (document, code) in table {
        let faults = refused(document);
        let errors: Vec<_> = faults.iter().filter(|f| f.severity == Severity::Error).collect();
        let [fault] = errors.as_slice() else { panic!("{faults:#?}") };
        assert_eq!(fault.code, *code, "{fault:#?}");
    }
}

#[test]
fn a_deletion_is_named() {
    let document = "kind: DeleteImageSetConfiguration\ndelete:\n  additionalImages: []\n";
    let faults = refused(document);
    assert!(
        faults.iter().any(|fault| fault.code == Code::Kind && fault.message.contains("delete"))
    );
}

#[test]
fn all_of_them_at_once_in_the_order_of_the_lines() {
    let faults = refused(include_str!("../fixtures/many-faults.yaml"));
    let found: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(found, include_str!("../fixtures/many-faults.txt").lines().collect::<Vec<_>>());
}

#[test]
fn faults_are_data() {
    let faults = ocm_config::parse(b"kind: ImageSetConfiguration\nmirro: {}\nx: 1\n").unwrap_err();
    let json = serde_json::to_value(&faults).unwrap();
    let fault = json["faults"].as_array().unwrap().iter().find(|f| f["code"] == "unknown-key");
    let expected = serde_json::json!({
        "severity": "error",
        "code": "unknown-key",
        "path": "mirro",
        "line": 2,
        "column": 1,
        "message": "unknown key `mirro`; expected `kind`, `apiVersion`, `mirror` or `archiveSize`",
        "help": "did you mean `mirror`?",
    });
    assert_eq!(fault, Some(&expected));
    assert!(faults.to_string().contains("2 errors"), "{faults}");
}
