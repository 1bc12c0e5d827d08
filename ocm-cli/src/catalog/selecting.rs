//! What a configuration selects of a catalog that it names otherwise.

use std::path::Path;

use ocm_catalog::{Catalog, FilterErrors, Filtered, Outline, Selection, Wanted};
use ocm_mirror::{CatalogFiles, Group, OperatorRules, catalog_selection};

use super::assembled;
use crate::{
    configuration, console::Console, exit::Exit, halt::Halt, report::Complaint, session::Session,
};

/// Reads what the only catalog of a configuration is to be made of.
///
/// # Errors
///
/// When the configuration cannot be used, or has no catalog or several.
pub(super) fn selection(
    config: &Path,
    rules: OperatorRules,
    console: &mut Console,
) -> Result<Selection, Halt> {
    let configuration = configuration::read_any(config, console)?;
    let catalogs = &configuration.image_set.mirror.operators;
    let [catalog] = catalogs.as_slice() else {
        let name = configuration::name(config);
        let text = format!("`{name}` has {} catalogs in `mirror.operators`", catalogs.len());
        let hint = "one is needed here: it stands for the catalog on this machine".to_owned();
        return Err(Complaint::told([text], Some(hint)).into());
    };
    let wanted = catalog.wanted.as_ref().map_err(|faults| {
        let hint = faults.iter().find_map(ocm_config::CatalogFault::hint);
        Halt::from(Complaint::of(faults).with_hint(hint))
    })?;
    catalog_selection(wanted, rules)
        .map_err(|failure| Complaint::told(failure.chain, failure.hint).into())
}

/// Reads as much of a catalog as a selection needs, and adds what its bundles require, if that is
/// asked for.
///
/// # Errors
///
/// When files cannot be read, or are no catalog.
pub(super) fn selected(
    files: &CatalogFiles,
    selection: Selection,
    rules: OperatorRules,
    console: &mut Console,
) -> Result<(Selection, Catalog), Halt> {
    let catalog = assembled(files, &selection.wanted(), console)?;
    if !rules.include_dependencies || selection.packages.is_empty() {
        return Ok((selection, catalog));
    }
    let is_complete =
        catalog.filter(&selection).map_or(true, |filtered| filtered.catalog.unmet().is_empty());
    if is_complete {
        return Ok((selection, catalog));
    }
    let outline = Outline::assemble(files.read(&Wanted::Outline)?);
    let closure = match outline.close(&selection) {
        Ok(closure) => closure,
        Err(errors) => return Err(refused(&errors, console)),
    };
    for added in &closure.added {
        console.info(added.to_string());
    }
    let catalog = assembled(files, &closure.selection.wanted(), console)?;
    Ok((closure.selection, catalog))
}

/// Filters a catalog; tells what is missing, and what people should know.
///
/// # Errors
///
/// When the selection cannot be had, or nothing remains, which has been said then.
pub(super) fn filtered(
    catalog: &Catalog,
    selection: &Selection,
    rules: OperatorRules,
    session: &mut Session,
) -> Result<(Filtered, Exit), Halt> {
    let console = &mut session.console;
    let filtered = catalog.filter(selection);
    let (missing, warnings) = match &filtered {
        Ok(Filtered { missing, warnings, .. }) => (&**missing, &**warnings),
        Err(errors) => (errors.missing(), errors.warnings()),
    };
    let mut exit = Exit::SUCCESS;
    for missing in missing {
        let hint = missing.hint();
        if rules.allow_missing {
            let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            console.warn(format!("{missing}{hint}"));
        } else {
            console.complain(&Complaint::told([missing.to_string()], hint));
            exit = Exit::of_groups([Group::Operator]);
        }
    }
    for warning in warnings {
        console.warn(warning.to_string());
    }
    let filtered = filtered.map_err(|errors| refused(&errors, console))?;
    if filtered.catalog.packages().is_empty() {
        return Err(absent("nothing of the catalog remains".to_owned(), None, console));
    }
    Ok((filtered, exit))
}

/// Says why a selection cannot be had.
pub(super) fn refused(errors: &FilterErrors, console: &mut Console) -> Halt {
    for error in errors.errors() {
        console.complain(&Complaint::of(error).with_hint(error.hint()));
    }
    Halt::SaidOfOperators
}

/// Says that something is not there, and what may have been meant.
pub(super) fn absent(what: String, hint: Option<String>, console: &mut Console) -> Halt {
    console.complain(&Complaint::told([what], hint));
    Halt::SaidOfOperators
}
