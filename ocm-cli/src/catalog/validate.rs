//! `ocm catalog validate`: whether OLM would accept a catalog.

use ocm_catalog::{Catalog, Defect, Flaw, ImagesError, Wanted, validate};

use super::{assembled, find, selecting::absent};
use crate::{
    args::ValidateArgs, console::Console, exit::Exit, halt::Halt, progress::count,
    report::Complaint, session::Session,
};

/// Says everything that OLM would not accept, and what it would accept and could not use.
pub(super) fn run(args: &ValidateArgs, session: &mut Session) -> Result<Exit, Halt> {
    let console = &mut session.console;
    let files = find(&args.catalog)?;
    let catalog = assembled(&files, &Wanted::All, console)?;
    let mut refused = 0;
    let is_of_image = |defect: &Defect| matches!(defect.flaw, Flaw::Image { .. });
    for defect in validate(&catalog).into_iter().filter(|defect| !is_of_image(defect)) {
        let complaint = Complaint::of(&defect);
        if defect.flaw.is_refused() {
            refused += 1;
            console.complain(&complaint);
        } else {
            console.warn(format!("package `{}`: {}", defect.package, defect.flaw));
        }
    }
    tell_of_images(&catalog, console);
    let packages = count(catalog.packages().len(), "package");
    let bundles = catalog.packages().values().map(|package| package.bundles().len()).sum();
    let size = format!("{packages}, {}", count(bundles, "bundle"));
    if catalog.packages().is_empty() {
        let what = format!("there is no package in `{}`", args.catalog.display());
        return Err(absent(what, None, console));
    }
    if refused > 0 {
        console.print(&format!(
            "{size}: OLM would not accept them, for {}\n",
            count(refused, "reason")
        ));
        return Err(Halt::SaidOfOperators);
    }
    console.print(&format!("{size}: OLM would accept them\n"));
    Ok(Exit::SUCCESS)
}

/// Says which bundles cannot be mirrored, for their own image or for one that they need.
fn tell_of_images(catalog: &Catalog, console: &mut Console) {
    for bundle in catalog.images() {
        let (package, name) = (bundle.package, bundle.bundle);
        match &bundle.images {
            // That a bundle has none is among the defects.
            Ok(_) | Err(ImagesError::NoImage) => {}
            Err(error) => {
                let line = Complaint::of(error).line();
                console.warn(format!("package `{package}`: bundle `{name}`: {line}"));
            }
        }
    }
}
