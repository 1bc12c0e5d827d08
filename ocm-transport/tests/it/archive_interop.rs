//! Other programs read our archives. Skipped, visibly, where a program is not installed.

use std::{path::Path, process::Command};

use crate::archive::{Images, files};

/// Runs a program; `None` where it is not there.
fn run(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            eprintln!("skipped: {program} cannot be run: {error}");
            None
        }
    }
}

async fn archive(directory: &Path) -> Images {
    let images = Images::new("plan", &[0, 700, 20_000]);
    images.archive(directory, None).await;
    images
}

#[tokio::test]
async fn skopeo_copies_an_image_out_of_a_volume() {
    let directory = tempfile::tempdir().unwrap();
    let images = archive(directory.path()).await;
    let volume = directory.path().join("mirror_000001.tar");
    for (number, manifest) in images.manifests.iter().enumerate() {
        let (name, tag) = Images::name(number);
        let from = format!("oci-archive:{}:{name}:{tag}", volume.display());
        let into = directory.path().join("copied");
        let to = format!("dir:{}", into.display());
        if run("skopeo", &["copy", "--insecure-policy", &from, &to]).is_none() {
            return;
        }
        let copied = files(&into);
        let (_, bytes) = copied.iter().find(|(name, _)| name == "manifest.json").unwrap();
        assert_eq!(bytes, manifest.bytes());
        for blob in [&images.blobs[0], &images.blobs[1], &images.blobs[number + 2]] {
            assert!(copied.iter().any(|(_, bytes)| bytes == blob));
        }
    }
}

#[tokio::test]
async fn tar_lists_every_volume_without_complaint() {
    let directory = tempfile::tempdir().unwrap();
    Images::new("plan", &[5000, 30_000]).archive(directory.path(), Some(12_000)).await;
    for (name, _) in files(directory.path()) {
        let volume = directory.path().join(name);
        let Some(listing) = run("tar", &["tvf", &volume.display().to_string()]) else { return };
        let lines: Vec<_> = listing.lines().collect();
        assert!(lines[0].contains(".ocm/volume.json"), "{listing}");
        assert!(lines[lines.len() - 1].contains(".ocm/index.json"), "{listing}");
        assert!(lines.iter().all(|line| line.starts_with("-rw-r--r-- 0/0 ")), "{listing}");
    }
}
