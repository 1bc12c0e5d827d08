use std::fmt;

use ocm_catalog::{Catalog as Listing, Filtered, Selection};
use ocm_config::{Package, WantedCatalog};
use ocm_oci::{Digest, Reference};
use ocm_resources::SourceName;

use super::{
    Contents, Foundation, OperatorRules, no_catalog, offer,
    open::{CatalogReader, Opened},
    read::{self, Files, Found, read_catalog},
};
use crate::{
    Built, CatalogImage, Code, ContentStore, Destination, Failure, Group, Lost, Place, Side,
    resolve::{DecidedCatalog, Notice, Resolving, Upstream},
};

/// A catalog that is to be read.
#[derive(Debug, Clone)]
pub(super) struct Asked<'a> {
    pub(super) written: &'a str,
    pub(super) wanted: &'a WantedCatalog,
    pub(super) selection: Selection,
    /// Where it goes; by its digest as it is written, if it has no other name.
    pub(super) destination: Destination,
    /// What its `CatalogSource` is called, if that is said.
    pub(super) source_name: Option<SourceName>,
    /// Whether its image brings the program that serves it, as far as that is known.
    pub(super) has_program: bool,
}

/// A catalog as it will be at the destination.
#[derive(Debug)]
pub(super) struct Shaped<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) contents: Contents,
    /// Its image, if that is not copied from where it is.
    pub(super) built: Option<Built>,
    pub(super) root: Digest,
    pub(super) foundation: Foundation,
}

/// What was found out while a catalog was read, to be told when its turn comes.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is selected of it and is not there.
    pub(super) lost: Vec<Failure>,
    /// What the archive lacks of it.
    pub(super) left_out: Vec<Lost>,
    pub(super) notices: Vec<Notice>,
}

/// A catalog that is being read. Others are at the same time.
#[derive(Debug)]
pub(super) struct Reading<'a, 'r> {
    pub(super) asked: &'r Asked<'a>,
    pub(super) resolving: &'r Resolving<'r>,
    told: Told,
}

impl<'a> Asked<'a> {
    /// Whether its tag is made of the digest that it has at the destination.
    pub(super) fn is_called_by_digest(&self) -> bool {
        let is_tagged = match &self.wanted.reference {
            Reference::Image(image) => image.tag().is_some(),
            Reference::Layout(_) | Reference::Directory(_) => true,
        };
        self.wanted.target_tag.is_none() && !is_tagged
    }

    /// Returns what is known of it without reading it, if that is where it goes.
    pub(super) fn decided(&self) -> Option<DecidedCatalog> {
        (!self.is_called_by_digest()).then(|| self.decided_as(self.destination.clone()))
    }

    pub(super) fn decided_as(&self, destination: Destination) -> DecidedCatalog {
        DecidedCatalog {
            origin: self.written.to_owned(),
            reference: self.wanted.reference.clone(),
            destination,
            has_program: self.has_program,
            source_template: self.wanted.source_template.clone(),
            source_name: self.source_name.clone(),
        }
    }

    /// Reads it; what comes over a network is kept in `store`.
    pub(super) async fn read(
        self,
        resolving: &Resolving<'_>,
        store: Option<ContentStore>,
    ) -> (Told, Result<Shaped<'a>, Failure>) {
        let mut reading = Reading { asked: &self, resolving, told: Told::default() };
        let read = match (store, resolving.upstream, &self.wanted.reference) {
            (Some(store), Upstream::Origins(layouts), Reference::Directory(directory)) => {
                reading.directory((layouts, directory), &store).await
            }
            (Some(store), _, _) => reading.published(&store).await,
            (None, _, _) => reading.archived().await,
        };
        let told = reading.told;
        let shape = |(contents, built, root, foundation): Read| {
            let asked = Self { has_program: foundation.has_program, ..self };
            Shaped { asked, contents, built, root, foundation }
        };
        (told, read.map(shape))
    }
}

/// What is in a catalog, its image if it was built, that image's digest, and what it is built upon.
pub(super) type Read = (Contents, Option<Built>, Digest, Foundation);

impl Reading<'_, '_> {
    /// Reads a catalog that an archive has, as it was selected when the archive was made.
    async fn archived(&mut self) -> Result<Read, Failure> {
        let Self { asked, resolving, .. } = *self;
        if let Upstream::Archive(archived) = resolving.upstream {
            self.told.left_out = offer::left_out(archived, asked.written).await?;
        }
        let reader = CatalogReader::of(resolving);
        let opened = reader.open(asked.written, &asked.wanted.reference).await?;
        let Opened { location, files, .. } = opened;
        let root = files.root().descriptor().digest.clone();
        let image = CatalogImage::open(files).await.map_err(|error| no_catalog(&error))?;
        let files = Files::Image(Box::new(image.clone()));
        let (contents, _) = Contents::read(&files, resolving.operators).await?;
        let absent = |package: &&Package| !contents.has_package(&package.name);
        for package in asked.wanted.packages.iter().filter(absent) {
            let what = format!("the archive's catalog has no package `{}`", package.name);
            if resolving.operators.allow_missing {
                self.notice(&what, None);
            } else {
                let failure = Failure::without(Code::Archive, Side::Source, what);
                let failure = failure.with_hint(
                    "mirror to disk again with this configuration, and carry that archive over",
                );
                self.told.lost.push(failure);
            }
        }
        let is_image = !matches!(asked.wanted.reference, Reference::Directory(_));
        let has_program = is_image || image.has_program();
        let foundation =
            Foundation { has_program, ..Foundation::of(&image, &asked.wanted.platforms, location) };
        Ok((contents, None, root, foundation))
    }

    /// Reads a catalog where it is published, and makes of it what is wanted.
    async fn published(&mut self, store: &ContentStore) -> Result<Read, Failure> {
        let Self { asked, resolving, .. } = *self;
        let reader = CatalogReader::of(resolving);
        let opened = reader.open(asked.written, &asked.wanted.reference).await?;
        let Opened { location, files, is_gathered } = opened;
        let index = files.root().clone();
        // What lies on this machine crosses no network.
        let is_near = matches!(location.place, Place::Layout(_));
        let files = if is_near { files } else { files.kept_in(store) };
        let image = CatalogImage::open(files).await.map_err(|error| no_catalog(&error))?;
        let foundation = Foundation::of(&image, &asked.wanted.platforms, location);
        let files = Files::Image(Box::new(image));
        if asked.selection.is_everything() {
            let (contents, links) = Contents::read(&files, resolving.operators).await?;
            self.tell_of_links(links);
            let root = index.descriptor().digest.clone();
            let built = is_gathered.then(|| Built::over(index));
            return Ok((contents, built, root, foundation));
        }
        let listing = self.selected(&files).await?;
        let (built, root) = foundation.build(&listing, store).await?;
        Ok((Contents::Whole(listing), Some(built), root, foundation))
    }

    /// Reads what is selected of a catalog.
    pub(super) async fn selected(&mut self, files: &Files) -> Result<Listing, Failure> {
        let Self { asked, resolving, .. } = *self;
        let found = read_catalog(files, &asked.selection).await?;
        let (selection, Found { catalog, ignored, links }) = match resolving.operators {
            OperatorRules { include_dependencies: true, .. } => {
                self.with_dependencies(files, found).await?
            }
            _ => (asked.selection.clone(), found),
        };
        let what = "objects that nobody selected cannot be read";
        self.told.notices.extend(first_of(asked.written, what, &ignored));
        self.tell_of_links(links);
        self.filtered(&catalog, &selection)
    }

    /// Takes what is selected out of a catalog, and tells what is missing in it.
    fn filtered(&mut self, catalog: &Listing, selection: &Selection) -> Result<Listing, Failure> {
        let filtered = catalog.filter(selection);
        let (missing, warnings) = match &filtered {
            Ok(Filtered { missing, warnings, .. }) => (&**missing, &**warnings),
            Err(errors) => (errors.missing(), errors.warnings()),
        };
        for missing in missing {
            let failure = Failure::without(Code::Catalog, Side::Source, missing.to_string());
            let failure = Failure { hint: missing.hint(), ..failure };
            if self.resolving.operators.allow_missing {
                self.notice(missing, failure.hint);
            } else {
                self.told.lost.push(failure);
            }
        }
        for warning in warnings {
            self.notice(warning, None);
        }
        let filtered = filtered.map_err(|errors| read::refused(&errors, self.asked.written))?;
        if filtered.catalog.packages().is_empty() {
            let what = "nothing of the catalog is selected".to_owned();
            return Err(Failure::without(Code::Catalog, Side::Source, what));
        }
        Ok(filtered.catalog)
    }

    /// What is behind links is in the catalog for a cluster, and is not here.
    fn tell_of_links(&mut self, links: u64) {
        if links > 0 {
            let what = format!("{links} of its files are links, which are not followed");
            self.notice(&what, Some("have real files in its image".to_owned()));
        }
    }

    /// Tells people something of the catalog.
    pub(super) fn notice(&mut self, what: &dyn fmt::Display, hint: Option<String>) {
        let text = format!("{}: {what}", self.asked.written);
        self.told.notices.push(Notice { group: Group::Operator, text, hint });
    }
}

/// Tells of the first of some things that do no harm.
pub(super) fn first_of(written: &str, what: &str, things: &[String]) -> Option<Notice> {
    let first = things.first()?;
    let others = things.len() - 1;
    let others = if others > 0 { format!("; and {others} more") } else { String::new() };
    let text = format!("{written}: {what}: {first}{others}");
    Some(Notice { group: Group::Operator, text, hint: None })
}
