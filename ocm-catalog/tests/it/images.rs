//! The images that bundles need.

use ocm_catalog::ImageKind;

use crate::fixture::{catalog, chain};

const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

fn bundle(name: &str, image: &str, related: &str) -> String {
    format!(
        "{{\"schema\": \"olm.bundle\", \"package\": \"p\", \"name\": \"{name}\", \"image\": \"{image}\", \
         \"relatedImages\": {related}}}"
    )
}

#[test]
fn a_bundle_and_what_it_needs() {
    let related = format!(
        "[{{\"name\": \"\", \"image\": \"quay.io/p/b:v1\"}}, {{\"name\": \"x\", \"image\": \"quay.io/p/x@{DIGEST}\"}},
          {{\"image\": \"\", \"name\": \"none\"}}, {{\"name\": \"again\", \"image\": \"quay.io/p/x@{DIGEST}\"}},
          {{\"name\": \"both\", \"image\": \"quay.io/p/y:v1@{DIGEST}\"}}]"
    );
    let yaml = "---\nschema: olm.bundle\npackage: p\nname: c\nimage: quay.io/p/c:v1\nrelatedImages:\n\
                - {name: x, image: quay.io/p/x:v1}\n";
    let catalog = catalog(&[&bundle("b", "quay.io/p/b:v1", &related), yaml]);
    let [first, second] = &catalog.images().collect::<Vec<_>>()[..] else { panic!("two bundles") };
    assert_eq!((first.package, first.bundle), ("p", "b"));
    let images: Vec<_> = first.images.iter().flatten().collect();
    let written: Vec<_> =
        images.iter().map(|image| (image.kind, image.reference.as_written())).collect();
    let (x, y) = (format!("quay.io/p/x@{DIGEST}"), format!("quay.io/p/y:v1@{DIGEST}"));
    assert_eq!(
        written,
        [
            (ImageKind::Bundle, "quay.io/p/b:v1"),
            (ImageKind::Related, x.as_str()),
            (ImageKind::Related, y.as_str()),
        ]
    );
    assert_eq!(first.unnamed, ["none"]);
    assert_eq!(second.images.iter().flatten().count(), 2);
}

/// One image that is none is the trouble of its bundle alone.
#[test]
fn images_that_cannot_be_mirrored() {
    for (image, related, expected) in [
        (
            "quay.io/p/b:v1",
            "[{\"image\": \"quay.io/UPPER/x:1\"}]",
            "it needs an image that cannot be pulled: ",
        ),
        (
            "quay.io/p/b:v1",
            "[{\"image\": \"quay.io/p/x\"}]",
            "it needs an image that cannot be pulled: ",
        ),
        (
            "quay.io/p/b:v1",
            "[{\"image\": \"oci://a/b\"}]",
            "it needs an image in a directory: `oci://a/b`",
        ),
        ("", "[]", "it has no image"),
        (
            "quay.io/p/b:v1",
            "{}",
            "the list of its images cannot be read: its `relatedImages` cannot be read",
        ),
    ] {
        let sound = bundle("sound", "quay.io/p/s:v1", "null");
        let catalog = catalog(&[&bundle("b", image, related), &sound]);
        let [broken, sound] = &catalog.images().collect::<Vec<_>>()[..] else { panic!("two") };
        let words = chain(broken.images.as_ref().unwrap_err());
        assert!(words.starts_with(expected), "{words}");
        assert_eq!(sound.images.as_ref().unwrap().len(), 1);
    }
}
