//! Whatever a registry calls a manifest is read, or refused, and never confused with another.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocm_oci::{Children, MediaType};

const TYPES: [MediaType; 6] = [
    MediaType::OciManifest,
    MediaType::OciIndex,
    MediaType::DockerManifest,
    MediaType::DockerList,
    MediaType::DockerSchema1,
    MediaType::OctetStream,
];

fuzz_target!(|input: (u8, &[u8])| {
    let (nth, bytes) = input;
    let claimed = &TYPES[usize::from(nth) % TYPES.len()];
    let Ok(children) = Children::of(claimed, bytes) else { return };
    assert_ne!(claimed, &MediaType::DockerSchema1, "schema 1 is refused whatever it says");
    let is_image = !children.blobs.is_empty() || !children.foreign.is_empty();
    assert!(children.manifests.is_empty() || !is_image, "an image and an index at once");
    // What it is called decides only what is refused.
    assert_eq!(Children::of(&MediaType::OciManifest, bytes).ok(), Some(children));
});
