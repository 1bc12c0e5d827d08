//! `ocm demo`: the whole way, with nothing but this program.
//!
//! ```text
//! registry, updates, ──mirror to disk──► archive ──disk to mirror──► registry ──► every digest read
//! signatures: on loopback,               in DIR/disk                 over DIR/registry once more
//! and gone from here on ─────────────────────────┘
//! ```
//!
//! The two runs in the middle are those that anybody would type; nothing is arranged for them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

use ocm_testkit::{Demo, Loopback, Release, ReleaseSigner};
use ocm_transport::layout::OciLayout;
use tokio::time::Instant;

use crate::{
    args::{DemoArgs, LowArgs},
    environment::Environment,
    exit::Exit,
    files,
    halt::Halt,
    mirror,
    progress::stopwatch,
    report::Complaint,
    request::Request,
    session::Session,
};

mod far;
mod near;
mod reread;

use far::{Far, configuration, trusting};
use near::{NAMESPACE, Near};
use reread::Reread;

/// Directory of the second registry.
const REGISTRY: &str = "registry";
/// Who may sign releases.
const KEY: &str = "release-key.asc";

/// A run as it is typed: variables, and words behind the program's name.
#[derive(Debug)]
struct Typed {
    variables: Vec<(&'static str, String)>,
    words: String,
}

/// Shows everything, and says where to look.
pub(crate) async fn run(args: DemoArgs, session: &mut Session) -> Exit {
    let ended = Box::pin(demonstrate(args, session)).await;
    session.end(ended)
}

async fn demonstrate(args: DemoArgs, session: &mut Session) -> Result<Exit, Halt> {
    let begun = Instant::now();
    let directory = directory(args.directory, &session.environment)?;
    let (far, demo) = Far::serve().await?;
    let near = Loopback::serve(Arc::new(OciLayout::create(&directory.join(REGISTRY)).await?));
    let near = near.await?;
    let (config, key) = (directory.join("imageset-config.yaml"), directory.join(KEY));
    files::write(&config, configuration(&demo, &far.host()).as_bytes())?;
    files::write(&key, ReleaseSigner::trusted().public_key().as_bytes())?;
    for line in far.lines() {
        session.console.info(line);
    }
    session.console.info(format!("what is wanted of them is in {}", config.display()));
    let (config, disk) = (config.display(), directory.join("disk"));
    let disk = disk.display();
    let base = format!("--graph-base-image {}/{}", far.host(), Demo::BASE);
    let words = format!("-c {config} --src-tls-verify=false {base} file://{disk}");
    let exit = type_in(Typed { variables: far.variables(&key), words }, session).await?;
    if exit != Exit::SUCCESS {
        return Ok(exit);
    }
    // From here on only the archive can know.
    drop(far);
    session.console.space();
    session.console.info("registry, update server and signatures are gone: this is the far side");
    let target = format!("docker://{}/{NAMESPACE}", near.host());
    let words = format!("-c {config} --from file://{disk} --dest-tls-verify=false {target}");
    let exit = type_in(Typed { variables: vec![trusting(&key)], words }, session).await?;
    if exit != Exit::SUCCESS {
        return Ok(exit);
    }
    session.console.space();
    let found = Near::at(&near.host())?.check(&demo, session).await?;
    tell(&found, &demo, session);
    session.console.info(format!("all of it took {}", stopwatch(begun.elapsed())));
    look_here(&directory, session);
    Ok(Exit::SUCCESS)
}

fn directory(chosen: Option<PathBuf>, environment: &Environment) -> Result<PathBuf, Halt> {
    let temporary = environment.temporary();
    if let Some(directory) = chosen {
        files::vacant(&directory)?;
        files::make_dir(&directory)?;
        return Ok(directory);
    }
    let made = tempfile::Builder::new().prefix("ocm-demo-").tempdir_in(&temporary);
    let failed = |source| files::FileError::Directory { path: temporary, source };
    Ok(made.map_err(failed)?.keep())
}

/// Shows what is typed, and does it.
async fn type_in(typed: Typed, session: &mut Session) -> Result<Exit, Halt> {
    let Typed { variables, words } = typed;
    session.console.space();
    let mut prompt = "$";
    for (name, value) in &variables {
        session.console.info(format!("{prompt} {name}={value} \\"));
        prompt = " ";
    }
    session.console.info(format!("{prompt} {} {words}", session.program));
    // What it shows must not depend on whose machine it is shown on.
    session.environment = Environment::with_only(&variables);
    let request = request(&words, session)?;
    Ok(Box::pin(mirror::run(request, session)).await)
}

/// Understands `words` as they would be typed.
fn request(words: &str, session: &Session) -> Result<Request, Halt> {
    let words = words.split(' ').map(OsString::from);
    let told = |error: &dyn std::error::Error| Halt::from(Complaint::of(error));
    let args = LowArgs::read(&session.program, words).map_err(|error| told(&error))?;
    Request::new(args, &session.environment).map_err(|error| told(&error))
}

/// Says what was found on the far side.
fn tell(found: &Reread, demo: &Demo, session: &mut Session) {
    let Reread { manifests, blobs, bytes } = found;
    let (bytes, console) = (indicatif::HumanBytes(*bytes), &mut session.console);
    console.info(format!(
        "read back: {manifests} manifests and {blobs} blobs, {bytes}, each of the digest it has \
         upstream"
    ));
    let versions: Vec<_> = demo.releases().iter().map(Release::version).collect();
    let components = demo.releases().first().map_or(0, |release| release.components().len());
    let versions = versions.join(" and ");
    console.info(format!("releases {versions} are there, {components} components each"));
    let (package, (_, other)) = (Demo::SELECTED, demo.related());
    console.info(format!(
        "the catalog there offers {package} alone; {} images of the other package stayed behind",
        other.len()
    ));
    console.info(format!("the image of the update graph has {}", Demo::GRAPH_FILE));
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
