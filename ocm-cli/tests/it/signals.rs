//! Ctrl-C and SIGTERM: the program ends, says what was done, and leaves nothing half-visible.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use ocm_testkit::faults::{Fault, Rule};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use crate::world::{INSECURE, Said, World};

/// Longer than anything here takes; who hangs is found out all the same.
const PATIENCE: Duration = Duration::from_secs(50);

/// Begins a run in which every blob stops coming, and waits until one does.
async fn begin(world: &World, words: &str) -> Child {
    let stall = Rule::new(Fault::Stall { after: 100 }).path("/blobs/");
    world.far.faults().add(stall);
    let words = words.replace("NEAR", world.near.host().as_str());
    let child = Command::new(assert_cmd::cargo::cargo_bin!("ocm"))
        .args(words.split_whitespace())
        .current_dir(world.path(""))
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = async {
        while world.far.faults().count(&http::Method::GET, "/blobs/") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, begun).await.unwrap();
    child
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

async fn end(child: Child) -> Said {
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap());
    Said::new(timeout(PATIENCE, ended).await.unwrap().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_a_mirror_with_130() {
    let world = World::new().await;
    let words = format!("-c isc.yaml --workspace file://w {INSECURE} docker://NEAR/ns");
    let child = begin(&world, &words).await;
    send(&child, Signal::INT);
    let said = end(child).await;
    said.assert_code(130);
    said.assert_says("stopped by Ctrl-C");
    said.assert_says(" ✗  0 / 3 additional images mirrored");
    said.assert_says(" ✗  0 / 3 additional images mirrored, 3 not copied");
    said.assert_says("next: run the same command again; what is there is recognised");
    assert!(!said.out.contains("please check the logs"), "{}", said.out);
    assert!(!world.path("w/working-dir/cluster-resources").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_an_archive_with_143_and_leaves_none() {
    let world = World::new().await;
    let child = begin(&world, &format!("-c isc.yaml {INSECURE} file://disk")).await;
    send(&child, Signal::TERM);
    let said = end(child).await;
    said.assert_code(143);
    said.assert_says("stopped by SIGTERM");
    said.assert_says(
        "nothing was kept of the archive that was being written; there was none before",
    );
    assert!(!said.out.contains("stays done"), "{}", said.out);
    assert_eq!(crate::world::names(&world.path("disk")), ["working-dir"]);
}
