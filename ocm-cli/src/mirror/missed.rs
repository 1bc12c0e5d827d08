//! What is not at the destination: why, and what may help.

use std::collections::BTreeSet;

use ocm_mirror::{Failure, Kind, Lost, Plan, Report};

use crate::{
    console::{Console, Level},
    progress::selection_lost,
};

/// Most pieces of advice that are given; the file of failures has all.
const MOST_HINTS: usize = 5;
/// Most images that are named with one piece of advice, or in one list.
pub(super) const MOST_NAMED: usize = 8;

/// An image that is not there, or what a catalog does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    /// What it is called.
    pub(super) origin: String,
    /// What it is.
    what: What,
    /// Why it is not there.
    why: String,
    /// The last cause, which says it in fewest words.
    cause: String,
    /// What may help.
    hint: Option<String>,
}

/// What is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Image,
    /// Something of a catalog, which itself is there.
    Selection,
}

impl Missed {
    /// Tells what cannot be had.
    fn lost(lost: &Lost) -> Self {
        let what = if lost.kind == Kind::Selection { What::Selection } else { What::Image };
        Self { what, ..Self::of(&lost.failure.image, &lost.failure) }
    }

    /// Tells what became of the image of this name.
    pub(super) fn of(origin: &str, failure: &Failure) -> Self {
        let cause = failure.chain.last().cloned().unwrap_or_default();
        let (why, hint) = (failure.chain.join(": "), failure.hint.clone());
        Self { origin: origin.to_owned(), what: What::Image, why, cause, hint }
    }

    /// Whether it is an image, and not something of a catalog.
    pub(super) fn is_image(&self) -> bool {
        self.what == What::Image
    }

    /// Returns what is not in an archive without it.
    pub(super) fn name(&self) -> String {
        match self.what {
            What::Image => self.origin.clone(),
            What::Selection => format!("{}: {}", self.origin, self.why),
        }
    }

    /// Returns the line that the file of failures has for it.
    fn line(&self) -> String {
        let Self { origin, what, why, hint, .. } = self;
        let help = hint.as_ref().map_or_else(String::new, |hint| format!(" (help: {hint})"));
        let line = match what {
            What::Image => format!("error mirroring image {origin} error: {why}{help}"),
            What::Selection => selection_lost(origin, why) + &help,
        };
        crate::console::printable(&line).into_owned() + "\n"
    }
}

/// Returns every image that failed, in the order of the plan.
pub(super) fn all(plan: &Plan, report: &Report) -> Vec<Missed> {
    let mut missed: Vec<_> = report.lost.iter().map(Missed::lost).collect();
    for (id, image) in plan.images() {
        // What is about an image that is not there is missed by nobody.
        let failed = report.failed.get(&id).filter(|_| image.is_attachment());
        missed.extend(failed.map(|failure| Missed::of(image.origin(), failure)));
        for name in &image.names {
            if let Some(failure) = report.failed.get(&id) {
                missed.push(Missed::of(&name.origin, failure));
            } else if let Some(because) = report.skipped.get(&id) {
                let needed = plan.image(*because).map_or("an image", |image| image.origin());
                let why = format!("it needs {needed}, which is not there");
                let (origin, cause, what) = (name.origin.clone(), why.clone(), What::Image);
                missed.push(Missed { origin, what, why, cause, hint: None });
            }
        }
    }
    if super::is_archive(plan) {
        missed.iter_mut().for_each(forget_promise);
    }
    missed
}

/// An archive that is not finished is not gone on with: every run to disk begins anew.
fn forget_promise(missed: &mut Missed) {
    if let Some(hint) = &mut missed.hint {
        *hint = hint.replace("; what is done stays done", "");
    }
}

/// Returns the content of the file of failures.
pub(super) fn text(missed: &[Missed]) -> String {
    missed.iter().map(Missed::line).collect()
}

/// Says what may help, and which images it is about.
pub(super) fn help(missed: &[Missed], console: &mut Console) {
    let mut said = BTreeSet::new();
    for hint in missed.iter().filter_map(|missed| missed.hint.as_ref()) {
        if said.len() == MOST_HINTS || !said.insert(hint) {
            continue;
        }
        console.say(Level::Error, format!("help: {hint}"));
        let about = missed.iter().filter(|missed| missed.hint.as_ref() == Some(hint));
        let lines = about.map(|Missed { origin, cause, .. }| format!("{origin}: {cause}"));
        for line in abridged(lines.collect()) {
            console.say(Level::Error, format!("  for {line}"));
        }
    }
}

/// Returns the first of them, and how many there are besides.
pub(super) fn abridged(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        lines.truncate(MOST_NAMED);
        lines.push(format!("{more} more"));
    }
    lines
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

    fn missed(origin: &str, hint: Option<&str>) -> Missed {
        let why = "could not look it up: nothing is there".to_owned();
        let (origin, hint) = (origin.to_owned(), hint.map(str::to_owned));
        Missed { origin, what: What::Image, why, cause: "nothing is there".to_owned(), hint }
    }

    #[test]
    fn advice_names_the_images_it_is_for() {
        let Desk { mut console, err, .. } = desk(LogLevel::Info, LogFormat::Text, Colour::Never);
        let all = [
            missed("r/a:1", Some("check the name")),
            missed("r/b:1", Some("log in")),
            missed("r/c:1", Some("check the name")),
            missed("r/d:1", None),
        ];
        help(&all, &mut console);
        let said = err.text();
        let after_level = |line| str::split_once(line, "[ERROR]  : ").map(|(_, text)| text);
        let lines: Vec<_> = said.lines().filter_map(after_level).collect();
        assert_eq!(
            lines,
            [
                "help: check the name",
                "  for r/a:1: nothing is there",
                "  for r/c:1: nothing is there",
                "help: log in",
                "  for r/b:1: nothing is there",
            ],
            "{said}"
        );
        assert_eq!(
            text(&all[..1]),
            "error mirroring image r/a:1 error: could not look it up: nothing is there (help: \
             check the name)\n"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let lines = (0..MOST_NAMED + 3).map(|n| n.to_string()).collect();
        assert_eq!(abridged(lines).last().unwrap(), "3 more");
        assert_eq!(abridged(vec!["one".to_owned()]), ["one"]);
    }
}
