//! What oc-mirror wrote, held against what is written here for the same images.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ocm_oci::{Digest, ImageRef, Tag};
use ocm_resources::{
    AtMirror, Catalog, Catalogs, Document, ImageKind, MirrorSets, Mirrored, Naming,
    ReleaseSignatures, Scope, Stamp, Template, UpdateService,
};
use serde_yaml::Value;

fn corpus() -> Option<PathBuf> {
    let corpus = env::var_os("OCM_CORPUS").map(PathBuf::from);
    if corpus.is_none() {
        eprintln!("skipped: OCM_CORPUS names no corpus");
    }
    corpus
}

/// Returns the folders with what oc-mirror wrote for a mirror that was filled from an archive.
fn answers() -> Vec<PathBuf> {
    let folder = corpus().map(|corpus| corpus.join("oracle/archives"));
    folder.iter().flat_map(|folder| ["after-1", "after-2"].map(|name| folder.join(name))).collect()
}

/// Returns the stamp of a file that oc-mirror wrote.
fn stamp_of(text: &str) -> Stamp {
    let first: Value = serde_yaml::Deserializer::from_str(text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .next()
        .unwrap();
    let annotation = |key| first["metadata"]["annotations"][key].as_str().unwrap().to_owned();
    Stamp {
        created_at: annotation("createdAt"),
        created_by: annotation("createdBy"),
        version: annotation("oc-mirror_version"),
    }
}

fn at(repository: &str, selector: &str) -> AtMirror {
    AtMirror {
        host: "mirror.example:5000".parse().unwrap(),
        repository: repository.parse().unwrap(),
        selector: selector.parse().unwrap(),
    }
}

#[test]
fn catalogs_to_the_byte() {
    for folder in answers() {
        let catalog = Catalog {
            origin: "127.0.0.1:5301/redhat/redhat-operator-index:v4.18".parse().unwrap(),
            place: at("ns/redhat/redhat-operator-index", "v4.18"),
            source_name: None,
            template: None,
            files: None,
        };
        let names = Catalogs::name(vec![catalog], Naming::Place).unwrap();
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        for kind in ["cs", "cc"] {
            let name = format!("{kind}-redhat-operator-index-v4-18.yaml");
            let stamp = stamp_of(&text(&name));
            let documents = names.as_slice()[0].documents(&stamp);
            let ours = documents.iter().find(|document| document.file_name == name).unwrap();
            assert_eq!(ours.text, text(&name));
        }
    }
}

/// Two of the three are refused by oc-mirror too, which goes on without them.
#[test]
fn templates_of_oc_mirrors_own_tests() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("suites/oc-mirror-unit-testdata/tests/unit/testdata");
    let parse = |name: &str| {
        let name = format!("catalog-source_template{name}.yaml");
        Template::parse(&name, &fs::read(folder.join(&name)).unwrap())
    };
    assert_eq!(parse("").unwrap().left_out(), [""; 0]);
    assert_eq!(
        parse("_KO").unwrap_err().to_string(),
        "cannot use `catalog-source_template_KO.yaml` as the template of a CatalogSource: line 1, \
         apiVersion: expected operators.coreos.com/v1alpha1, not `config.openshift.io/v1`; line 2, \
         kind: expected CatalogSource, not `ImageDigestMirrorSet`"
    );
    let error = parse("_KO2").unwrap_err().to_string();
    assert!(error.contains(": line 8"), "{error}");
}

/// Returns what was mirrored, with the origins that it had.
fn mirrored(folder: &std::path::Path) -> Vec<Mirrored> {
    let holdings = fs::read_to_string(folder.join("holdings.json")).unwrap();
    let holdings: Value = serde_yaml::from_str(&holdings).unwrap();
    let mut images = Vec::new();
    for (repository, tags) in holdings.as_mapping().unwrap() {
        for (tag, digest) in tags.as_mapping().unwrap() {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (repository, tag, digest) = (text(repository), text(tag), text(digest));
            let path = repository.strip_prefix("ns/").unwrap();
            let release = "openshift-release-dev";
            let (origin, kind) = match path {
                "openshift/release" => {
                    (format!("{release}/ocp-v4.0-art-dev@{digest}"), ImageKind::ReleaseContent)
                }
                "openshift/release-images" => {
                    (format!("{release}/ocp-release:{tag}"), ImageKind::ReleaseImage)
                }
                "redhat/redhat-operator-index" => (format!("{path}:{tag}"), ImageKind::Catalog),
                _ if tag.starts_with("sha256-") => {
                    (format!("{path}@{digest}"), ImageKind::Operator)
                }
                _ => (format!("{path}:{tag}"), ImageKind::Generic),
            };
            let digest: Digest = digest.parse().unwrap();
            let origin: ImageRef = format!("127.0.0.1:5301/{origin}").parse().unwrap();
            let AtMirror { host, repository, .. } = at(&repository, "any");
            let tag: Tag = tag.parse().unwrap();
            images.push(Mirrored { origin, host, repository, tag, digest, kind });
        }
    }
    images
}

/// Returns the objects of a file, in an order of their own; that of oc-mirror is random.
fn objects(text: &str) -> BTreeSet<String> {
    let mut objects = BTreeSet::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let mut object: Value = serde::Deserialize::deserialize(document).unwrap();
        for key in ["imageDigestMirrors", "imageTagMirrors"] {
            if let Some(entries) = object["spec"][key].as_sequence_mut() {
                entries.sort_by_key(|entry| entry["source"].as_str().unwrap().to_owned());
            }
        }
        let is_new = objects.insert(serde_yaml::to_string(&object).unwrap());
        assert!(is_new, "twice the same object");
    }
    objects
}

#[test]
fn mirror_sets_of_releases_operators_and_others() {
    for folder in answers() {
        let sets = MirrorSets::of(&mirrored(&folder), Scope::Shortest);
        assert_eq!((sets.left_out(), sets.notices()), (&[][..], &[][..]));
        let idms = fs::read_to_string(folder.join("idms-oc-mirror.yaml")).unwrap();
        let documents = sets.documents(&stamp_of(&idms));
        let names: Vec<_> = documents.iter().map(|document| &document.file_name).collect();
        assert_eq!(names, ["idms-oc-mirror.yaml", "itms-oc-mirror.yaml"]);
        for Document { file_name, text } in &documents {
            let theirs = fs::read_to_string(folder.join(file_name)).unwrap();
            assert_eq!(objects(text), objects(&theirs), "{file_name}");
        }
    }
}

/// The numbers are random in what oc-mirror writes; the first answer happens to be sorted.
#[test]
fn signatures_to_the_byte() {
    let answers = answers();
    let Some(folder) = answers.first() else { return };
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let theirs: Value = serde_yaml::from_str(&text("signature-configmap.json")).unwrap();
    let mut signatures = ReleaseSignatures::default();
    for (key, value) in theirs["binaryData"].as_mapping().unwrap() {
        let hex = key.as_str().unwrap().split('-').nth(1).unwrap();
        let content = STANDARD.decode(value.as_str().unwrap()).unwrap();
        signatures.add(format!("sha256:{hex}").parse().unwrap(), content);
    }
    for Document { file_name, text: ours } in
        signatures.documents(&stamp_of(&text("signature-configmap.yaml")))
    {
        assert_eq!(ours, text(&file_name));
    }
}

/// An older oc-mirror wrote no namespace, an empty status and another date.
#[test]
fn the_update_service_but_for_what_was_mended_since() {
    let Some(corpus) = corpus() else { return };
    let theirs = corpus.join("outputs/v2/misc/updateService-4.21.yaml");
    let theirs = fs::read_to_string(theirs).unwrap();
    let stamp = stamp_of(&theirs);
    let place = |path: &str, tag: &str| AtMirror {
        host: "rguske-rhel9-disco-bastion.disco.local:8443".parse().unwrap(),
        ..at(path, tag)
    };
    let service = UpdateService {
        release_image: place("disco/openshift/release-images", "4.21.5-x86_64"),
        graph_data: place("disco/openshift/graph-image", "latest"),
    };
    let ours = service.document(&stamp).text;
    let expected = theirs
        .replace(
            "createdAt: Monday, 27-Apr-26 15:46:08 UTC",
            "createdAt: \"Monday, 27-Apr-26 15:46:08 UTC\"",
        )
        .replace("-oc-mirror\nspec", "-oc-mirror\n  namespace: openshift-update-service\nspec")
        .replace("status: {}\n", "");
    assert_eq!(ours, expected);
}
