//! What goes wrong is named, with what to do; the rest is done.

use std::{fs, sync::Arc};

use ocm_registry::ServerOptions;
use ocm_testkit::{
    Loopback,
    faults::{BasicAuth, Fault, Rule},
};
use ocm_transport::Memory;

use crate::world::{INSECURE, World, names};

#[tokio::test(flavor = "multi_thread")]
async fn one_missing_image_fails_nothing_else() {
    let world = World::new().await;
    let missing = format!("{}/no/such:v1", world.far.host());
    world.configure(&format!("  - name: {missing}\n  - name: nonsense\n"));
    let said = world.mirror("--retry-times 0");
    said.assert_code(8);
    assert!(said.err.contains("isc.yaml:9:11"), "shown where it stands: {}", said.err);
    said.assert_says("1 image of `isc.yaml` cannot be mirrored as written");
    said.assert_says("Failed to copy generic nonsense: line 9, column 11: ");
    assert!(!said.out.contains("configured wrongly"), "{}", said.out);
    world.assert_mirrored().await;
    said.assert_says(&format!("Failed to copy generic {missing}: "));
    said.assert_says(" ✗  3 / 5 additional images mirrored: Some additional images failed");
    said.assert_says("the same command again");
    said.assert_says(&format!("  for {missing}: "));
    let file = world.only("w/working-dir/logs", "mirroring_errors_").unwrap();
    said.assert_says(&format!("2 not mirrored; {file} lists why"));
    let errors = world.read(&file);
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(lines[0].starts_with("error mirroring image nonsense error: "), "{errors}");
    assert!(lines[1].starts_with("error mirroring image FAR/no/such:v1 error: "), "{errors}");
    assert!(world.path("w/working-dir/cluster-resources/itms-oc-mirror.yaml").exists());
    assert_eq!(world.read("w/working-dir/mapping.txt").lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_without_any_image_does_not_replace_one_with_some() {
    let world = World::new().await;
    let to_disk = format!("-c isc.yaml {INSECURE} --retry-times 0 file://disk");
    world.run(&to_disk).assert_code(0);
    let before = fs::read(world.path("disk/mirror_000001.tar")).unwrap();
    world
        .write_config(&format!("  additionalImages:\n  - name: {}/no/such:v1\n", world.far.host()));
    let said = world.run(&to_disk);
    said.assert_code(8);
    said.assert_says("no archive was written; the older one is as it was");
    assert!(fs::read(world.path("disk/mirror_000001.tar")).unwrap() == before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_archive_says_so() {
    let world = World::new().await;
    let to_disk = format!("-c isc.yaml {INSECURE} --retry-times 0 file://disk");
    world.run(&to_disk).assert_code(0);
    let missing = format!("{}/no/such:v1", world.far.host());
    world.configure(&format!("  - name: {missing}\n"));
    let said = world.run(&to_disk);
    said.assert_code(8);
    said.assert_says("the archive is PARTIAL: it lacks 1 image, and it replaced the older one");
    said.assert_says(&format!("  not in it: {missing}"));
    said.assert_says("next: run the same command again for a whole one; or, as it is, carry disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrupt_content_is_told_and_not_kept() {
    let world = World::new().await;
    let fault = Rule::new(Fault::Corrupt).path("/bench/app-0001/blobs/");
    world.far.faults().add(fault);
    let said = world.mirror("--retry-times 1 --retry-delay 1ms");
    said.assert_code(8);
    said.assert_says(" ✗  2 / 3 additional images mirrored");
    said.assert_says("help: the bytes are not those that the digest promises");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_not_there_ends_the_run_at_once() {
    let world = World::new().await;
    let said = world.run("-c isc.yaml --workspace file://w docker://127.0.0.1:1/ns");
    said.assert_code(1);
    assert!(said.err.contains("127.0.0.1:1"), "{}", said.err);
    assert!(said.err.contains("check the host name, the port"), "{}", said.err);
    assert!(world.far.faults().log().is_empty(), "nothing was collected");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_asked_for_unless_told_otherwise() {
    let world = World::new().await;
    let said = world.run("-c isc.yaml --workspace file://w docker://NEAR");
    said.assert_code(1);
    assert!(said.err.contains("--dest-tls-verify=false"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_asked_for_named_and_never_shown() {
    let world = World::new().await;
    let auth = BasicAuth::new("me", "hunter2");
    let (memory, front) = (Arc::new(Memory::default()), auth.clone());
    let options = ServerOptions::default();
    let locked = Loopback::serve_with(memory, options, move |router| front.in_front_of(router));
    let locked = locked.await.unwrap();
    let run = |more: &str| {
        let host = locked.host();
        let words =
            format!("-c isc.yaml --workspace file://w {INSECURE} {more} docker://{host}/ns");
        let said = world.run(&words);
        assert!(!said.out.contains("hunter") && !said.err.contains("hunter"), "{said:?}");
        said
    };
    let nobody = run("");
    nobody.assert_code(1);
    nobody.assert_says(&format!("no credentials for {} were found; looked for in ", locked.host()));
    nobody.assert_says("the destination is asked once");
    assert!(nobody.err.contains("--authfile") && nobody.err.contains("podman login"), "{nobody:?}");
    run("--dest-creds me:hunter3").assert_code(1);
    let me = run("--dest-creds me:hunter2");
    me.assert_code(0);
    me.assert_says("go over plain HTTP, where anybody on the way can read them");
    let login =
        format!("{{\"auths\":{{\"{}\":{{\"auth\":\"bWU6aHVudGVyMg==\"}}}}}}", locked.host());
    fs::write(world.path("auth.json"), login).unwrap();
    run("--authfile auth.json").assert_code(0);
    fs::create_dir_all(world.path(".docker")).unwrap();
    fs::rename(world.path("auth.json"), world.path(".docker/config.json")).unwrap();
    run("").assert_code(0);
    run("--dest-no-creds").assert_code(1);
    let from = format!("  additionalImages:\n  - name: {}/a/b:v1\n", locked.host());
    world.write_config(&from);
    let locked_out = world.run(&format!("-c isc.yaml {INSECURE} --src-no-creds file://disk"));
    locked_out.assert_code(8);
    locked_out.assert_says(" was asked without credentials, as a flag says");
    fs::write(world.path("other.json"), r#"{"auths":{}}"#).unwrap();
    let words = format!("-c isc.yaml {INSECURE} --src-authfile other.json file://disk");
    world.run(&words).assert_says(" were found; looked for in other.json");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auth_file_that_is_not_there_is_named() {
    let world = World::new().await;
    let words = format!("-c isc.yaml {INSECURE} file://disk");
    let said = world.run_with(&words, |command| command.env("REGISTRY_AUTH_FILE", "/no/auth.json"));
    said.assert_code(1);
    assert!(said.err.contains("/no/auth.json"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_without_sense_is_shown_where_it_has_none() {
    let world = World::new().await;
    world.write_config("  additionalImages:\n  - nane: x\n  - name: 7\n");
    let said = world.mirror("");
    said.assert_code(1);
    for words in ["isc.yaml:5:5", "did you mean `name`?", "isc.yaml` has 2 errors"] {
        assert!(said.err.contains(words), "no `{words}` in {}", said.err);
    }
    assert!(!said.err.contains("Usage:"), "the arguments were right");
    assert!(!world.path("w").exists(), "nothing is made for a run that cannot begin");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_had_are_named() {
    let world = World::new().await;
    let said = world.run("-c no.yaml file://disk");
    said.assert_code(1);
    assert!(said.err.contains("could not read `no.yaml`"), "{}", said.err);
    fs::write(world.path("disk"), "").unwrap();
    let said = world.run("-c isc.yaml file://disk");
    said.assert_code(1);
    assert!(said.err.contains("could not make the directory `disk/working-dir/logs`"), "{said:?}");
    assert!(said.err.contains("not a directory is in the way"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_an_archive_is_no_archive() {
    let world = World::new().await;
    fs::create_dir(world.path("empty")).unwrap();
    let said = world.run(&format!("-c isc.yaml {INSECURE} --from empty docker://NEAR"));
    said.assert_code(1);
    assert!(said.err.contains("`empty` holds no archive"), "{}", said.err);
    assert!(said.err.contains("mirror_000001.tar"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_will_fail_and_what_may_help() {
    let world = World::new().await;
    let missing = format!("{}/no/such:v1", world.far.host());
    world.configure(&format!("  - name: {missing}\n"));
    let said = world.run(&format!("-c isc.yaml {INSECURE} --retry-times 0 --dry-run file://disk"));
    said.assert_code(8);
    said.assert_says("help: check the name and the tag");
    said.assert_says(&format!("  for {missing}: "));
    said.assert_says(" in 1 volume, ");
    assert_eq!(world.read("disk/working-dir/dry-run/missing.txt").lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_to_come_are_told() {
    let world = World::new().await;
    let said = world.run("delete --generate --workspace file://w docker://NEAR");
    said.assert_code(1);
    assert!(said.err.contains("ocm has no `delete` yet"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_mounted_nothing_is_made() {
    let world = World::new().await;
    let said = world.run("-c isc.yaml --from file://media/usb docker://NEAR");
    said.assert_code(1);
    assert!(said.err.contains("`--from media/usb` does not exist"), "{}", said.err);
    assert!(!world.path("media").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_that_match_everything_are_told() {
    let world = World::new().await;
    let name = format!("{}/a/b:v1", world.far.host());
    world.write_config(&format!(
        "  additionalImages:\n  - name: {name}\n  blockedImages:\n  - name: .*\n"
    ));
    let said = world.mirror("");
    said.assert_code(1);
    assert!(
        said.err.contains("leaves nothing to mirror: it matches 1 image, and no"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_read_one_stream() {
    let world = World::new().await;
    let said = world.run("-c isc.yaml --log-format json --workspace file://w docker://127.0.0.1:1");
    said.assert_code(1);
    assert_eq!(said.err, "");
    for line in said.out.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    assert!(said.out.lines().last().unwrap().contains("\"level\":\"error\""), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_names_nothing_is_an_error() {
    let world = World::new().await;
    world.write_config("  additionalImages: []\n");
    let said = world.mirror("");
    said.assert_code(1);
    assert!(said.err.contains("`isc.yaml` names nothing to mirror"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_is_none_is_refused() {
    let world = World::new().await;
    let words = format!("-c isc.yaml {INSECURE} file://disk");
    let said = world.run_with(&words, |command| command.env("SOURCE_DATE_EPOCH", "now"));
    said.assert_code(1);
    assert!(said.err.contains("`SOURCE_DATE_EPOCH=now` is not a number"), "{}", said.err);
    assert!(!names(&world.path(".")).contains(&"disk".to_owned()));
}
