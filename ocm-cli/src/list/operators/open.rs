//! Where catalogs are read, as flags say.

use std::{path::Path, sync::Arc};

use ocm_mirror::{Archived, CatalogReader, Layouts, Place, Places, RetryPolicy, Upstream};
use ocm_oci::Reference;
use ocm_transport::{Client, archive::ArchiveReader};

use crate::{
    args::ListOperatorsArgs,
    halt::Halt,
    mirror::client_options,
    request::{Retrying, Side, SideName, archive},
    session::Session,
};

/// Where catalogs are read.
#[derive(Debug)]
pub(super) struct Opened {
    places: Places,
    retry: RetryPolicy,
    from: From,
}

#[derive(Debug)]
enum From {
    World(Layouts),
    Archive(Box<Archived>),
}

impl Opened {
    /// Opens what `reference` leads to, or the archive that is to be read instead.
    pub(super) async fn of(
        args: &ListOperatorsArgs,
        reference: &Reference,
        session: &mut Session,
    ) -> Result<Self, Halt> {
        let retry = Retrying::new(args.access.retry)?.policy();
        if let Some(from) = &args.from {
            let (reader, archived) = carried(from, session).await?;
            let places = Places::default().with_source(Place::Archive, Arc::new(reader));
            return Ok(Self { places, retry, from: From::Archive(Box::new(archived)) });
        }
        let client = client(args, session)?;
        // Who types a directory means it from where they are.
        let layouts = Layouts::named(&[reference], Path::new("")).await;
        let places = layouts.in_places(Places::default()).with_registries(Arc::new(client));
        Ok(Self { places, retry, from: From::World(layouts) })
    }

    /// Returns who reads there.
    pub(super) fn reader(&self) -> CatalogReader<'_> {
        let upstream = match &self.from {
            From::World(layouts) => Upstream::Origins(layouts),
            From::Archive(archived) => Upstream::Archive(archived),
        };
        CatalogReader { upstream, places: &self.places, retry: self.retry }
    }
}

/// Opens the archive that `--from` names.
pub(super) async fn carried(
    from: &str,
    session: &mut Session,
) -> Result<(ArchiveReader, Archived), Halt> {
    let path = archive(from)?;
    let reader = session.stopping.unless(ArchiveReader::open(&path)).await??;
    let archived = session.stopping.unless(Archived::read(&reader)).await??;
    Ok((reader, archived))
}

/// Returns who speaks to registries.
pub(super) fn client(args: &ListOperatorsArgs, session: &Session) -> Result<Client, Halt> {
    let authfile = args.access.authfile.clone().or_else(|| session.environment.authfile());
    let typed = args.source.clone().into();
    let side = Side::new(SideName::Source, typed, authfile, &mut Vec::new())?;
    Ok(Client::new(client_options(&side, &args.access.ca_file, &session.environment)?)?)
}
