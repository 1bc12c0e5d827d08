use std::ffi::OsString;

use super::*;
use crate::args::Secret;

fn request(words: &str) -> Result<Request, UsageError> {
    let words: Vec<_> = words.split_whitespace().map(OsString::from).collect();
    Request::new(LowArgs::read("ocm", words).unwrap(), &Environment::default())
}

/// Prints an error as people see it, to compare it as a whole.
fn complaint(words: &str) -> String {
    let error = request(words).unwrap_err();
    let chain = std::iter::successors(std::error::Error::source(&error), |&error| error.source());
    let mut text = error.to_string();
    for cause in chain {
        text = format!("{text}\n  {cause}");
    }
    match error.hint() {
        Some(hint) => format!("{text}\n> {hint}"),
        None => text,
    }
}

#[test]
fn the_destination_and_two_flags_say_which_way_content_goes() {
    let rules: DestinationRules = "docker://r:5000/ns".parse().unwrap();
    let cases = [
        ("file://out", Flow::MirrorToDisk { directory: "out".into() }),
        ("file:///media/usb/", Flow::MirrorToDisk { directory: "/media/usb/".into() }),
        (
            "--workspace file://w docker://r:5000/ns",
            Flow::MirrorToMirror { workspace: "w".into(), rules: rules.clone() },
        ),
        (
            "--from file://in/ docker://r:5000/ns",
            Flow::DiskToMirror { from: "in/".into(), workspace: None, rules: rules.clone() },
        ),
        (
            "--from in/mirror_000001.tar docker://r:5000/ns/",
            Flow::DiskToMirror {
                from: "in/mirror_000001.tar".into(),
                workspace: None,
                rules: rules.clone(),
            },
        ),
        (
            "--from in --workspace file://w docker://r:5000/ns",
            Flow::DiskToMirror { from: "in".into(), workspace: Some("w".into()), rules },
        ),
    ];
    for (words, flow) in cases {
        assert_eq!(request(&format!("-c isc.yaml {words}")).unwrap().flow, flow, "{words}");
    }
}

#[test]
fn signatures_are_copied_unless_told_otherwise() {
    let wanted = |words: &str| request(&format!("-c isc.yaml {words} file://out"));
    let signatures = |words: &str| wanted(words).unwrap().signatures;
    let missing = |signatures| (signatures, AttachingScope::Missing);
    for (words, expected) in [
        ("", missing(Signatures::Copy)),
        ("--signatures copy", missing(Signatures::Copy)),
        ("--signatures require", missing(Signatures::Require)),
        ("--signatures=skip", missing(Signatures::Skip)),
        ("--remove-signatures", missing(Signatures::Skip)),
        ("--remove-signatures=false", missing(Signatures::Copy)),
        ("--remove-signatures --signatures skip", missing(Signatures::Skip)),
        ("--refresh-signatures", (Signatures::Copy, AttachingScope::All)),
    ] {
        assert_eq!(signatures(words), expected, "{words}");
    }
    for words in [
        "--remove-signatures --signatures copy",
        "--remove-signatures --signatures require",
        "--remove-signatures --refresh-signatures",
        "--signatures skip --refresh-signatures",
    ] {
        let complaint = complaint(&format!("-c isc.yaml {words} file://out"));
        assert_eq!(complaint, "the flags about signatures contradict each other", "{words}");
    }
}

/// oc-mirror refuses them: it looks for the names of its own directories in the user's paths.
#[test]
fn no_path_is_reserved() {
    for word in ["helm", "logs", "delete", "dry-run", "signatures", "docker:", "hold-release"] {
        let path = format!("/home/{word}/x");
        request(&format!("-c isc.yaml file://{path}")).unwrap();
        request(&format!("-c isc.yaml --from file://{path} docker://r")).unwrap();
        request(&format!("-c isc.yaml --workspace file://{path} docker://r")).unwrap();
    }
}

#[test]
fn what_makes_no_sense_is_said_with_what_to_type() {
    let cases = [
        "",
        "--v1 -c x docker://r",
        "docker://r",
        "-c x --workspace xfile://w docker://r",
        "-c x --workspace w docker://r",
        "-c x --workspace file:// docker://r",
        "-c x --from file://in file://out",
        "-c x --workspace file://w file://out",
        "-c x --from docker://r docker://r",
        "-c x --from file:// docker://r",
        "-c x file://",
        "-c x docker://r",
        "-c x --workspace file://w http://r",
        "-c x --workspace file://w https://r/ns/",
        "-c x oci://layout",
        "-c x /tmp/foo",
        "-c x --dry-run false file://out",
        "-c x file://out --dry-run false",
        "-c x file://out docker://r",
        "-c x --workspace file://w registry.lab:5000/mirror",
        "-c x --workspace file://w docker://r/app:v1",
        "verison",
        "-c x --since yesterday file://out",
        "-c x --since 2026-11-21 file://out",
        "-c x --secure-policy file://out",
        "-c x --dry-run --dry-run-manifest-lists file://out",
        "-c x --parallel-images 0 file://out",
        "-c x --parallel-images -1 file://out",
        "-c x --parallel-layers 65 file://out",
        "-c x --retry-times -1 file://out",
        "-c x --max-nested-paths -2 file://out",
        "-c x --src-creds u:p --src-no-creds file://out",
        "-c x --dest-username u --dest-no-creds file://out",
        "-c x --dcreds u --dest-username u file://out",
        "-c x --src-username u file://out",
        "-c x --src-password p file://out",
        "-c x --src-creds= file://out",
        "-c x --screds :p file://out",
    ];
    let all: Vec<_> =
        cases.iter().map(|words| format!("$ ocm {words}\n{}\n", complaint(words))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn limits_of_parallel_work_are_one_and_sixty_four() {
    let effort = |words: &str| request(&format!("-c x {words} file://o")).unwrap().effort;
    let most = effort("--parallel-images 64 --parallel-layers 1");
    assert_eq!((most.images, most.layers), (NonZeroUsize::new(64), NonZeroUsize::new(1)));
    let usual = effort("");
    assert_eq!((usual.images, usual.layers, usual.stall), (None, None, None));
    assert_eq!((usual.retry.times, usual.retry.delay), (5, None));
    let patient = effort("--image-timeout 0 --retry-delay 2s");
    assert_eq!(patient.stall, Some(Duration::ZERO));
    assert_eq!(patient.retry.delay, Some(Duration::from_secs(2)));
}

#[test]
fn paths_are_cut_where_they_go_into_a_registry() {
    let words = "-c x --max-nested-paths 2 --workspace file://w docker://r/ns";
    let request = request(words).unwrap();
    assert_eq!(request.nesting, Nesting::Limited);
    let rules: DestinationRules = "docker://r/ns".parse().unwrap();
    let rules = rules.with_nesting(NonZeroUsize::new(2).unwrap());
    assert_eq!(request.flow, Flow::MirrorToMirror { workspace: "w".into(), rules });
}

#[test]
fn what_changes_nothing_is_gathered() {
    let request =
        request("-c x --port 1 --src-daemon-host h --since 2026-11-21 --from in docker://r more");
    let expected = ["--port", "--since", "--src-daemon-host", "every argument after the first"];
    assert_eq!(request.unwrap().ineffective, expected);
}

#[test]
fn the_nearest_credentials_count() {
    let login = |words: &str| request(&format!("-c x {words} file://o")).unwrap().source.login;
    let user = Login::User { name: "u".into(), password: Secret::from("p:q") };
    assert_eq!(login(""), Login::Search);
    assert_eq!(login("--authfile a"), Login::File("a".into()));
    assert_eq!(login("--authfile a --src-authfile b"), Login::File("b".into()));
    assert_eq!(login("--src-authfile b --src-creds u:p:q"), user);
    assert_eq!(login("--src-username u --src-password p:q"), user);
    assert_eq!(login("--src-no-creds --authfile a"), Login::Anonymous);
    assert_eq!(login("--src-registry-token t"), Login::Token(Secret::from("t")));
    let without = Login::User { name: "u".into(), password: Secret::from("") };
    assert_eq!(login("--screds u"), without);
}

#[test]
fn the_environment_stands_in_for_authfile() {
    let environment = Environment::of(
        |name| (name == "REGISTRY_AUTH_FILE").then(|| OsString::from("/env.json")),
        0,
    );
    let words = ["-c", "x", "file://o", "--dest-authfile", "/flag.json"].map(OsString::from);
    let request = Request::new(LowArgs::read("ocm", words).unwrap(), &environment).unwrap();
    assert_eq!(request.source.login, Login::File("/env.json".into()));
    assert_eq!(request.destination.login, Login::File("/flag.json".into()));
}
