//! The images that bundles need.

use ocm_catalog::{ImageKind, ImageList, Wanted, read};

use crate::{
    corpus,
    fixture::{catalog, chain},
};

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

/// OLM reads keys in any case, and null as nothing.
#[test]
fn keys_are_read_as_olm_reads_them() {
    let related = r#"[{"Name": null, "IMAGE": "quay.io/a/b:1"}, null]"#;
    let properties =
        r#"[{"Type": "olm.package", "VALUE": {"PackageName": "p", "Version": "1.0.0"}}]"#;
    let text =
        bundle("a", "quay.io/a/bundle:1", &format!("{related}, \"Properties\": {properties}"));
    let catalog = catalog(&[&text]);
    let version = catalog.packages()["p"].bundles()["a"].version().map(ToString::to_string);
    assert_eq!(version.as_deref(), Some("1.0.0"));
    let images = catalog.images().next().unwrap().images.unwrap();
    let images: Vec<_> = images.iter().map(|image| image.reference.as_written()).collect();
    assert_eq!(images, ["quay.io/a/bundle:1", "quay.io/a/b:1"]);
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

/// Reads images and nothing else.
fn listed<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> ImageList {
    let files = files.into_iter().map(|(path, bytes)| read(path, bytes, &Wanted::Images));
    ImageList::assemble(files).unwrap()
}

/// Who wants the images alone gets the same, broken ones among them, in both formats.
#[test]
fn a_list_of_images_is_that_of_the_catalog() {
    let yaml = "---\nschema: olm.bundle\npackage: p\nname: c\nimage: quay.io/p/c:v1\nrelatedImages:\n\
                - {name: x, image: quay.io/p/x:v1}\n---\nschema: olm.package\nname: q\n";
    let json = [
        bundle("a", "quay.io/p/a:v1", "[{\"name\": \"\\u0078\", \"image\": \"quay.io/p/x:v1\"}]"),
        bundle("b", "quay.io/p/b:v1", "[{\"name\": \"none\", \"image\": \"\"}]"),
        bundle("d", "quay.io/p/d:v1", "{}"),
        bundle("e", "", "null"),
        "{\"schema\": \"olm.bundle\", \"package\": \"p\", \"name\": \"f\", \"image\": \"quay.io/p/f:v1\"}"
            .to_owned(),
    ]
    .concat();
    let list = listed([("a.json", json.as_bytes()), ("b.yaml", yaml.as_bytes())]);
    let whole = catalog(&[&json, yaml]);
    let told = |images: &ocm_catalog::BundleImages<'_>| format!("{images:?}");
    assert_eq!(list.images().count(), 6);
    assert!(list.images().map(|one| told(&one)).eq(whole.images().map(|one| told(&one))));
    assert!(list.has_package("p") && list.has_package("q") && !list.has_package("c"));
}

/// What is broken, or there twice, is an error here, too.
#[test]
fn a_list_of_a_broken_catalog_is_none() {
    let sound = bundle("a", "quay.io/p/a:v1", "null");
    for broken in ["{", "{\"schema\": \"olm.bundle\", \"package\": \"p\", \"name\": 1}", &sound] {
        let text = format!("{sound}{broken}");
        let file = read("a.json", text.as_bytes(), &Wanted::Images);
        assert!(ImageList::assemble([file]).is_err(), "{broken}");
    }
}

#[test]
fn lists_of_the_corpus_are_those_of_its_catalogs() {
    let Some(corpus) = corpus::corpus() else { return };
    for part in ["fbc/community-operators-prod/catalogs/v4.18", "fbc-derived/community-v4.18"] {
        let files = corpus::files(&corpus.join(part));
        let list = listed(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));
        let whole = corpus::catalog(&corpus.join(part)).unwrap();
        let told = |images: ocm_catalog::BundleImages<'_>| format!("{images:?}");
        assert!(list.images().count() > 100);
        assert!(list.images().map(told).eq(whole.images().map(told)), "{part}");
    }
}
