//! Catalogs in directories that skopeo made, and one that leads to what is not there.

use std::{fs, process::Command};

use ocm_oci::{Digest, Host};
use ocm_testkit::{Catalog, Published};
use serde_json::Value;

use super::{Registry, at, clusters::fill, has_programs, manifest, ocm, pull, push, skopeo};

/// Exit code when images of operators are missing at the destination.
const OPERATORS: i32 = 4;

const WANTED: &str = "kind: ImageSetConfiguration
apiVersion: mirror.openshift.io/v2alpha1
mirror:
  operators:
  - catalog: SOURCE/red/index:v1
    packages:
    - name: alpha
    - name: beta
  - catalog: oci://blue
    full: true
";

/// skopeo copies the images of several platforms into a directory one by one, and writes no index.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_skopeo_is_a_catalog_and_a_broken_one_harms_it_not() {
    if !has_programs() {
        return;
    }
    let (source, home) = (Registry::start(), tempfile::tempdir().unwrap());
    let host: Host = source.address.parse().unwrap();
    let catalog = Catalog::new(7, &host);
    let alpha = catalog.with_package("alpha", &[("stable", &["1.0.0"])]);
    let red = alpha.clone().with_package("beta", &[("stable", &["2.0.0"])]).made("red/index", "v1");
    let blue = alpha
        .with_package("gamma", &[("stable", &["3.0.0", "3.1.0"])])
        .for_architectures(&["amd64", "arm64"])
        .made("blue/index", "v1");
    let is_broken = |image: &Published| image.repository.as_str() == "operators/beta";
    let images = red.published().into_iter().chain(blue.published());
    fill(&host, images.filter(|image| !is_broken(image)).collect()).await;
    let whole = push(&source, "blue/copy", &blue.image().content, "oci");
    assert_eq!(whole, *blue.image().content.digest());
    let directory = format!("oci:{}", home.path().join("blue").display());
    for architecture in ["amd64", "arm64"] {
        let from = at(&source, "blue/copy", "v1");
        let options = ["--override-arch", architecture, "copy", "--src-tls-verify=false"];
        skopeo(options.into_iter().chain([from.as_str(), directory.as_str()]));
    }
    let wanted = WANTED.replace("SOURCE", &source.address);
    fs::write(home.path().join("images.yaml"), wanted).unwrap();
    let run = |words: &str| {
        let words = format!("-c images.yaml {words}");
        let output = ocm(home.path(), &words.split_whitespace().collect::<Vec<_>>());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(OPERATORS), "{said}");
        assert!(said.contains("operators/beta@sha256:"), "{said}");
    };
    let (direct, carried) = (Registry::start(), Registry::start());
    let insecure = "--src-tls-verify=false --dest-tls-verify=false";
    run(&format!("--workspace file://work {insecure} docker://{}", direct.address));
    run(&format!("{insecure} file://disk"));
    drop(source);
    fs::remove_dir_all(home.path().join("blue")).unwrap();
    run(&format!("--from disk {insecure} docker://{}", carried.address));
    let digests = [&direct, &carried].map(|target| {
        let catalog = at(target, "blue", "latest");
        let index = manifest(&catalog);
        let digest = Digest::of(&index);
        pull(&["--src-tls-verify=false", &catalog], &digest);
        let index: Value = serde_json::from_slice(&index).unwrap();
        assert_eq!(index.pointer("/manifests").and_then(Value::as_array).unwrap().len(), 2);
        let related = blue.related().iter().chain(red.related());
        for image in related.filter(|image| !image.repository.as_str().contains("beta")) {
            let digest = image.content.digest();
            let there = at(target, image.repository.as_str(), &digest.to_string());
            pull(&["--src-tls-verify=false", &there], digest);
        }
        let red = at(target, "red/index", "v1");
        let inspect = ["inspect", "--raw", "--tls-verify=false", red.as_str()];
        let found = Command::new("skopeo").args(inspect).output().unwrap();
        assert!(!found.status.success(), "a catalog is offered without an image of it");
        digest
    });
    assert_eq!(digests.first(), digests.last());
}
