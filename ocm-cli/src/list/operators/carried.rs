//! `ocm list operators --from DIR`: the catalogs of an archive.

use std::{collections::BTreeMap, iter};

use ocm_mirror::Kind;
use serde_json::json;

use super::open::carried;
use crate::{
    args::{ListOperatorsArgs, ResultFormat},
    console::printable,
    exit::Exit,
    halt::Halt,
    session::Session,
};

const HEAD: &str = "Catalogs of the archive:";

/// Lists the catalogs that an archive was written for, and whether they are in it.
pub(super) async fn run(args: &ListOperatorsArgs, session: &mut Session) -> Result<Exit, Halt> {
    let (_, archived) = carried(args.from.as_deref().unwrap_or_default(), session).await?;
    let plan = archived.plan();
    let mut found = BTreeMap::new();
    for (_, image) in plan.images().filter(|(_, image)| image.kind == Kind::Catalog) {
        let is_whole = archived.is_whole(image);
        found.extend(image.names.iter().map(|name| (name.origin.as_str(), is_whole)));
    }
    for lost in plan.lost().iter().filter(|lost| lost.kind == Kind::Catalog) {
        found.entry(lost.failure.image.as_str()).or_insert(false);
    }
    match args.format {
        ResultFormat::Text => {
            let lines = found.iter().map(|(origin, is_whole)| {
                let origin = printable(origin);
                if *is_whole { origin.into_owned() } else { format!("{origin} (not in it)") }
            });
            let lines: Vec<_> = iter::once(HEAD.to_owned()).chain(lines).collect();
            session.console.print_lines(&lines);
        }
        ResultFormat::Json => {
            let catalog = |(origin, is_whole)| json!({ "catalog": origin, "available": is_whole });
            let catalogs: Vec<_> = found.iter().map(catalog).collect();
            session.console.print_json(&json!({ "catalogs": catalogs }));
        }
    }
    Ok(Exit::SUCCESS)
}
