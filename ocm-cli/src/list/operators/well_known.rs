//! `ocm list operators --version X.Y`: which of the well-known catalogs there are.

use ocm_graph::Minor;
use ocm_mirror::RetryPolicy;
use ocm_oci::ImageRef;
use ocm_transport::{Client, Transport as _, TransportError};
use serde_json::json;

use super::open::client;
use crate::{
    args::{ListOperatorsArgs, ResultFormat},
    exit::Exit,
    halt::Halt,
    report::Complaint,
    request::Retrying,
    session::Session,
};

/// The catalogs of every version, in the order in which `OpenShift`'s documentation has them.
const CATALOGS: [&str; 3] =
    ["redhat-operator-index", "certified-operator-index", "community-operator-index"];
/// One that there is no more from this version on.
const MARKETPLACE: (&str, Minor) = ("redhat-marketplace-index", Minor { major: 4, minor: 22 });

/// Asks for each catalog whether it is there.
pub(super) async fn run(
    version: &str,
    args: &ListOperatorsArgs,
    session: &mut Session,
) -> Result<Exit, Halt> {
    let minor = minor(version).ok_or_else(|| {
        let text = format!("`{version}` is no minor version of OpenShift");
        Complaint::told([text], Some("write it as `4.18`".to_owned()))
    })?;
    let (client, retry) = (client(args, session)?, Retrying::new(args.access.retry)?.policy());
    let (mut answers, mut exit) = (Vec::new(), Exit::SUCCESS);
    for name in names(minor) {
        let written = format!("{}/redhat/{name}:v{minor}", args.registry.trim_end_matches('/'));
        let image: ImageRef = written.parse().map_err(|error| {
            let hint = "`--registry` takes a host, and perhaps a path: `registry.lab:5000/mirror`";
            Complaint::of(&error).with_hint(Some(hint.to_owned()))
        })?;
        match session.wait("asking for catalogs", is_there(&image, &client, retry)).await? {
            Ok(is_there) => answers.push((written, is_there)),
            Err(error) => {
                session.console.complain(&Complaint::from(ocm_mirror::Failure::from(&error)));
                exit = Exit::GENERIC;
            }
        }
    }
    match args.format {
        ResultFormat::Text => session.console.print_lines(&text(minor, &answers)),
        ResultFormat::Json => {
            let catalogs = answers.iter();
            let catalogs: Vec<_> = catalogs
                .map(|(written, is_there)| json!({ "catalog": written, "available": is_there }))
                .collect();
            let version = minor.to_string();
            session.console.print_json(&json!({ "version": version, "catalogs": catalogs }));
        }
    }
    Ok(exit)
}

async fn is_there(
    image: &ImageRef,
    client: &Client,
    retry: RetryPolicy,
) -> Result<bool, TransportError> {
    let source = client.registry(image.host()).source(image.repository());
    let selector = image.selector();
    Ok(retry.run(|| source.head(&selector)).await?.is_some())
}

fn minor(text: &str) -> Option<Minor> {
    let (major, minor) = text.strip_prefix('v').unwrap_or(text).split_once('.')?;
    let number = |text: &str| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        if is_plain { text.parse().ok() } else { None }
    };
    Some(Minor { major: number(major)?, minor: number(minor)? })
}

fn names(minor: Minor) -> impl Iterator<Item = &'static str> {
    let (marketplace, end) = MARKETPLACE;
    let is_there = (minor.major, minor.minor) < (end.major, end.minor);
    CATALOGS.into_iter().chain(is_there.then_some(marketplace))
}

fn text(minor: Minor, answers: &[(String, bool)]) -> Vec<String> {
    let head = "Available OpenShift OperatorHub catalogs:".to_owned();
    let line = |(written, is_there): &(String, bool)| {
        if *is_there {
            return written.clone();
        }
        format!("Invalid catalog reference \"{written}\", please check version")
    };
    [head, format!("OpenShift {minor}:")].into_iter().chain(answers.iter().map(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marketplace_ends_with_4_21() {
        for (version, count) in [("4.9", 4), ("4.21", 4), ("v4.22", 3), ("5.0", 3)] {
            assert_eq!(names(minor(version).unwrap()).count(), count, "{version}");
        }
        for text in ["", "4", "4.", ".18", "4.18.1", "four.18", "4.+8", "4.99999999999999999999"] {
            assert_eq!(minor(text), None, "{text}");
        }
    }
}
