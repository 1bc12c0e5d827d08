//! Both ends of a run, opened and asked before anything is collected.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ocm_config::ImageSet;
use ocm_mirror::{
    Archived, Code, DestinationRules, Layouts, Lost, Place, Places, Resolved, Resolving, Upstream,
    Wishes, resolve,
};
use ocm_oci::{Host, Reference};
use ocm_transport::{
    Client, ClientOptions, Kind as Cause, Limits, TlsOptions, Transport, Verify as Checked,
    archive::ArchiveReader,
};

use super::{Run, Session, logins, releasing::ReleaseMeans};
use crate::{
    console::Console,
    environment::Environment,
    halt::Halt,
    request::{Effort, Flow, Request, Side, Verify},
};

/// What oc-mirror does where only one of the two bounds is given.
const IMAGES_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
const LAYERS_AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
/// Patience with a request that moves no blob, where less was not asked for.
const REQUEST: Duration = Duration::from_mins(1);
/// Patience without end, in which clocks do not overflow.
const FOREVER: Duration = Duration::from_hours(24 * 365);

/// Where content comes from, and where it goes.
#[derive(Debug)]
pub(super) struct Ends {
    from: From,
    to: Option<To>,
}

#[derive(Debug)]
enum From {
    /// Wherever references say.
    Registries { client: Client, layouts: Layouts },
    /// One archive.
    Archive { reader: ArchiveReader, archived: Option<Box<Archived>> },
}

/// A registry; without one, content goes into an archive that the plan has to be known for.
#[derive(Debug)]
struct To {
    client: Client,
    rules: DestinationRules,
}

/// What is said of a destination that lets nobody in.
const ASKED_ONCE: &str = "the destination is asked once, before anything else, and not again; \
                          nothing was copied";

impl Ends {
    /// Opens both ends. The destination is asked whether it lets us in, the archive is checked.
    pub(super) async fn open(
        request: &Request,
        image_set: &ImageSet,
        session: &mut Session,
    ) -> Result<Self, Halt> {
        let to = match &request.flow {
            Flow::MirrorToDisk { .. } => None,
            Flow::MirrorToMirror { rules, .. } | Flow::DiskToMirror { rules, .. } => {
                Some(To::open(request, rules, session).await?)
            }
        };
        let from = match &request.flow {
            Flow::DiskToMirror { from, .. } => {
                let opened = session.stopping.unless(ArchiveReader::open(from)).await;
                let reader = opened??;
                let archived = session.stopping.unless(Archived::read(&reader)).await??;
                From::Archive { reader, archived: Some(Box::new(archived)) }
            }
            Flow::MirrorToDisk { .. } | Flow::MirrorToMirror { .. } => {
                let client = client(&request.source, request, &session.environment)?;
                let directory = request.config.parent().unwrap_or(Path::new(""));
                let layouts = Layouts::open(image_set, directory).await;
                From::Registries { client, layouts }
            }
        };
        Ok(Self { from, to })
    }

    /// Finds out which images the configuration means.
    ///
    /// # Errors
    ///
    /// When what the environment names for it cannot be used.
    pub(super) async fn resolve(
        &mut self,
        run: &Run<'_>,
        places: &Places,
        environment: &Environment,
    ) -> Result<Resolved, Halt> {
        let rules = self.to.as_ref().map(|to| &to.rules);
        // An archive's plan is as large as ours, and is not needed twice.
        let had = match &mut self.from {
            From::Registries { .. } => None,
            From::Archive { archived, .. } => archived.take(),
        };
        let (means, upstream) = match (&self.from, &had) {
            (From::Registries { client, layouts }, _) => {
                let means = ReleaseMeans::of_world(client, run, environment)?;
                (means, Upstream::Origins(layouts))
            }
            (From::Archive { .. }, Some(had)) => {
                let means = ReleaseMeans::of_archive(had, run, environment).await?;
                (means, Upstream::Archive(had))
            }
            (From::Archive { .. }, None) => return Ok(Resolved::default()),
        };
        let resolving = Resolving {
            image_set: &run.configuration.image_set,
            rules,
            upstream,
            places,
            releasing: &means.releasing(run),
            graph_image: &means.graph_image,
            operators: run.request.operators,
            catalog_base: run.request.catalog_base.as_ref(),
            working_dir: run.working_dir.path(),
            retry: run.request.effort.retry.policy(),
        };
        Ok(resolve(resolving).await)
    }

    /// Returns where content goes.
    pub(super) fn destination(&self) -> Place {
        match &self.to {
            Some(to) => Place::Registry(to.rules.host().clone()),
            None => Place::Archive,
        }
    }

    /// Returns all places of the run, opened.
    pub(super) fn places(&self) -> Places {
        let places = match &self.from {
            From::Registries { client, layouts } => {
                layouts.in_places(Places::default()).with_registries(Arc::new(client.clone()))
            }
            From::Archive { reader, .. } => {
                Places::default().with_source(Place::Archive, Arc::new(reader.clone()))
            }
        };
        match &self.to {
            Some(To { client, rules }) => {
                let registry: Arc<dyn Transport> = Arc::new(client.registry(rules.host()));
                places.with_destination(self.destination(), registry)
            }
            None => places,
        }
    }

    /// Tells of hosts to which credentials went so that anybody on the way could read them.
    pub(super) fn warn_of_clear_credentials(&self, hosts: &BTreeSet<Host>, console: &mut Console) {
        if let From::Registries { client, .. } = &self.from {
            for host in hosts {
                warn_if_clear(client, host, console);
            }
        }
    }
}

impl To {
    async fn open(
        request: &Request,
        rules: &DestinationRules,
        session: &mut Session,
    ) -> Result<Self, Halt> {
        let client = client(&request.destination, request, &session.environment)?;
        let registry = client.registry(rules.host());
        let check = Box::pin(async {
            match rules.namespace() {
                Some(namespace) => registry.check_within(namespace).await,
                None => registry.check().await,
            }
        });
        if let Err(error) = session.stopping.unless(check).await? {
            session.console.clear();
            if error.kind() == Cause::Auth {
                let login = &request.destination.login;
                let whose = (rules.host(), rules.namespace());
                let story = logins::story(login, whose, &session.environment).await;
                session.console.warn(story);
            }
            session.console.warn(ASKED_ONCE);
            return Err(Halt::from(&error));
        }
        warn_if_clear(&client, rules.host(), &mut session.console);
        Ok(Self { client, rules: rules.clone() })
    }
}

/// Returns the registries that content comes from.
pub(super) fn source_hosts(wishes: &Wishes) -> BTreeSet<Host> {
    let places = wishes.iter().map(|(_, wanted)| &wanted.from.place);
    let host = |place: &Place| match place {
        Place::Registry(host) => Some(host.clone()),
        _ => None,
    };
    places.filter_map(host).collect()
}

/// Says which credentials were shown to the registries that did not let us read.
pub(super) async fn tell_of_logins(run: &Run<'_>, lost: &[Lost], session: &mut Session) {
    let login = &run.request.source.login;
    let mut told = BTreeSet::new();
    for Lost { failure, .. } in lost {
        if failure.code != Code::Transport(Cause::Auth) {
            continue;
        }
        let Ok(Reference::Image(image)) = failure.image.parse() else { continue };
        if told.insert(image.host().clone()) {
            let whose = (image.host(), Some(image.repository()));
            let story = logins::story(login, whose, &session.environment).await;
            session.console.warn(story);
        }
    }
}

fn warn_if_clear(client: &Client, host: &Host, console: &mut Console) {
    if client.sends_credentials_in_clear(host) {
        console.warn(format!(
            "credentials for {host} go over plain HTTP, where anybody on the way can read them"
        ));
    }
}

/// Makes the client for one side.
fn client(side: &Side, request: &Request, environment: &Environment) -> Result<Client, Halt> {
    let mut options = client_options(side, &request.ca_files, environment)?;
    if let Some(stall) = request.effort.stall {
        let stall = if stall.is_zero() { FOREVER } else { stall };
        options = options.with_stall_timeout(stall).with_request_timeout(stall.min(REQUEST));
    }
    if let Some(blobs) = blobs_at_once(&request.effort) {
        options = options.with_limits(Limits { reads: blobs, writes: blobs, ..Limits::default() });
    }
    Ok(Client::new(options)?)
}

/// Returns how the registries of one side are spoken to.
///
/// # Errors
///
/// When credentials cannot be read.
pub(crate) fn client_options(
    side: &Side,
    ca_files: &[PathBuf],
    environment: &Environment,
) -> Result<ClientOptions, Halt> {
    let tls = TlsOptions {
        verify: match side.verify {
            Verify::Always => Checked::Always,
            Verify::Never => Checked::Never,
        },
        system_roots: environment.system_roots(),
        ca_files: ca_files.to_vec(),
        certs_dirs: environment.certs_dirs(),
        cert_dir: side.cert_dir.clone(),
    };
    Ok(ClientOptions::default()
        .with_tls(tls)
        .with_credentials(logins::credentials(&side.login, environment)?)
        .with_proxies(environment.proxies()))
}

/// Returns how many blobs may move at once, where a bound was given.
pub(super) fn blobs_at_once(effort: &Effort) -> Option<NonZeroUsize> {
    let (images, layers) = (effort.images, effort.layers);
    (images.is_some() || layers.is_some())
        .then(|| images.unwrap_or(IMAGES_AT_ONCE).saturating_mul(layers.unwrap_or(LAYERS_AT_ONCE)))
}
