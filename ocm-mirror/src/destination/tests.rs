use ocm_oci::PlatformFilter;

use super::*;

const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn wanted(name: &str, target_repo: &str, target_tag: &str) -> WantedImage {
    WantedImage {
        reference: name.replace("DIGEST", &format!("sha256:{HEX}")).parse().unwrap(),
        target_repo: Some(target_repo).filter(|t| !t.is_empty()).map(|t| t.parse().unwrap()),
        target_tag: Some(target_tag).filter(|t| !t.is_empty()).map(|t| t.parse().unwrap()),
        platforms: PlatformFilter::All,
    }
}

fn rules(text: &str) -> DestinationRules {
    text.parse().unwrap()
}

fn place(rules: &DestinationRules, image: &WantedImage) -> String {
    let Destination { repository, tag } = rules.of(image).unwrap();
    format!("{}/{repository}:{tag}", rules.host()).replace(HEX, "HEX")
}

#[test]
fn an_image_keeps_its_path_and_tag() {
    let table = [
        ("registry.redhat.io/ubi8/ubi:latest", "", "", "ubi8/ubi:latest"),
        ("reg.example.com/testns/test@DIGEST", "", "", "testns/test:sha256-HEX"),
        ("reg.example.com/testns/test@DIGEST", "", "v1.0", "testns/test:v1.0"),
        ("reg.example.com/testns/test@DIGEST", "own/place", "", "own/place:sha256-HEX"),
        ("localhost:5000/x@DIGEST", "", "", "x:sha256-HEX"),
        ("quay.io/a/b:v1@DIGEST", "", "", "a/b:v1"),
        ("nginx:1.25", "", "", "nginx:1.25"),
        ("foo/bar:1", "", "", "foo/bar:1"),
        ("docker://quay.io/a/b:v1", "", "", "a/b:v1"),
        ("oci:///folder-a/folder-b/testns/test", "", "", "folder-a/folder-b/testns/test:latest"),
        ("oci:///folder-a/test", "custom/oci-image", "v2.0", "custom/oci-image:v2.0"),
        ("oci://./images/tool/", "", "", "images/tool:latest"),
        ("oci:///images/tool@DIGEST", "", "", "images/tool:latest"),
    ];
    for (name, repo, tag, expected) in table {
        let image = wanted(name, repo, tag);
        let bare = format!("mirror.example/{expected}");
        assert_eq!(place(&rules("docker://mirror.example"), &image), bare, "{name}");
        let below = format!("mirror.example:5000/ns/sub/{expected}");
        assert_eq!(place(&rules("docker://mirror.example:5000/ns/sub"), &image), below, "{name}");
        let Destination { repository, tag } = Destination::in_archive(&image).unwrap();
        let archived = format!("{repository}:{tag}").replace(HEX, "HEX");
        assert_eq!(archived, expected, "{name}");
    }
}

#[test]
fn nesting_counts_the_namespace() {
    let image = wanted("quay.io/a/b/c:v1", "", "");
    let nested = |limit| {
        place(&rules("docker://m/ns").with_nesting(NonZeroUsize::new(limit).unwrap()), &image)
    };
    assert_eq!(nested(1), "m/ns-a-b-c:v1");
    assert_eq!(nested(2), "m/ns/a-b-c:v1");
    assert_eq!(nested(3), "m/ns/a/b-c:v1");
    assert_eq!(nested(4), "m/ns/a/b/c:v1");
    assert_eq!(nested(9), "m/ns/a/b/c:v1");
}

#[test]
fn a_directory_may_give_no_name() {
    for name in ["oci:///Users/me/img", "oci:///a/img:v1", "oci://../img", "oci:///"] {
        let image = wanted(name, "", "");
        let error = Destination::in_archive(&image).unwrap_err();
        assert!(error.to_string().contains("targetRepo"), "{error}");
        assert!(
            Destination::in_archive(&WantedImage { target_repo: "x".parse().ok(), ..image })
                .is_ok()
        );
    }
}

#[test]
fn targets() {
    let parts = |text: &str| {
        let rules = rules(text);
        (rules.host().to_string(), rules.namespace().map(ToString::to_string))
    };
    let with = |host: &str, namespace: &str| (host.to_owned(), Some(namespace.to_owned()));
    assert_eq!(parts("docker://mirror"), ("mirror".to_owned(), None));
    assert_eq!(parts("docker://mirror:5000/"), ("mirror:5000".to_owned(), None));
    assert_eq!(parts("docker://mirror/ns"), with("mirror", "ns"));
    assert_eq!(parts("docker://10.0.0.9:8443/a/b//"), with("10.0.0.9:8443", "a/b"));
    assert_eq!(parts("docker://[::1]:5000/a"), with("[::1]:5000", "a"));
}

/// Text, what its fault is called, and what the hint offers.
#[test]
fn what_is_no_target_names_the_right_form() {
    let table = [
        ("mirror:5000/ns", "Transport", Some("docker://mirror:5000/ns")),
        ("https://mirror/ns", "Transport", Some("docker://mirror/ns")),
        ("http://mirror", "Transport", Some("docker://mirror")),
        ("file:///tmp", "Transport", Some("docker://registry.example.com")),
        ("docker://https://mirror/ns", "Host", Some("docker://mirror/ns")),
        ("", "Transport", Some("docker://registry.example.com")),
        ("docker://", "Empty", Some("docker://registry.example.com")),
        ("docker:///ns", "Host", None),
        ("docker://mirror/ns:v1", "Pinned", Some("docker://mirror/ns`")),
        ("docker://mirror/ns:v1/", "Pinned", Some("docker://mirror/ns`")),
        ("docker://mirror/ns@sha256:00", "Pinned", Some("docker://mirror/ns`")),
        ("docker://mirror/NS", "Namespace", Some("`ns`")),
        ("docker://mirror/a//b", "Namespace", None),
        ("docker://mir ror/a", "Host", None),
    ];
    for (text, fault, offered) in table {
        let error = text.parse::<DestinationRules>().unwrap_err();
        assert!(format!("{:?}", error.fault).starts_with(fault), "{text}: {:?}", error.fault);
        match offered {
            Some(offered) => assert!(error.hint().unwrap().contains(offered), "{text}: {error:?}"),
            None => assert_eq!(error.hint(), None, "{text}"),
        }
    }
}
