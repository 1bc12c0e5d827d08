//! The configurations that people copy are right.

use std::{fs, path::Path};

#[test]
fn every_example_is_accepted_without_a_warning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let parsed = ocm_config::parse(&fs::read(&path).unwrap()).unwrap();
            assert_eq!(parsed.warnings, [], "{}", path.display());
            let images = parsed.image_set.mirror.additional_images;
            assert!(images.iter().all(|image| image.wanted.is_ok()), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 2, "the examples are gone");
}
