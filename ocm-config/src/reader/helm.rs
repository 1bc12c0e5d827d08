use super::{item, named, required_text};
use crate::{
    cursor::{Cursor, Fields},
    fault::{Code, Fault, Findings},
    image_path::{ImagePath, ImagePathError},
    image_set::{Chart, Charts, Helm, HelmRepository},
    keys,
};

pub(super) fn helm(fields: &Fields<'_>, findings: &mut Findings) -> Helm {
    let repositories = fields.items("repositories", findings);
    let local = fields.items("local", findings);
    Helm {
        repositories: repositories.iter().filter_map(|r| repository(r, findings)).collect(),
        local: local.iter().filter_map(|chart| read_chart(chart, findings)).collect(),
        location: None,
    }
}

fn repository(item: &Cursor<'_>, findings: &mut Findings) -> Option<HelmRepository> {
    let fields = named(item, keys::HELM_REPOSITORY, findings)?;
    let name = required_text(&fields, "name", findings);
    let url = fields.require("url", findings).and_then(|url| url.text(findings));
    let charts = match fields.get("charts") {
        None => Charts::All,
        Some(charts) => {
            let items = charts.items(findings);
            Charts::Only(items.iter().filter_map(|c| read_chart(c, findings)).collect())
        }
    };
    let (name, url) = (name?.to_owned(), url?.to_owned());
    Some(HelmRepository { name, url, charts, location: item.location() })
}

fn read_chart(item: &Cursor<'_>, findings: &mut Findings) -> Option<Chart> {
    let fields = named(item, keys::CHART, findings)?;
    let path = fields.text("path", findings).map(str::to_owned);
    let name = match path {
        Some(_) => Some(fields.written("name", findings).unwrap_or_default()),
        None => required_text(&fields, "name", findings),
    };
    let version = fields.written("version", findings);
    let image_paths = fields.items("imagePaths", findings);
    let (platforms, missing) = item::platforms(&fields, findings);
    for item::MissingPart { location, part } in missing {
        let message = format!("a platform has no `{part}`");
        let fault = Fault::error(Code::MissingKey, location, message);
        findings.add(fault.with_help("write `{os: linux, architecture: amd64}`".to_owned()));
    }
    let image_paths = image_paths.iter().filter_map(|path| image_path(path, findings)).collect();
    Some(Chart {
        name: name?.to_owned(),
        version: version.map(str::to_owned),
        path,
        image_paths,
        platforms,
        location: item.location(),
    })
}

fn image_path(path: &Cursor<'_>, findings: &mut Findings) -> Option<ImagePath> {
    match path.text(findings)?.parse::<ImagePath>() {
        Ok(path) => Some(path),
        Err(error) => {
            let fault = Fault::error(Code::Pattern, path.location(), error.to_string());
            findings.add(fault.with_help(ImagePathError::HINT.to_owned()));
            None
        }
    }
}
