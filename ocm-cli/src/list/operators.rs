//! `ocm list operators`: catalogs, and what is in them.

use ocm_catalog::{Catalog, Channel, Package, near};
use ocm_oci::Reference;

use crate::{
    args::{ListOperatorsArgs, ResultFormat},
    exit::Exit,
    halt::Halt,
    report::Complaint,
    session::Session,
};

mod carried;
mod open;
mod shown;
mod well_known;

use open::Opened;
use shown::Shown;

/// Lists what was asked for.
pub(super) async fn run(args: &ListOperatorsArgs, session: &mut Session) -> Result<Exit, Halt> {
    match (&args.catalog, &args.version, &args.from) {
        (Some(catalog), ..) => inside(catalog, args, session).await,
        (None, Some(version), _) => well_known::run(version, args, session).await,
        (None, None, Some(_)) => carried::run(args, session).await,
        (None, None, None) => {
            let text = "neither `--version` nor `--catalog` nor `--from` is given".to_owned();
            let hint = "`--version 4.18` lists catalogs, `--catalog REFERENCE` what is in one, `--from DIR` those \
                        of an archive";
            Err(Complaint::told([text], Some(hint.to_owned())).into())
        }
    }
}

/// Lists what is in a catalog.
async fn inside(
    written: &str,
    args: &ListOperatorsArgs,
    session: &mut Session,
) -> Result<Exit, Halt> {
    let reference = Reference::of_catalog(written).map_err(|error| {
        let hint = "write `HOST/REPOSITORY:TAG`, as in a configuration, `oci://DIR` or `dir://DIR`";
        Complaint::of(&error).with_hint(Some(hint.to_owned()))
    })?;
    let opened = Opened::of(args, &reference, session).await?;
    let reader = opened.reader();
    let reading = Box::pin(reader.read(written, &reference, args.package.as_deref()));
    let catalog = session.wait("reading the catalog", reading).await??;
    let shown = match (&args.package, &args.channel) {
        (None, _) => Shown::Packages(&catalog),
        (Some(name), channel) => {
            let package = package(&catalog, name)?;
            match channel {
                None => Shown::Channels(name, package),
                Some(channel) => Shown::Versions(package, self::channel(name, package, channel)?),
            }
        }
    };
    match args.format {
        ResultFormat::Text => session.console.print_lines(&shown.text()),
        ResultFormat::Json => session.console.print_json(&shown.json()),
    }
    Ok(Exit::SUCCESS)
}

fn package<'c>(catalog: &'c Catalog, name: &str) -> Result<&'c Package, Complaint> {
    let known = catalog.known_packages().iter().map(String::as_str);
    let package = catalog.packages().get(name);
    package.ok_or_else(|| absent(format!("there is no package `{name}`"), &near(name, known)))
}

fn channel<'c>(
    package_name: &str,
    package: &'c Package,
    name: &str,
) -> Result<&'c Channel, Complaint> {
    let known = package.channels().keys().map(String::as_str);
    let channel = package.channels().get(name).map(|channel| &**channel);
    channel.ok_or_else(|| {
        let text = format!("package `{package_name}` has no channel `{name}`");
        // Channels are few: where none is similar, all are told.
        let similar = near(name, known.clone());
        let all = || known.take(MOST_CHANNELS).map(str::to_owned).collect();
        absent(text, &if similar.is_empty() { all() } else { similar })
    })
}

/// Most channels that are named to somebody who names none of them.
const MOST_CHANNELS: usize = 10;

fn absent(text: String, near: &[String]) -> Complaint {
    let near: Vec<_> = near.iter().map(|name| format!("`{name}`")).collect();
    let hint = (!near.is_empty()).then(|| format!("there is {}", near.join(", ")));
    Complaint::told([text], hint)
}
