//! `ocm catalog`: catalogs of operators on this machine, for people who build them or want to know
//! what is in them.
//!
//! What is wrong with a catalog, or with what is selected of it, has the exit code of operators, as
//! when it is mirrored.

use std::path::Path;

use ocm_catalog::{Assembled, BrokenCatalog, Catalog, DocumentError, Wanted, assemble};
use ocm_mirror::{CatalogFiles, CatalogFilesError};

use crate::{
    args::{CatalogArgs, CatalogCommand},
    console::Console,
    exit::Exit,
    halt::Halt,
    report::Complaint,
    session::Session,
};

mod explain;
mod filter;
mod selecting;
mod validate;

/// Most objects that are named one by one.
const MOST_NAMED: usize = 20;

/// Answers what was asked.
#[expect(
    clippy::unused_async,
    reason = "the other jobs are asynchronous, and nothing is waited for"
)]
pub(crate) async fn run(args: CatalogArgs, session: &mut Session) -> Exit {
    let ended = match args.command {
        CatalogCommand::Filter(args) => filter::run(&args, session),
        CatalogCommand::Validate(args) => validate::run(&args, session),
        CatalogCommand::Explain(args) => explain::run(&args, session),
    };
    session.end(ended)
}

/// Finds the files of a catalog, which is written as a path, or as in a configuration.
fn find(written: &Path) -> Result<CatalogFiles, CatalogFilesError> {
    let path = written.to_str().and_then(|text| text.strip_prefix("dir://"));
    CatalogFiles::find(path.map_or(written, Path::new))
}

/// Makes a catalog of files; what cannot be read of them, and is not wanted, is told.
fn assembled(
    files: &CatalogFiles,
    wanted: &Wanted,
    console: &mut Console,
) -> Result<Catalog, Halt> {
    let read = files.read(wanted)?;
    match assemble(read) {
        Ok(Assembled { catalog, ignored }) => {
            for error in ignored.iter().take(MOST_NAMED) {
                console.warn(format!("left out: {}", Complaint::of(error).line()));
            }
            let more = ignored.len().saturating_sub(MOST_NAMED);
            if more > 0 {
                console.warn(format!("left out as well: {more} more objects that cannot be read"));
            }
            Ok(catalog)
        }
        Err(broken) => {
            complain(&broken, console);
            Err(Halt::SaidOfOperators)
        }
    }
}

/// Says all that is wrong with files that are no catalog.
fn complain(broken: &BrokenCatalog, console: &mut Console) {
    let errors: &[DocumentError] = broken.errors();
    for error in errors.iter().take(MOST_NAMED) {
        console.complain(&Complaint::of(error));
    }
    let more = errors.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        let text =
            format!("the catalog has {} errors, of which {MOST_NAMED} are shown", errors.len());
        console.complain(&Complaint::told([text], None));
    }
}
