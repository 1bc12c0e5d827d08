//! `ocm list releases` without a version: the minor versions of which there are releases.

use std::{collections::BTreeSet, iter, num::NonZeroUsize};

use ocm_graph::Minor;
use ocm_mirror::RetryPolicy;
use ocm_oci::{RepoName, Tag};
use ocm_transport::{CredentialFiles, Credentials, Page, Source, Transport as _, TransportError};
use serde_json::json;

use crate::{
    args::{ListReleasesArgs, ResultFormat},
    exit::Exit,
    graph::client,
    halt::Halt,
    request::Retrying,
    session::Session,
};

/// Where all releases are, and what their repository is called.
const REGISTRY: &str = "quay.io";
const REPOSITORY: &str = "openshift-release-dev/ocp-release";
/// How many tags are asked for at once; a registry may give fewer.
const TAGS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);
/// How tags of signatures end.
const SIGNATURE: &str = ".sig";
const HEAD: &str = "Available OpenShift Container Platform release versions:";

/// Lists the minor versions of which there are releases.
pub(super) async fn run(args: &ListReleasesArgs, session: &mut Session) -> Result<Exit, Halt> {
    let files = CredentialFiles {
        explicit: session.environment.authfile(),
        search: session.environment.credential_files(),
    };
    let client = client(&args.updates, Credentials::load(&files)?, &session.environment)?;
    let (Ok(host), Ok(repository)) = (REGISTRY.parse(), REPOSITORY.parse::<RepoName>()) else {
        return Err(Halt::Said);
    };
    let retry = Retrying::new(args.updates.retry)?.policy();
    let source = client.registry(&host).source(&repository);
    let tags = session.wait("asking for releases", tags(&*source, retry)).await?;
    let minors = minors_of(&tags.map_err(|error| Halt::from(&error))?);
    let texts: Vec<_> = minors.iter().map(ToString::to_string).collect();
    match args.format {
        ResultFormat::Text => {
            let lines = texts.iter().map(|minor| format!("  {minor}"));
            let lines: Vec<_> = iter::once(HEAD.to_owned()).chain(lines).collect();
            session.console.print_lines(&lines);
        }
        ResultFormat::Json => session.console.print_json(&json!({ "versions": texts })),
    }
    Ok(Exit::SUCCESS)
}

async fn tags(source: &dyn Source, retry: RetryPolicy) -> Result<Vec<Tag>, TransportError> {
    let mut page = Some(Page { after: None, limit: TAGS });
    let mut tags = Vec::new();
    while let Some(wanted) = page {
        let listing = retry.run(|| source.tags(&wanted)).await?;
        tags.extend(listing.items);
        page = listing.next;
    }
    Ok(tags)
}

/// Returns the first two numbers of each tag that is no signature's.
fn minors_of(tags: &[Tag]) -> BTreeSet<Minor> {
    let minor = |tag: &Tag| {
        let text = tag.as_str();
        let mut parts = text.split('.');
        let major = parts.next()?.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        let minor = parts.next()?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        text.strip_suffix(SIGNATURE).is_none().then_some(Minor { major, minor })
    };
    tags.iter().filter_map(minor).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_begin_with_a_minor_version() {
        let tags = ["4.18.1-x86_64", "4.9.0-rc.1", "5.0.0", "4.18.2", "latest", "sha256-4.99.sig"];
        let tags = tags.map(|tag| tag.parse::<Tag>().unwrap());
        let minors: Vec<_> = minors_of(&tags).iter().map(ToString::to_string).collect();
        assert_eq!(minors, ["4.9", "4.18", "5.0"]);
    }
}
