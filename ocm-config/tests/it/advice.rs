//! What is said of configurations that can be used.

use ocm_config::{Code, Fault, Severity};

use crate::{HEADER, parsed};

/// Below the header: code, whether it is a warning, line, a part of the message, of the help.
type Said = (Code, Severity, u32, &'static str, &'static str);

const WARNING: Severity = Severity::Warning;
const NOTE: Severity = Severity::Note;

const TABLE: &[(&str, &[Said])] = &[
    (
        "mirror:\n  platform:\n    channels:\n    - name: stable-4.18\n      minVersion: 4.17.1\n      \
         maxVersion: 4.17.9\n",
        &[(Code::OtherMinor, WARNING, 8, "nothing up to 4.17.9", "`stable-4.17`")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: fast-4.18\n      minVersion: 4.19.0\n",
        &[(Code::OtherMinor, WARNING, 7, "as high as 4.19.0", "`fast-4.19`")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: stable-4.18\n      minVersion: 4.17.1\n      \
         maxVersion: 4.18.9\n",
        &[],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: eus-4.18\n      minVersion: 4.16.1\n      \
         maxVersion: 4.18.9\n",
        &[(Code::ExtendedUpdate, WARNING, 7, "from 4.16 to 4.18", "update_path")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: stable-4.16\n      minVersion: 4.16.50\n      \
         maxVersion: 4.16.5\n",
        &[(Code::EmptyRange, WARNING, 7, "4.16.50 is above `maxVersion` 4.16.5", "swap")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: 'stable-4.18,'\n",
        &[(Code::ChannelName, WARNING, 6, "`stable-4.18,`", "`stable-4.18`")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - {name: stable-4.18, type: OKD}\n",
        &[(Code::InvalidValue, WARNING, 6, "read as `ocp`", "`okd`")],
    ),
    (
        "mirror:\n  platform:\n    architectures: [x86_64, arm46, sparc, multi]\n    channels:\n    \
         - name: stable-4.18\n",
        &[
            (Code::Architecture, WARNING, 5, "`x86_64`", "`amd64`"),
            (Code::Architecture, WARNING, 5, "`arm46`", "`arm64`"),
            (Code::Architecture, WARNING, 5, "`sparc`", "s390x"),
        ],
    ),
    (
        "mirror:\n  platform:\n    graph: true\n",
        &[(Code::NoReleases, WARNING, 5, "`graph` without", "`channels`")],
    ),
    (
        "mirror:\n  platform:\n    architectures: [amd64]\n",
        &[(Code::NoReleases, WARNING, 5, "`architectures` without", "`channels`")],
    ),
    (
        "mirror:\n  platform:\n    release: quay.io/a/b:1\n    channels:\n    - name: stable-4.18\n",
        &[(Code::NoEffect, WARNING, 6, "`channels` is not looked at", "remove")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - {name: a, maxVersion: 4.18.1}\n    \
         - {name: b, maxVersion: 4.18.1}\n",
        &[(Code::FromFirst, NOTE, 6, "from the first version", "`minVersion`")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - {name: a, shortestPath: true}\n    \
         - {name: b, full: true, minVersion: 4.18.1}\n",
        &[
            (Code::NoEffect, NOTE, 6, "`shortestPath`", "`minVersion`"),
            (Code::NoEffect, NOTE, 7, "`full`", "remove"),
        ],
    ),
    (
        "mirror:\n  operators:\n  - catalog: q.io/a:1\n    packages:\n    - name: a\n    - name: b\n",
        &[(Code::HeadsOnly, NOTE, 7, "head of every channel", "`channels`")],
    ),
    (
        "mirror:\n  operators:\n  - catalog: q.io/a:1\n",
        &[(Code::HeadsOnly, NOTE, 5, "all of them", "`packages`")],
    ),
    ("mirror:\n  operators:\n  - {catalog: 'q.io/a:1', full: true}\n", &[]),
    (
        "mirror:\n  operators:\n  - catalog: q.io/a:1\n    packages:\n    - name: a\n      \
         defaultChannel: x\n      channels:\n      - {name: c, maxVersion: '1'}\n",
        &[
            (Code::DefaultChannel, WARNING, 8, "`x`", "`channels`"),
            (Code::FromFirst, NOTE, 10, "lowest version", "`minVersion`"),
        ],
    ),
    (
        "mirror:\n  additionalImages:\n  - name: q.io/a:1\n  - {name: q.io/a:1, targetTag: b}\n  \
         - name: q.io/a:1\n",
        &[(Code::Repeated, WARNING, 7, "in line 5", "remove one")],
    ),
    (
        "mirror:\n  blockedImages:\n  - name: .*\n  - name: ^quay\n  - name: ''\n",
        &[
            (Code::BlocksAll, WARNING, 5, "every image", "a part"),
            (Code::BlocksAll, WARNING, 7, "every image", "a part"),
        ],
    ),
    (
        "mirror:\n  samples:\n  - name: ruby\n",
        &[(Code::NoEffect, WARNING, 4, "`samples`", "`additionalImages`")],
    ),
    (
        "mirror:\n  platform:\n    channels:\n    - name: 4.18\n",
        &[(Code::WrongType, WARNING, 6, "the text `4.18`", "\"4.18\"")],
    ),
];

#[test]
fn each_piece_of_advice_alone() {
    for (body, expected) in TABLE {
        let said = parsed(body).warnings;
        assert_eq!(said.len(), expected.len(), "{body}{said:#?}");
        for (fault, (code, severity, line, message, help)) in said.iter().zip(*expected) {
            let found = (fault.code, fault.severity, fault.location.line);
            assert_eq!(found, (*code, *severity, *line), "{body}{fault:#?}");
            assert!(fault.message.contains(message), "{body}{fault:#?}");
            assert!(fault.help.as_ref().unwrap().contains(help), "{body}{fault:#?}");
        }
    }
}

#[test]
fn repositories_too_deep_are_found_where_a_limit_is_known() {
    let image_set = parsed(
        "mirror:\n  additionalImages:\n  - name: q.io/a/b/c:1\n  - {name: q.io/a/b/c:1, targetRepo: d}\n  \
         operators:\n  - {catalog: 'q.io/a/b/c:1', full: true}\n",
    )
    .image_set;
    let lines = |limit: usize| -> Vec<u32> {
        let warnings = image_set.mirror.deeper_than(limit.try_into().unwrap());
        assert!(warnings.iter().all(|w| w.code == Code::NestedPath && w.help.is_some()));
        warnings.iter().map(|warning| warning.location.line).collect()
    };
    assert_eq!((lines(2), lines(3)), (vec![5, 8], vec![]));
}

#[test]
fn what_pages_leave_in_names_is_said() {
    let table = [
        ("<registry>/a:1", "replace `<registry>`"),
        ("{{ registry }}/a:1", "replace `{{ registry }}`"),
        ("${REGISTRY}/a:1", "replace `${REGISTRY}`"),
        ("“quay.io/a:1”", "plain quotes"),
        ("quay.io/a", "`quay.io/a:latest`"),
        ("quay.io/a b:1", "`registry/repository:tag`"),
    ];
    for (name, help) in table {
        let image_set =
            parsed(&format!("mirror:\n  additionalImages:\n  - name: '{name}'\n")).image_set;
        let faults = image_set.mirror.additional_images[0].wanted.as_ref().unwrap_err();
        let fault = Fault::from(faults.iter().next().unwrap());
        assert!(fault.help.as_ref().unwrap().contains(help), "{fault:?}");
        assert_eq!(fault.location.line, u32::try_from(HEADER.lines().count()).unwrap() + 3);
    }
}
