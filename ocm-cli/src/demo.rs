//! `ocm demo`: the whole way, with nothing but this program.
//!
//! ```text
//! synthetic upstream ──mirror to disk──► archive ──disk to mirror──► registry ──► every digest read
//! on loopback                            in DIR/disk                 over DIR/registry once more
//! ```
//!
//! The two runs in the middle are those that anybody would type; nothing is arranged for them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use ocm_oci::Host;
use ocm_registry::ServerError;
use ocm_testkit::{Loopback, Published, Upstream};
use ocm_transport::{Client, ClientOptions, TlsOptions, Transport, Verify, layout::OciLayout};
use tokio::time::Instant;

use crate::{
    args::{DemoArgs, LowArgs},
    environment::Environment,
    exit::Exit,
    files,
    halt::Halt,
    mirror::{self, Session},
    progress::stopwatch,
    report::Complaint,
    request::Request,
};

mod reread;

use reread::{Reread, reread};

/// Directory of that registry.
const REGISTRY: &str = "registry";
/// Below what images go into the second registry.
const NAMESPACE: &str = "mirror";

/// Shows everything, and says where to look.
pub(crate) async fn run(args: DemoArgs, session: &mut Session) -> Exit {
    let ended = Box::pin(demonstrate(args, session)).await;
    session.end(ended)
}

async fn demonstrate(args: DemoArgs, session: &mut Session) -> Result<Exit, Halt> {
    let begun = Instant::now();
    let directory = directory(args.directory, &session.environment)?;
    // What it shows must not depend on whose machine it is shown on.
    session.environment = Environment::default();
    let upstream = Upstream::demo();
    let far = serve(Arc::new(upstream.clone())).await?;
    let near = serve(Arc::new(OciLayout::create(&directory.join(REGISTRY)).await?)).await?;
    let config = directory.join("imageset-config.yaml");
    files::write(&config, configuration(&upstream, &far.host()).as_bytes())?;
    session.console.info(format!("an upstream with synthetic images is at {}", far.url()));
    session.console.info(format!("they are named in {}", config.display()));
    let (config, disk) = (config.display(), directory.join("disk"));
    let disk = disk.display();
    let target = format!("docker://{}/{NAMESPACE}", near.host());
    let commands = [
        format!("-c {config} --src-tls-verify=false file://{disk}"),
        format!("-c {config} --from file://{disk} --dest-tls-verify=false {target}"),
    ];
    for command in commands {
        session.console.space();
        session.console.info(format!("$ {} {command}", session.program));
        let request = request(&command, session)?;
        let exit = Box::pin(mirror::run(request, session)).await;
        if exit != Exit::SUCCESS {
            return Ok(exit);
        }
    }
    session.console.space();
    let found = check(&upstream, &near.host(), session).await?;
    let Reread { manifests, blobs, bytes } = found;
    session.console.info(format!(
        "read back from {}: {manifests} manifests and {blobs} blobs, {}, each of the digest it \
         has upstream",
        near.host(),
        indicatif::HumanBytes(bytes)
    ));
    session.console.info(format!("all of it took {}", stopwatch(begun.elapsed())));
    look_here(&directory, session);
    Ok(Exit::SUCCESS)
}

fn directory(chosen: Option<PathBuf>, environment: &Environment) -> Result<PathBuf, Halt> {
    let temporary = environment.temporary();
    if let Some(directory) = chosen {
        files::make_dir(&directory)?;
        return Ok(directory);
    }
    let made = tempfile::Builder::new().prefix("ocm-demo-").tempdir_in(&temporary);
    let failed = |source| files::FileError::Directory { path: temporary, source };
    Ok(made.map_err(failed)?.keep())
}

async fn serve(place: Arc<dyn Transport>) -> Result<Loopback, ServerError> {
    Loopback::serve(place).await
}

fn configuration(upstream: &Upstream, host: &Host) -> String {
    let head = "# Made by `ocm demo`.\n\
                kind: ImageSetConfiguration\n\
                apiVersion: mirror.openshift.io/v2alpha1\n\
                mirror:\n  additionalImages:\n";
    let line = |image: &Published| match &image.tag {
        Some(tag) => format!("  - name: {host}/{}:{tag}\n", image.repository),
        None => format!("  - name: {host}/{}@{}\n", image.repository, image.content.digest()),
    };
    let lines: String = upstream.published().iter().map(line).collect();
    format!("{head}{lines}")
}

/// Understands `command` as it would be typed.
fn request(command: &str, session: &Session) -> Result<Request, Halt> {
    let words = command.split(' ').map(OsString::from);
    let told = |error: &dyn std::error::Error| Halt::from(Complaint::of(error));
    let args = LowArgs::read(&session.program, words).map_err(|error| told(&error))?;
    Request::new(args, &session.environment).map_err(|error| told(&error))
}

/// Reads everything of `upstream` from the registry at `host`, and compares.
async fn check(upstream: &Upstream, host: &Host, session: &mut Session) -> Result<Reread, Halt> {
    let tls = TlsOptions { verify: Verify::Never, ..TlsOptions::default() };
    let registry = Client::new(ClientOptions::default().with_tls(tls))?.registry(host);
    let mut found = Reread::default();
    for image in upstream.published() {
        let namespace = NAMESPACE.parse().expect("the constant is a repository's name");
        let source = registry.source(&image.repository.under(&namespace));
        session.console.show(&[format!("  reading back {}", image.repository)]);
        let reading = reread(&*source, image, &mut found);
        session.stopping.unless(reading).await?.map_err(|error| Halt::from(&error))?;
    }
    session.console.clear();
    Ok(found)
}

fn look_here(directory: &Path, session: &mut Session) {
    let disk = directory.join("disk");
    let places = [
        ("the configuration", directory.join("imageset-config.yaml")),
        ("the archive, which `tar tvf` lists", disk.join("mirror_000001.tar")),
        ("what went where", disk.join("working-dir/mapping.txt")),
        ("the resources for a cluster", disk.join("working-dir/cluster-resources")),
        ("the logs of both runs", disk.join("working-dir/logs")),
        ("what the second registry holds, an OCI layout", directory.join(REGISTRY)),
    ];
    session.console.info("look at:");
    for (what, path) in places {
        session.console.info(format!("  {} ({what})", path.display()));
    }
    let program = &session.program;
    let registry = directory.join(REGISTRY);
    session.console.info(format!("or serve it again: {program} serve {}", registry.display()));
}
