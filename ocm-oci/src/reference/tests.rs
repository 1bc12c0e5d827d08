use proptest::prelude::*;

use super::*;

const SHA256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn image(text: &str) -> ImageRef {
    text.parse().unwrap()
}

/// Text, host, repository, path, tag, whether there is a digest.
#[test]
fn reads_what_people_write() {
    let table = [
        ("nginx:1", "docker.io", "library/nginx", "nginx", Some("1"), false),
        ("foo/bar:1", "docker.io", "foo/bar", "foo/bar", Some("1"), false),
        ("docker.io/nginx:1", "docker.io", "library/nginx", "nginx", Some("1"), false),
        ("quay.io/a/b/c:v1", "quay.io", "a/b/c", "a/b/c", Some("v1"), false),
        ("localhost/a:1", "localhost", "a", "a", Some("1"), false),
        ("host:5000/x@DIGEST", "host:5000", "x", "x", None, true),
        ("host:5000/x:t@DIGEST", "host:5000", "x", "x", Some("t"), true),
        ("[::1]:5000/x/y:z", "[::1]:5000", "x/y", "x/y", Some("z"), false),
        ("[2001:db8::1]/x@DIGEST", "[2001:db8::1]", "x", "x", None, true),
        ("docker://quay.io/a/b:v1", "quay.io", "a/b", "a/b", Some("v1"), false),
        ("10.0.0.9:8443/x:y", "10.0.0.9:8443", "x", "x", Some("y"), false),
    ];
    for (text, host, repository, path, tag, by_digest) in table {
        let text = text.replace("DIGEST", SHA256);
        let read = image(&text);
        assert_eq!(read.as_written(), text);
        assert_eq!(read.host().as_str(), host, "{text}");
        assert_eq!(read.repository().as_str(), repository, "{text}");
        assert_eq!(read.path().as_str(), path, "{text}");
        assert_eq!(read.tag().map(ToString::to_string).as_deref(), tag, "{text}");
        assert_eq!(read.digest().is_some(), by_digest, "{text}");
        assert_eq!(matches!(read.selector(), TagOrDigest::Digest(_)), by_digest, "{text}");
    }
}

#[test]
fn says_what_is_wrong() {
    let fault = |text: &str| text.parse::<Reference>().unwrap_err().fault;
    assert_eq!(fault(""), ReferenceFault::Empty);
    assert_eq!(fault("quay.io/:v1"), ReferenceFault::Empty);
    assert_eq!(fault("whatever"), ReferenceFault::Unpinned);
    assert_eq!(fault("host:5000/x"), ReferenceFault::Unpinned);
    assert!(matches!(fault("ftp://a/b:1"), ReferenceFault::Transport { .. }));
    assert!(matches!(fault("a:b:c/d:e"), ReferenceFault::Host(_)));
    assert!(matches!(fault("host:0/d:e"), ReferenceFault::Host(_)));
    assert!(matches!(fault("host:99999/d:e"), ReferenceFault::Host(_)));
    assert!(matches!(fault("[::g]/d:e"), ReferenceFault::Host(_)));
    assert!(matches!(fault("quay.io/A:e"), ReferenceFault::Repository(_)));
    assert!(matches!(fault("quay.io/<x>:e"), ReferenceFault::Repository(_)));
    assert!(matches!(fault("quay.io/a:"), ReferenceFault::Tag(_)));
    assert!(matches!(fault("quay.io/a:b c"), ReferenceFault::Tag(_)));
    assert!(matches!(fault("quay.io/a@sha256:00"), ReferenceFault::Digest(_)));
    assert!(matches!(fault("quay.io/a@@"), ReferenceFault::Digest(_)));
    assert_eq!(fault("oci://"), ReferenceFault::Empty);
}

#[test]
fn hints_name_the_way_out() {
    let hint = |text: &str| text.parse::<Reference>().unwrap_err().hint().unwrap();
    assert!(hint("quay.io/a").contains("quay.io/a:latest"));
    assert!(hint("quay.io/Team/App:1").contains("team/app"));
    assert!(hint("ftp://x").contains("oci://"));
}

#[test]
fn layouts_are_directories() {
    let read = |text: &str| match text.parse().unwrap() {
        Reference::Layout(layout) => layout,
        other => panic!("{other} is no layout"),
    };
    assert_eq!(read("oci:///a/b").directory, PathBuf::from("/a/b"));
    assert_eq!(read("oci://a/b").directory, PathBuf::from("a/b"));
    assert_eq!(read("oci://a@b").digest, None);
    assert!(read(&format!("oci://a@{SHA256}")).digest.is_some());
    assert!("oci://a".parse::<ImageRef>().is_err());
}

#[test]
fn only_catalogs_are_directories_of_files() {
    let read = |text: &str| match Reference::of_catalog(text).unwrap() {
        Reference::Directory(directory) => directory,
        other => panic!("{other} is no directory of files"),
    };
    assert_eq!(read("dir:///a/b@c").directory, PathBuf::from("/a/b@c"));
    assert_eq!(read("dir://a").directory, PathBuf::from("a"));
    assert_eq!(Reference::of_catalog("dir://./a").unwrap().to_string(), "dir://./a");
    assert_eq!(Reference::of_catalog("dir://").unwrap_err().fault, ReferenceFault::Empty);
    let image = Reference::of_catalog("quay.io/a/b:1").unwrap();
    assert_eq!(image, "quay.io/a/b:1".parse().unwrap());
    assert!("dir://a".parse::<Reference>().is_err(), "an image is no directory of files");
}

#[test]
fn hosts_know_their_parts() {
    let host: Host = "[::1]:5000".parse().unwrap();
    assert_eq!((host.name(), host.port()), ("::1", Some(5000)));
    let host: Host = "[::1]".parse().unwrap();
    assert_eq!((host.name(), host.port()), ("::1", None));
    let host: Host = "quay.io".parse().unwrap();
    assert_eq!((host.name(), host.port()), ("quay.io", None));
    for bad in ["", "-a", "a-.b", "a..b", "a:", "a:b", "a:70000", "[::1", "::1", "a b", "é"] {
        assert!(bad.parse::<Host>().is_err(), "{bad:?} was accepted");
    }
}

fn component() -> impl Strategy<Value = String> {
    "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}"
}

fn written() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just(String::new()),
        "[a-z][a-z0-9]{0,8}\\.[a-z]{2,3}/",
        "[a-z]{1,8}:[1-9][0-9]{0,3}/",
        Just("[fe80::1]:5000/".to_owned()),
    ];
    let path = prop::collection::vec(component(), 1..4).prop_map(|parts| parts.join("/"));
    let tag = "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}";
    let pin = (prop::option::of(tag), any::<bool>()).prop_map(|(tag, by_digest)| match tag {
        Some(tag) if by_digest => format!(":{tag}@{SHA256}"),
        Some(tag) => format!(":{tag}"),
        None => format!("@{SHA256}"),
    });
    (host, path, pin).prop_map(|(host, path, pin)| format!("{host}{path}{pin}"))
}

proptest! {
    #[test]
    fn parse_and_print_are_inverse(text in written()) {
        let read = image(&text);
        prop_assert_eq!(read.as_written(), &text);
        let printed = read.to_string();
        let again = image(&printed);
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(
            (again.host(), again.repository(), again.tag(), again.digest()),
            (read.host(), read.repository(), read.tag(), read.digest())
        );
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        if let Ok(read) = text.parse::<Reference>() {
            prop_assert_eq!(read.as_written(), &text);
            prop_assert!(read.to_string().parse::<Reference>().is_ok());
        }
    }
}
