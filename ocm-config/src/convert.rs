//! From a configuration of any version to the same in v2alpha1, with what changed as comments.

mod remarks;

use crate::{
    document::{API_VERSION, Document, open, text_of},
    fault::{Change, Fault, Faults, Findings},
    render::Comments,
};

/// A configuration, written as v2alpha1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// What it says.
    pub document: Document,
    /// The same as YAML: comments of its author are where they belong, and what changed in
    /// meaning or place is said beside them.
    pub yaml: String,
    /// What was changed, and what its author may not have meant, in the order of the lines.
    pub warnings: Vec<Fault>,
}

/// Reads a configuration of any version and of either kind, and writes it as v2alpha1.
///
/// # Errors
///
/// [`Faults`] with everything that is wrong with the document.
pub fn convert(bytes: &[u8]) -> Result<Converted, Faults> {
    let mut findings = Findings::default();
    let opened = open(bytes, None, &mut findings);
    let converted = opened.and_then(|opened| {
        let document = opened.read_document(&mut findings)?;
        let mut comments = remarks::find(&opened.text, &opened.root, opened.kind);
        tell(&findings.take_changes(), text_of(&opened.root, "apiVersion"), &mut comments);
        let yaml = match &document {
            Document::ImageSet(image_set) => image_set.to_commented_yaml(comments),
            Document::DeleteSet(delete_set) => delete_set.to_commented_yaml(comments),
        };
        Some((document, yaml))
    });
    let ((document, yaml), warnings) = findings.settle(converted)?;
    Ok(Converted { document, yaml, warnings })
}

/// Says of each change what it was, above what it became.
fn tell(changes: &[Change], version: Option<&str>, comments: &mut Comments) {
    if changes.is_empty() {
        return;
    }
    let version = version.unwrap_or_default();
    let head =
        format!(" Converted from `{version}` to `{API_VERSION}`: changes are marked with `was:`.");
    comments.head.push(head);
    for Change { fault, path, advice } in changes {
        let mut line = format!(" was: line {}: {}", fault.location.line, fault.message);
        if let Some(advice) = advice {
            line.extend(["; ", advice.as_str()]);
        }
        comments.add_above(path, line);
    }
}
