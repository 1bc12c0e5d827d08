//! The demo, and serving.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::world::{INSECURE, World, names};

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_goes_the_whole_way() {
    let world = World::new().await;
    let said = world.run("demo --directory shown");
    said.assert_code(0);
    for words in [
        "$ UPDATE_URL_OVERRIDE=http://127.0.0.1:",
        "OCP_SIGNATURE_VERIFICATION_PK=shown/release-key.asc \\",
        " ocm -c shown/imageset-config.yaml --src-tls-verify=false --graph-base-image 127.0.0.1:",
        " file://shown/disk",
        "update server and signatures are gone",
        "--from file://shown/disk --dest-tls-verify=false docker://127.0.0.1:",
        "19 / 19 release images mirrored successfully",
        "6 / 6 operator images mirrored successfully",
        "13 / 13 additional images mirrored successfully",
        "21 mounted",
        "each of the digest it has upstream",
        "releases 4.18.1 and 4.18.2 are there, 8 components each",
        "the catalog there offers ledger-operator alone",
        "the image of the update graph has channels/stable-4.18.yaml",
        "shown/disk/working-dir/cluster-resources",
    ] {
        said.assert_says(words);
    }
    let expected = ["disk", "imageset-config.yaml", "registry", "release-key.asc"];
    assert_eq!(names(&world.path("shown")), expected);
    let expected = [
        "cc-catalog-v4-18.yaml",
        "cs-catalog-v4-18.yaml",
        "idms-oc-mirror.yaml",
        "itms-oc-mirror.yaml",
        "signature-configmap.json",
        "signature-configmap.yaml",
        "updateService.yaml",
    ];
    assert_eq!(names(&world.path("shown/disk/working-dir/cluster-resources")), expected);
    let again = world.run("demo --directory shown");
    again.assert_code(1);
    again.assert_says("name one that is not there, or is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_served() {
    let world = World::new().await;
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    let mut server = Command::new(assert_cmd::cargo::cargo_bin!("ocm"))
        .args(["serve", "disk", "--listen", "127.0.0.1:0"])
        .current_dir(world.path(""))
        .env_clear()
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    let (_, address) = line.split_once("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let request = "GET /v2/bench/app-0000/manifests/v1 HTTP/1.0\r\nHost: here\r\n\r\n";
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let digest = world.upstream.published()[0].content.digest();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    assert!(answer.contains(&digest.to_string()), "{answer}");
    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(143));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_said() {
    let world = World::new().await;
    world.run(&format!("-c isc.yaml {INSECURE} file://disk")).assert_code(0);
    let said = world.run("serve disk --listen NEAR");
    said.assert_code(1);
    assert!(said.err.contains("could not listen"), "{}", said.err);
    assert!(said.err.contains("choose another address with `--listen`"), "{}", said.err);
    world.run("serve nowhere").assert_code(1);
}
