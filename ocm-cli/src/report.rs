//! Errors as people read them: what was attempted, why it failed, what to do; each said once.

use std::{error::Error, fmt, iter};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};
use serde::Serialize;

use crate::console::{Colour, printable};

/// What went wrong, ready to be shown.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Complaint {
    /// What was attempted.
    pub(crate) message: String,
    /// Why it failed, the nearest cause first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) causes: Vec<String>,
    /// What may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// What machines may want to know as well.
    #[serde(flatten)]
    pub(crate) details: Option<serde_json::Value>,
    /// Text of a file that it is about.
    #[serde(skip)]
    pub(crate) excerpt: Option<Excerpt>,
    /// How bad it is; an error where nothing is said.
    #[serde(skip)]
    pub(crate) severity: Option<miette::Severity>,
}

/// A file, and places in it.
#[derive(Debug)]
pub(crate) struct Excerpt {
    /// The file.
    pub(crate) file: miette::NamedSource<String>,
    /// Where to look, and what is wrong there.
    pub(crate) labels: Vec<LabeledSpan>,
}

impl Complaint {
    /// Tells `error` and its causes.
    pub(crate) fn of(error: &dyn Error) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for error in iter::successors(Some(error), |&error| error.source()) {
            let text = error.to_string();
            // Some libraries repeat their cause in their own text.
            if texts.last().is_none_or(|last| !last.ends_with(&text)) {
                texts.push(text);
            }
        }
        Self::told(texts, None)
    }

    /// Tells what was attempted, and then its causes.
    pub(crate) fn told(chain: impl IntoIterator<Item = String>, hint: Option<String>) -> Self {
        let mut chain = chain.into_iter().map(|text| printable(&text).into_owned());
        let message = chain.next().unwrap_or_default();
        let hint = hint.map(|hint| printable(&hint).into_owned());
        Self { message, causes: chain.collect(), hint, ..Self::default() }
    }

    /// Adds what may help.
    #[must_use]
    pub(crate) fn with_hint(self, hint: Option<String>) -> Self {
        Self { hint: hint.or(self.hint), ..self }
    }

    /// Adds what machines may want to know as well: an object.
    #[must_use]
    pub(crate) fn with_details(self, details: serde_json::Value) -> Self {
        Self { details: Some(details), ..self }
    }

    /// Says how bad it is.
    #[must_use]
    pub(crate) fn with_severity(self, severity: miette::Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    /// Adds places in a file.
    #[must_use]
    pub(crate) fn with_excerpt(self, excerpt: Excerpt) -> Self {
        Self { excerpt: Some(excerpt), ..self }
    }

    /// Returns it on one line.
    pub(crate) fn line(&self) -> String {
        let chain = iter::once(&self.message).chain(&self.causes);
        chain.map(String::as_str).collect::<Vec<_>>().join(": ")
    }

    /// Draws it for a terminal of `width` columns.
    pub(crate) fn draw(&self, colour: Colour, width: usize) -> String {
        let theme = match colour {
            Colour::Always => GraphicalTheme::unicode(),
            Colour::Never => GraphicalTheme::unicode_nocolor(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_links(false)
            .with_break_words(false)
            .without_syntax_highlighting();
        let shown = Shown { complaint: self, cause: Cause::chain(&self.causes) };
        let mut text = String::new();
        match handler.render_report(&mut text, &shown) {
            Ok(()) => text,
            Err(fmt::Error) => self.line(),
        }
    }
}

/// A complaint in the shape that miette draws.
#[derive(Debug)]
struct Shown<'a> {
    complaint: &'a Complaint,
    cause: Option<Cause>,
}

/// A cause, and its own.
#[derive(Debug)]
struct Cause {
    text: String,
    cause: Option<Box<Self>>,
}

impl Cause {
    fn chain(texts: &[String]) -> Option<Self> {
        texts.iter().rfold(None, |cause, text| {
            Some(Self { text: text.clone(), cause: cause.map(Box::new) })
        })
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.complaint.message)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Shown<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| -> &(dyn Error + 'static) { cause })
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| -> &(dyn Error + 'static) { cause })
    }
}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.complaint.hint.as_ref().map(|hint| -> Box<dyn fmt::Display> { Box::new(hint) })
    }

    fn severity(&self) -> Option<miette::Severity> {
        self.complaint.severity
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.complaint.excerpt.as_ref().map(|excerpt| -> &dyn SourceCode { &excerpt.file })
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.complaint.excerpt.as_ref()?.labels.iter().cloned();
        Some(Box::new(labels))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not fetch `v1` from quay.io/team/app")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("the connection broke: {0}")]
    struct Inner(#[source] io::Error);

    fn complaint() -> Complaint {
        let error = Outer(Inner(io::Error::other("reset by peer")));
        Complaint::of(&error).with_hint(Some("run the same command again".to_owned()))
    }

    #[test]
    fn each_cause_is_said_once() {
        assert_eq!(
            complaint().draw(Colour::Never, 100),
            "  × could not fetch `v1` from quay.io/team/app\n  \
             ╰─▶ the connection broke: reset by peer\n  \
             help: run the same command again\n"
        );
        assert_eq!(
            complaint().line(),
            "could not fetch `v1` from quay.io/team/app: the connection broke: reset by peer"
        );
    }

    #[test]
    fn colours_are_added_to_the_same_text() {
        let (plain, coloured) =
            (complaint().draw(Colour::Never, 100), complaint().draw(Colour::Always, 100));
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(console::strip_ansi_codes(&coloured), plain);
    }

    #[test]
    fn a_place_in_a_file_is_shown() {
        let text = "mirror:\n  additionalImages:\n    - nane: x\n".to_owned();
        let at = text.find("nane").unwrap();
        let label = LabeledSpan::new(Some("unknown field".to_owned()), at, 4);
        let excerpt =
            Excerpt { file: miette::NamedSource::new("isc.yaml", text), labels: vec![label] };
        let complaint = Complaint::told(["`isc.yaml` has a fault".to_owned()], None);
        insta::assert_snapshot!(complaint.with_excerpt(excerpt).draw(Colour::Never, 100), @r"
        × `isc.yaml` has a fault
         ╭─[isc.yaml:3:7]
       2 │   additionalImages:
       3 │     - nane: x
         ·       ──┬─
         ·         ╰── unknown field
         ╰────
        ");
    }

    /// A registry's error text must not be able to move the cursor or to forge a line.
    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        let complaint = Complaint::told(["evil\u{1b}[2J\nFAKE".to_owned()], None);
        assert_eq!(complaint.line(), "evil\\u{1b}[2J\\nFAKE");
    }
}
