//! One mirror run, from a request to an exit code.
//!
//! ```text
//! Request ─► configuration ─► Ends ─► resolve ─► prepare ─► show ─┬─► dry run
//!                             both are asked before                └─► execute ─► conclude
//!                             anything is collected                    follow      last lines
//! ```

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ocm_mirror::{
    ArchivedAttachments, Asking, Attaching, Decided, DecidedCatalog, Destination, Holdings, Means,
    Options, Place, Places, Plan, Planned, Prepared, Wishes, at_mirror, standing,
};
use ocm_resources::{Catalog, Catalogs, Template};
use tokio::time::Instant;

use crate::{
    args::PlatformIndex,
    clock::Clock,
    configuration::{self, Configuration},
    console::Console,
    exit::Exit,
    files::{self, FileError, WorkingDir},
    halt::Halt,
    progress::count,
    report::Complaint,
    request::{Effort, Flow, Mode, Request},
    session::Session,
    version,
};

mod aim;
mod conclude;
mod disk;
mod dry_run;
mod ends;
mod far_side;
mod follow;
mod logins;
mod mapping;
mod missed;
mod releasing;
mod show;

use aim::{Aim, Pass};
use conclude::Outcome;
use ends::Ends;
pub(crate) use ends::client_options;
use follow::Followed;

/// Where the files are in images of catalogs that are built of them.
const CATALOG_FILES: &str = "/configs";

/// A run that has begun: its files, its clock, and what was asked for.
#[derive(Debug)]
struct Run<'a> {
    request: &'a Request,
    working_dir: WorkingDir,
    clock: Clock,
    configuration: Configuration,
    decided: Decided,
    /// The catalogs by the names of their resources, where these go to a registry.
    catalogs: Option<Catalogs>,
}

/// A plan, and all that it takes to carry it out.
#[derive(Debug)]
struct Ready {
    plan: Arc<Plan>,
    means: Means,
    options: Options,
}

/// Carries out `request`.
pub(crate) async fn run(request: Request, session: &mut Session) -> Exit {
    let ended = mirror(&request, session).await;
    session.end(ended)
}

async fn mirror(request: &Request, session: &mut Session) -> Result<Exit, Halt> {
    let begun = Instant::now();
    let mut run = Run::begin(request, session)?;
    let mut ends = Ends::open(request, &run.configuration.image_set, session).await?;
    let places = ends.places();
    let environment = session.environment.clone();
    let resolving = Box::pin(ends.resolve(&run, &places, &environment));
    let mut resolved =
        session.wait("finding out what the configuration means", resolving).await??;
    run.configuration.explain(&mut resolved.lost);
    show::blocked(&resolved.blocked, &mut session.console);
    show::notices(&resolved.notices, &mut session.console);
    if resolved.wishes.is_empty() && resolved.lost.is_empty() {
        return Err(nothing(&request.config, resolved.blocked.len()).into());
    }
    let sources = ends::source_hosts(&resolved.wishes);
    run.decided = resolved.decided.clone();
    run.name_catalogs(&ends.destination(), session)?;
    let mut aim = Aim { resolved, ends: &ends, places };
    let Prepared { planned, pack } = aim.prepare(&mut run, session).await?;
    ends::tell_of_logins(&run, planned.plan.lost(), session).await;
    show::plan(&planned, &mut session.console);
    let Planned { plan, fates, .. } = planned;
    let plan = Arc::new(plan);
    if request.mode != Mode::Mirror {
        return dry_run::write(&run, &plan, session);
    }
    let options = options(&request.effort);
    let ready = |plan, means| Ready { plan, means, options };
    let first = ready(Arc::clone(&plan), Means { places: aim.places(), pack });
    let followed = match &request.flow {
        Flow::MirrorToDisk { directory } => disk::write(&run, first, directory, session).await?,
        _ => follow::follow(first, String::new(), session).await,
    };
    let missed = fates.missed(&plan, &followed.report);
    let first = (Pass { plan, followed }, missed);
    let rest = Box::pin(aim.offer_the_rest(first, ready, (&mut run, session)));
    let Pass { plan, followed } = rest.await;
    let places = aim.places();
    let looking = Box::pin(run.look_for_older((&plan, &followed), &places, session));
    looking.await;
    ends.warn_of_clear_credentials(&sources, &mut session.console);
    let outcome = Outcome { run: &run, plan: &plan, followed, elapsed: begun.elapsed() };
    Ok(outcome.conclude(session))
}

/// Reads the template of a `CatalogSource`. A path that is relative is so to where the program was
/// started, as in oc-mirror.
fn template_in(file: &str, console: &mut Console) -> Result<Template, Halt> {
    let template = Template::parse(file, &files::read(Path::new(file))?)
        .map_err(|error| Complaint::of(&error))?;
    for field in template.left_out() {
        console.warn(format!("{file}: `{field}` is the cluster's to fill in, and is left out"));
    }
    Ok(template)
}

impl<'a> Run<'a> {
    /// Names the resources of the catalogs before anything is copied: what cannot be named is not
    /// found out after hours.
    fn name_catalogs(&mut self, to: &Place, session: &mut Session) -> Result<(), Halt> {
        let Place::Registry(host) = to else { return Ok(()) };
        let mut catalog = |decided: &DecidedCatalog| {
            let template = decided.source_template.as_deref();
            Ok::<_, Halt>(Catalog {
                origin: decided.reference.clone(),
                place: at_mirror(host, &decided.destination),
                source_name: decided.source_name.clone(),
                template: template
                    .map(|file| template_in(file, &mut session.console))
                    .transpose()?,
                files: (!decided.has_program).then(|| CATALOG_FILES.to_owned()),
            })
        };
        let catalogs = self.decided.catalogs.iter().map(&mut catalog).collect::<Result<_, _>>()?;
        let named = Catalogs::name(catalogs, self.request.naming).map_err(|faults| {
            let messages = faults.as_slice().iter().map(ToString::to_string);
            Complaint::told(messages, None)
        })?;
        for notice in named.notices() {
            session.console.warn(notice.to_string());
        }
        self.catalogs = Some(named);
        Ok(())
    }

    /// Reads the configuration and begins the log.
    fn begin(request: &'a Request, session: &mut Session) -> Result<Self, Halt> {
        if let Flow::DiskToMirror { from, .. } = &request.flow
            && !from.exists()
        {
            return Err(not_there(from).into());
        }
        let source_date = session.environment.source_date()?;
        let clock = session.console.clock().clone().with_source_date(source_date);
        session.console.info(format!("{} {}", version::NAME, version::long()));
        let configuration = configuration::read(&request.config, &mut session.console)?;
        let working_dir = WorkingDir::new(&request.flow, &clock.local());
        let log = working_dir.log_file();
        files::make_dir(log.parent().unwrap_or(working_dir.path()))?;
        let opened = session.console.open_log(&log);
        opened.map_err(|source| FileError::Write { path: log, source })?;
        show::request(request, &mut session.console);
        Ok(Self {
            request,
            working_dir,
            clock,
            configuration,
            decided: Decided::default(),
            catalogs: None,
        })
    }
}

impl Run<'_> {
    /// Finds catalogs that this run could not bring, and an earlier one has: the cluster goes on
    /// with those.
    async fn look_for_older(
        &mut self,
        (plan, followed): (&Plan, &Followed),
        places: &Places,
        session: &mut Session,
    ) {
        let Place::Registry(host) = plan.destination() else { return };
        if followed.stop.is_some() {
            return;
        }
        let retry = self.request.effort.retry.policy();
        let looking = standing((plan, &followed.report), &self.decided, places, retry);
        // Who is told to stop here has all that was to be copied.
        let Ok(found) = session.stopping.unless(looking).await else { return };
        let mut standing = BTreeSet::new();
        for (catalog, known) in found {
            let Destination { repository, tag } = &catalog.destination;
            let (origin, at) = (&catalog.origin, format!("{host}/{repository}:{tag}"));
            session.console.warn(match known {
                Ok(()) => format!("{origin}: {at} stays as an earlier run has left it"),
                Err(failure) => {
                    let why = failure.chain.join(": ");
                    format!("{origin}: whether an older one is at {at} cannot be told: {why}")
                }
            });
            // A cluster is not to lose one that is there, perhaps.
            standing.insert(catalog.destination.clone());
        }
        self.decided.standing = standing;
    }
}

/// Where a disk is to be mounted nothing may be made while it is not.
fn not_there(from: &Path) -> Complaint {
    let message = format!("`--from {}` does not exist", from.display());
    let hint = "check the path, and that the disk is mounted; nothing was made there";
    Complaint::told([message], Some(hint.to_owned()))
}

fn nothing(config: &Path, blocked: usize) -> Complaint {
    if blocked > 0 {
        let images = count(blocked, "image");
        let message = format!(
            "`blockedImages` leaves nothing to mirror: it matches {images}, and no other is named"
        );
        let hint = "make its patterns narrower: each is a regular expression, and matches anywhere \
                    in a name unless it has `^` and `$`";
        return Complaint::told([message], Some(hint.to_owned()));
    }
    let message = format!("`{}` names nothing to mirror", config.display());
    let hint = "name releases under `mirror.platform`, catalogs under `mirror.operators`, or images \
                under `mirror.additionalImages`; `ocm init` prints an example";
    Complaint::told([message], Some(hint.to_owned()))
}

fn plain_request(wishes: Wishes, ends: &Ends, directory: &Path) -> ocm_mirror::Request {
    ocm_mirror::Request::new(wishes, ends.destination(), directory.to_owned())
}

fn asking(request: &Request) -> Asking {
    let holdings = match request.flow {
        Flow::MirrorToDisk { .. } => Holdings::Nothing,
        Flow::MirrorToMirror { .. } | Flow::DiskToMirror { .. } => Holdings::Ask,
    };
    Asking { retry: request.effort.retry.policy(), holdings, ..Asking::default() }
}

/// Without a word about it, the engine knows best; a bound that is given is kept, be it low or
/// high.
fn options(effort: &Effort) -> Options {
    let mut options = Options::default().with_retry(effort.retry.policy());
    if let Some(jobs) = ends::blobs_at_once(effort) {
        options = options.with_jobs(jobs);
    }
    if let Some(images) = effort.images {
        options = options.with_parallel_images(images);
    }
    if let Some(layers) = effort.layers {
        options = options.with_parallel_layers(layers);
    }
    options
}

fn attaching(request: &Request, archived: Option<ArchivedAttachments>) -> Attaching {
    let (signatures, scope) = request.signatures;
    Attaching { signatures, scope, archived, ..Attaching::default() }
}

fn platform_index(asked: PlatformIndex) -> ocm_mirror::PlatformIndex {
    match asked {
        PlatformIndex::Keep => ocm_mirror::PlatformIndex::Keep,
        PlatformIndex::Rewrite => ocm_mirror::PlatformIndex::Rewrite,
    }
}

/// Returns whether content goes into an archive.
fn is_archive(plan: &Plan) -> bool {
    matches!(plan.destination(), Place::Archive)
}
