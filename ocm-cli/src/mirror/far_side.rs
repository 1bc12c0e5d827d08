//! What has to be said again on the far side of an archive, where the same is decided once more.

use ocm_catalog::PreReleases;
use ocm_graph::{MissingPaths, Refusal};
use ocm_mirror::{Incomplete, Signatures, signature::Policy};

use crate::{args::PlatformIndex, request::Request};

/// Returns the flags of this run that decide what is mirrored, each after a space.
pub(super) fn flags(request: &Request) -> String {
    let (releases, operators) = (&request.releases, &request.operators);
    let mut words: Vec<String> = Vec::new();
    match &releases.paths.refusal {
        Refusal::Nothing => {}
        Refusal::Everything => words.push("--refuse-risk all".to_owned()),
        Refusal::Named(names) => {
            words.extend(names.iter().map(|name| format!("--refuse-risk {}", word(name))));
        }
    }
    let switches = [
        ("--require-path", releases.paths.missing_paths == MissingPaths::Fail),
        ("--ignore-release-signature", releases.unsigned == Policy::Ignored),
        ("--allow-unsigned-release", releases.sigstore == Policy::Ignored),
        ("--allow-missing", operators.allow_missing),
        ("--include-prereleases", operators.pre_releases == PreReleases::Admitted),
        ("--include-dependencies", operators.include_dependencies),
        ("--push-incomplete-catalog", operators.incomplete == Incomplete::Offered),
        ("--signatures require", request.signatures.0 == Signatures::Require),
        ("--platform-index rewrite", request.platform_index == PlatformIndex::Rewrite),
    ];
    words.extend(switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name.to_owned()));
    words.into_iter().flat_map(|word| [" ".to_owned(), word]).collect()
}

/// Writes a word so that a shell reads it as one.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+@".contains(c);
    if text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_shell_reads_one_word() {
        assert_eq!(word("OVNDisruption-4.18"), "OVNDisruption-4.18");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("it's"), r"'it'\''s'");
    }
}
