use std::time::Duration;

use ocm_mirror::{Failure, Kind, Lost, Transfer};

use super::stopwatch;

/// Returns what oc-mirror calls a kind of image in the lines of its log.
pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Release => "ocpRelease",
        Kind::ReleaseContent => "ocpReleaseContent",
        Kind::UpdateGraph => "cincinnatiGraph",
        Kind::Catalog => "operatorCatalog",
        Kind::Bundle => "operatorBundle",
        Kind::RelatedImage => "operatorRelatedImage",
        Kind::Additional => "generic",
        Kind::Helm => "helmImage",
        Kind::Attachment(_) => "attachment",
        _ => "image",
    }
}

/// Returns what is said of an image that cannot be had, or of what a catalog does not have.
pub(crate) fn lost_line(lost: &Lost) -> String {
    if lost.kind == Kind::Selection {
        return selection_lost(&lost.failure.image, &lost.failure.chain.join(": "));
    }
    copy_failed(lost.kind, &lost.failure.image, &lost.failure)
}

/// Returns what is said of what is selected of a catalog that does not have it.
pub(crate) fn selection_lost(catalog: &str, why: &str) -> String {
    format!("Not found in {} {catalog}: {why}", kind_word(Kind::Catalog))
}

/// Returns what is said of an image that could not be copied.
pub(super) fn copy_failed(kind: Kind, origin: &str, failure: &Failure) -> String {
    format!("Failed to copy {} {origin}: {}", kind_word(kind), failure.chain.join(": "))
}

/// Returns how a blob came to be where it is.
pub(super) fn transfer_word(how: Transfer) -> &'static str {
    match how {
        Transfer::Copied { .. } => "copied",
        Transfer::Mounted => "mounted",
        Transfer::Present => "found",
    }
}

/// Returns when something is tried again.
pub(super) fn humane_pause(pause: Duration) -> String {
    if pause.is_zero() { "at once".to_owned() } else { format!("in {}", stopwatch(pause)) }
}

/// Returns how many of something there are, in words.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn one_thing_is_not_many() {
        assert_eq!(count(1, "image"), "1 image");
        assert_eq!(count(0, "image"), "0 images");
        assert_eq!(count(2, "retry"), "2 retries");
    }
}
