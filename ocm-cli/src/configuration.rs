//! Reads the configuration, and shows what is wrong with it where it stands.

use std::path::Path;

use bytes::Bytes;
use miette::{LabeledSpan, NamedSource};
use ocm_config::{AdditionalImage, Fault, Faults, ImageSet, Location, Mirror, Severity};
use ocm_mirror::{Code, Lost};
use serde_json::json;

use crate::{
    console::{Console, Level},
    files,
    halt::Halt,
    progress::count,
    report::{Complaint, Excerpt},
};

/// Most faults that are shown one by one.
const MOST_FAULTS: usize = 20;

/// A configuration, and the bytes it was read from.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) image_set: ImageSet,
    pub(crate) text: Bytes,
}

/// Reads `file`.
///
/// # Errors
///
/// When it cannot be read, or means nothing; all that is wrong with it has been said then.
pub(crate) fn read(file: &Path, console: &mut Console) -> Result<Configuration, Halt> {
    let read = read_any(file, console)?;
    refuse_what_is_to_come(file, &read.text, &read.image_set.mirror, console)?;
    complain_of_images(file, &read.text, &read.image_set, console);
    Ok(read)
}

/// Reads `file`, whatever is in it; `-` is the standard input.
///
/// # Errors
///
/// As [`read`].
pub(crate) fn read_any(file: &Path, console: &mut Console) -> Result<Configuration, Halt> {
    let bytes = files::read_at_most(file, ocm_config::SIZE_LIMIT)?;
    match ocm_config::parse(&bytes) {
        Ok(parsed) => {
            tell(file, &parsed.warnings, console);
            Ok(Configuration { image_set: parsed.image_set, text: bytes.into() })
        }
        Err(faults) => {
            complain(file, &bytes, &faults, console);
            Err(Halt::Said)
        }
    }
}

/// Says all that is wrong with a document that cannot be used.
pub(crate) fn complain(file: &Path, bytes: &[u8], faults: &Faults, console: &mut Console) {
    let text = shown(&String::from_utf8_lossy(bytes));
    for complaint in complaints(file, &text, faults) {
        console.complain(&complaint);
    }
}

impl Configuration {
    /// Says of images that are configured wrongly what is wrong, and where it stands.
    pub(crate) fn explain(&self, lost: &mut [Lost]) {
        for lost in lost.iter_mut().filter(|lost| lost.failure.code == Code::Reference) {
            let images = &self.image_set.mirror.additional_images;
            let is_it = |image: &&AdditionalImage| image.name == lost.failure.image;
            let faults: Vec<_> = images.iter().filter(is_it).flat_map(faults).collect();
            if let [first, rest @ ..] = faults.as_slice() {
                lost.failure.chain = vec![in_words(first)];
                lost.failure.chain.extend(rest.iter().map(in_words));
            }
        }
    }
}

/// Returns all that is wrong with one image.
fn faults(image: &AdditionalImage) -> Vec<Fault> {
    image.wanted.as_ref().err().into_iter().flatten().map(Fault::from).collect()
}

fn in_words(fault: &Fault) -> String {
    let Fault { location, message, .. } = fault;
    format!("line {}, column {}: {message}", location.line, location.column)
}

/// Refuses sections that cannot be mirrored yet: nothing that was asked for is left out in
/// silence.
fn refuse_what_is_to_come(
    file: &Path,
    bytes: &[u8],
    mirror: &Mirror,
    console: &mut Console,
) -> Result<(), Halt> {
    let sections: [(&str, Option<&Location>); 1] = [("helm", mirror.helm.location.as_ref())];
    let refused = sections.into_iter().filter_map(|(name, location)| {
        let message = format!("`{name}` cannot be mirrored yet");
        let fault = Fault::error(ocm_config::Code::NotImplemented, location?.clone(), message);
        Some(fault.with_help("remove it, or mirror it with another tool".to_owned()))
    });
    let refused: Vec<_> = refused.collect();
    let text = shown(&String::from_utf8_lossy(bytes));
    for fault in &refused {
        console.complain(&complaint(file, &text, fault));
    }
    if refused.is_empty() { Ok(()) } else { Err(Halt::Said) }
}

/// Tells of images that are configured wrongly; the others are mirrored all the same.
fn complain_of_images(file: &Path, bytes: &[u8], image_set: &ImageSet, console: &mut Console) {
    let images = &image_set.mirror.additional_images;
    let faults: Vec<_> = images.iter().flat_map(faults).collect();
    if faults.is_empty() {
        return;
    }
    let text = shown(&String::from_utf8_lossy(bytes));
    for fault in faults.iter().take(MOST_FAULTS) {
        console.complain(&complaint(file, &text, fault));
    }
    let wrong = images.iter().filter(|image| image.wanted.is_err()).count();
    let wrong = count(wrong, "image");
    console.warn(format!("{wrong} of `{}` cannot be mirrored as written", file.display()));
}

/// Says on a line each what to know about a configuration that can be used.
pub(crate) fn tell(file: &Path, warnings: &[Fault], console: &mut Console) {
    for warning in warnings {
        let level = if warning.severity == Severity::Note { Level::Info } else { Level::Warn };
        console.tell(level, warning, &warning_line(file, warning));
    }
}

fn warning_line(file: &Path, warning: &Fault) -> String {
    let (line, column) = (warning.location.line, warning.location.column);
    let text = format!("{}:{line}:{column}: {}", file.display(), warning.message);
    match &warning.help {
        Some(help) => format!("{text} ({help})"),
        None => text,
    }
}

fn complaints(file: &Path, text: &str, faults: &Faults) -> Vec<Complaint> {
    let errors: Vec<_> = faults.iter().filter(|fault| fault.severity == Severity::Error).collect();
    let count = errors.len() + faults.omitted();
    let mut complaints: Vec<_> =
        errors.iter().take(MOST_FAULTS).map(|fault| complaint(file, text, fault)).collect();
    if count > 1 {
        let shown = count.min(MOST_FAULTS);
        let rest = match count {
            _ if shown < count => format!(", of which {shown} are shown"),
            _ => String::new(),
        };
        let message = format!("`{}` has {count} errors{rest}", file.display());
        let hint = format!("`ocm config check {}` shows all of them", file.display());
        complaints.push(Complaint::told([message], Some(hint)));
    }
    complaints
}

/// Makes a complaint of a fault; `text` is the document as it is [`shown`].
pub(crate) fn complaint(file: &Path, text: &str, fault: &Fault) -> Complaint {
    let name = name(file);
    let (line, column) = (fault.location.line, fault.location.column);
    let details = json!({
        "file": &name, "line": line, "column": column, "path": &fault.location.path,
        "code": fault.code,
    });
    let message = match fault.location.path.as_str() {
        "" => fault.message.clone(),
        path => format!("{path}: {}", fault.message),
    };
    let severity = match fault.severity {
        Severity::Note => miette::Severity::Advice,
        Severity::Warning => miette::Severity::Warning,
        Severity::Error => miette::Severity::Error,
    };
    let complaint = Complaint::told([message], fault.help.clone())
        .with_details(details)
        .with_severity(severity);
    let Some((at, length)) = span(text, line, column) else { return complaint };
    let labels = vec![LabeledSpan::new(Some("here".to_owned()), at, length)];
    complaint.with_excerpt(Excerpt { file: NamedSource::new(name, text.to_owned()), labels })
}

/// Returns what people call a file.
pub(crate) fn name(file: &Path) -> String {
    match file.to_str() {
        Some(files::STANDARD_INPUT) => "standard input".to_owned(),
        _ => file.display().to_string(),
    }
}

/// Finds the word at a place: where it begins, and how many bytes it has.
fn span(text: &str, line: u32, column: u32) -> Option<(usize, usize)> {
    let nth = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let mut lines = text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(nth(line)?).map(str::len).sum();
    let rest = lines.next().unwrap_or_default();
    let (at, _) = rest.char_indices().nth(nth(column)?).unwrap_or((rest.trim_end().len(), ' '));
    let word = rest.get(at..)?.split(|c: char| c.is_whitespace()).next().unwrap_or_default();
    let word = word.strip_suffix(':').filter(|word| !word.is_empty()).unwrap_or(word);
    Some((before + at, word.len()))
}

/// Hides what a terminal would obey. Lines stay lines, whatever they end in, and columns stay
/// columns.
pub(crate) fn shown(text: &str) -> String {
    let is_hidden = |c: char| c.is_control() && c != '\n' && c != '\t';
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().map(|c| if is_hidden(c) { '␣' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        args::{LogFormat, LogLevel},
        console::{
            Colour,
            tests::{Desk, desk},
        },
    };

    fn read_text(text: &str, format: LogFormat) -> (Result<Configuration, Halt>, String) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("isc.yaml");
        std::fs::write(&file, text).unwrap();
        let Desk { mut console, err, out } = desk(LogLevel::Info, format, Colour::Never);
        let read = read(&file, &mut console);
        let directory = directory.path().display().to_string();
        (read, (err.text() + &out.text()).replace(&directory, "DIR"))
    }

    const HEAD: &str =
        "kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n";

    #[test]
    fn faults_are_shown_where_they_stand() {
        let text = format!(
            "{HEAD}  additionalImages:\n  - nane: quay.io/team/app:v1\n  platform: {{}}\n\
             archiveSize: four\n"
        );
        let (read, said) = read_text(&text, LogFormat::Text);
        assert!(matches!(read, Err(Halt::Said)));
        insta::assert_snapshot!(said);
    }

    #[test]
    fn a_terminal_does_not_obey_the_text_of_a_configuration() {
        let (_, said) = read_text(&format!("{HEAD}archiveSize: \u{1b}[31mx\n"), LogFormat::Text);
        assert!(said.contains("␣[31mx") && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn machines_learn_line_and_column() {
        let (_, said) = read_text(&format!("{HEAD}  nonsense: 1\n"), LogFormat::Json);
        let object: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
        assert_eq!((&object["line"], &object["column"]), (&4.into(), &3.into()), "{said}");
        assert_eq!(object["code"], "unknown-key");
    }

    #[test]
    fn a_sound_configuration_is_read() {
        let text = format!("{HEAD}  additionalImages:\n  - name: quay.io/team/app:v1\n");
        let (read, said) = read_text(&text, LogFormat::Text);
        assert_eq!(read.unwrap().image_set.mirror.additional_images.len(), 1);
        assert_eq!(said, "");
    }

    #[test]
    fn a_place_outside_of_the_text_is_its_end() {
        assert_eq!(span("a: b\n", 1, 1), Some((0, 1)));
        assert_eq!(span("a: b\n", 1, 4), Some((3, 1)));
        assert_eq!(span("ä: b\n", 1, 4), Some((4, 1)));
        assert_eq!(span("a: b\n", 1, 99), Some((4, 0)));
        assert_eq!(span("a: b\n", 2, 1), Some((5, 0)));
        assert_eq!(span("", 1, 1), Some((0, 0)));
    }
}
