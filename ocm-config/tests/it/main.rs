//! Integration tests: one binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of tests may panic and say that they are skipped; only functions marked as tests \
              are excused by themselves"
)]

mod advice;
mod conversion;
mod corpus;
mod examples;
mod faults;
mod hostile;
mod images;
mod rendering;
mod schema;
mod sizes;

use ocm_config::{Fault, ImageSet, Parsed};

const HEADER: &str = "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\n";

/// Returns the image set of a document below the usual header, which takes two lines.
fn accepted(body: &str) -> ImageSet {
    let Parsed { image_set, warnings } = parsed(body);
    assert_eq!(warnings, []);
    image_set
}

fn parsed(body: &str) -> Parsed {
    let document = format!("{HEADER}{body}");
    ocm_config::parse(document.as_bytes()).unwrap_or_else(|faults| panic!("{faults}\n{document}"))
}

/// Returns everything found in a document that is refused.
fn refused(document: impl AsRef<[u8]>) -> Vec<Fault> {
    ocm_config::parse(document.as_ref()).unwrap_err().iter().cloned().collect()
}
