use std::time::Duration;

use super::*;

fn read(words: &str) -> Result<LowArgs, clap::Error> {
    LowArgs::read("ocm", words.split_whitespace().map(OsString::from))
}

#[test]
fn the_grammar_is_sound() {
    command("ocm").debug_assert();
}

#[test]
fn booleans_are_written_as_in_go() {
    let cases = [
        ("", Switch::On),
        ("--src-tls-verify", Switch::On),
        ("--src-tls-verify=true", Switch::On),
        ("--src-tls-verify=false", Switch::Off),
        ("--src-tls-verify=F --dest-tls-verify", Switch::Off),
        ("--src-tls-verify=false --src-tls-verify", Switch::On),
    ];
    for (words, expected) in cases {
        let args = read(&format!("{words} docker://r")).unwrap();
        assert_eq!(LowSide::from(args.source).tls_verify, expected, "{words}");
        // A value needs its `=`: what follows is the destination.
        assert_eq!(args.destination, ["docker://r"], "{words}");
    }
    assert!(read("--dry-run=yes docker://r").is_err());
}

#[test]
fn where_to_listen_is_a_port_at_least() {
    let cases = [
        ("7112", "127.0.0.1:7112"),
        (":7112", "0.0.0.0:7112"),
        ("localhost:7112", "127.0.0.1:7112"),
        ("[::1]:7112", "[::1]:7112"),
        ("0.0.0.0:0", "0.0.0.0:0"),
    ];
    for (typed, meant) in cases {
        let args = read(&format!("serve d --listen {typed}")).unwrap();
        let Some(LowCommand::Serve(args)) = args.command else { panic!("{typed}") };
        assert_eq!(args.listen.to_string(), meant);
    }
    let error = read("serve d --listen here").unwrap_err().to_string();
    assert!(error.contains("write a port"), "{error}");
}

#[test]
fn durations_are_written_as_in_go() {
    let args = read("--image-timeout 1h30m --retry-delay=500ms").unwrap();
    assert_eq!(args.registry.image_timeout, Some(GoDuration(Duration::from_mins(90))));
    assert_eq!(args.registry.access.retry.retry_delay.0, Duration::from_millis(500));
}

#[test]
fn the_last_of_a_repeated_flag_counts_and_ca_files_add_up() {
    let args = read("-c a.yaml --config=b.yaml --ca-file x --ca-file y").unwrap();
    assert_eq!(args.mirror.config, Some(PathBuf::from("b.yaml")));
    assert_eq!(args.registry.access.ca_file, [PathBuf::from("x"), PathBuf::from("y")]);
}

#[test]
fn aliases_and_hidden_flags_are_known() {
    let args = read("--screds u:p --dcreds v --dest-no-creds --src-cert-dir d file://o").unwrap();
    let (source, target) = (LowSide::from(args.source), LowSide::from(args.target));
    assert_eq!(source.creds, Some(Secret::from("u:p")));
    assert_eq!(source.cert_dir, Some(PathBuf::from("d")));
    assert_eq!(target.creds, Some(Secret::from("v")));
    assert!(target.no_creds.is_on());
}

#[test]
fn flags_of_oc_mirror_without_effect_are_taken() {
    let args = read(
        "-p 5000 --cache-dir /x --registries.d y -q --force=true --policy z \
         --rootless-storage-path w --src-daemon-host h --dest-shared-blob-dir b file://o",
    )
    .unwrap();
    assert_eq!(
        args.ineffective.given(),
        [
            "--port",
            "--cache-dir",
            "--registries.d",
            "--policy",
            "--rootless-storage-path",
            "--quiet",
            "--force"
        ]
    );
    assert_eq!(LowSide::from(args.source).ineffective, ["--src-daemon-host"]);
    assert_eq!(LowSide::from(args.target).ineffective, ["--dest-shared-blob-dir"]);
}

#[test]
fn a_secret_does_not_appear_when_arguments_are_shown() {
    let args = read("--src-creds user:hunter2 --dest-password hunter2 file://o").unwrap();
    assert!(!format!("{args:?}").contains("hunter2"));
}

#[test]
fn a_command_can_come_after_the_flags_of_oc_mirror() {
    assert!(matches!(read("--v2 version").unwrap().command, Some(LowCommand::Version(_))));
    assert!(matches!(read("version --v2").unwrap().command, Some(LowCommand::Version(_))));
}

#[test]
fn v2_with_one_dash_is_a_typing_error() {
    let error = read("-v2 -c isc.yaml docker://r").unwrap_err().to_string();
    assert!(error.contains("did you mean `--v2`?"), "{error}");
    let error = read("-2 docker://r").unwrap_err().to_string();
    assert!(!error.contains("--v2"), "{error}");
}
