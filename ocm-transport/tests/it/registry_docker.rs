//! The registry client against Debian's `docker-registry`, where it is installed.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use ocm_oci::Host;
use ocm_transport::conformance;
use tempfile::TempDir;

use crate::support::{Kept, open, plain};

/// The program, running with a directory of its own on a free port.
#[derive(Debug)]
struct DockerRegistry {
    process: Child,
    host: Host,
    _dir: TempDir,
}

impl DockerRegistry {
    /// Starts it; `None`, and a line that says so, where it is not installed.
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: 127.0.0.1:0}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n",
            dir.path().join("content").display()
        );
        std::fs::write(&config, text).unwrap();
        let started = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                println!("skipped: docker-registry: {error}");
                assert!(std::env::var_os("OCM_INTEROP_REQUIRED").is_none(), "it is required");
                return None;
            }
        };
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines();
        let line = log.find_map(|line| line.ok().filter(|line| line.contains("listening on")));
        let line = line.expect("it listens before it ends");
        let address = line.split("listening on ").nth(1).unwrap();
        let host = address.split(['"', ' ']).next().unwrap().parse().unwrap();
        // What is not read would block it.
        std::thread::spawn(move || log.for_each(drop));
        Some(Self { process, host, _dir: dir })
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[tokio::test]
async fn keeps_the_contract() {
    if DockerRegistry::start().is_none() {
        return;
    }
    let fresh = || {
        let server = DockerRegistry::start().unwrap();
        Kept { registry: open(&server.host, plain()), _server: server }
    };
    for check in conformance::writes().into_iter().chain(conformance::changes()) {
        // It knows only the types that were there in its time.
        if check.name != "keeps_every_type" {
            check.run(&fresh()).await;
        }
    }
}
