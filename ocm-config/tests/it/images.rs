//! What is read of a configuration that can be used.

use ocm_config::{AdditionalImage, Code, Fault, ImageProblem, WantedImage};
use ocm_oci::{Platform, PlatformFilter, Reference};

use crate::{accepted, parsed};

const SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn only(image_set: &ocm_config::ImageSet) -> &AdditionalImage {
    let [image] = image_set.mirror.additional_images.as_slice() else { panic!("{image_set:?}") };
    image
}

#[test]
fn nothing_to_mirror_is_a_configuration() {
    for body in [
        "mirror:\n",
        "mirror: {}\n",
        "mirror: ~\narchiveSize: 0\n",
        "mirror: {additionalImages: , blockedImages: [], platform: {}, operators: , helm: {repositories: []}}\n",
        "mirror:\n...\n",
        "mirror:\n---\n",
    ] {
        let image_set = accepted(body);
        assert_eq!(image_set.mirror, ocm_config::Mirror::default(), "{body}");
        assert_eq!(image_set.archive_size, None);
    }
}

#[test]
fn an_image_with_everything() {
    let image_set = accepted(&format!(
        "mirror:\n  additionalImages:\n  - name: quay.io/a/b:v1@{SHA256}\n    \
         targetRepo: own/place\n    targetTag: v1.0\n    platforms:\n    \
         - {{os: linux, architecture: arm64}}\n    - {{os: linux, architecture: amd64}}\n"
    ));
    let image = only(&image_set);
    assert_eq!(image.name, format!("quay.io/a/b:v1@{SHA256}"));
    assert_eq!(image.location.to_string(), "line 5, column 5, mirror.additionalImages[0]");
    let WantedImage { reference, target_repo, target_tag, platforms } =
        image.wanted.as_ref().unwrap();
    let Reference::Image(reference) = reference else { panic!("{reference}") };
    assert_eq!(reference.repository().as_str(), "a/b");
    assert_eq!(target_repo.as_ref().unwrap().as_str(), "own/place");
    assert_eq!(target_tag.as_ref().unwrap().as_str(), "v1.0");
    let wanted = ["amd64", "arm64"].map(|architecture| Platform::new("linux", architecture));
    assert_eq!(*platforms, PlatformFilter::Only(wanted.into()));
}

#[test]
fn what_is_empty_or_null_is_not_there() {
    let image_set = accepted(
        "mirror:\n  additionalImages:\n  - name: quay.io/a/b:v1\n    targetRepo: ''\n    \
         targetTag: ~\n    platforms: []\n",
    );
    let wanted = only(&image_set).wanted.as_ref().unwrap();
    assert_eq!((&wanted.target_repo, &wanted.target_tag), (&None, &None));
    assert_eq!(wanted.platforms, PlatformFilter::All);
}

/// Lists of old configurations that only look like ours; words that only look like keys.
#[test]
fn only_keys_of_the_root_decide_what_a_document_is() {
    let image_set = accepted("mirror:\n  additionalImages:\n  - name: s/tools/delete:mirror\n");
    assert!(only(&image_set).wanted.is_ok());
}

#[test]
fn a_bad_image_costs_no_other() {
    let image_set = accepted(
        "mirror:\n  additionalImages:\n  - name: quay.io/a/b\n    targetRepo: UPPER\n    \
         targetTag: 'bad tag'\n    platforms:\n    - os: linux\n  - name: quay.io/c/d:v1\n  \
         - name: ''\n",
    );
    let [bad, good, empty] = image_set.mirror.additional_images.as_slice() else { panic!() };
    assert!(good.wanted.is_ok());
    let faults = bad.wanted.as_ref().unwrap_err();
    let problems: Vec<_> = faults.iter().map(|fault| &fault.problem).collect();
    assert!(matches!(
        problems.as_slice(),
        [
            ImageProblem::Reference(_),
            ImageProblem::TargetRepo(_),
            ImageProblem::TargetTag(_),
            ImageProblem::Platform { missing: "architecture" }
        ]
    ));
    let shown: Vec<_> = faults.iter().map(|fault| Fault::from(fault).to_string()).collect();
    let expected = [
        "line 5, column 11, mirror.additionalImages[0].name: `quay.io/a/b` is not an image \
         reference: it has neither tag nor digest",
        "line 6, column 17, mirror.additionalImages[0].targetRepo: `UPPER` is not a valid \
         repository name",
        "line 7, column 16, mirror.additionalImages[0].targetTag: `bad tag` is not a valid tag",
        "line 9, column 7, mirror.additionalImages[0].platforms[0]: a platform has no \
         `architecture`",
    ];
    assert_eq!(shown, expected);
    assert!(faults.iter().all(|fault| fault.hint().is_some()));
    assert_eq!(empty.wanted.as_ref().unwrap_err().to_string(), "the image is configured wrongly");
}

/// `4.10` would be the tag `4.1` to a reader that takes it for a number.
#[test]
fn tags_that_look_like_numbers_stay_as_written() {
    let parsed = parsed("mirror:\n  additionalImages:\n  - name: q.io/a:1\n    targetTag: 4.10\n");
    let wanted = only(&parsed.image_set).wanted.as_ref().unwrap();
    assert_eq!(wanted.target_tag.as_ref().unwrap().as_str(), "4.10");
    let [warning] = parsed.warnings.as_slice() else { panic!("{:?}", parsed.warnings) };
    assert_eq!((warning.code, warning.location.line), (Code::WrongType, 6));
}

#[test]
fn patterns_block_where_they_match() {
    let image_set =
        accepted("mirror:\n  blockedImages:\n  - name: .*nvidia.*\n  - name: quay.io/a/exact:v1\n");
    let [nvidia, exact] = image_set.mirror.blocked_images.as_slice() else { panic!() };
    assert!(nvidia.matches("quay.io/nvidia/gpu:1") && !nvidia.matches("quay.io/a/b:1"));
    assert!(exact.matches("quay.io/a/exact:v1") && !exact.matches("quay.io/a/exact:v2"));
    assert_eq!(exact.pattern.as_str(), "quay.io/a/exact:v1");
    assert_eq!(exact.location.path, "mirror.blockedImages[1].name");
}

#[test]
fn archive_sizes_are_gib() {
    let size = |text: &str| accepted(&format!("mirror:\narchiveSize: {text}\n")).archive_size;
    assert_eq!(size("4").unwrap().bytes(), 4 << 30);
    assert_eq!((size("0"), size("~")), (None, None));
}

#[test]
fn keys_of_another_case_are_read_and_warned_of() {
    let document = "KIND: ImageSetConfiguration\napiversion: mirror.openshift.io/v2alpha1\n\
                    Mirror:\n  additionalimages:\n  - NAME: q.io/a:1\n";
    let parsed = ocm_config::parse(document.as_bytes()).unwrap();
    assert_eq!(only(&parsed.image_set).name, "q.io/a:1");
    let warned: Vec<_> = parsed.warnings.iter().map(|w| (w.code, w.location.line)).collect();
    assert_eq!(warned, [1, 2, 3, 4, 5].map(|line| (Code::KeyCase, line)));
}

#[test]
fn another_version_with_the_keys_of_this_one_is_read_and_warned_of() {
    for version in ["apiVersion: mirror.openshift.io/v1alpha2\n", "apiVersion: alpha1\n", ""] {
        let document = format!("{version}kind: ImageSetConfiguration\nmirror: {{}}\n");
        let parsed = ocm_config::parse(document.as_bytes()).unwrap();
        assert_eq!(parsed.warnings[0].code, Code::ApiVersion, "{version}");
        assert!(parsed.warnings[0].help.as_ref().unwrap().contains("v2alpha1"));
    }
}

#[test]
fn anchors_and_merges_are_followed() {
    let parsed = parsed(
        "mirror:\n  additionalImages:\n  - &first\n    name: q.io/a:1\n    targetTag: t\n  \
         - <<: *first\n    name: q.io/b:1\n  - <<: [*first, {targetRepo: r}]\n  - *first\n",
    );
    assert!(parsed.warnings.iter().all(|warning| warning.code == Code::Repeated));
    let seen: Vec<_> = parsed
        .image_set
        .mirror
        .additional_images
        .iter()
        .map(|image| {
            let wanted = image.wanted.as_ref().unwrap();
            let repo = wanted.target_repo.as_ref().map(ToString::to_string);
            (image.name.as_str(), wanted.target_tag.as_ref().unwrap().to_string(), repo)
        })
        .collect();
    let row = |name, repo: Option<&str>| (name, "t".to_owned(), repo.map(str::to_owned));
    let expected = [
        row("q.io/a:1", None),
        row("q.io/b:1", None),
        row("q.io/a:1", Some("r")),
        row("q.io/a:1", None),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let parsed =
        ocm_config::parse("\u{feff}kind: ImageSetConfiguration\nmirror:\n".as_bytes()).unwrap();
    assert_eq!(parsed.warnings[0].code, Code::Encoding);
}
