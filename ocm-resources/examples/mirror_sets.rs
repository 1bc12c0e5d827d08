//! Prints the mirror sets for two images that were mirrored.
//!
//! `cargo run -p ocm-resources --example mirror_sets`

#![expect(clippy::print_stdout, reason = "an example shows what it made")]

use std::error::Error;

use ocm_oci::{Digest, ImageRef, Tag};
use ocm_resources::{ImageKind, MirrorSets, Mirrored, Scope, Stamp};

fn main() -> Result<(), Box<dyn Error>> {
    let mirrored = |origin: &str, repository: &str| {
        let origin: ImageRef = origin.parse()?;
        let digest = origin.digest().cloned().unwrap_or_else(|| Digest::of(b"its manifest"));
        Ok::<_, Box<dyn Error>>(Mirrored {
            host: "mirror.example:5000".parse()?,
            repository: repository.parse()?,
            tag: origin.tag().cloned().unwrap_or_else(|| Tag::of_digest(&digest)),
            origin,
            digest,
            kind: ImageKind::Generic,
        })
    };
    let images = [
        mirrored("quay.io/team/app:v1", "ns/team/app")?,
        mirrored(
            "nginx@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "ns/nginx",
        )?,
    ];
    let stamp = Stamp {
        created_at: "2026-11-21T10:11:12Z".to_owned(),
        created_by: "an example".to_owned(),
        version: "1".to_owned(),
    };
    for document in MirrorSets::of(&images, Scope::Shortest).documents(&stamp) {
        println!("# {}\n{}", document.file_name, document.text);
    }
    Ok(())
}
