use std::collections::BTreeSet;

use super::*;
use crate::testing::stamp;

fn digest(digit: char) -> Digest {
    format!("sha256:{}", digit.to_string().repeat(64)).parse().unwrap()
}

fn signatures(list: &[(char, &[u8])]) -> ReleaseSignatures {
    let mut signatures = ReleaseSignatures::default();
    for (digit, content) in list {
        signatures.add(digest(*digit), content.to_vec());
    }
    signatures
}

#[test]
fn without_signatures_there_is_no_file() {
    assert_eq!(ReleaseSignatures::default().documents(&stamp()), []);
}

#[test]
fn both_files_say_the_same() {
    let documents = signatures(&[('b', b"\xff\xfe"), ('a', b"one")]).documents(&stamp());
    let [json, yaml] = &documents[..] else { panic!("{documents:?}") };
    assert_eq!(json.file_name, "signature-configmap.json");
    assert_eq!(yaml.file_name, "signature-configmap.yaml");
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let expected = format!(
        "apiVersion: v1
binaryData:
  sha256-{a}-1: b25l
  sha256-{b}-2: //4=
kind: ConfigMap
metadata:
  annotations:
    createdAt: \"2026-08-21T10:11:12Z\"
    createdBy: ocm
    oc-mirror_version: v0.1.0
  labels:
    release.openshift.io/verification-signatures: \"\"
  name: mirrored-release-signatures
  namespace: openshift-config-managed
"
    )
    .replace("//4=", "\"//4=\"");
    assert_eq!(yaml.text, expected);
    let begins = "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":";
    assert!(json.text.starts_with(begins) && !json.text.contains('\n'), "{}", json.text);
    let of_json: serde_yaml::Value = serde_yaml::from_str(&json.text).unwrap();
    assert_eq!(of_json, serde_yaml::from_str::<serde_yaml::Value>(&yaml.text).unwrap());
}

#[test]
fn all_signatures_of_a_release_are_kept_once() {
    let list: [(char, &[u8]); 5] =
        [('b', b"2"), ('b', b"1"), ('a', b"2"), ('b', b"2"), ('a', b"2")];
    let signatures = signatures(&list);
    let stamp = stamp();
    let [object] = &signatures.objects(&stamp)[..] else { panic!("{signatures:?}") };
    let data: Vec<_> =
        object.binary_data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let keys = [format!("sha256-{a}-1"), format!("sha256-{b}-2"), format!("sha256-{b}-3")];
    assert_eq!(data, [(&*keys[0], "Mg=="), (&*keys[1], "Mg=="), (&*keys[2], "MQ==")]);
}

#[test]
fn the_order_of_releases_does_not_matter() {
    let one = signatures(&[('a', b"1"), ('b', b"2")]);
    assert_eq!(
        one.documents(&stamp()),
        signatures(&[('b', b"2"), ('a', b"1")]).documents(&stamp())
    );
}

/// What `oc apply` takes of each object; and one signature that alone is too large for it is not
/// lost.
#[test]
fn many_signatures_are_several_objects() {
    let mut signatures = ReleaseSignatures::default();
    for number in 0..400_u32 {
        let content = [&number.to_be_bytes()[..], &[7; 1200]].concat();
        signatures.add(Digest::of(&content), content);
    }
    let huge = vec![9; 300_000];
    signatures.add(digest('f'), huge);
    let documents = signatures.documents(&stamp());
    let objects: Vec<&str> = documents[0].text.lines().collect();
    let (large, fine): (Vec<&str>, Vec<&str>) =
        objects.iter().partition(|object| object.len() > 256 << 10);
    assert_eq!((large.len(), fine.len()), (1, 4));
    let mut keys = BTreeSet::new();
    let mut names = Vec::new();
    for (object, yaml) in objects.iter().zip(documents[1].text.split("---\n")) {
        let object: serde_json::Value = serde_json::from_str(object).unwrap();
        assert_eq!(object, serde_yaml::from_str::<serde_json::Value>(yaml).unwrap());
        names.push(object["metadata"]["name"].as_str().unwrap().to_owned());
        let digest = |key: &String| key.rsplit_once('-').unwrap().0.to_owned();
        keys.extend(object["binaryData"].as_object().unwrap().keys().map(digest));
    }
    assert_eq!(keys.len(), 401);
    assert_eq!(names[0], "mirrored-release-signatures");
    assert_eq!(names[4], "mirrored-release-signatures-5");
}
