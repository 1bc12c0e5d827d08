//! What is wrong with configurations, and what they mean.

use std::path::{Path, PathBuf};

use ocm_config::{Fault, Severity, parse_document};
use serde::Serialize;
use serde_json::json;

use crate::{
    args::{CheckArgs, ResultFormat},
    configuration,
    console::Console,
    exit::Exit,
    files,
    progress::count,
    report::Complaint,
};

/// What was found in one file.
#[derive(Debug, Serialize)]
struct Checked {
    /// The file.
    file: String,
    /// What it says it is; nothing where it cannot be used.
    kind: Option<&'static str>,
    /// Whether all of it can be used.
    valid: bool,
    /// All that was found, in the order of the lines.
    faults: Vec<Fault>,
    /// How many more there are.
    omitted: usize,
    #[serde(skip)]
    path: PathBuf,
    /// The text of the file, as it is shown.
    #[serde(skip)]
    text: String,
}

/// Says what is wrong with each file.
pub(super) fn run(args: &CheckArgs, console: &mut Console) -> Exit {
    let mut checked = Vec::new();
    let mut unread = false;
    for file in &args.files {
        match files::read_at_most(file, ocm_config::SIZE_LIMIT) {
            Ok(bytes) => checked.push(check(file, &bytes, args)),
            Err(error) => {
                console.complain(&Complaint::of(&error).with_hint(error.hint()));
                unread = true;
            }
        }
    }
    match args.format {
        ResultFormat::Json => console.print_json(&json!({ "files": checked })),
        ResultFormat::Text => {
            for checked in &checked {
                show(checked, console);
            }
        }
    }
    let all_valid = !unread && checked.iter().all(|checked| checked.valid);
    if all_valid { Exit::SUCCESS } else { Exit::GENERIC }
}

fn check(file: &Path, bytes: &[u8], args: &CheckArgs) -> Checked {
    let text = configuration::shown(&String::from_utf8_lossy(bytes));
    let (kind, mut faults, omitted) = match parse_document(bytes) {
        Err(faults) => (None, faults.as_slice().to_vec(), faults.omitted()),
        Ok(parsed) => {
            let mirror = parsed.document.mirror();
            let mut found = parsed.warnings;
            found.extend(mirror.item_faults());
            let limit = args.max_nested_paths;
            found.extend(limit.map(|limit| mirror.deeper_than(limit)).unwrap_or_default());
            (Some(parsed.document.kind()), found, 0)
        }
    };
    faults.sort_by_key(|fault| (fault.location.line, fault.location.column));
    let path = file.to_owned();
    let valid = faults.iter().all(|fault| fault.severity != Severity::Error);
    Checked { file: configuration::name(file), kind, valid, faults, omitted, path, text }
}

fn show(checked: &Checked, console: &mut Console) {
    for fault in &checked.faults {
        console.draw(&configuration::complaint(&checked.path, &checked.text, fault));
    }
    let of = |severity| checked.faults.iter().filter(|f| f.severity == severity).count();
    let errors = of(Severity::Error) + checked.omitted;
    let found =
        [(errors, "error"), (of(Severity::Warning), "warning"), (of(Severity::Note), "note")];
    let found: Vec<_> =
        found.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(n, what)).collect();
    let verdict = match (checked.valid, found.as_slice()) {
        (true, []) => "can be used as it is".to_owned(),
        (true, found) => format!("can be used: {}", found.join(", ")),
        (false, found) => format!("{}; check it again when they are mended", found.join(", ")),
    };
    console.print(&format!("{}: {verdict}\n", checked.file));
    if checked.omitted > 0 {
        let rest = count(checked.omitted, "error");
        console.print(&format!("{}: {rest} more than are shown\n", checked.file));
    }
}

#[cfg(test)]
mod tests;
